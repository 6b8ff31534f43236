/** What a browser has to load. */
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { expect, test } from 'vitest'

const LIMIT_BYTES = 30 * 1024

test('the browser entry needs nothing of Node and stays below 30 KiB, minified and compressed', async () => {
  const result = await build({
    entryPoints: ['src/client/index.ts'],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
    metafile: true,
  })
  const inputs = Object.keys(result.metafile.inputs)
  expect(inputs.filter(path => path.endsWith('.node.ts') || path.includes('node:'))).toEqual([])
  expect(inputs).toContain('src/client/outbox.ts')
  const [bundle] = result.outputFiles
  const bytes = gzipSync(bundle?.contents ?? '').length
  expect(bytes).toBeGreaterThan(1_000)
  expect(bytes).toBeLessThan(LIMIT_BYTES)
})

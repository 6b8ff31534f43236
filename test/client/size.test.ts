/** What a browser has to load. */
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { expect, test } from 'vitest'

const KIB = 1_024
/** Minified. Browsers take brotli over https, gzip elsewhere. docs/client.md says the same. */
const LIMIT_GZIP = 34 * KIB
const LIMIT_BROTLI = 31 * KIB

test('the browser entry needs nothing of Node and is as small as the docs say', async () => {
  const result = await build({
    entryPoints: ['src/client/index.ts'],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    legalComments: 'none',
    write: false,
    metafile: true,
  })
  const inputs = Object.keys(result.metafile.inputs)
  expect(inputs.filter(path => path.endsWith('.node.ts') || path.includes('node:'))).toEqual([])
  expect(inputs).toContain('src/client/outbox.ts')
  const contents = result.outputFiles[0]?.contents ?? new Uint8Array(0)
  const [gzip, brotli] = [gzipSync(contents, { level: 9 }).length, brotliCompressSync(contents).length]
  const kib = (bytes: number): string => `${(bytes / KIB).toFixed(1)} KiB`
  process.stdout.write(`client.js: ${kib(contents.length)}, gzip ${kib(gzip)}, brotli ${kib(brotli)}\n`)
  expect(contents.length).toBeGreaterThan(10 * KIB)
  expect(gzip).toBeLessThan(LIMIT_GZIP)
  expect(brotli).toBeLessThan(LIMIT_BROTLI)
})

/**
 * Builds what browsers load, into `dist/web`: part of `npm run build`.
 *
 * Everything is written three times, as it is and compressed as well as it can be, so that the server only has to read it.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('../../', import.meta.url))
const out = join(root, 'dist/web')

rmSync(out, { recursive: true, force: true })
await build({
  entryPoints: { client: join(root, 'src/client/index.ts') },
  outdir: out,
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  legalComments: 'none',
})
for (const name of readdirSync(out, { recursive: true, encoding: 'utf8' })) {
  if (/\.(html|js|css|svg|webmanifest)$/.test(name)) compress(join(out, name))
}

function compress(file: string): void {
  const bytes = readFileSync(file)
  const hints = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length }
  writeFileSync(`${file}.br`, brotliCompressSync(bytes, { params: hints }))
  writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }))
}

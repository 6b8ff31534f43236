/**
 * Builds what browsers load, into `dist/web`: part of `npm run build`.
 *
 * Four things: the client library as one module, the page, the worker that keeps the page for times without a network and is told the page's
 * files, and the operator's console. Everything is written three times, as it is and compressed as well as it can be, so that the server
 * only has to read it.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { build, type BuildOptions } from 'esbuild'
import { build as buildPage } from 'vite'

const root = fileURLToPath(new URL('../../', import.meta.url))
const out = join(root, 'dist/web')
const asModule: BuildOptions = {
  outdir: out,
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  legalComments: 'none',
}

await buildDocument('page', 'index.html', true)
const files = written().map(name => (name === 'index.html' ? '/' : `/${name}`))
await build({
  ...asModule,
  entryPoints: { worker: join(root, 'src/web/worker/worker.ts') },
  format: 'iife',
  define: { FILES: JSON.stringify(files), VERSION: JSON.stringify(hashOf(written())) },
})
// Not among the files of the page: who chats loads nothing of it, and it is of no use without the server.
await buildDocument('console', 'console.html', false)
await build({ ...asModule, entryPoints: { client: join(root, 'src/client/index.ts') } })
for (const name of written()) compress(join(out, name))

/** One of the documents, with a script and a style of its own. */
async function buildDocument(folder: string, document: string, isFirst: boolean): Promise<void> {
  const from = join(root, 'src/web', folder)
  await buildPage({
    configFile: false,
    root: from,
    logLevel: 'warn',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    // The server's policy lets in no script but those of its files.
    build: {
      outDir: out,
      emptyOutDir: isFirst,
      target: 'es2022',
      assetsInlineLimit: 0,
      modulePreload: false,
      rolldownOptions: { input: join(from, document) },
    },
  })
}

/** What is there already, below `dist/web`. */
function written(): readonly string[] {
  const names = readdirSync(out, { recursive: true, encoding: 'utf8' })
  return names.filter(name => /\.(html|js|css|svg|webmanifest)$/.test(name)).map(name => name.replaceAll('\\', '/'))
}

/** The same for the same files with the same content. */
function hashOf(names: readonly string[]): string {
  const hash = createHash('sha256')
  for (const name of [...names].sort()) hash.update(name).update(readFileSync(join(out, name)))
  return hash.digest('base64url').slice(0, 16)
}

function compress(file: string): void {
  const bytes = readFileSync(file)
  const hints = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length }
  writeFileSync(`${file}.br`, brotliCompressSync(bytes, { params: hints }))
  writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }))
}

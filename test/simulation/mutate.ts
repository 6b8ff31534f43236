/** Builds the simulation with some lines of production code replaced, and runs it in this process. */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { build } from 'esbuild'
import type { Edit } from './mutations.ts'
import type * as Run from './run.ts'

const root = path.resolve(import.meta.dirname, '../..')

async function edited(file: string, edits: readonly Edit[]): Promise<string> {
  let text = await readFile(path.join(root, file), 'utf8')
  for (const { find, replace } of edits) {
    const parts = text.split(find)
    if (parts.length !== 2) throw new Error(`${file} holds ${JSON.stringify(find)} ${parts.length - 1} times, not once`)
    text = parts.join(replace)
  }
  return text
}

/** The simulation over that mutant; `remove` forgets what was built. */
export async function mutate(edits: readonly Edit[]): Promise<{ run: typeof Run; remove: () => Promise<void> }> {
  const files = [...new Set(edits.map(({ file }) => file))]
  const texts = new Map<string, string>()
  for (const file of files) {
    texts.set(
      path.join(root, file),
      await edited(
        file,
        edits.filter(edit => edit.file === file),
      ),
    )
  }
  const folder = await mkdtemp(path.join(tmpdir(), 'ackd-mutant-'))
  const outfile = path.join(folder, 'run.mjs')
  await build({
    entryPoints: [path.join(root, 'test/simulation/run.ts')],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    logLevel: 'silent',
    plugins: [
      {
        name: 'mutant',
        setup: bundle => {
          bundle.onLoad({ filter: /\.ts$/ }, ({ path: file }) => {
            const contents = texts.get(file)
            return contents === undefined ? null : { contents, loader: 'ts' }
          })
        },
      },
    ],
  })
  const run = (await import(pathToFileURL(outfile).href)) as typeof Run
  return { run, remove: () => rm(folder, { recursive: true }) }
}

/**
 * What a message leaves on the heap, in the whole server but its sockets: a guard against work that creeps into the hot path.
 *
 * Times depend on what else the machine does; bytes that are allocated do not. `bench/inside.ts` runs in a process of its own that compiles on the
 * main thread only, and whose young generation holds a whole round, so that no collection comes between two readings. The least of the rounds
 * counts, and of the processes: V8 does not optimise alike each time, but one allocation more per message raises them all.
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const FLAGS = ['--single-threaded', '--min-semi-space-size=64', '--max-semi-space-size=64', '--import', 'tsx']
/** Every twentieth is read. */
const ROUNDS = 140
/** Another process is asked only when those before it were above the limit. */
const PROCESSES = 3
const FIGURE = /heap \+(\d+) bytes/

async function bytesPerMessage(window: number): Promise<number> {
  const args = [...FLAGS, 'bench/inside.ts', '100', `${window}`, `${ROUNDS}`]
  const env = { ...process.env, NODE_OPTIONS: '' }
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, env })
  const figure = FIGURE.exec(stdout)?.[1]
  if (figure === undefined) throw new Error(`no figure in what the bench printed: ${stdout}`)
  return Number(figure)
}

/** At a window of one, all that a turn and a packet cost falls on one message; at sixteen, the message itself shows. */
test.each([
  { window: 1, limit: 990 },
  { window: 16, limit: 460 },
])('a message at a window of $window leaves at most $limit bytes on the heap', async ({ window, limit }) => {
  const figures: number[] = []
  do figures.push(await bytesPerMessage(window))
  while (Math.min(...figures) > limit && figures.length < PROCESSES)
  const bytes = Math.min(...figures)
  // Less than the bare message would mean that a collection came between, and then this guards nothing.
  expect(bytes).toBeGreaterThan(200)
  expect(bytes, `bytes in ${figures.length} processes: ${figures.join(', ')}`).toBeLessThanOrEqual(limit)
})

/**
 * Messages of a mailbox in order, as much of them as taking them away needs: what was handed to a recipient is remembered so, and need not be
 * read again.
 *
 * Most follow the one before them in its record and in its stream. Those are one run, of which only the sizes are told apart: to take it away is one
 * step, whatever is in it, and to remember it is next to nothing.
 */
import type { KeptEntry } from './entries.ts'

export interface Run {
  readonly stream: string
  /** Why it is a void, which is always alone in its run; else ''. */
  readonly reason: string
  /** The place under which the record of all of them stands. */
  readonly under: number
  /** The place and the number of the last one; those before it have those before. */
  s: number
  n: number
  /** Bytes of each body. */
  readonly sizes: number[]
}

/** Adds a message behind all others. */
export function addToRuns(runs: Run[], { s, stream, n, body, reason, under }: KeptEntry): void {
  const size = body === null ? 0 : body.end - body.start
  const run = runs.at(-1)
  if (
    run?.under === under &&
    run.s + 1 === s &&
    run.n + 1 === n &&
    run.stream === stream &&
    run.reason === '' &&
    reason === ''
  ) {
    run.s = s
    run.n = n
    run.sizes.push(size)
  } else runs.push({ stream, reason, under, s, n, sizes: [size] })
}

/** Takes out what lies up to that place. */
export function cutRuns(runs: Run[], upTo: number): Run[] {
  const whole = runs.findIndex(({ s }) => s > upTo)
  const cut = runs.splice(0, whole < 0 ? runs.length : whole)
  const [next] = runs
  if (next === undefined) return cut
  const count = upTo - firstOf(next) + 1
  if (count <= 0) return cut
  const left = next.sizes.length - count
  cut.push({ ...next, s: next.s - left, n: next.n - left, sizes: next.sizes.splice(0, count) })
  return cut
}

/** The place of the oldest message; null when there is none. */
export function oldestOf([first]: readonly Run[]): number | null {
  return first === undefined ? null : firstOf(first)
}

export function messagesOf(runs: readonly Run[]): number {
  return runs.reduce((sum, { sizes }) => sum + sizes.length, 0)
}

function firstOf({ s, sizes }: Run): number {
  return s - sizes.length + 1
}

/** What was measured: every repeat of every load on every system, and how repeats become one figure. */
import type { Figures } from './crowd.ts'
import type { Idle, Parking } from './loads.ts'

/** The repeats of one load on one system, or why there are none. */
export interface Repeats<Kind> {
  readonly runs: Kind[]
  failed: string | null
}

/** One core for both, where CPU time is comparable; and one each, where throughput and time are. */
export type LoopName = `${'same' | 'apart'} ${number}×${number}`
export type RateName = `rate ${number}`

export interface Results {
  readonly date: string
  readonly machine: string
  readonly versions: Readonly<Record<string, string>>
  readonly repeats: number
  readonly bytes: number
  readonly systems: readonly Measured[]
}

export interface Measured {
  readonly name: string
  readonly receipt: string
  readonly loops: Record<string, Repeats<Figures>>
  idle: Repeats<Idle>
  room: Repeats<Figures>
  parking: Repeats<Parking>
  /** What went wrong between loads. */
  readonly troubles: string[]
}

export function noRuns<Kind>(): Repeats<Kind> {
  return { runs: [], failed: null }
}

export interface Figure {
  readonly median: number
  readonly least: number
  readonly most: number
}

/** Null: there is none. */
export function figure<Kind>(repeats: Repeats<Kind> | undefined, of: (run: Kind) => number): Figure | null {
  if (repeats === undefined || repeats.runs.length === 0) return null
  const all = repeats.runs.map(of).sort((a, b) => a - b)
  return { median: all[all.length >> 1]!, least: all[0]!, most: all.at(-1)! }
}

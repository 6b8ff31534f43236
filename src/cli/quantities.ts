/** Times, sizes and counts as people write them on a command line and read them in an answer. */
import { formatSize, parseDuration, parseSize } from '../option-kinds.ts'

/** Timers count in 31 bits; beyond that they would fire at once. */
const LONGEST_MS = 2 ** 31 - 1

/** A kind of number on a command line. */
export interface Quantity {
  /** Undefined: it is none. */
  readonly read: (text: string) => number | undefined
  /** What to write instead of what is none. */
  readonly fix: string
}

/** `500ms`, `10s`, `5m`, `7d` as ms. A number without a unit is refused, since it could mean anything. */
export const aDuration: Quantity = {
  read: text => {
    const ms = parseDuration(text)
    return ms !== undefined && ms > 0 && ms <= LONGEST_MS ? ms : undefined
  },
  fix: 'write a number with a unit, such as 500ms, 10s or 5m (24d at most)',
}

/** An integer between two bounds, both included. */
export function aCount(least: number, most: number): Quantity {
  return {
    read: text => {
      const count = /^\d{1,15}$/.test(text) ? Number(text) : NaN
      return count >= least && count <= most ? count : undefined
    },
    fix: `write an integer from ${least} to ${most}`,
  }
}

/** `128`, `128B`, `4KiB` as bytes, between two bounds, both included. */
export function aSize(least: number, most: number): Quantity {
  return {
    read: text => {
      const bytes = parseSize(/^\d+$/.test(text) ? `${text}B` : text)
      return bytes !== undefined && bytes >= least && bytes <= most ? bytes : undefined
    },
    fix: `write bytes, or 4KiB; from ${formatSize(least)} to ${formatSize(most)}`,
  }
}

/** `640 µs`, `1.8 ms`, `12.0 s`: short enough for the end of a line. */
export function showDuration(ms: number): string {
  if (ms < 1) return `${(ms * 1000).toFixed(0)} µs`
  if (ms < 10) return `${ms.toFixed(1)} ms`
  if (ms < 1000) return `${ms.toFixed(0)} ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

export function showBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  if (bytes < 1024 * 1024) return `${trimmed(bytes / 1024)} KiB`
  if (bytes < 1024 ** 3) return `${trimmed(bytes / 1024 ** 2)} MiB`
  return `${trimmed(bytes / 1024 ** 3)} GiB`
}

function trimmed(value: number): string {
  return value.toFixed(1).replace(/\.0$/, '')
}

/** How a story writes times, sizes and messages. */

const unitMs = { ms: 1, s: 1_000, min: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** The form of a length of time, for the words of the runner. */
export const DURATION = String.raw`\d+(?:\.\d+)?(?:ms|s|min|h|d)`
export const SIZE = String.raw`\d+ K?B`
export const MESSAGES = String.raw`m\d+(?:(?:, | and | to )m\d+)*`

/** ms of `1.5s`, `2min`, `91d`. */
export function toMs(duration: string): number {
  const match = /^([\d.]+)(ms|s|min|h|d)$/.exec(duration)
  if (match === null) throw new Error(`"${duration}" is no length of time; write 250ms, 1.5s, 2min, 3h or 4d`)
  return Number(match[1]) * unitMs[match[2] as keyof typeof unitMs]
}

export function fromMs(ms: number): string {
  if (ms < 1_000) return `${ms}ms`
  if (ms % unitMs.d === 0) return `${ms / unitMs.d}d`
  return `${ms / 1_000}s`
}

export function toBytes(size: string): number {
  const [count, unit] = size.split(' ')
  return Number(count) * (unit === 'KB' ? 1_024 : 1)
}

/** The numbers of `m1`, `m1 and m3`, `m1 to m4`. */
export function toNumbers(messages: string): number[] {
  const numbers: number[] = []
  for (const part of messages.split(/, | and /)) {
    const [first, last] = part.split(' to ').map(word => Number(word.slice(1)))
    if (first === undefined) throw new Error(`"${messages}" names no message`)
    for (let n = first; n <= (last ?? first); n++) numbers.push(n)
  }
  return numbers
}

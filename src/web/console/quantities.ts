/** Numbers as an operator reads them: short, with their units. */

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

export function bytesWords(bytes: number): string {
  let [value, unit] = [bytes, 0]
  while (value >= 1_024 && unit < units.length - 1) [value, unit] = [value / 1_024, unit + 1]
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit] ?? ''}`
}

const spans = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
] as const

/** The two largest parts of a span, in ms. */
export function spanWords(ms: number): string {
  const at = spans.findIndex(([size]) => ms >= size)
  const [size, name] = spans[at] ?? [1, 'ms']
  const whole = `${Math.floor(ms / size)} ${name}`
  const [nextSize, nextName] = (at < 0 ? undefined : spans[at + 1]) ?? [0, '']
  const rest = nextSize === 0 ? 0 : Math.floor((ms % size) / nextSize)
  return rest === 0 ? whole : `${whole} ${rest} ${nextName}`
}

/** How long ago something was; `time` 0: never. */
export function agoWords(time: number, now: number): string {
  return time === 0 || !Number.isFinite(time) ? '–' : `${spanWords(Math.max(0, now - time))} ago`
}

export function rateWords(perSecond: number | undefined): string {
  if (perSecond === undefined) return '–'
  return perSecond > 0 && perSecond < 10 ? perSecond.toFixed(1) : Math.round(perSecond).toLocaleString()
}

const moment = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })

export function timeWords(time: number): string {
  return moment.format(time)
}

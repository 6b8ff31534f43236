/**
 * The figures of a server, read from what it counts (`/metrics`), and how they went: a line of the last two minutes for each.
 *
 * `/metrics` is asked rather than `/api`, since it is the one thing that may be asked every two seconds without filling the audit log.
 */

/** What `/metrics` said, at once. Counters are totals since the start. */
export interface Reading {
  /** ms since the epoch: when this page has read it. */
  readonly at: number
  readonly values: ReadonlyMap<string, number>
}

/** Points of a line, at most. */
export const MAX_POINTS = 60

export interface Figures {
  readonly last: Reading
  readonly lines: Readonly<Record<LineName, readonly number[]>>
}

/** Per second, by the counters that are summed up for them. */
const rates = {
  taken: ['ackd_accepted_total'],
  sent: ['ackd_sent_total'],
  acks: ['ackd_ack_seconds_count'],
  parkings: ['ackd_parked_total'],
} as const

/** As they stand. */
const levels = {
  connections: ['ackd_connections'],
  window: ['ackd_window_messages'],
  held: ['ackd_held_bytes'],
  lag: ['ackd_eventloop_lag_seconds'],
  memory: ['process_resident_memory_bytes'],
} as const

export type LineName = keyof typeof rates | keyof typeof levels

/** Reads the text form of Prometheus: `name{label="value"} number`. Buckets of histograms are left out. */
export function readMetrics(text: string): ReadonlyMap<string, number> {
  const values = new Map<string, number>()
  for (const line of text.split('\n')) {
    const [, name, value] = /^([a-z_]+(?:\{[^}]*\})?) (\S+)$/.exec(line) ?? []
    if (name !== undefined && !name.includes('le="')) values.set(name, Number(value))
  }
  return values
}

/** All of that name, whatever their labels. */
export function sumOf({ values }: Reading, name: string): number {
  let sum = 0
  for (const [key, value] of values) if (key === name || key.startsWith(`${name}{`)) sum += value
  return sum
}

/** The values of that name by their label. */
export function byLabel({ values }: Reading, name: string): readonly (readonly [label: string, value: number])[] {
  return [...values].flatMap(([key, value]) => {
    const [, label] = key.startsWith(`${name}{`) ? (/="([^"]*)"/.exec(key) ?? []) : []
    return label === undefined ? [] : [[label, value] as const]
  })
}

/** With one reading more. A counter that has become less is that of a server started anew, or of another one: its lines begin again. */
export function withReading(figures: Figures | null, reading: Reading): Figures {
  const before = figures?.last
  const seconds = before === undefined ? 0 : (reading.at - before.at) / 1_000
  const isAnother =
    before !== undefined && Object.values(rates).some(names => total(reading, names) < total(before, names))
  const line = (name: LineName): readonly number[] => (isAnother ? [] : (figures?.lines[name] ?? []))
  const added = (name: LineName, value: number | null): readonly number[] =>
    (value === null ? line(name) : [...line(name), value]).slice(-MAX_POINTS)
  const rate = (names: readonly string[]): number | null =>
    before === undefined || isAnother || seconds <= 0 ? null : (total(reading, names) - total(before, names)) / seconds
  return {
    last: reading,
    lines: {
      taken: added('taken', rate(rates.taken)),
      sent: added('sent', rate(rates.sent)),
      acks: added('acks', rate(rates.acks)),
      parkings: added('parkings', rate(rates.parkings)),
      connections: added('connections', total(reading, levels.connections)),
      window: added('window', total(reading, levels.window)),
      held: added('held', total(reading, levels.held)),
      lag: added('lag', total(reading, levels.lag) * 1_000),
      memory: added('memory', total(reading, levels.memory)),
    },
  }
}

function total(reading: Reading, names: readonly string[]): number {
  return names.reduce((sum, name) => sum + sumOf(reading, name), 0)
}

/** A line as the path of a picture that is `width` by `height`, the newest point at its right. '' for fewer than two points. */
export function pathOf(points: readonly number[], width: number, height: number): string {
  if (points.length < 2) return ''
  const most = Math.max(...points, 1e-9)
  const step = width / (MAX_POINTS - 1)
  const left = width - step * (points.length - 1)
  return points
    .map(
      (point, i) =>
        `${i === 0 ? 'M' : 'L'}${(left + i * step).toFixed(1)} ${(height - (point / most) * height).toFixed(1)}`,
    )
    .join('')
}

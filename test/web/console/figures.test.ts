/** What the console reads of a server, and how it draws it. */
import { describe, expect, test } from 'vitest'
import {
  byLabel,
  MAX_POINTS,
  pathOf,
  readMetrics,
  sumOf,
  withReading,
  type Figures,
} from '../../../src/web/console/figures.ts'

const text = (accepted: number, connections = 2): string => `# HELP ackd_accepted_total Messages taken from senders.
# TYPE ackd_accepted_total counter
ackd_accepted_total ${accepted}
ackd_connections{transport="ws"} ${connections}
ackd_connections{transport="tcp"} 1
ackd_sent_total{path="live"} 4
ackd_ack_seconds_bucket{path="live",le="0.001"} 3
ackd_ack_seconds_count{path="live"} 3
ackd_eventloop_lag_seconds 0.025
process_resident_memory_bytes 1.5e+06
`
const reading = (at: number, accepted: number) => ({ at, values: readMetrics(text(accepted)) })

describe('figures', () => {
  test('are read with their labels, without the buckets', () => {
    const read = reading(0, 7)
    expect(sumOf(read, 'ackd_accepted_total')).toBe(7)
    expect(sumOf(read, 'ackd_connections')).toBe(3)
    expect(sumOf(read, 'process_resident_memory_bytes')).toBe(1_500_000)
    expect(sumOf(read, 'ackd_unheard_of')).toBe(0)
    expect(byLabel(read, 'ackd_connections')).toEqual([
      ['ws', 2],
      ['tcp', 1],
    ])
    expect([...read.values.keys()].some(key => key.includes('bucket'))).toBe(false)
  })

  test('have rates from the second reading on, by the time that went by', () => {
    const first = withReading(null, reading(1_000, 100))
    expect(first.lines.taken).toEqual([])
    expect(first.lines.lag).toEqual([25])
    const second = withReading(first, reading(5_000, 300))
    expect(second.lines.taken).toEqual([50])
    expect(second.lines.connections).toEqual([3, 3])
  })

  test('begin again with a server that was started anew', () => {
    const before = withReading(withReading(null, reading(0, 100)), reading(2_000, 200))
    const after = withReading(before, reading(4_000, 5))
    expect(after.lines.taken).toEqual([])
    expect(after.lines.connections).toEqual([3])
    expect(withReading(after, reading(6_000, 25)).lines.taken).toEqual([10])
  })

  test('are kept for so many points', () => {
    let figures: Figures | null = null
    for (let i = 0; i < MAX_POINTS + 20; i++) figures = withReading(figures, reading(i * 2_000, i))
    expect(figures?.lines.taken).toHaveLength(MAX_POINTS)
  })
})

test('a line ends at the right, and its highest point is at the top', () => {
  expect(pathOf([1], 118, 20)).toBe('')
  expect(pathOf([0, 5, 10], 118, 20)).toBe('M114.0 20.0L116.0 10.0L118.0 0.0')
  expect(pathOf([0, 0], 118, 20)).toBe('M116.0 20.0L118.0 20.0')
})

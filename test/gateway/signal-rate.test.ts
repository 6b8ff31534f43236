import { expect, test } from 'vitest'
import { Clock } from '../../src/gateway/clock.ts'
import { SIGNAL_BYTES, SIGNALS, SignalRate } from '../../src/gateway/signal-rate.ts'

test('a node hands so many signals to the others in a second, and so many bytes', () => {
  const clock = new Clock()
  const rate = new SignalRate(clock)
  clock.now = 10_000
  const taken = Array.from({ length: SIGNALS + 5 }, () => rate.takes(10)).filter(Boolean)
  expect(taken).toHaveLength(SIGNALS)
  clock.now += 999
  expect(rate.takes(1)).toBe(false)
  clock.now += 1
  expect([rate.takes(SIGNAL_BYTES - 1), rate.takes(2), rate.takes(1)]).toEqual([true, false, true])
})

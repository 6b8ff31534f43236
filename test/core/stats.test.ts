import { describe, expect, test } from 'vitest'
import { ackBucketsMs, Histogram, Stats } from '../../src/core/stats.ts'

describe('Histogram', () => {
  test('counts a value in the first bucket whose bound is not below it', () => {
    const histogram = new Histogram()
    for (const bound of ackBucketsMs) histogram.add(bound)
    expect(histogram.counts).toEqual([...ackBucketsMs.map(() => 1), 0])
  })

  test('counts what is above the last bound in one more bucket', () => {
    const histogram = new Histogram()
    histogram.add(30_001)
    expect(histogram.counts.at(-1)).toBe(1)
  })

  test('sums up what it counted', () => {
    const histogram = new Histogram()
    histogram.add(0)
    histogram.add(1.5)
    histogram.add(40_000)
    expect(histogram.sum).toBe(40_001.5)
    expect(histogram.counts[0]).toBe(1)
  })

  test('has a bound at the default ack timeout', () => {
    expect(ackBucketsMs.at(-1)).toBe(30_000)
  })
})

test('Stats begin at zero', () => {
  const { parked, ...rest } = new Stats()
  const histograms = Object.values(rest).filter(value => value instanceof Histogram)
  const counters = Object.values(rest).filter(value => !(value instanceof Histogram))
  expect(histograms.every(({ sum }) => sum === 0)).toBe(true)
  expect([...counters, ...Object.values(parked)].every(count => count === 0)).toBe(true)
})

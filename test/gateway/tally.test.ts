import { describe, expect, it } from 'vitest'
import { Tally } from '../../src/gateway/tally.ts'

describe('a tally', () => {
  it('counts by name within a span', () => {
    const tally = new Tally(1_000)
    expect([tally.add('a', 0), tally.add('a', 999), tally.add('b', 999)]).toEqual([1, 2, 1])
    expect(tally.leftMs('a', 999)).toBe(1)
    expect(tally.leftMs('a', 1_000)).toBe(0)
    expect(tally.add('a', 1_000)).toBe(1)
  })

  it('takes back what did not happen, and nothing more', () => {
    const tally = new Tally(1_000)
    tally.add('a', 0)
    for (const now of [1, 2]) tally.takeBack('a', now)
    tally.takeBack('unknown', 3)
    expect(tally.add('a', 4)).toBe(1)
  })

  it('remembers so many names, and forgets the oldest', () => {
    const tally = new Tally(1_000, 2)
    for (const name of ['a', 'b', 'c']) tally.add(name, 0)
    expect([tally.add('b', 1), tally.add('c', 1), tally.add('a', 1)]).toEqual([2, 2, 1])
  })
})

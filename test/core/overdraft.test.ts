import { describe, expect, test } from 'vitest'
import { Overdraft } from '../../src/core/overdraft.ts'

describe('Overdraft', () => {
  test('makes each stream wait, twice as long each time, up to eight seconds', () => {
    const overdraft = new Overdraft()
    expect(Array.from({ length: 8 }, () => overdraft.turnAway('bob', 1_000))).toEqual([
      200, 400, 800, 1_600, 3_200, 6_400, 8_000, 8_000,
    ])
    expect(overdraft.turnAway('carol', 1_000)).toBe(200)
  })

  test('is a flood at the ninth time that somebody comes again too early, to whomever', () => {
    const overdraft = new Overdraft()
    for (const target of ['bob', 'carol', 'dora']) {
      for (let time = 0; time < 4; time++) {
        expect(overdraft.isFlood).toBe(false)
        overdraft.turnAway(target, 1_000)
      }
    }
    expect(overdraft.isFlood).toBe(true)
  })

  test('is none for who comes when half of his pause is over', () => {
    const overdraft = new Overdraft()
    let now = 1_000
    for (let time = 0; time < 100; time++) now += overdraft.turnAway('bob', now) / 2
    expect(overdraft.isFlood).toBe(false)
  })

  test('begins anew after ten seconds', () => {
    const overdraft = new Overdraft()
    for (let time = 0; time < 9; time++) overdraft.turnAway('bob', 1_000)
    expect(overdraft.turnAway('bob', 11_001)).toBe(200)
    expect(overdraft.isFlood).toBe(false)
  })
})

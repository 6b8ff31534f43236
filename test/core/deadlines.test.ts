import { beforeEach, describe, expect, test } from 'vitest'
import { Deadlines, type Due } from '../../src/core/deadlines.ts'

/** Writes down when it is looked at, and asks for another look at what it is told. */
class Watched implements Due {
  armed = false
  readonly looks: number[] = []
  again: number[] = []

  check(now: number): number {
    this.looks.push(now)
    return this.again.shift() ?? 0
  }
}

const start = 1_000_000
let deadlines: Deadlines
let watched: Watched

beforeEach(() => {
  deadlines = new Deadlines(30_000)
  watched = new Watched()
})

function run(fromMs: number, toMs: number, stepMs = 250): void {
  for (let at = fromMs; at <= toMs; at += stepMs) deadlines.tick(start + at)
}

describe('Deadlines', () => {
  test('has a look when the deadline has come, and not before', () => {
    deadlines.arm(watched, start + 30_000, start)
    run(0, 29_750)
    expect(watched.looks).toEqual([])
    run(30_000, 30_000)
    expect(watched.looks).toEqual([start + 30_000])
  })

  test('never looks early at a deadline between two ticks', () => {
    deadlines.arm(watched, start + 1_001, start)
    run(0, 2_000)
    expect(watched.looks).toEqual([start + 1_250])
  })

  test('looks once when nothing is left', () => {
    deadlines.arm(watched, start + 1_000, start)
    run(0, 90_000)
    expect(watched.looks).toHaveLength(1)
    expect(watched.armed).toBe(false)
  })

  test('looks again when the earliest deadline that is left comes', () => {
    watched.again = [start + 5_000]
    deadlines.arm(watched, start + 1_000, start)
    run(0, 10_000)
    expect(watched.looks).toEqual([start + 1_000, start + 5_000])
  })

  test('keeps the first deadline of what is armed already', () => {
    deadlines.arm(watched, start + 1_000, start)
    deadlines.arm(watched, start + 500, start)
    run(0, 2_000)
    expect(watched.looks).toEqual([start + 1_000])
  })

  test('looks once, at once, after a pause longer than the wheel', () => {
    deadlines.tick(start)
    deadlines.arm(watched, start + 1_000, start)
    run(500_000, 500_250)
    expect(watched.looks).toEqual([start + 500_000])
  })

  test('does not go round in one tick for what stays due', () => {
    watched.again = [1, 1, 1]
    deadlines.arm(watched, start + 1_000, start)
    run(0, 1_000)
    expect(watched.looks).toHaveLength(1)
    run(1_250, 1_500)
    expect(watched.looks).toHaveLength(3)
  })

  test('looks no later than the end of the wheel at what is further ahead', () => {
    deadlines.arm(watched, start + 500_000, start)
    run(0, 31_000)
    expect(watched.looks).toHaveLength(1)
  })
})

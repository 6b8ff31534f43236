import { describe, expect, test } from 'vitest'
import { Remembered, type StreamEnd } from '../../src/core/remembered.ts'

/** An end that says what becomes of it. */
class End implements StreamEnd {
  older: StreamEnd | null = null
  newer: StreamEnd | null = null
  open = false
  forgotten = false
  #moved = false
  readonly #remembered: Remembered

  constructor(remembered: Remembered) {
    this.#remembered = remembered
    remembered.add(this)
  }

  move(): void {
    this.#moved = true
  }

  moved(): boolean {
    const moved = this.#moved
    this.#moved = false
    return moved
  }

  forget(): boolean {
    if (this.open) return false
    this.forgotten = true
    this.#remembered.remove(this)
    return true
  }
}

function begin(most: number, count: number): { remembered: Remembered; ends: readonly End[] } {
  const remembered = new Remembered(most)
  return { remembered, ends: Array.from({ length: count }, () => new End(remembered)) }
}

function forgotten(ends: readonly End[]): readonly number[] {
  return ends.flatMap((end, index) => (end.forgotten ? [index] : []))
}

describe('Remembered', () => {
  test('forgets nothing while there is room', () => {
    const { remembered, ends } = begin(3, 3)
    remembered.turn()
    expect(forgotten(ends)).toEqual([])
  })

  test('forgets the oldest beyond what it may remember, and only at the end of a turn', () => {
    const { remembered, ends } = begin(3, 5)
    expect(remembered.size).toBe(5)
    remembered.turn()
    expect(forgotten(ends)).toEqual([0, 1])
    expect(remembered.size).toBe(3)
  })

  test('spares what has moved, once', () => {
    const { remembered, ends } = begin(2, 3)
    ends[0]?.move()
    remembered.turn()
    expect(forgotten(ends)).toEqual([1])
    const more = [new End(remembered), new End(remembered)]
    remembered.turn()
    expect([forgotten(ends), forgotten(more)]).toEqual([[0, 1, 2], []])
  })

  test('keeps what is open, however much it is, and looks at only so many in a turn', () => {
    const { remembered, ends } = begin(1, 50)
    for (const end of ends) end.open = true
    remembered.turn()
    expect(remembered.size).toBe(50)
    for (const end of ends) end.open = false
    remembered.turn()
    expect(remembered.size).toBe(1)
  })

  test('is told of what a session forgets by itself, wherever that stands', () => {
    const { remembered, ends } = begin(2, 4)
    for (const index of [1, 3, 0]) ends[index]?.forget()
    expect(remembered.size).toBe(1)
    ends[2]?.forget()
    expect(remembered.size).toBe(0)
    const last = [new End(remembered), new End(remembered), new End(remembered)]
    remembered.turn()
    expect(forgotten(last)).toEqual([0])
  })
})

import { describe, expect, test } from 'vitest'
import { InvariantError } from '../../src/core/assert.ts'
import { Window } from '../../src/core/window.ts'
import { messageOf } from './recorder.ts'

describe('Window', () => {
  test('begins empty, at sequence 1', () => {
    const window = new Window()
    expect([window.first, window.next, window.size, window.bytes]).toEqual([1, 1, 0, 0])
    expect(window.peek()).toBeUndefined()
  })

  test('gives sequences in the order of sending', () => {
    const window = new Window()
    expect([1, 2, 3].map(n => window.push(messageOf(n)))).toEqual([1, 2, 3])
  })

  test('gives back the oldest first', () => {
    const window = new Window()
    for (const n of [1, 2, 3]) window.push(messageOf(n))
    expect([window.peek()?.n, window.shift().n, window.shift().n, window.peek()?.n]).toEqual([1, 1, 2, 3])
    expect([window.first, window.next]).toEqual([3, 4])
  })

  test('counts the bytes that are in it', () => {
    const window = new Window()
    window.push(messageOf(1, 10))
    window.push(messageOf(2, 5))
    expect(window.bytes).toBe(15)
    window.shift()
    expect(window.bytes).toBe(5)
  })

  test('keeps what is in it when room is made for many more', () => {
    const window = new Window()
    for (let n = 1; n <= 5; n++) window.push(messageOf(n))
    for (const n of [1, 2, 3]) expect(window.shift().n).toBe(n)
    window.reserve(100)
    for (let n = 6; n <= 105; n++) expect(window.push(messageOf(n))).toBe(n)
    expect([...window].map(({ n }) => n)).toEqual(Array.from({ length: 102 }, (_, index) => index + 4))
  })

  test('keeps its order while it grows and goes round', () => {
    const window = new Window()
    const taken: number[] = []
    for (let n = 1; n <= 1_000; n++) {
      window.push(messageOf(n))
      if (n % 3 === 0) taken.push(window.shift().n)
    }
    const left = [...window].map(({ n }) => n)
    expect([...taken, ...left]).toEqual(Array.from({ length: 1_000 }, (_, index) => index + 1))
    expect(left).toHaveLength(window.size)
  })

  test('goes on counting after it was empty', () => {
    const window = new Window()
    for (let n = 1; n <= 100; n++) window.push(messageOf(n))
    while (window.size > 0) window.shift()
    expect(window.push(messageOf(101))).toBe(101)
    expect([...window].map(({ n }) => n)).toEqual([101])
  })

  test('is not shifted when it is empty', () => {
    expect(() => new Window().shift()).toThrow(InvariantError)
  })
})

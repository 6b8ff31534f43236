import { describe, expect, test } from 'vitest'
import { Recent } from '../../src/core/recent.ts'
import { bodyOf } from './recorder.ts'

function messageOf(offset: number, size = 1): Parameters<Recent['push']>[0] {
  return { offset, from: 'alice', outbox: 'out', n: offset, time: 0, body: bodyOf(size) }
}

describe('Recent', () => {
  test('gives what follows an offset, and only if it is whole', () => {
    const recent = new Recent()
    expect(recent.after(0)).toBeNull()
    for (let offset = 5; offset <= 9; offset++) recent.push(messageOf(offset))
    expect(recent.after(3)).toBeNull()
    expect(recent.after(4)?.map(({ offset }) => offset)).toEqual([5, 6, 7, 8, 9])
    expect(recent.after(7)?.map(({ offset }) => offset)).toEqual([8, 9])
    expect(recent.after(9)).toEqual([])
    recent.clear()
    expect(recent.after(9)).toBeNull()
  })

  test('lets the oldest go when they are too many, or too large', () => {
    const many = new Recent()
    for (let offset = 1; offset <= 1_025; offset++) many.push(messageOf(offset))
    expect(many.after(0)).toBeNull()
    expect(many.after(1_000)).toHaveLength(25)
    const large = new Recent()
    for (let offset = 1; offset <= 5; offset++) large.push(messageOf(offset, 300 * 1024))
    expect(large.after(0)).toBeNull()
    expect(large.after(4)).toHaveLength(1)
  })
})

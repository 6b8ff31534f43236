import { describe, expect, test } from 'vitest'
import { Downstream } from '../../src/core/downstream.ts'
import { messageOf } from './recorder.ts'

describe('Downstream', () => {
  test('names the sender and the outbox of its stream', () => {
    const lane = new Downstream('alice out')
    expect([lane.from, lane.outbox]).toEqual(['alice', 'out'])
  })

  test('moves its tail along with what is sent, and never back', () => {
    const lane = new Downstream('alice out')
    lane.markSent(5)
    expect([lane.sent, lane.tail]).toEqual([5, 5])
    lane.markSent(3)
    expect([lane.sent, lane.tail]).toEqual([5, 5])
  })

  test('leaves a tail that is ahead where it is', () => {
    const lane = new Downstream('alice out')
    lane.tail = 9
    lane.markSent(5)
    expect([lane.sent, lane.tail]).toEqual([5, 9])
  })

  test('is idle when it holds nothing and nothing live is un-acked', () => {
    const lane = new Downstream('alice out')
    expect(lane.idle).toBe(true)
    lane.live = 1
    expect(lane.idle).toBe(false)
    lane.live = 0
    lane.held.push(messageOf(1))
    expect(lane.idle).toBe(false)
  })

  test('remembers why a number was rejected', () => {
    const lane = new Downstream('alice out')
    expect(lane.rejected(1)).toBeUndefined()
    lane.markRejected(1, 'spam')
    expect(lane.rejected(1)).toBe('spam')
  })

  test('forgets the oldest rejection beyond a hundred', () => {
    const lane = new Downstream('alice out')
    for (let n = 1; n <= 101; n++) lane.markRejected(n, 'spam')
    expect([lane.rejected(1), lane.rejected(2), lane.rejected(101)]).toEqual([undefined, 'spam', 'spam'])
  })
})

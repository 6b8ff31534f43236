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

  test('remembers how a number ended that was not delivered', () => {
    const lane = new Downstream('alice out')
    expect(lane.loss(1)).toBeUndefined()
    lane.markLost(1, 'rejected', 'spam')
    expect(lane.loss(1)).toEqual({ kind: 'rejected', reason: 'spam' })
  })

  test('remembers as many of them as a sender may ask for, and forgets the oldest first', () => {
    const lane = new Downstream('alice out')
    for (let n = 1; n <= 1_025; n++) lane.markLost(n, 'expired', 'expired')
    expect([lane.loss(1), lane.loss(2)?.kind, lane.loss(1_025)?.kind]).toEqual([undefined, 'expired', 'expired'])
  })

  test('adds what it knows to what the mailbox says', () => {
    const lane = new Downstream('alice out')
    expect(lane.complete({ last: 3, delivered: 2 })).toEqual({ last: 3, delivered: 2 })
    lane.acked = 5
    lane.markLost(4, 'rejected', 'spam')
    expect(lane.complete({ last: 3, delivered: 2, lost: [[1, 'expired']] })).toEqual({
      last: 3,
      delivered: 5,
      lost: [
        [1, 'expired'],
        [4, 'rejected'],
      ],
    })
  })

  test('raises a floor above what was acked, and not above a number that was refused here', () => {
    const lane = new Downstream('alice out')
    lane.acked = 5
    expect([lane.floorAbove(2), lane.floorAbove(9)]).toEqual([6, 9])
    lane.markLost(4, 'rejected', 'spam')
    expect([lane.floorAbove(2), lane.floorAbove(5), lane.floorAbove(4)]).toEqual([4, 6, 4])
  })

  test('goes back to a number that comes again, and to nothing where nothing was sent', () => {
    const lane = new Downstream('alice out')
    lane.tail = 5
    lane.goBack(3)
    expect(lane.tail).toBe(0)
    lane.markSent(2)
    lane.tail = 5
    lane.goBack(4)
    expect(lane.tail).toBe(3)
    lane.goBack(1)
    expect(lane.tail).toBe(2)
  })
})

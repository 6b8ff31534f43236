import { describe, expect, test } from 'vitest'
import type { Downstream } from '../../src/core/downstream.ts'
import { Lanes } from '../../src/core/lanes.ts'
import { Remembered } from '../../src/core/remembered.ts'
import { messageOf } from './recorder.ts'

function laneOf(stream: string): Downstream {
  return new Lanes(new Remembered(10)).get(stream)
}

describe('Downstream', () => {
  test('names the sender and the outbox of its stream', () => {
    const lane = laneOf('alice out')
    expect([lane.origin.from, lane.origin.outbox]).toEqual(['alice', 'out'])
  })

  test('moves its tail along with what is sent, and never back', () => {
    const lane = laneOf('alice out')
    lane.markSent(5)
    expect([lane.sent, lane.tail]).toEqual([5, 5])
    lane.markSent(3)
    expect([lane.sent, lane.tail]).toEqual([5, 5])
  })

  test('leaves a tail that is ahead where it is', () => {
    const lane = laneOf('alice out')
    lane.tail = 9
    lane.markSent(5)
    expect([lane.sent, lane.tail]).toEqual([5, 9])
  })

  test('is idle when it holds nothing and nothing live is un-acked', () => {
    const lane = laneOf('alice out')
    expect(lane.idle).toBe(true)
    lane.live = 1
    expect(lane.idle).toBe(false)
    lane.live = 0
    lane.hold(messageOf(1))
    expect(lane.idle).toBe(false)
  })

  test('remembers how a number ended that was not delivered', () => {
    const lane = laneOf('alice out')
    expect(lane.loss(1)).toBeUndefined()
    lane.markLost(1, 'rejected', 'spam')
    expect(lane.loss(1)).toEqual({ kind: 'rejected', reason: 'spam' })
  })

  test('remembers as many of them as a sender may ask for, and forgets the oldest first', () => {
    const lane = laneOf('alice out')
    for (let n = 1; n <= 1_025; n++) lane.markLost(n, 'expired', 'expired')
    expect([lane.loss(1), lane.loss(2)?.kind, lane.loss(1_025)?.kind]).toEqual([undefined, 'expired', 'expired'])
  })

  test('adds what it knows to what the mailbox says', () => {
    const lane = laneOf('alice out')
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
    const lane = laneOf('alice out')
    lane.acked = 5
    expect([lane.floorAbove(2), lane.floorAbove(9)]).toEqual([6, 9])
    lane.markLost(4, 'rejected', 'spam')
    expect([lane.floorAbove(2), lane.floorAbove(5), lane.floorAbove(4)]).toEqual([4, 6, 4])
  })

  test('goes back to a number that comes again, and to nothing where nothing was sent', () => {
    const lane = laneOf('alice out')
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

  test('is not forgotten while an ack is to come, nor what only it knows', () => {
    const lane = laneOf('alice out')
    lane.parked = 1
    expect([lane.idle, lane.forget()]).toEqual([true, false])
    lane.parked = 0
    lane.markLost(1, 'rejected', 'spam')
    expect(lane.forget()).toBe(false)
    expect(laneOf('alice out').forget()).toBe(true)
  })

  test('lets go of what waits, from the front', () => {
    const lane = laneOf('alice out')
    for (const n of [1, 2, 3]) lane.hold(messageOf(n))
    lane.release(1)
    expect(lane.held.map(({ n }) => n)).toEqual([2, 3])
    lane.release(2)
    expect(lane.idle).toBe(true)
  })
})

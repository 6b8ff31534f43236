import { beforeEach, describe, expect, test } from 'vitest'
import { Trace } from '../../src/core/trace.ts'
import { Desk, entryOf } from './recorder.ts'

const about = (n: number, recipient = 'bob') => ({ recipient, stream: 'alice out', n })

describe('Trace', () => {
  test('finds the steps of one message, to whomever it went, in their order', () => {
    const trace = new Trace(10)
    trace.note(1, 'taken', about(7))
    trace.note(2, 'taken', about(8))
    trace.note(3, 'parked', about(7), 'absent')
    trace.note(4, 'taken', about(7, 'carol'))
    expect(trace.find('alice out', 7)).toEqual([
      { time: 1, recipient: 'bob', step: 'taken', detail: '' },
      { time: 3, recipient: 'bob', step: 'parked', detail: 'absent' },
      { time: 4, recipient: 'carol', step: 'taken', detail: '' },
    ])
    expect(trace.find('alice other', 7)).toEqual([])
  })

  test('forgets the oldest', () => {
    const trace = new Trace(3)
    for (let n = 1; n <= 5; n++) trace.note(n, 'taken', about(n))
    expect([1, 2, 3, 4, 5].filter(n => trace.find('alice out', n).length > 0)).toEqual([3, 4, 5])
  })

  test('of no size remembers nothing', () => {
    const trace = new Trace(0)
    trace.note(1, 'taken', about(1))
    expect(trace.find('alice out', 1)).toEqual([])
  })
})

describe('the trace of a hub', () => {
  let desk: Desk

  beforeEach(() => {
    desk = new Desk({ trace: 100 })
  })

  const told = (stream: string, n: number): string[] =>
    desk.hub.trace.find(stream, n).map(({ step, detail }) => `${step} ${detail}`.trim())

  test('has the way of a message that is parked, and of one that is drained and acked', () => {
    const alice = desk.connect('alice')
    desk.send(alice, 1)
    desk.hub.turn()
    desk.enqueued('bob', ['ok'])
    expect(told('alice out', 1)).toEqual(['taken', 'parked absent', 'stored'])
    const bob = desk.binding('bob')
    desk.page(bob, [entryOf(1)])
    bob.session.ack(1)
    const { stream } = entryOf(1)
    expect(told(stream, 1).slice(-2)).toEqual(['sent drain', 'delivered drain'])
  })

  test('has refusals with their codes', () => {
    const alice = desk.connect('alice')
    desk.send(alice, 1)
    desk.hub.turn()
    desk.enqueued('bob', ['unknown'])
    expect(told('alice out', 1)).toEqual(['taken', 'parked absent', 'failed unknown_recipient'])
  })
})

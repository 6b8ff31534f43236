/** The other half of receiving.test.ts: how a session ends, and how it goes with its mailbox. */
import { beforeEach, describe, expect, test } from 'vitest'
import { ack, alice, begin, bob, calls, desk, send } from './receiving.ts'
import { entryOf } from './recorder.ts'

beforeEach(() => begin())

describe('Receiving, its end', () => {
  test('parks the live part of the window and what is held, in order, above what was acked', () => {
    begin({ window: 3 })
    send(2, 3)
    alice.session.send(4, 1, 'bob', 0, { bytes: new Uint8Array(1), start: 0, end: 1, text: false })
    ack(2)
    desk.calls.read()
    desk.hub.closed(bob.session)
    desk.hub.turn()
    expect(calls('enqueue')).toEqual(['enqueue bob: alice out 3/3, alice out 4/3'])
  })

  test('leaves in the mailbox what came out of it', () => {
    desk.hub.closed(bob.session)
    desk.hub.turn()
    expect(desk.calls.read()).toEqual(['unbind bob 2:nonce'])
  })

  test('removes first what was acked in the same turn', () => {
    bob.session.ack(1)
    desk.hub.closed(bob.session)
    desk.hub.turn()
    expect(desk.calls.read()).toEqual(['remove bob up to 1', 'unbind bob 2:nonce'])
  })

  test('makes the head suspect when it was un-acked for a second', () => {
    desk.pass(999)
    const second = desk.binding('carol')
    desk.page(second, [entryOf(9)])
    desk.calls.read()
    desk.hub.closed(second.session)
    desk.pass(1)
    desk.hub.closed(bob.session)
    expect(calls('unbind')).toEqual(['unbind carol 3:nonce', 'unbind bob 2:nonce, suspect 1'])
  })

  test('does not make a live head suspect', () => {
    ack(1)
    send(2)
    desk.pass(5_000)
    desk.calls.read()
    desk.hub.closed(bob.session)
    expect(calls('unbind')).toEqual(['unbind bob 2:nonce'])
  })

  test('leaves the mailbox alone when another session has the token, but still adds to it', () => {
    send(2)
    bob.session.ack(1)
    bob.session.close('replaced')
    desk.hub.turn()
    expect(desk.calls.read()).toEqual(['enqueue bob: alice out 2/2'])
  })

  test('comes at the ack timeout of the oldest message, for a session that acks nothing (§6.5)', () => {
    send(2)
    for (let ms = 0; ms < 30_000; ms += 250) desk.pass(250)
    desk.hub.turn()
    expect(bob.line.read()).toEqual(['message 2: alice out 2', 'close ack_timeout'])
    expect(desk.calls.read()).toEqual(['unbind bob 2:nonce, suspect 1', 'enqueue bob: alice out 2/2'])
  })

  test('does not come while the oldest message is younger than that', () => {
    for (let seq = 1; seq <= 20; seq++) {
      for (let ms = 0; ms < 10_000; ms += 250) desk.pass(250)
      ack(seq)
      send(seq + 1)
    }
    expect(bob.line.read().filter(line => line.startsWith('close'))).toEqual([])
  })

  test('comes when a page or a removal says that the token is lost (I7)', () => {
    desk.hub.paged(bob.session, { kind: 'stale' })
    expect(bob.line.read()).toEqual(['close replaced'])
    begin()
    desk.hub.removed(bob.session, { kind: 'stale' })
    expect(bob.line.read()).toEqual(['close replaced'])
  })

  test('sends the client away to come back when the store has forgotten its session', () => {
    desk.hub.paged(bob.session, { kind: 'forgotten' })
    expect(bob.line.read()).toEqual(['close unavailable'])
    begin()
    desk.hub.removed(bob.session, { kind: 'forgotten' })
    expect(bob.line.read()).toEqual(['close unavailable'])
  })

  test('is not followed by anything on the connection (I8)', () => {
    desk.hub.woken('bob')
    desk.hub.turn()
    desk.hub.closed(bob.session)
    bob.line.read()
    desk.page(bob, [entryOf(2)])
    desk.removed(bob)
    send(2)
    desk.hub.turn()
    desk.pass(60_000)
    expect(bob.line.read()).toEqual([])
  })
})

describe('Receiving, the mailbox', () => {
  test('says of an entry that it waited, and whether it may have been sent before', () => {
    desk.hub.woken('bob')
    desk.hub.turn()
    desk.page(bob, [entryOf(2), entryOf(3, { repeated: true })])
    expect(bob.line.read()).toEqual(['message 2: alice out 2, flags 1', 'message 3: alice out 3, flags 3'])
  })

  test('passes over entries that were sent already', () => {
    desk.hub.woken('bob')
    desk.hub.turn()
    desk.page(bob, [entryOf(1), entryOf(2)])
    expect(bob.line.read()).toEqual(['message 2: alice out 2, flags 1'])
  })

  test('ends as stored what was held here and came out of it', () => {
    const carol = desk.connect('carol')
    desk.send(carol, 1)
    desk.send(carol, 2)
    desk.hub.turn()
    desk.enqueued('bob', ['ok'])
    desk.page(bob, [entryOf(1, { s: 2, stream: 'carol out' }), entryOf(2, { s: 3, stream: 'carol out' })])
    expect(carol.line.read()).toEqual(['stored bob 1', 'stored bob 2'])
    expect(bob.line.read()).toEqual(['message 2: carol out 1, flags 1', 'message 3: carol out 2, flags 1'])
  })

  test('asks again for what did not fit, once there is room', () => {
    begin({ windowBytes: 10 })
    desk.hub.woken('bob')
    desk.hub.turn()
    desk.page(bob, [entryOf(2, { body: { bytes: new Uint8Array(10), start: 0, end: 10, text: false } })])
    expect(bob.line.read()).toEqual([])
    desk.calls.read()
    ack(1)
    expect(calls('page')).toEqual(['page bob after 1, 256 messages, 10 bytes'])
  })

  test('is asked again at a tick when it did not answer', () => {
    desk.hub.woken('bob')
    desk.hub.turn()
    desk.calls.read()
    desk.hub.paged(bob.session, null)
    desk.hub.turn()
    desk.pass(750)
    expect(calls('page')).toEqual([])
    desk.pass(250)
    expect(calls('page')).toHaveLength(1)
  })

  test('is polled when nobody has looked for so long', () => {
    begin({ pollMs: 5_000 })
    desk.pass(4_750)
    expect(calls('page bob')).toEqual([])
    desk.pass(250)
    expect(calls('page bob')).toHaveLength(1)
  })

  test('is not polled when this node owns the store', () => {
    desk.pass(25_000)
    expect(calls('page')).toEqual([])
  })
})

describe('Receiving, its counters', () => {
  test('tell why messages were parked, and how many sessions timed out', () => {
    const { stats } = desk.hub
    send(3)
    expect(stats.parked).toMatchObject({ order: 1, closed: 0, ack_timeout: 0, absent: 0 })
    begin()
    send(2, 3)
    desk.hub.closed(bob.session)
    send(4)
    expect(desk.hub.stats.parked).toMatchObject({ order: 0, closed: 2, ack_timeout: 0, absent: 1 })
    begin()
    send(2)
    for (let ms = 0; ms < 30_000; ms += 250) desk.pass(250)
    expect(desk.hub.stats.parked).toMatchObject({ order: 0, closed: 0, ack_timeout: 1, absent: 0 })
    expect(desk.hub.stats.ackTimeouts).toBe(1)
  })

  test('tell what was sent live and out of the mailbox, and how long acks took', () => {
    const { stats } = desk.hub
    send(2)
    desk.pass(40)
    ack(2)
    expect(stats).toMatchObject({ sentLive: 1, sentParked: 1, drained: 1 })
    expect([stats.ackMs.sum, stats.drainAckMs.sum]).toEqual([40, 40])
  })

  test('tell what is un-acked', () => {
    send(2, 3)
    expect([bob.session.receiving!.windowSize, desk.hub.windowMessages]).toEqual([3, 3])
    ack(2)
    expect(desk.hub.windowMessages).toBe(1)
  })

  test('tell that what waited too long for its predecessor was parked', () => {
    const carol = desk.connect('carol')
    desk.send(carol, 1)
    desk.send(carol, 2)
    ack(1)
    for (let ms = 0; ms < 30_250; ms += 250) desk.pass(250)
    expect(desk.hub.stats.parked.waited).toBe(1)
    expect(bob.line.read()).toEqual([])
  })
})

/** The half of it that concerns what comes live; the other half is receiving.end.test.ts. */
import { beforeEach, describe, expect, test } from 'vitest'
import { ack, alice, begin, bob, calls, desk, send } from './receiving.ts'
import { entryOf } from './recorder.ts'

beforeEach(() => begin())

describe('Receiving, the live rule', () => {
  test('sends at once what directly follows what was sent in this session', () => {
    send(2, 3)
    desk.hub.turn()
    expect(bob.line.read()).toEqual(['message 2: alice out 2', 'message 3: alice out 3'])
    expect(calls('enqueue')).toEqual([])
  })

  test('parks the first message of a stream', () => {
    const carol = desk.connect('carol')
    desk.send(carol, 1)
    desk.hub.turn()
    expect(bob.line.read()).toEqual([])
    expect(calls('enqueue')).toEqual(['enqueue bob: carol out 1/1'])
  })

  test('parks what leaves a hole', () => {
    send(3)
    desk.hub.turn()
    expect(bob.line.read()).toEqual([])
    expect(calls('enqueue')).toEqual(['enqueue bob: alice out 3/3'])
  })

  test('holds what follows a message on its way into the mailbox, and sends it after that came out', () => {
    const carol = desk.connect('carol')
    desk.send(carol, 1)
    desk.send(carol, 2)
    desk.hub.turn()
    expect(calls('enqueue')).toEqual(['enqueue bob: carol out 1/1'])
    desk.enqueued('bob', ['ok'])
    desk.page(bob, [entryOf(1, { s: 2, stream: 'carol out' })])
    expect(bob.line.read()).toEqual(['message 2: carol out 1, flags 1', 'message 3: carol out 2'])
  })

  test('holds what does not fit into the window behind what is live', () => {
    begin({ window: 2 })
    send(2, 3, 4)
    desk.hub.turn()
    expect(bob.line.read()).toEqual(['message 2: alice out 2'])
    ack(2)
    expect(bob.line.read()).toEqual(['message 3: alice out 3', 'message 4: alice out 4'])
    expect(calls('enqueue')).toEqual([])
  })

  test('parks what does not fit into a window without anything live of its stream', () => {
    begin({ window: 1 })
    send(2)
    desk.hub.turn()
    expect(calls('enqueue')).toEqual(['enqueue bob: alice out 2/2'])
  })

  test('counts bytes in the window, too', () => {
    begin({ windowBytes: 10 })
    desk.send(alice, 2, 'bob', 9)
    desk.send(alice, 3, 'bob', 1)
    expect(bob.line.read()).toEqual(['message 2: alice out 2'])
    ack(1)
    expect(bob.line.read()).toEqual(['message 3: alice out 3'])
  })

  test('lets no stream starve another when what is held has to wait', () => {
    begin({ window: 4 })
    const carol = desk.connect('carol')
    desk.hub.woken('bob')
    desk.hub.turn()
    desk.page(bob, [entryOf(1, { s: 2, stream: 'carol out' })])
    for (const n of [2, 3, 4]) for (const sender of [alice, carol]) desk.send(sender, n)
    for (let seq = 1; seq <= 4; seq++) ack(seq)
    const came = bob.line.read().map(line => line.slice(line.indexOf(':') + 2))
    expect(came.slice(-4)).toEqual(['alice out 3', 'carol out 3', 'alice out 4', 'carol out 4'])
  })
})

describe('Receiving, acks', () => {
  test('end every live message up to that sequence', () => {
    send(2, 3, 4)
    ack(3)
    expect(alice.line.read()).toEqual(['delivered bob 3'])
  })

  test('remove from the mailbox what came out of it', () => {
    ack(1)
    expect(calls('remove')).toEqual(['remove bob up to 1'])
  })

  test('of what is acked already are nothing', () => {
    ack(1)
    desk.calls.read()
    alice.line.read()
    ack(1)
    ack(0)
    expect([bob.line.read(), alice.line.read(), desk.calls.read()]).toEqual([[], [], []])
  })

  test('of what was never sent are said to be so', () => {
    const receiving = bob.session.receiving!
    expect([receiving.ack(2), receiving.nack(2, '')]).toEqual([false, false])
  })

  test('are remembered for a sync', () => {
    send(2)
    ack(2)
    const receiving = bob.session.receiving!
    expect(receiving.complete('alice out', { last: 1, delivered: 1 })).toEqual({ last: 1, delivered: 2 })
    expect(receiving.complete('carol out', { last: 1, delivered: 1 })).toEqual({ last: 1, delivered: 1 })
  })

  test('make room for the next page once a quarter of the window is free', () => {
    begin({ window: 8 })
    desk.hub.woken('bob')
    desk.page(
      bob,
      [2, 3, 4, 5, 6, 7, 8].map(n => entryOf(n)),
      true,
    )
    desk.calls.read()
    ack(1)
    expect(calls('page')).toEqual([])
    ack(2)
    expect(calls('page')).toEqual(['page bob after 8, 2 messages, 1048570 bytes'])
  })
})

describe('Receiving, nacks', () => {
  test('reject a live message, and end those before it as delivered', () => {
    send(2, 3, 4)
    bob.session.nack(3, 'spam')
    desk.hub.turn()
    expect(alice.line.read()).toEqual(['delivered bob 2', 'rejected bob 3: spam'])
  })

  test('refuse an entry of the mailbox there, and are told at once, before an ack of what follows', () => {
    send(2)
    bob.session.nack(1, 'spam')
    ack(2)
    expect(desk.calls.read()).toContain('refuse bob 1: spam')
    expect(alice.line.read()).toEqual(['rejected bob 1: spam', 'delivered bob 2'])
  })

  test('hold for a copy that is acked as the repeat that it is', () => {
    send(2)
    desk.hub.woken('bob')
    desk.hub.turn()
    desk.page(bob, [entryOf(2)])
    bob.session.nack(2, 'spam')
    desk.calls.read()
    ack(3)
    expect(calls('re')).toEqual(['refuse bob 2: spam'])
  })

  test('are told to the connection that its sender has now', () => {
    send(2)
    const again = desk.connect('alice')
    bob.session.nack(2, 'spam')
    expect(again.line.read()).toEqual(['delivered bob 1', 'rejected bob 2: spam'])
  })

  test('of a void count as acks', () => {
    desk.hub.woken('bob')
    desk.hub.turn()
    desk.page(bob, [entryOf(2, { body: null, reason: 'expired' })])
    expect(bob.line.read()).toEqual(['void 2: alice out 2, expired'])
    bob.session.nack(2, 'spam')
    desk.hub.turn()
    expect(calls('re')).toEqual(['remove bob up to 2'])
  })

  test('are told again to a resend', () => {
    send(2)
    bob.session.nack(2, 'spam')
    alice.line.read()
    send(2)
    expect(alice.line.read()).toEqual(['rejected bob 2: spam'])
  })

  test('of what was parked are not passed by the floor of what is parked behind them', () => {
    send(2, 3)
    bob.session.nack(2, 'spam')
    desk.calls.read()
    desk.hub.closed(bob.session)
    desk.hub.turn()
    expect(calls('enqueue')).toEqual(['enqueue bob: alice out 3/3'])
  })
})

describe('Receiving, resends', () => {
  test('of what was acked here are delivered', () => {
    send(2)
    ack(2)
    alice.line.read()
    send(2)
    desk.hub.turn()
    expect(alice.line.read()).toEqual(['delivered bob 2'])
  })

  test('of what came out of the mailbox and is un-acked are stored', () => {
    send(1)
    desk.hub.turn()
    expect(alice.line.read()).toEqual(['stored bob 1'])
  })

  test('of what is live and un-acked are the same message', () => {
    send(2, 2)
    ack(2)
    expect(bob.line.read()).toEqual(['message 2: alice out 2'])
    expect(alice.line.read()).toEqual(['delivered bob 2'])
    expect(desk.hub.custody.bytes).toBe(0)
  })

  test('count once in the credit of their sender', () => {
    begin({ sendWindow: 2 })
    send(2, 2)
    ack(2)
    alice.line.read()
    send(3, 4)
    expect(alice.line.read()).toEqual([])
    expect(bob.line.read().slice(1)).toEqual(['message 3: alice out 3', 'message 4: alice out 4'])
  })

  test('move the end to the connection that offered it last', () => {
    send(2)
    const again = desk.binding('alice')
    desk.send(again, 2)
    ack(2)
    expect(alice.line.read()).toEqual(['close replaced'])
    expect(again.line.read()).toEqual(['delivered bob 2'])
  })

  test('of what is held are the same message', () => {
    begin({ window: 2 })
    send(2, 3, 3)
    ack(1)
    ack(3)
    expect(bob.line.read()).toEqual(['message 2: alice out 2', 'message 3: alice out 3'])
    expect(desk.hub.custody.bytes).toBe(0)
  })

  test('of what this session does not know go to the mailbox, which does', () => {
    begin()
    desk.hub.woken('bob')
    desk.hub.turn()
    desk.page(bob, [entryOf(5, { s: 2 })])
    desk.calls.read()
    send(3)
    desk.hub.turn()
    expect(calls('enqueue')).toEqual(['enqueue bob: alice out 3/3'])
  })
})

describe('Receiving, streams', () => {
  test('drops what is held from a refused number on, and holds on to what is before it', () => {
    begin({ window: 2 })
    send(2, 3, 4, 5)
    bob.session.receiving!.dropFrom('alice out', 4)
    expect(alice.line.read()).toEqual(['retry bob 4: gap, 0 ms'])
    ack(2)
    expect(bob.line.read()).toEqual(['message 2: alice out 2', 'message 3: alice out 3'])
  })

  test('takes a dropped number again in its turn', () => {
    begin({ window: 2 })
    send(2, 3, 4)
    bob.session.receiving!.dropFrom('alice out', 4)
    send(4)
    ack(2)
    expect(bob.line.read().at(-1)).toBe('message 4: alice out 4')
  })

  test('names what has no end yet, in the window and held', () => {
    begin({ window: 2 })
    send(2, 3, 4)
    const unended = [...bob.session.receiving!.unended('alice out', 3, 9)]
    expect(unended.map(({ n }) => n)).toEqual([3, 4])
  })

  test('forgets idle streams beyond a thousand; the next message of one goes through the mailbox', () => {
    begin({ window: 4_096 })
    ack(1)
    for (let number = 0; number < 1_000; number++) {
      desk.hub.woken('bob')
      desk.hub.turn()
      desk.page(bob, [entryOf(1, { s: number + 2, stream: `friend${number} out` })])
    }
    desk.calls.read()
    send(2)
    desk.hub.turn()
    expect(calls('enqueue')).toEqual(['enqueue bob: alice out 2/2'])
  })
})

import { beforeEach, describe, expect, test } from 'vitest'
import type { CoreOptions } from '../../src/core/effects.ts'
import { ordinary } from '../../src/core/rights.ts'
import { bodyOf, Desk, entryOf, type Connected } from './recorder.ts'

let desk: Desk
let alice: Connected

function begin(more: Partial<CoreOptions> = {}): void {
  desk = new Desk(more)
  alice = desk.connect('alice')
}

function send(n: number, floor: number, target = 'bob', ttl = 0, size = 1): void {
  alice.session.send(n, floor, target, ttl, bodyOf(size))
}

beforeEach(() => begin())

describe('Sending, what it refuses', () => {
  test.each([
    ['a target that is no id', () => send(1, 1, 'no id'), 'failed no id 1: bad_id'],
    ['a room that the client is not in', () => send(1, 1, '#lobby'), 'failed #lobby 1: not_joined'],
    ['a floor above n', () => send(1, 2), 'failed bob 1: bad_number'],
    ['a floor of 0', () => send(1, 0), 'failed bob 1: bad_number'],
    ['a floor more than 1,024 below n', () => send(1_026, 1), 'failed bob 1026: bad_number'],
    ['a number beyond 48 bits', () => send(2 ** 48, 2 ** 48), `failed bob ${2 ** 48}: bad_number`],
    ['a ttl that is no number of seconds', () => send(1, 1, 'bob', NaN), 'failed bob 1: bad_number'],
    ['an n that is no number', () => send(NaN, 1), 'error nil: bad_number'],
    ['a floor without a number', () => send(0, 1), 'error nil: bad_number'],
    ['no number and no id', () => send(0, 0, 'no id'), 'error nil: bad_id'],
    ['a target that is no string', () => send(1, 1, ''), 'error nil: bad_id'],
  ])('%s (§5.7)', (_what, act, told) => {
    act()
    desk.hub.turn()
    expect(alice.line.read()).toEqual([told])
    expect(desk.calls.read()).toEqual([])
  })

  test('a number of a client that named no outbox (§3)', () => {
    alice = desk.connect('anonymous', { numbered: false })
    send(1, 1)
    expect(alice.line.read()).toEqual(['failed bob 1: bad_number'])
  })

  test('a target that its token does not name, at every message, since another token may take its place', () => {
    alice = desk.connect('alice', { rights: { ...ordinary, targets: ['bob', 'team-*'] } })
    send(1, 1, 'carol')
    send(1, 1, 'team-7')
    alice.session.rights = { ...ordinary, targets: ['carol'] }
    send(2, 1, 'team-7')
    send(1, 1, 'carol')
    desk.hub.turn()
    expect(alice.line.read()).toEqual(['failed carol 1: forbidden', 'failed team-7 2: forbidden'])
    expect(desk.calls.read()).toEqual(['enqueue team-7: alice out 1/1', 'enqueue carol: alice out 1/1'])
  })

  test('not n as far as 1,024 above its floor', () => {
    send(1_025, 1)
    desk.hub.turn()
    expect(desk.calls.read()).toEqual(['enqueue bob: alice out 1025/1'])
  })
})

describe('Sending, after a refusal for good', () => {
  test.each([
    ['a target that is no id', 'no id', 0, 'bad_id'],
    ['a ttl that is no number', 'bob', NaN, 'bad_number'],
  ])('of %s drops what is above it, until its number comes again (§4)', (_what, target, ttl, code) => {
    send(1, 1, target, ttl)
    send(2, 1, target, ttl)
    send(3, 1, target)
    send(1, 1, target, ttl)
    send(2, 2, target, ttl)
    desk.hub.turn()
    expect(alice.line.read()).toEqual([1, 1, 2].map(n => `failed ${target} ${n}: ${code}`))
    expect(desk.calls.read()).toEqual([])
  })
})

describe('Sending, its credit', () => {
  test('is a number of open messages', () => {
    begin({ sendWindow: 2 })
    for (const n of [1, 2, 3]) send(n, 1)
    expect(alice.line.read()).toEqual(['retry bob 3: window_exceeded, 200 ms'])
  })

  test('is a number of open bytes', () => {
    begin({ sendWindowBytes: 100 })
    send(1, 1, 'bob', 0, 60)
    send(2, 1, 'bob', 0, 41)
    expect(alice.line.read()).toEqual(['retry bob 2: window_exceeded, 200 ms'])
  })

  test('takes one message of any size when nothing is open', () => {
    begin({ sendWindowBytes: 100 })
    send(1, 1, 'bob', 0, 1_000)
    expect(alice.line.read()).toEqual([])
  })

  test('is over all recipients', () => {
    begin({ sendWindow: 1 })
    send(1, 1, 'bob')
    send(1, 1, 'carol')
    expect(alice.line.read()).toEqual(['retry carol 1: window_exceeded, 200 ms'])
  })

  test('is given back when a message meets its end', () => {
    begin({ sendWindow: 2, sendWindowBytes: 20 })
    send(1, 1, 'bob', 0, 10)
    send(1, 1, 'carol', 0, 10)
    desk.hub.turn()
    desk.enqueued('bob', ['ok'])
    alice.line.read()
    send(2, 1, 'bob', 0, 10)
    expect(alice.line.read()).toEqual([])
  })

  test('ends in a flood at the tenth excess within ten seconds, with pauses that double until then', () => {
    begin({ sendWindow: 1 })
    send(1, 1)
    for (let strike = 0; strike < 10; strike++) send(2, 1)
    const told = alice.line.read()
    expect(told.map(line => / (\d+) ms/.exec(line)?.[1])).toEqual([
      ...['200', '400', '800', '1600', '3200', '6400', '8000', '8000', '8000', '8000'],
      undefined,
    ])
    expect(told.at(-1)).toBe('close flood')
  })

  test('forgets excesses after ten seconds', () => {
    begin({ sendWindow: 1 })
    send(1, 1)
    for (let strike = 0; strike < 9; strike++) send(2, 1)
    desk.pass(10_001)
    alice.line.read()
    send(2, 1)
    expect(alice.line.read()).toEqual(['retry bob 2: window_exceeded, 200 ms'])
  })

  test('is no flood when it is used up and there is something for many others', () => {
    begin({ sendWindow: 1 })
    send(1, 1)
    for (let other = 0; other < 50; other++) send(1, 1, `other-${other}`)
    expect(alice.line.read()).toEqual(
      Array.from({ length: 50 }, (_, other) => `retry other-${other} 1: window_exceeded, 200 ms`),
    )
  })

  test('is no flood for who waits as long as he is told', () => {
    begin({ sendWindow: 1, ackTimeoutMs: 1_000_000 })
    send(1, 1)
    for (const pauseMs of [200, 400, 800, 1_600, 3_200, 6_400, 200, 400, 800, 1_600, 3_200, 6_400]) {
      send(2, 1)
      expect(alice.line.read()).toEqual([`retry bob 2: window_exceeded, ${pauseMs} ms`])
      desk.pass(pauseMs)
    }
  })

  test('does not count what is dropped in silence', () => {
    begin({ sendWindow: 1 })
    send(1, 1)
    for (let n = 2; n < 100; n++) send(n, 1)
    expect(alice.line.read()).toEqual(['retry bob 2: window_exceeded, 200 ms'])
  })
})

describe('Sending', () => {
  test('takes nothing beyond the bytes that the node may hold', () => {
    begin({ heldBytes: 2_000 })
    send(1, 1, 'bob', 0, 977)
    expect(alice.line.read()).toEqual(['retry bob 1: overloaded, 1000 ms'])
    send(1, 1, 'bob', 0, 976)
    expect(alice.line.read()).toEqual([])
  })

  test('takes nothing while the process cannot keep up', () => {
    desk.hub.overloaded = true
    send(1, 1)
    expect(alice.line.read()).toEqual(['retry bob 1: overloaded, 1000 ms'])
  })

  test('finds only so many new recipients in a minute', () => {
    begin({ newRecipients: 1 })
    send(1, 1, 'bob')
    send(1, 1, 'carol')
    send(2, 1, 'bob')
    expect(alice.line.read()).toEqual(['retry carol 1: rate_limited, 60000 ms'])
    desk.pass(59_500)
    alice.line.read()
    send(1, 1, 'carol')
    expect(alice.line.read()).toEqual(['retry carol 1: rate_limited, 1000 ms'])
    desk.pass(500)
    send(1, 1, 'carol')
    expect(alice.line.read()).toEqual([])
  })

  test('refuses for the shell, once per stream', () => {
    alice.session.refuse(3, 'bob', 500)
    alice.session.refuse(4, 'bob', 500)
    expect(alice.line.read()).toEqual(['retry bob 3: rate_limited, 500 ms'])
    send(4, 3)
    desk.hub.turn()
    expect(desk.calls.read()).toEqual([])
  })

  test('refuses for the shell what has no number with an error', () => {
    alice.session.refuse(0, 'bob', 500)
    alice.session.refuse(1, 'no id', 500)
    expect(alice.line.read()).toEqual(['error nil: rate_limited', 'error nil: rate_limited'])
  })

  test('numbers what comes without a number, per recipient', () => {
    for (const target of ['bob', 'carol', 'bob']) send(0, 0, target)
    desk.hub.turn()
    expect(desk.calls.read()).toEqual([
      'enqueue bob: alice nonce 1/1, alice nonce 2/1',
      'enqueue carol: alice nonce 1/1',
    ])
  })

  test('numbers under the outbox of a client that did not name one', () => {
    alice = desk.connect('anonymous', { numbered: false, outbox: 'made-up' })
    send(0, 0)
    desk.hub.turn()
    expect(desk.calls.read()).toEqual(['enqueue bob: anonymous made-up 1/1'])
  })

  test('tells what an earlier connection of the same outbox had sent', () => {
    const bob = desk.binding('bob')
    desk.page(bob, [entryOf(5)])
    bob.session.ack(1)
    desk.hub.turn()
    expect(desk.calls.read()).toContain('verify alice out in bob')
    expect(alice.line.read()).toEqual([])
  })

  test('does not tell of another outbox of the same client', () => {
    const bob = desk.binding('bob')
    desk.page(bob, [entryOf(5, { stream: 'alice other' })])
    bob.session.ack(1)
    desk.hub.turn()
    expect(alice.line.read()).toEqual([])
  })

  test('tells nobody once it is closed', () => {
    send(1, 1)
    desk.hub.turn()
    desk.hub.closed(alice.session)
    desk.enqueued('bob', ['ok'])
    expect(alice.line.read()).toEqual([])
    expect(desk.hub.idle).toBe(true)
  })

  test('forgets idle streams beyond 1,024, and goes on with them all the same', () => {
    begin({ newRecipients: 10_000, sendWindow: 10_000 })
    for (let number = 0; number < 1_100; number++) {
      send(1, 1, `friend${number}`)
      desk.hub.turn()
      desk.enqueued(`friend${number}`, ['ok'])
    }
    alice.line.read()
    desk.calls.read()
    send(2, 2, 'friend0')
    desk.hub.turn()
    expect(desk.calls.read()).toEqual(['enqueue friend0: alice out 2/2'])
  })

  test('forgets no stream of which something is open', () => {
    begin({ newRecipients: 10_000, sendWindow: 10_000 })
    send(1, 1, 'bob')
    desk.hub.turn()
    for (let number = 0; number < 1_100; number++) {
      send(1, 1, `friend${number}`)
      desk.hub.turn()
      desk.enqueued(`friend${number}`, ['ok'])
    }
    desk.enqueued('bob', ['full'])
    alice.line.read()
    desk.calls.read()
    send(2, 1, 'bob')
    desk.hub.turn()
    expect([alice.line.read(), desk.calls.read()]).toEqual([[], []])
  })

  test('shares what the node remembers with all others, and goes on with what it has forgotten', () => {
    begin({ rememberedStreams: 2 })
    const bob = desk.connect('bob')
    send(1, 1)
    desk.hub.turn()
    desk.enqueued('bob', ['ok'])
    desk.page(bob, [entryOf(1)])
    bob.session.ack(1)
    desk.hub.turn()
    expect(alice.line.read()).toEqual(['stored bob 1', 'delivered bob 1'])
    for (let number = 0; number < 10; number++) {
      send(1, 1, `friend${number}`)
      desk.hub.turn()
      desk.enqueued(`friend${number}`, ['ok'])
    }
    expect(desk.hub.remembered.size).toBe(2)
    desk.calls.read()
    // Neither end is known any more, so it does not go live.
    send(2, 2)
    desk.hub.turn()
    expect(desk.calls.read()).toEqual(['enqueue bob: alice out 2/2'])
  })

  test('does not forget that a number is awaited, and drops what is above it, when it forgets the stream', () => {
    begin({ rememberedStreams: 1 })
    send(1, 1)
    desk.hub.turn()
    desk.enqueued('bob', [1])
    for (const friend of ['carol', 'dora']) {
      send(1, 1, friend)
      desk.hub.turn()
      desk.enqueued(friend, ['ok'])
      desk.hub.turn()
    }
    expect(desk.hub.remembered.size).toBe(1)
    expect(alice.line.read()).toEqual(['retry bob 1: gap, 0 ms', 'stored carol 1', 'stored dora 1'])
    desk.calls.read()
    send(2, 1)
    send(1, 1)
    send(2, 1)
    desk.hub.turn()
    expect(desk.calls.read()).toEqual(['enqueue bob: alice out 1/1, alice out 2/1'])
  })

  test('leaves nothing behind in the memory of the node', () => {
    const bob = desk.connect('bob')
    send(1, 1)
    desk.hub.closed(bob.session)
    desk.hub.closed(alice.session)
    expect(desk.hub.remembered.size).toBe(0)
  })

  test('meets no more recipients for a client without numbers than it can keep the numbers of', () => {
    begin({ newRecipients: 10_000, sendWindow: 10_000 })
    alice = desk.connect('alice', { numbered: false })
    for (let number = 0; number < 1_024; number++) {
      send(0, 0, `friend${number}`)
      desk.hub.turn()
      desk.enqueued(`friend${number}`, ['ok'])
    }
    alice.line.read()
    // All of it waits in mailboxes, so nothing can be forgotten.
    send(0, 0, 'bob')
    send(0, 0, 'friend7')
    desk.hub.turn()
    expect(alice.line.read()).toEqual(['error nil: rate_limited'])
    expect(desk.calls.read()).toContain('enqueue friend7: alice out 2/2')
  })
})

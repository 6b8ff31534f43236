import { beforeEach, describe, expect, test } from 'vitest'
import type { BindResult } from '../../src/protocol/mailbox.ts'
import { Desk, entryOf, start } from './recorder.ts'

let desk: Desk

function boundAs(token: string, previous: string | null = null): BindResult {
  return { kind: 'bound', token, resumed: true, parked: 3, expires: start + 5, previous }
}

beforeEach(() => {
  desk = new Desk()
})

describe('Hub, hello', () => {
  test('binds a client that proves its id by a secret, and does not register it', () => {
    desk.hello('bob', { secretHash: new Uint8Array(32), attempt: 4 })
    expect(desk.calls.read()).toEqual(['bind bob by secret, attempt 4'])
  })

  test('binds and registers a client whose token was checked (§7)', () => {
    desk.hello('bob')
    expect(desk.calls.read()).toEqual(['bind bob by token, create'])
  })

  test('registers a client without an id', () => {
    desk.hello(null)
    expect(desk.calls.read()).toEqual(['register'])
  })

  test('is answered with everything that a client has to know', () => {
    const bob = desk.hello('bob', { window: 10 })
    desk.hub.bound(bob.session, boundAs('1:nonce'), null)
    expect(bob.line.welcomed).toEqual({
      v: 1,
      id: 'bob',
      resumed: true,
      expires: start + 5,
      parked: 3,
      outbox: 'out',
      window: 10,
      sendWindow: { messages: 64, bytes: 262_144 },
      maxPacket: 1_048_576,
      pingInterval: 15_000,
      ackTimeout: 30_000,
      time: start,
      node: 'here',
    })
  })

  test('is answered with the secret of a new id', () => {
    const carol = desk.hello(null)
    desk.hub.bound(carol.session, boundAs('1:nonce'), { id: 'fresh', secret: 'hush' })
    expect(carol.line.welcomed).toMatchObject({ id: 'fresh', secret: 'hush' })
    expect(desk.hub.session('fresh')).toBe(carol.session)
  })

  test('is followed by a look into the mailbox', () => {
    const bob = desk.hello('bob')
    desk.calls.read()
    desk.bind(bob)
    desk.hub.turn()
    expect(desk.calls.read()).toEqual(['page bob after 0, 256 messages, 1048576 bytes'])
  })

  test('of a new client is followed by a look into the mailbox only when something has come', () => {
    const carol = desk.hello(null)
    desk.calls.read()
    desk.hub.bound(carol.session, boundAs('1:nonce'), { id: 'fresh', secret: 'hush' })
    desk.hub.turn()
    expect(desk.calls.read()).toEqual([])
    desk.hub.woken('fresh')
    desk.hub.turn()
    expect(desk.calls.read()).toEqual(['page fresh after 0, 256 messages, 1048576 bytes'])
  })

  test.each([
    ['nothing', null, 'close unavailable'],
    ['a wrong secret', { kind: 'bad_secret' }, 'close bad_secret'],
    ['a higher attempt', { kind: 'superseded' }, 'close replaced'],
    ['too many replacements', { kind: 'flood' }, 'close flood'],
  ] as const)('is refused at %s', (_what, result, told) => {
    const bob = desk.hello('bob')
    desk.hub.bound(bob.session, result, null)
    expect(bob.line.read()).toEqual([told])
    expect(desk.hub.session('bob')).toBeUndefined()
  })

  test('makes a new id for one that is unknown (§7)', () => {
    const bob = desk.hello('bob', { secretHash: new Uint8Array(32) })
    desk.calls.read()
    desk.hub.bound(bob.session, { kind: 'unknown' }, null)
    expect(desk.calls.read()).toEqual(['register'])
    expect(bob.line.read()).toEqual([])
  })

  test('gives up after three made-up ids that were taken', () => {
    const bob = desk.hello(null)
    for (let count = 0; count < 4; count++)
      desk.hub.bound(bob.session, { kind: 'taken' }, { id: 'fresh', secret: 'hush' })
    expect(desk.calls.read()).toEqual(['register', 'register', 'register', 'register'])
    expect(bob.line.read()).toEqual(['close unavailable'])
  })

  test('gives back what a connection got that ended meanwhile', () => {
    const bob = desk.hello('bob')
    desk.hub.closed(bob.session)
    desk.calls.read()
    desk.hub.bound(bob.session, boundAs('4:nonce'), null)
    expect(desk.calls.read()).toEqual(['unbind bob 4:nonce'])
    expect(bob.line.read()).toEqual([])
  })
})

describe('Hub, takeover', () => {
  test('closes the older session, and forgets the newer one not', () => {
    const older = desk.connect('bob')
    const newer = desk.connect('bob')
    expect(older.line.read()).toEqual(['close replaced'])
    expect(desk.hub.session('bob')).toBe(newer.session)
    expect(desk.hub.stats).toMatchObject({ takeovers: 1, sessions: 1 })
  })

  test('goes by the token, in whatever order the answers come', () => {
    const first = desk.hello('bob')
    const second = desk.hello('bob')
    desk.hub.bound(second.session, boundAs('11:nonce'), null)
    desk.hub.bound(first.session, boundAs('9:nonce'), null)
    expect(first.line.read()).toEqual(['close replaced'])
    expect(desk.hub.session('bob')).toBe(second.session)
  })

  test('tells the node that held the client', () => {
    const bob = desk.hello('bob')
    desk.calls.read()
    desk.hub.bound(bob.session, boundAs('2:nonce', 'there'), null)
    expect(desk.calls.read()).toEqual(['evict bob 2:nonce at there'])
  })

  test('does not tell itself', () => {
    const bob = desk.hello('bob')
    desk.calls.read()
    desk.hub.bound(bob.session, boundAs('2:nonce', 'here'), null)
    expect(desk.calls.read()).toEqual([])
  })

  test('by another node closes the session here, if that one is newer', () => {
    const bob = desk.connect('bob')
    desk.hub.evicted('bob', '1:other')
    desk.hub.evicted('nobody', '9:other')
    expect(bob.line.read()).toEqual([])
    desk.hub.evicted('bob', '2:other')
    expect(bob.line.read()).toEqual(['close replaced'])
  })
})

describe('Hub, other nodes', () => {
  test('wakes the node that holds the recipient', () => {
    const alice = desk.connect('alice')
    desk.send(alice, 1)
    desk.hub.turn()
    desk.calls.read()
    desk.enqueued('bob', ['ok'], 'there')
    expect(desk.calls.read()).toEqual(['wake there for bob'])
  })

  test('wakes nobody when the recipient is here, or nowhere', () => {
    const alice = desk.connect('alice')
    for (const [index, owner] of ['here', null].entries()) {
      desk.send(alice, index + 1)
      desk.hub.turn()
      desk.calls.read()
      desk.enqueued('bob', ['ok'], owner)
      expect(desk.calls.read()).toEqual([])
    }
  })

  test('looks into a mailbox when it is woken', () => {
    desk.connect('bob')
    desk.calls.read()
    desk.hub.woken('bob')
    desk.hub.woken('nobody')
    desk.hub.turn()
    expect(desk.calls.read()).toEqual(['page bob after 0, 256 messages, 1048576 bytes'])
  })
})

describe('Hub, draining', () => {
  test('parks every window, and everything from then on, and goes on telling senders', () => {
    const alice = desk.connect('alice')
    const bob = desk.binding('bob')
    desk.page(bob, [entryOf(1)])
    desk.send(alice, 2)
    desk.calls.read()
    desk.hub.drain()
    desk.hub.turn()
    expect(desk.calls.read()).toContain('enqueue bob: alice out 2/2')
    desk.enqueued('bob', ['ok'])
    desk.send(alice, 3)
    desk.hub.turn()
    desk.enqueued('bob', ['ok'])
    expect(alice.line.read()).toEqual(['stored bob 2', 'stored bob 3'])
  })

  test('turns away who is bound after it began, and gives the mailbox back', () => {
    const bob = desk.hello('bob')
    desk.hub.drain()
    desk.calls.read()
    desk.bind(bob)
    expect(bob.line.read()).toEqual(['close restart'])
    expect(desk.calls.read()).toEqual(['unbind bob 1:nonce'])
  })

  test('is over when nothing waits for an end, or to be told one', () => {
    const alice = desk.connect('alice')
    expect(desk.hub.idle).toBe(true)
    desk.send(alice, 1)
    desk.hub.turn()
    expect(desk.hub.idle).toBe(false)
    desk.hub.enqueued('bob', { outcomes: ['ok'], owner: null })
    expect(desk.hub.idle).toBe(false)
    desk.hub.turn()
    expect(desk.hub.idle).toBe(true)
  })
})

describe('Hub, answers', () => {
  test('to a sync include what the session of the recipient knows (§5.6)', () => {
    const alice = desk.connect('alice')
    const bob = desk.binding('bob')
    desk.page(bob, [entryOf(1)])
    desk.send(alice, 2)
    bob.session.ack(2)
    desk.hub.turn()
    alice.line.read()
    desk.hub.synced(alice.session, 'ref', 'bob', { last: 1, delivered: 0 })
    expect(alice.line.read()).toEqual(['reply ref: {"last":1,"delivered":2}'])
  })

  test('to a sync settle a number that was refused', () => {
    const alice = desk.connect('alice')
    alice.session.refuse(3, 'bob', 100)
    desk.hub.synced(alice.session, 'ref', 'bob', { last: 3, delivered: 0 })
    alice.line.read()
    desk.send(alice, 4)
    desk.hub.turn()
    expect(desk.calls.read()).toContain('enqueue bob: alice out 4/4')
  })

  test('that do not come are errors', () => {
    const alice = desk.connect('alice')
    desk.hub.synced(alice.session, 1, 'bob', null)
    desk.hub.rotated(alice.session, 2, null)
    expect(alice.line.read()).toEqual(['error 1: unavailable', 'error 2: unavailable'])
  })

  test('bring a new secret', () => {
    const alice = desk.connect('alice')
    desk.hub.rotated(alice.session, 2, 'hush')
    expect(alice.line.read()).toEqual(['reply 2: {"secret":"hush"}'])
  })

  test('for a session that is gone are not told', () => {
    const alice = desk.connect('alice')
    desk.hub.closed(alice.session)
    desk.hub.synced(alice.session, 1, 'bob', { last: 0, delivered: 0 })
    desk.hub.rotated(alice.session, 2, 'hush')
    expect(alice.line.read()).toEqual([])
  })

  test.each([
    ['an unbind', () => desk.hub.unbound({ kind: 'ok', lost: [lost] })],
    [
      'a page',
      () =>
        desk.hub.paged(desk.connect('bob').session, {
          kind: 'page',
          entries: [entryOf(4, { body: null, reason: 'dead' })],
          more: false,
          oldest: 4,
          lost: [lost],
        }),
    ],
  ])('tell the sender what ended in the mailbox: %s', (_what, answer) => {
    const alice = desk.connect('alice')
    answer()
    expect(alice.line.read()).toEqual(['dead bob 4: dead'])
    expect(desk.hub.stats.dead).toBe(1)
  })

  test('about a message whose sender is not here are nothing', () => {
    expect(() => desk.hub.news.told([lost])).not.toThrow()
  })
})

describe('Hub, who is here', () => {
  test('is counted and listed', () => {
    const alice = desk.connect('alice')
    const bob = desk.connect('bob')
    expect([...desk.hub.ids()]).toEqual(['alice', 'bob'])
    expect([...desk.hub.sessions()]).toEqual([alice.session, bob.session])
    expect(desk.hub.stats.sessions).toBe(2)
  })

  test('is sent away by an operator, if it is here at all', () => {
    const { line } = desk.connect('bob')
    expect([desk.hub.kick('bob'), desk.hub.kick('bob'), desk.hub.kick('carol')]).toEqual([true, false, false])
    expect(line.read()).toEqual(['close kicked'])
  })

  test("cannot be somebody whose address is the server's own", () => {
    const { line, session } = desk.hello('ackd:api')
    expect([line.read(), desk.calls.read(), session.gone]).toEqual([['close unauthorized'], [], true])
  })

  test('looks into its mailbox when the shell has put something there, wherever it is', () => {
    const bob = desk.connect('bob')
    desk.hub.posted('bob', 'here')
    desk.hub.turn()
    expect(desk.calls.read()).toEqual([expect.stringMatching(/^page bob/)])
    desk.page(bob)
    desk.hub.posted('carol', 'elsewhere')
    desk.hub.posted('carol', null)
    expect(desk.calls.read()).toEqual(['wake elsewhere for carol'])
  })

  test('receives only while its session is open', () => {
    const bob = desk.connect('bob')
    expect(desk.hub.receiving('bob')).toBe(bob.session.receiving)
    desk.hub.drain()
    expect(desk.hub.receiving('bob')).toBeNull()
    expect(desk.hub.receiving('nobody')).toBeNull()
  })
})

const lost = { recipient: 'bob', stream: 'alice out', n: 4, kind: 'dead', reason: 'dead' } as const

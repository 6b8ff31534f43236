import { beforeEach, describe, expect, test } from 'vitest'
import { InvariantError } from '../../src/core/assert.ts'
import { Desk, entryOf, messageOf, options, type Connected } from './recorder.ts'

const OVERHEAD = 1_024

let desk: Desk
let alice: Connected

function send(...numbers: readonly number[]): void {
  for (const n of numbers) desk.send(alice, n)
  desk.hub.turn()
}

beforeEach(() => {
  desk = new Desk()
  alice = desk.connect('alice')
})

describe('Custody, what it holds', () => {
  test('is counted with what a message costs besides its body', () => {
    desk.send(alice, 1, 'bob', 100)
    desk.send(alice, 1, 'carol', 50)
    expect(desk.hub.custody.bytes).toBe(150 + 2 * OVERHEAD)
  })

  test('is bounded (I5)', () => {
    const { custody } = desk.hub
    const most = options.heldBytes - OVERHEAD
    expect([custody.admits(most), custody.admits(most + 1)]).toEqual([true, false])
    desk.send(alice, 1, 'bob', 1_000)
    expect(custody.admits(most - 1_000 - OVERHEAD + 1)).toBe(false)
  })

  test('is nothing to add to while the process is overloaded', () => {
    desk.hub.overloaded = true
    expect(desk.hub.custody.admits(0)).toBe(false)
  })

  test('is handed back one after the other when the store does not answer, spread over seven seconds', () => {
    const friends = ['bob', 'carol', 'dave']
    for (const friend of friends) desk.send(alice, 1, friend)
    desk.hub.turn()
    desk.pass(31_500)
    const retry = (friend: string, i: number): string => `retry ${friend} 1: unavailable, ${1_000 + i} ms`
    expect(alice.line.read()).toEqual(friends.map(retry))
    for (let i = friends.length; i < 7_000; i++) desk.hub.custody.awaited()
    expect(desk.hub.custody.awaited()).toBe(1_000)
    desk.pass(1_000)
    expect([desk.hub.custody.awaited(), desk.hub.custody.awaited()]).toEqual([1_000, 1_001])
  })

  test('lets those wait longer who are too many, up to eight seconds, and as before when they are few again', () => {
    const custody = desk.hub.custody
    const refuse = (count: number, settled: number): number => {
      for (let i = 0; i < count; i++) custody.turnAway()
      for (let n = 1; n <= settled; n++) {
        desk.send(alice, n, `friend${n}`)
        desk.hub.turn()
        desk.enqueued(`friend${n}`, ['ok'])
      }
      desk.pass(1_000)
      return custody.turnAway()
    }
    expect([refuse(0, 0), refuse(29, 10), refuse(400, 2), refuse(0, 1)]).toEqual([1_000, 3_000, 8_000, 1_000])
  })

  test('is given back at an end, whatever end', () => {
    send(1, 2, 3)
    desk.enqueued('bob', ['ok', 'delivered', 'full'])
    expect(desk.hub.custody.bytes).toBe(0)
  })

  test('ends once (I1)', () => {
    const message = messageOf(1)
    message.ended = true
    expect(() => desk.hub.custody.settle(message)).toThrow(InvariantError)
  })
})

describe('Custody, the answer of the store', () => {
  test.each([
    ['ok', 'stored bob 1'],
    ['stored', 'stored bob 1'],
    ['delivered', 'delivered bob 1'],
    ['rejected', 'rejected bob 1: rejected'],
    ['expired', 'expired bob 1: expired'],
    ['dead', 'dead bob 1: dead'],
    ['full', 'failed bob 1: mailbox_full'],
    ['unknown', 'failed bob 1: unknown_recipient'],
  ] as const)('%s: %s', (outcome, told) => {
    send(1)
    desk.enqueued('bob', [outcome])
    expect(alice.line.read()).toEqual([told])
  })

  test('a missing number is asked for', () => {
    send(5)
    desk.enqueued('bob', [3])
    expect(alice.line.read()).toEqual(['retry bob 3: gap, 0 ms'])
  })

  test('full hands back a message that its recipient may have seen, since its number is not free', () => {
    const bob = desk.binding('bob')
    desk.page(bob, [entryOf(1)])
    send(2)
    desk.hub.closed(bob.session)
    desk.hub.turn()
    desk.enqueued('bob', ['full'])
    expect(alice.line.read()).toEqual(['retry bob 2: overloaded, 5000 ms'])
  })

  test('a refusal takes with it what follows in the mailbox and in the session of the recipient', () => {
    const bob = desk.connect('bob')
    send(1, 2)
    expect(desk.calls.read()).toEqual(['enqueue bob: alice out 1/1'])
    desk.enqueued('bob', ['full'])
    expect(alice.line.read()).toEqual(['failed bob 1: mailbox_full'])
    expect(desk.hub.custody.bytes).toBe(0)
    expect(bob.line.read()).toEqual([])
  })

  test('an end of long ago lets nothing wait for a page that will not come', () => {
    desk.connect('bob')
    send(1, 2)
    desk.calls.read()
    desk.enqueued('bob', ['delivered'])
    desk.hub.turn()
    expect(desk.calls.read()).toContain('enqueue bob: alice out 2/2')
  })

  test('none leaves it open', () => {
    send(1)
    desk.enqueued('bob', null)
    expect(alice.line.read()).toEqual([])
    expect(desk.hub.custody.empty).toBe(false)
  })

  test('makes the session of the recipient look into the mailbox, even if there is none', () => {
    desk.connect('bob')
    desk.calls.read()
    send(1)
    desk.enqueued('bob', null)
    expect(desk.calls.read()).toContain('page bob after 0, 256 messages, 1048576 bytes')
  })

  test('for a recipient that nothing waits for is nothing', () => {
    desk.enqueued('bob', ['ok'])
    expect(alice.line.read()).toEqual([])
  })
})

describe('Custody, what is learned elsewhere', () => {
  test('a sync ends what is still on its way, each as the mailbox says', () => {
    send(1, 2, 3, 4)
    desk.hub.synced(alice.session, 'ref', 'bob', { last: 3, delivered: 2, lost: [[1, 'expired']] })
    desk.hub.turn()
    expect(alice.line.read()).toEqual([
      'expired bob 1: expired',
      'reply ref: {"last":3,"delivered":2,"lost":[[1,"expired"]]}',
      'delivered bob 2',
      'stored bob 3',
    ])
    expect(desk.hub.custody.bytes).toBe(1 + OVERHEAD)
  })

  test('an ack of what came out of the mailbox ends what is still on its way there', () => {
    const bob = desk.connect('bob')
    send(1)
    desk.enqueued('bob', null)
    desk.page(bob, [entryOf(1)])
    alice.line.read()
    bob.session.ack(1)
    desk.hub.turn()
    expect(alice.line.read()).toEqual(['delivered bob 1'])
    expect(desk.hub.custody.bytes).toBe(0)
  })

  test('a message that ended in its mailbox ends here, and is told once', () => {
    send(1)
    desk.enqueued('bob', null)
    desk.hub.news.told([{ recipient: 'bob', stream: 'alice out', n: 1, kind: 'rejected', reason: 'spam' }])
    expect(alice.line.read()).toEqual(['rejected bob 1: spam'])
    expect(desk.hub.custody.bytes).toBe(0)
  })
})

describe('Custody, its counters', () => {
  test('tell how messages ended', () => {
    send(1, 2, 3, 4, 5)
    desk.enqueued('bob', ['ok', 'delivered', 'rejected', 'full', 4])
    expect(desk.hub.stats).toMatchObject({ accepted: 5, stored: 1, delivered: 1, rejected: 1, failed: 1, retried: 1 })
  })
})

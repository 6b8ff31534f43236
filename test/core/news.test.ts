import { beforeEach, describe, expect, test } from 'vitest'
import type { SyncReply } from '../../src/protocol/frames.ts'
import { Desk, entryOf, type Connected } from './recorder.ts'

let desk: Desk

beforeEach(() => {
  desk = new Desk()
})

describe('News of a mailbox that this node has, for a sender elsewhere', () => {
  let bob: Connected

  beforeEach(() => {
    bob = desk.connect('bob')
    desk.calls.read()
    desk.hub.woken('bob')
    desk.hub.turn()
    desk.page(bob, [entryOf(1), entryOf(2), entryOf(3, { stream: 'carl out', n: 1 })])
    desk.calls.read()
  })

  test('goes out once for each stream, when the mailbox is rid of what was acked', () => {
    bob.session.ack(3)
    desk.hub.turn()
    expect(desk.calls.read()).toEqual(['remove bob up to 3'])
    desk.removed(bob)
    expect(desk.calls.read()).toEqual(['settled alice out at bob', 'settled carl out at bob'])
  })

  test('does not go out when the mailbox does not answer, but after the next removal', () => {
    bob.session.ack(1)
    desk.hub.turn()
    desk.hub.removed(bob.session, null)
    desk.hub.turn()
    expect(desk.calls.read()).toEqual(['remove bob up to 1'])
    desk.pass(1_000)
    desk.removed(bob)
    expect(desk.calls.read()).toContain('settled alice out at bob')
  })

  test('goes out after a refusal as well', () => {
    bob.session.nack(1, 'spam')
    desk.hub.turn()
    desk.removed(bob)
    expect(desk.calls.read()).toEqual(['refuse bob 1: spam', 'settled alice out at bob'])
  })

  test('goes out when its session has ended before the answer', () => {
    bob.session.ack(3)
    desk.hub.closed(bob.session)
    desk.removed(bob)
    expect(desk.calls.read()).toContain('settled carl out at bob')
  })

  test('does not go out for a sender who is here, who is told', () => {
    const alice = desk.connect('alice')
    desk.calls.read()
    bob.session.ack(2)
    desk.hub.turn()
    desk.removed(bob)
    expect(desk.calls.read().filter(line => line.startsWith('settled'))).toEqual([])
    desk.hub.closed(alice.session)
  })

  test('does not go out where nobody else has the store', () => {
    desk.hub.options = { ...desk.hub.options, soleOwner: true }
    bob.session.ack(3)
    desk.hub.turn()
    desk.removed(bob)
    expect(desk.calls.read()).toEqual(['remove bob up to 3'])
  })
})

describe('News from another node, for a sender who is here', () => {
  let alice: Connected

  const verified = (reply: SyncReply | null): void => {
    const up = desk.calls.verifying
    if (up === null) throw new Error('nothing is being asked')
    desk.hub.verified(up, null, reply)
    desk.hub.turn()
  }

  const hear = (stream = 'alice out', recipient = 'bob'): readonly string[] => {
    desk.hub.news.heard(stream, recipient)
    desk.hub.turn()
    return desk.calls.read()
  }

  beforeEach(() => {
    alice = desk.connect('alice', { attempt: 1 })
    for (const n of [1, 2, 3]) desk.send(alice, n)
    desk.hub.turn()
    desk.enqueued('bob', ['ok', 'ok', 'ok'], 'there')
    alice.line.read()
    desk.calls.read()
  })

  test('has the mailbox asked, and says what that says', () => {
    expect(hear()).toEqual(['verify alice out in bob'])
    verified({ last: 3, delivered: 3, lost: [[2, 'expired']] })
    expect(alice.line.read()).toEqual(['expired bob 2: expired', 'delivered bob 3'])
  })

  test('says nothing when the mailbox knows of nothing', () => {
    hear()
    verified({ last: 3, delivered: 0 })
    expect(alice.line.read()).toEqual([])
  })

  test('is looked into once, however often it is heard meanwhile, and then once more', () => {
    hear()
    expect([...hear(), ...hear()]).toEqual([])
    verified({ last: 3, delivered: 1 })
    expect(alice.line.read()).toEqual(['delivered bob 1'])
    expect(desk.calls.read()).toEqual(['verify alice out in bob'])
  })

  test('is an old story when all is told, or of a stream of somebody else', () => {
    hear()
    verified({ last: 3, delivered: 3 })
    expect([...hear(), ...hear('alice older'), ...hear('dan out')]).toEqual([])
  })

  test('is looked into again when the store does not answer', () => {
    hear()
    verified(null)
    desk.pass(250)
    expect(desk.calls.read()).toContain('verify alice out in bob')
  })

  test('ends what is still on its way into the mailbox', () => {
    desk.send(alice, 4)
    desk.hub.turn()
    desk.calls.read()
    expect(hear()).toEqual(['verify alice out in bob'])
    verified({ last: 4, delivered: 4 })
    expect(alice.line.read()).toEqual(['delivered bob 4'])
    desk.enqueued('bob', ['delivered'])
    expect(alice.line.read()).toEqual([])
  })

  test('counts what was stored while the mailbox was being asked', () => {
    const again = desk.connect('alice', { attempt: 2 })
    desk.hub.turn()
    desk.calls.read()
    alice = again
    desk.send(alice, 4)
    desk.hub.turn()
    hear()
    desk.enqueued('bob', ['ok'], 'there')
    verified({ last: 3, delivered: 3 })
    desk.calls.read()
    expect(hear()).toEqual(['verify alice out in bob'])
  })
})

describe('A sender who leaves, of whose messages some were acked here', () => {
  let alice: Connected
  let bob: Connected

  const leave = (): void => {
    desk.hub.closed(alice.session)
    desk.hub.turn()
  }

  /** He has connected to another node, which says so. */
  const move = (): void => {
    desk.hub.evicted('alice', '9:nonce')
    desk.hub.turn()
  }

  const news = (): readonly string[] => desk.calls.read().filter(line => line.startsWith('settled'))

  beforeEach(() => {
    alice = desk.connect('alice', { outbox: 'out', attempt: 1 })
    desk.send(alice, 1)
    desk.hub.turn()
    desk.enqueued('bob', ['ok'])
    bob = desk.binding('bob')
    desk.page(bob, [entryOf(1)])
    bob.session.ack(1)
    desk.hub.turn()
    expect(alice.line.read()).toEqual(['stored bob 1', 'delivered bob 1'])
    expect(desk.calls.read()).toContain('remove bob up to 1')
  })

  test('is told again where he is by then, when the mailbox is rid of them', () => {
    leave()
    expect(news()).toEqual([])
    desk.removed(bob)
    expect(news()).toEqual(['settled alice out at bob'])
  })

  test('is told again at once where he is now, when the mailbox is rid of them already', () => {
    desk.removed(bob)
    expect(news()).toEqual([])
    move()
    expect(news()).toEqual(['settled alice out at bob'])
  })

  test('is told once, when he has moved before the mailbox is rid of them', () => {
    move()
    expect(news()).toEqual([])
    desk.removed(bob)
    expect(news()).toEqual(['settled alice out at bob'])
  })

  test('is told nothing when he was nowhere else: he asks when he is back', () => {
    desk.removed(bob)
    leave()
    expect(news()).toEqual([])
  })

  test('is told nothing where nobody else has the store', () => {
    desk.hub.options = { ...desk.hub.options, soleOwner: true }
    desk.removed(bob)
    move()
    expect(news()).toEqual([])
  })
})

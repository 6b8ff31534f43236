/** Sending, what its client does not number: the server counts it. */
import { beforeEach, describe, expect, test } from 'vitest'
import type { CoreOptions } from '../../src/core/effects.ts'
import { bodyOf, Desk, type Connected } from './recorder.ts'

let desk: Desk
let alice: Connected

function begin(more: Partial<CoreOptions> = {}): void {
  desk = new Desk(more)
  alice = desk.connect('alice', { numbered: false })
}

function send(): void {
  alice.session.send(0, 0, 'bob', 0, bodyOf(1))
}

beforeEach(() => begin())

describe('Sending, what is not numbered', () => {
  test('moves the floor when nothing is open', () => {
    send()
    desk.hub.turn()
    desk.enqueued('bob', ['ok'])
    desk.calls.read()
    send()
    desk.hub.turn()
    expect(desk.calls.read()).toEqual(['enqueue bob: alice out 2/2'])
  })

  test('gives no number again that the store may have taken without an answer', () => {
    begin({ ackTimeoutMs: 1_000 })
    for (let count = 0; count < 3; count++) send()
    desk.hub.turn()
    for (let passed = 0; passed < 3_000; passed += 250) desk.pass(250)
    expect(alice.line.read()).toEqual([
      'retry bob 1: unavailable, 1000 ms',
      'retry bob 2: gap, 0 ms',
      'retry bob 3: gap, 0 ms',
    ])
    desk.enqueued('bob', null)
    desk.calls.read()
    desk.pass(1_000)
    send()
    desk.hub.turn()
    expect(desk.calls.read()).toEqual(['enqueue bob: alice out 4/4'])
  })

  test('gives a number again that the store has refused', () => {
    send()
    desk.hub.turn()
    desk.enqueued('bob', ['full'])
    desk.calls.read()
    send()
    desk.hub.turn()
    expect(desk.calls.read()).toEqual(['enqueue bob: alice out 1/1'])
  })

  test('gives no number twice when it forgets a stream', () => {
    begin({ rememberedStreams: 1, soleOwner: true })
    const bob = desk.connect('bob')
    const say = (): void => {
      send()
      desk.hub.recalled(bob.session, [...desk.calls.read()][0]?.split(' of ')[0]?.slice('recall '.length) ?? '', {
        last: 0,
        delivered: 0,
      })
      desk.hub.turn()
    }
    say()
    bob.session.ack(1)
    desk.hub.turn()
    desk.hub.turn()
    say()
    expect(bob.line.read()).toEqual(['message 1: alice out 1', 'message 2: alice out-1 1'])
  })
})

/** Parking is tried as custody uses it: messages come from a sender, for somebody who is not here. */
import { beforeEach, describe, expect, test } from 'vitest'
import { Desk, type Connected } from './recorder.ts'

const body = { bytes: new Uint8Array(1), start: 0, end: 1, text: false }

let desk: Desk
let alice: Connected

function send(...numbers: readonly number[]): void {
  for (const n of numbers) alice.session.send(n, numbers[0] ?? n, 'bob', 0, body)
}

beforeEach(() => {
  desk = new Desk({ sendWindow: 1_000, heldBytes: 64 * 1024 * 1024, sendWindowBytes: 64 * 1024 * 1024 })
  alice = desk.connect('alice')
})

describe('Parking', () => {
  test('offers what came during a turn as one batch, at its end', () => {
    send(1, 2)
    expect(desk.calls.read()).toEqual([])
    desk.hub.turn()
    expect(desk.calls.read()).toEqual(['enqueue bob: alice out 1/1, alice out 2/1'])
  })

  test('has one batch under way, and takes what comes meanwhile with the next', () => {
    send(1)
    desk.hub.turn()
    send(2, 3)
    desk.hub.turn()
    expect(desk.calls.read()).toEqual(['enqueue bob: alice out 1/1'])
    desk.enqueued('bob', ['ok'])
    expect(desk.calls.read()).toEqual(['enqueue bob: alice out 2/2, alice out 3/2'])
  })

  test('keeps batches of different recipients apart', () => {
    desk.send(alice, 1, 'bob')
    desk.send(alice, 1, 'carol')
    desk.hub.turn()
    expect(desk.calls.read()).toEqual(['enqueue bob: alice out 1/1', 'enqueue carol: alice out 1/1'])
  })

  test('puts 256 messages into a batch at most', () => {
    send(...Array.from({ length: 300 }, (_, index) => index + 1))
    desk.hub.turn()
    expect(desk.calls.read()[0]?.split(',')).toHaveLength(256)
    desk.enqueued(
      'bob',
      Array.from({ length: 256 }, () => 'ok'),
    )
    expect(desk.calls.read()[0]?.split(',')).toHaveLength(44)
  })

  test('puts a MiB into a batch at most, but always one message', () => {
    desk.send(alice, 1, 'bob', 2_000_000)
    desk.send(alice, 2, 'bob', 600_000)
    desk.send(alice, 3, 'bob', 600_000)
    desk.hub.turn()
    desk.enqueued('bob', ['ok'])
    desk.enqueued('bob', ['ok'])
    expect(desk.calls.read()).toEqual([1, 2, 3].map(n => `enqueue bob: alice out ${n}/${n}`))
  })

  test('offers a batch again after 1, 2, 4 and 4 s when there is no answer', () => {
    send(1)
    desk.hub.turn()
    const offered: number[] = []
    for (let ms = 0; ms <= 12_000; ms += 250) {
      if (desk.calls.read().length > 0) {
        offered.push(ms)
        desk.enqueued('bob', null)
      }
      desk.pass(250)
    }
    expect(offered).toEqual([0, 1_000, 3_000, 7_000, 11_000])
  })

  test('offers again in the old order, before what came meanwhile', () => {
    send(1)
    desk.hub.turn()
    send(2)
    desk.enqueued('bob', null)
    desk.calls.read()
    desk.pass(1_000)
    expect(desk.calls.read()).toEqual(['enqueue bob: alice out 1/1, alice out 2/2'])
  })

  test('is patient again after an answer', () => {
    send(1)
    desk.hub.turn()
    desk.enqueued('bob', null)
    desk.pass(1_000)
    desk.enqueued('bob', null)
    desk.pass(2_000)
    send(2)
    desk.enqueued('bob', ['ok'])
    desk.enqueued('bob', null)
    desk.calls.read()
    desk.pass(1_000)
    expect(desk.calls.read()).toEqual(['enqueue bob: alice out 2/2'])
  })

  test('hands back what is too old, within 2 s of its deadline, even while it is under way (§5.1)', () => {
    send(1)
    desk.hub.turn()
    desk.pass(31_250)
    expect(alice.line.read()).toEqual([])
    desk.pass(250)
    expect(alice.line.read()).toEqual(['retry bob 1: unavailable, 1000 ms'])
  })

  test('hands back what is old, and what follows it in its stream, and keeps the rest', () => {
    const carol = desk.connect('carol')
    send(1)
    desk.hub.turn()
    desk.enqueued('bob', null)
    desk.pass(20_000)
    send(2)
    carol.session.send(1, 1, 'bob', 0, body)
    desk.enqueued('bob', null)
    desk.calls.read()
    desk.pass(11_500)
    expect(alice.line.read()).toEqual(['retry bob 1: unavailable, 1000 ms'])
    expect(carol.line.read()).toEqual([])
    expect(desk.calls.read()).toEqual(['enqueue bob: carol out 1/1'])
  })

  test('ignores the answer for what was handed back meanwhile', () => {
    send(1)
    desk.hub.turn()
    desk.pass(32_000)
    alice.line.read()
    desk.enqueued('bob', ['ok'])
    expect(alice.line.read()).toEqual([])
    expect(desk.hub.idle).toBe(true)
  })

  test('drops what follows a refused message of the same stream, and nothing of another', () => {
    const carol = desk.connect('carol')
    send(2, 3)
    carol.session.send(1, 1, 'bob', 0, body)
    desk.hub.turn()
    send(4)
    desk.calls.read()
    desk.enqueued('bob', ['full', 'full', 'ok'])
    expect(alice.line.read()).toEqual(['failed bob 2: mailbox_full'])
    expect(carol.line.read()).toEqual(['stored bob 1'])
    expect(desk.calls.read()).toEqual([])
    expect(desk.hub.idle).toBe(true)
  })

  test('is forgotten when it is empty', () => {
    send(1)
    desk.hub.turn()
    expect(desk.hub.custody.empty).toBe(false)
    desk.enqueued('bob', ['ok'])
    expect(desk.hub.custody.empty).toBe(true)
  })
})

/** The outbox, while it is being asked whether a target is still the one that is meant, and when it is not. */
import { beforeEach, describe, expect, test } from 'vitest'
import type { Outbox } from '../../src/client/outbox.ts'
import { textBody } from './bodies.ts'
import { create, events, frames, terms } from './outbox-log.ts'

let outbox: Outbox

function add(count = 1, target = 'bob'): void {
  for (let i = 0; i < count; i++) outbox.add(target, textBody('x'), 0, 0)
}

function open(now = 0): void {
  outbox.opened(frames, terms, now)
}

beforeEach(() => {
  outbox = create()
  open()
})

describe('a target that is held', () => {
  test('is sent nothing until it is released, also by a stream that begins meanwhile', () => {
    add(1)
    outbox.delivered('bob', 1, 0)
    outbox.closed()
    outbox.hold('bob')
    outbox.hold('cat')
    open()
    add(1, 'bob')
    add(1, 'cat')
    outbox.tick(0)
    events()
    outbox.release('cat', 0)
    expect(events()).toEqual(['send cat 1 from 1'])
    outbox.release('bob', 0)
    expect(events()).toEqual(['send bob 2 from 2'])
  })

  test('is not held on the next connection', () => {
    outbox.hold('bob')
    add(1)
    outbox.closed()
    events()
    open()
    expect(events()).toEqual(['send bob 1 from 1'])
  })

  test('is asked what it has, and offered what it has lost once it is released', () => {
    add(1)
    outbox.stored('bob', 1, 0)
    outbox.closed()
    outbox.hold('bob')
    events()
    open()
    outbox.synced('bob', { last: 0, delivered: 0 }, 0)
    expect(events()).toEqual(['sync bob'])
    outbox.release('bob', 0)
    expect(events()).toEqual(['send bob 1 from 1'])
  })

  test('and is another one is sent nothing of what was for the one before', () => {
    add(1)
    outbox.stored('bob', 1, 0)
    add(1)
    outbox.closed()
    outbox.hold('bob')
    open()
    add(1)
    outbox.synced('bob', { last: 0, delivered: 0 }, 0)
    events()
    outbox.disown('bob')
    outbox.disown('nobody')
    expect(events()).toEqual(['1 forgotten', '2 failed', '3 failed'])
    outbox.release('bob', 0)
    add(1)
    expect(events()).toEqual(['send bob 4 from 4'])
    expect(outbox.count).toBe(1)
  })

  test('and is another one gets a new connection if something was on its way to the one before', () => {
    add(2)
    outbox.hold('bob')
    events()
    outbox.disown('bob')
    expect(events()).toEqual(['1 failed', '2 failed', 'reconnect: what was under way has no recipient any more'])
  })
})

test('a question that a lost connection has left without an answer is asked again, whatever was held then', () => {
  add(1)
  outbox.stored('bob', 1, 0)
  outbox.tick(45_000)
  outbox.delivered('bob', 1, 45_000)
  outbox.closed()
  open(50_000)
  outbox.add('bob', textBody('x'), 0, 50_000)
  outbox.stored('bob', 2, 50_000)
  events()
  outbox.tick(95_000)
  expect(events()).toEqual(['sync bob'])
})

import { beforeEach, describe, expect, test } from 'vitest'
import { Upstream } from '../../src/core/upstream.ts'
import { Desk, type Line } from './recorder.ts'

let desk: Desk
let line: Line
let up: Upstream

function upstream(numbered: boolean): Upstream {
  const alice = desk.connect('alice')
  line = alice.line
  return new Upstream(alice.session.sending!, 'alice out', 'bob', numbered)
}

beforeEach(() => {
  desk = new Desk()
  up = upstream(true)
})

describe('Upstream', () => {
  test('writes one receipt of each kind at the end of a turn, for the highest number', () => {
    up.delivered(1)
    up.delivered(2)
    up.stored(3)
    up.stored(4)
    expect(line.read()).toEqual([])
    desk.hub.turn()
    expect(line.read()).toEqual(['delivered bob 2', 'stored bob 4'])
  })

  test('does not call stored what it calls delivered', () => {
    up.stored(2)
    up.delivered(3)
    desk.hub.turn()
    expect(line.read()).toEqual(['delivered bob 3'])
  })

  test('writes a receipt once', () => {
    up.delivered(1)
    desk.hub.turn()
    desk.hub.turn()
    expect(line.read()).toEqual(['delivered bob 1'])
  })

  test('tells a number again when it ends again, since a failover may have taken back what was told', () => {
    up.stored(2)
    desk.hub.turn()
    up.stored(1)
    desk.hub.turn()
    expect(line.read()).toEqual(['stored bob 2', 'stored bob 1'])
  })

  test('writes an end of one number at once', () => {
    up.ended('expired', 4, 'expired')
    expect(line.read()).toEqual(['expired bob 4: expired'])
  })

  test('writes a refusal at once, and none above it (§4)', () => {
    up.retry(3, 'unavailable', 1_000)
    up.retry(4, 'unavailable', 1_000)
    up.failed(5, 'mailbox_full')
    expect(line.read()).toEqual(['retry bob 3: unavailable, 1000 ms'])
  })

  test('writes a refusal below one that was told', () => {
    up.retry(3, 'unavailable', 1_000)
    up.failed(2, 'mailbox_full')
    expect(line.read()).toEqual(['retry bob 3: unavailable, 1000 ms', 'failed bob 2: mailbox_full'])
  })

  test('skips what is above a refused number until that number comes', () => {
    expect(up.skips(4, 1)).toBe(false)
    up.retry(3, 'gap', 0)
    expect([up.skips(4, 1), up.skips(3, 1), up.skips(4, 1)]).toEqual([true, false, false])
  })

  test('skips nothing more once the sender no longer holds the refused number', () => {
    up.retry(3, 'gap', 0)
    expect([up.skips(5, 3), up.skips(5, 4), up.skips(6, 1)]).toEqual([true, false, false])
  })

  test.each([
    ['delivered', () => up.delivered(3)],
    ['stored', () => up.stored(3)],
    ['ended', () => up.ended('dead', 3, 'dead')],
    ['known by a sync', () => up.known(3)],
  ])('waits no longer for a refused number that is %s', (_end, happens) => {
    up.retry(3, 'unavailable', 1_000)
    happens()
    expect(up.skips(4, 1)).toBe(false)
  })

  test('goes on waiting for a refused number when one below it ends', () => {
    up.retry(3, 'unavailable', 1_000)
    up.delivered(2)
    up.known(2)
    expect(up.skips(4, 1)).toBe(true)
  })

  test('does not call stored what it has handed back in the same turn', () => {
    up.stored(5)
    up.retry(4, 'gap', 0)
    desk.hub.turn()
    expect(line.read()).toEqual(['retry bob 4: gap, 0 ms', 'stored bob 3'])
  })

  test('tells every refusal of a stream that the server numbers, and gives its number to the next message', () => {
    const unnumbered = upstream(false)
    unnumbered.next = 5
    unnumbered.failed(3, 'mailbox_full')
    unnumbered.failed(4, 'mailbox_full')
    expect(line.read()).toEqual(['failed bob 3: mailbox_full', 'failed bob 4: mailbox_full'])
    expect(unnumbered.next).toBe(3)
  })

  test('has a receipt from an end to the end of the turn', () => {
    expect(up.hasReceipt).toBe(false)
    up.stored(1)
    expect(up.hasReceipt).toBe(true)
    desk.hub.turn()
    expect(up.hasReceipt).toBe(false)
  })
})

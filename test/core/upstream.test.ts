import { beforeEach, describe, expect, test } from 'vitest'
import { createOrigin } from '../../src/core/origin.ts'
import { Upstream } from '../../src/core/upstream.ts'
import type { SyncReply } from '../../src/protocol/frames.ts'
import { Desk, type Connected, type Line } from './recorder.ts'

let desk: Desk
let line: Line
let up: Upstream

function upstream(numbered: boolean, isNew = true): Upstream {
  const alice = desk.connect('alice')
  line = alice.line
  desk.calls.read()
  return new Upstream(alice.session.sending!, createOrigin('alice', 'out'), 'bob', numbered, isNew)
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

describe('Upstream, what it may call delivered', () => {
  const verified = (reply: SyncReply | null, heard: Connected | null = null): void => {
    desk.hub.verified(up, heard?.session.receiving ?? null, reply)
    desk.hub.turn()
  }

  const drained = (n: number): void => {
    up.drained(n)
    desk.hub.turn()
  }

  test('all that it has heard of, one by one', () => {
    up.drained(1)
    up.ended('expired', 2, 'expired')
    drained(3)
    expect(desk.calls.read()).not.toContain('verify alice out in bob')
    expect(line.read()).toEqual(['delivered bob 1', 'expired bob 2: expired', 'delivered bob 3'])
  })

  test('nothing past what may have ended in the mailbox, before that was asked', () => {
    drained(3)
    expect([desk.calls.read(), line.read()]).toEqual([['verify alice out in bob'], []])
    verified({ last: 4, delivered: 2, lost: [[1, 'expired']] })
    expect(line.read()).toEqual(['expired bob 1: expired', 'delivered bob 3'])
  })

  test('nothing of an outbox that was here before, until the mailbox was asked', () => {
    up = upstream(true, false)
    up.delivered(7)
    desk.hub.turn()
    expect(desk.calls.read()).toEqual(['verify alice out in bob'])
    verified({ last: 6, delivered: 6, lost: [[5, 'dead']] })
    up.delivered(8)
    desk.hub.turn()
    expect(line.read()).toEqual(['dead bob 5: dead', 'delivered bob 7', 'delivered bob 8'])
  })

  test('the rest, once it hears of every end from the session of the recipient', () => {
    const bob = desk.connect('bob')
    desk.calls.read()
    drained(3)
    verified({ last: 3, delivered: 2 }, bob)
    drained(9)
    expect([desk.calls.read(), line.read()]).toEqual([
      ['verify alice out in bob'],
      ['delivered bob 3', 'delivered bob 9'],
    ])
    desk.hub.closed(bob.session)
    drained(12)
    expect([desk.calls.read(), line.read()]).toContainEqual([])
  })

  test('everything, where this node is the only one that fills mailboxes', () => {
    desk = new Desk({ soleOwner: true })
    up = upstream(true)
    drained(3)
    expect(line.read()).toEqual(['delivered bob 3'])
  })

  test('what was acked while the mailbox was asked, after asking again', () => {
    drained(3)
    drained(5)
    verified({ last: 5, delivered: 3 })
    expect([desk.calls.read(), line.read()]).toEqual([
      ['verify alice out in bob', 'verify alice out in bob'],
      ['delivered bob 3'],
    ])
  })

  test('later, when the mailbox does not answer and nobody waits for an end', () => {
    drained(3)
    verified(null)
    expect(line.read()).toEqual([])
    desk.calls.read()
    desk.pass(250)
    expect(desk.calls.read()).toEqual(['verify alice out in bob'])
  })

  test('never, when the mailbox does not answer and an end is due: the message is handed back', () => {
    up.stored(1)
    desk.hub.turn()
    up.delivered(2, desk.hub.now + 1_000)
    desk.hub.turn()
    up.ended('rejected', 3, 'spam')
    verified(null)
    expect(line.read()).toEqual(['stored bob 1', 'retry bob 2: unavailable, 1000 ms'])
  })

  test('and each of them, where nobody goes back to a number', () => {
    up = upstream(false)
    up.stored(1)
    desk.hub.turn()
    for (const n of [2, 3, 4]) up.delivered(n, desk.hub.now + 1_000)
    desk.hub.turn()
    verified(null)
    expect(line.read()).toEqual(['stored bob 1', ...[2, 3, 4].map(n => `retry bob ${n}: unavailable, 1000 ms`)])
  })

  test('and meanwhile calls stored what is, so that it has its end though what is above it is handed back', () => {
    up = upstream(true, false)
    up.delivered(6, desk.hub.now + 2_000)
    desk.hub.turn()
    up.stored(5)
    desk.hub.turn()
    expect(line.read()).toEqual(['stored bob 5'])
    verified(null)
    expect(line.read()).toEqual(['retry bob 6: unavailable, 1000 ms'])
  })

  test('later, when what is due was called stored meanwhile: that is its end', () => {
    up = upstream(true, false)
    up.delivered(6, desk.hub.now + 2_000)
    desk.hub.turn()
    up.stored(6)
    desk.hub.turn()
    verified(null)
    expect(line.read()).toEqual(['stored bob 6'])
    desk.hub.tick()
    desk.hub.turn()
    verified({ last: 6, delivered: 6 })
    expect(line.read()).toEqual(['delivered bob 6'])
  })

  test('never, when the answer of the mailbox comes too late for the end that is due', () => {
    up.stored(1)
    desk.hub.turn()
    up.delivered(2, desk.hub.now + 1_000)
    desk.hub.turn()
    desk.pass(1_000)
    verified({ last: 1, delivered: 0 })
    expect(line.read()).toEqual(['stored bob 1', 'retry bob 2: unavailable, 1000 ms'])
  })

  describe('where a refused message was handed back with one below it', () => {
    beforeEach(() => {
      up.stored(1)
      desk.hub.turn()
      up.delivered(2, desk.hub.now + 1_000)
      desk.hub.turn()
      up.ended('rejected', 3, 'spam')
      verified(null)
      expect(line.read()).toEqual(['stored bob 1', 'retry bob 2: unavailable, 1000 ms'])
    })

    test('what was on its way meanwhile only after the refusal, which nobody else may know any more', () => {
      up.delivered(4)
      desk.hub.turn()
      verified({ last: 1, delivered: 1 })
      expect(line.read()).toEqual(['rejected bob 3: spam', 'delivered bob 4'])
    })

    test('the refused one when it comes again, and says so once', () => {
      up.delivered(2)
      desk.hub.turn()
      verified({ last: 1, delivered: 1 })
      up.ended('rejected', 3, 'spam')
      up.delivered(4)
      desk.hub.turn()
      expect(line.read()).toEqual(['delivered bob 2', 'rejected bob 3: spam', 'delivered bob 4'])
    })

    test('nothing of it, and is not forgotten before it was told', () => {
      expect([up.idle, up.isClean]).toEqual([true, false])
      up.known(4)
      expect(up.isClean).toBe(false)
    })
  })

  test('before what ended otherwise above it', () => {
    up.stored(1)
    desk.hub.turn()
    up.delivered(2, desk.hub.now + 1_000)
    desk.hub.turn()
    up.ended('rejected', 3, 'spam')
    verified({ last: 1, delivered: 1 })
    expect(line.read()).toEqual(['stored bob 1', 'delivered bob 2', 'rejected bob 3: spam'])
  })

  test('after what ended otherwise below it', () => {
    up = upstream(true, false)
    up.delivered(4, desk.hub.now + 1_000)
    desk.hub.turn()
    up.ended('expired', 5, 'expired')
    up.delivered(6)
    desk.hub.turn()
    verified({ last: 6, delivered: 4, lost: [[5, 'expired']] })
    verified({ last: 6, delivered: 6, lost: [[5, 'expired']] })
    expect(line.read()).toEqual(['delivered bob 4', 'expired bob 5: expired', 'delivered bob 6'])
  })

  test('and says once of a number how it ended in the mailbox', () => {
    up.lost('expired', 2, 'expired')
    up.lost('expired', 2, 'expired')
    drained(3)
    verified({ last: 3, delivered: 1, lost: [[2, 'expired']] })
    expect(line.read()).toEqual(['expired bob 2: expired', 'delivered bob 3'])
  })

  test('keeps the hub from being idle', () => {
    drained(3)
    expect(desk.hub.idle).toBe(false)
    verified({ last: 3, delivered: 3 })
    expect(desk.hub.idle).toBe(true)
  })
})

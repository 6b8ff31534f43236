/** The outbox, one rule at a time. */
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

describe('the window', () => {
  test('holds back what is beyond it until receipts make room', () => {
    add(5)
    expect(events()).toEqual(['send bob 1 from 1', 'send bob 2 from 1', 'send bob 3 from 1'])
    outbox.delivered('bob', 2, 0)
    expect(events()).toEqual(['1 delivered', '2 delivered', 'send bob 4 from 3', 'send bob 5 from 3'])
  })

  test('lets one message of any size through when nothing else is on its way', () => {
    outbox.add('bob', textBody('x'.repeat(1_000)), 0, 0)
    add()
    expect(events()).toEqual(['send bob 1 from 1'])
  })

  test('is shared by streams in turn', () => {
    outbox.closed()
    add(3, 'bob')
    add(3, 'cat')
    open()
    expect(events()).toEqual(['send bob 1 from 1', 'send cat 1 from 1', 'send bob 2 from 1'])
  })
})

describe('receipts', () => {
  test('stored keeps a shadow, which holds the floor down and is told again when delivered', () => {
    add(2)
    outbox.stored('bob', 1, 0)
    add()
    outbox.delivered('bob', 3, 0)
    expect(events().slice(2)).toEqual(['1 stored', 'send bob 3 from 1', '1 delivered', '2 delivered', '3 delivered'])
    expect(outbox.count).toBe(0)
  })

  test('above what was sent are not believed', () => {
    add(4)
    outbox.delivered('bob', 99, 0)
    expect(outbox.count).toBe(1)
  })

  test('of a closed connection are ignored', () => {
    add()
    outbox.closed()
    outbox.delivered('bob', 1, 0)
    expect(outbox.count).toBe(1)
  })

  test('end exactly the one that they name', () => {
    add(2)
    outbox.stored('bob', 2, 0)
    outbox.ended('expired', 'bob', 1, 'expired', 0)
    outbox.ended('expired', 'bob', 1, 'expired', 0)
    expect(events().slice(2)).toEqual(['1 stored', '2 stored', '1 expired'])
  })
})

describe('retry', () => {
  test('goes back once, after its time', () => {
    add(3)
    events()
    outbox.retry('bob', 2, 'rate_limited', 500, 0)
    outbox.retry('bob', 3, 'rate_limited', 500, 0)
    expect(outbox.due).toBe(500)
    outbox.tick(499)
    expect(events()).toEqual([])
    outbox.tick(500)
    expect(events()).toEqual(['send bob 2 from 1', 'send bob 3 from 1'])
  })

  test('for a gap offers shadows again', () => {
    add(2)
    outbox.stored('bob', 1, 0)
    events()
    outbox.retry('bob', 1, 'gap', 0, 0)
    outbox.tick(1_000)
    expect(events()).toEqual(['send bob 1 from 1', 'send bob 2 from 1'])
    outbox.stored('bob', 2, 0)
    expect(events()).toEqual(['2 stored'])
  })

  test('for a number that has ended gives up the shadows below it, so that the floor rises above it', () => {
    add(3)
    outbox.stored('bob', 1, 0)
    outbox.ended('rejected', 'bob', 2, 'spam', 0)
    events()
    outbox.retry('bob', 2, 'gap', 0, 0)
    outbox.tick(20)
    expect(events()).toEqual(['1 forgotten', 'send bob 3 from 3'])
  })

  test('for a number that has ended waits for the receipts of what is below it', () => {
    add(3)
    outbox.ended('rejected', 'bob', 2, 'spam', 0)
    events()
    outbox.retry('bob', 2, 'gap', 0, 0)
    outbox.tick(20)
    expect(events()).toEqual(['send bob 3 from 1'])
  })

  test('again and again waits longer and longer', () => {
    add()
    const pauses: number[] = []
    for (let now = 0, i = 0; i < 15; i++) {
      outbox.retry('bob', 1, 'unavailable', 0, now)
      pauses.push(outbox.due - now)
      now = outbox.due
      outbox.tick(now)
    }
    expect(pauses[0]).toBeLessThan(100)
    expect(pauses.at(-1)).toBe(30_000)
  })
})

describe('failed', () => {
  test('gives the number to the next message and sends what follows again', () => {
    add(3)
    events()
    outbox.failed('bob', 2, 'mailbox_full', 0)
    expect(events()).toEqual(['2 failed', 'send bob 2 from 1'])
    outbox.delivered('bob', 2, 0)
    expect(events()).toEqual(['1 delivered', '3 delivered'])
  })

  test('by a full mailbox is no end for a message that may have been taken before', () => {
    add()
    outbox.closed()
    open()
    events()
    outbox.failed('bob', 1, 'mailbox_full', 0)
    expect(events()).toEqual([])
    outbox.tick(outbox.due)
    expect(events()).toEqual(['send bob 1 from 1'])
  })

  test('for another reason, after it may have been taken, passes the number over', () => {
    add(2)
    outbox.closed()
    open()
    events()
    outbox.failed('bob', 1, 'forbidden', 0)
    expect(events()).toEqual(['1 failed', 'reconnect: a number was passed over'])
    outbox.closed()
    open()
    expect(events()).toEqual(['send bob 2 from 2'])
  })

  test('for another reason, when it was all that there was for that target, does not keep what comes later', () => {
    add()
    outbox.closed()
    open()
    outbox.failed('bob', 1, 'forbidden', 0)
    outbox.closed()
    open()
    events()
    add()
    expect(events()).toEqual(['send bob 2 from 2'])
  })

  test('does not touch what is not on its way', () => {
    add()
    outbox.stored('bob', 1, 0)
    outbox.failed('bob', 1, 'mailbox_full', 0)
    outbox.failed('bob', 7, 'mailbox_full', 0)
    expect(outbox.count).toBe(1)
  })
})

describe('a new connection', () => {
  test('sends at once what has no shadows, and asks first where there are some', () => {
    add(1, 'bob')
    add(1, 'cat')
    outbox.stored('bob', 1, 0)
    add(1, 'bob')
    outbox.closed()
    events()
    open()
    expect(events()).toEqual(['sync bob', 'send cat 1 from 1'])
    outbox.synced('bob', { last: 1, delivered: 0 }, 0)
    expect(events()).toEqual(['send bob 2 from 1'])
  })

  test('offers again what the store has lost, and nothing that it has', () => {
    add(3)
    outbox.stored('bob', 3, 0)
    outbox.closed()
    open()
    events()
    outbox.synced('bob', { last: 2, delivered: 1, lost: [[1, 'expired']] }, 0)
    expect(events()).toEqual(['1 expired', 'send bob 3 from 2'])
  })

  test('asks again when the question was refused', () => {
    add()
    outbox.stored('bob', 1, 0)
    outbox.closed()
    open()
    outbox.synced('bob', null, 0)
    events()
    outbox.tick(outbox.due)
    expect(events()).toEqual(['sync bob'])
  })

  test('takes another name when somebody else has used this one', () => {
    add(2)
    outbox.stored('bob', 1, 0)
    outbox.closed()
    open()
    events()
    outbox.synced('bob', { last: 9, delivered: 0 }, 0)
    expect(events()).toEqual(['1 forgotten', 'reconnect: the outbox took a new name'])
    expect(outbox.name).toBe('outbox-2')
    open()
    expect(events()).toEqual(['send bob 1 from 1'])
  })
})

describe('under the name of an earlier outbox', () => {
  function inherit(): void {
    add()
    outbox.delivered('bob', 1, 0)
    outbox = create({ restore: outbox.snapshot() })
    open()
  }

  test.each(['bob', 'cat'])('asks before anything is sent to %s, though nothing is held for anybody', target => {
    inherit()
    const n = target === 'bob' ? 2 : 1
    add(2, target)
    expect(events()).toEqual([`sync ${target}`])
    outbox.synced(target, { last: 0, delivered: n - 1 }, 0)
    expect(events()).toEqual([`send ${target} ${n} from ${n}`, `send ${target} ${n + 1} from ${n}`])
    add(1, target)
    expect(events()).toEqual([`send ${target} ${n + 2} from ${n}`])
  })

  test('takes another when that one has sent what it does not know of', () => {
    inherit()
    add()
    events()
    outbox.synced('bob', { last: 0, delivered: 2 }, 0)
    expect(events()).toEqual(['reconnect: the outbox took a new name'])
    open()
    expect(events()).toEqual(['send bob 1 from 1'])
  })

  test('asks again in its time when the question was refused, and not for every message', () => {
    inherit()
    add()
    events()
    outbox.synced('bob', null, 0)
    add()
    expect(events()).toEqual([])
    outbox.tick(outbox.due)
    expect(events()).toEqual(['sync bob'])
  })
})

describe('time', () => {
  test('without an answer asks for a new connection', () => {
    add()
    events()
    expect(outbox.due).toBe(40_000)
    outbox.tick(39_999)
    expect(events()).toEqual([])
    outbox.tick(40_000)
    expect(events()).toEqual(['reconnect: no answer'])
  })

  test('makes it ask what became of shadows, and give them up in the end', () => {
    outbox = create({ shadowLifeMs: 100_000, resyncMs: 1_000 })
    open()
    add()
    outbox.stored('bob', 1, 0)
    events()
    outbox.tick(1_000)
    outbox.synced('bob', { last: 1, delivered: 0 }, 1_000)
    expect(events()).toEqual(['sync bob'])
    outbox.closed()
    outbox.tick(100_001)
    expect(events()).toEqual(['1 forgotten'])
  })

  test('that a message waits here is taken off its ttl', () => {
    outbox.closed()
    outbox.add('bob', textBody('x'), 60, 0)
    open(20_000)
    expect(events()).toEqual(['send bob 1 from 1 for 40 s'])
  })

  test('that the clock was set back while a message waited here adds nothing to its ttl', () => {
    outbox.closed()
    outbox.add('bob', textBody('x'), 60, 20_000)
    open(0)
    expect(events()).toEqual(['send bob 1 from 1 for 60 s'])
  })
})

describe('limits', () => {
  test('give up the oldest shadow for a new message, and refuse it when there are none', () => {
    outbox = create({ maxMessages: 2 })
    open()
    add(2)
    outbox.stored('bob', 1, 0)
    events()
    expect(outbox.add('cat', textBody('x'), 0, 0)).not.toBeNull()
    expect(outbox.add('cat', textBody('x'), 0, 0)).toBeNull()
    expect(events()).toEqual(['1 forgotten', 'send cat 1 from 1'])
  })

  test('hold for bytes too', () => {
    outbox = create({ maxBytes: 10 })
    expect(outbox.add('bob', textBody('123456'), 0, 0)).not.toBeNull()
    expect(outbox.add('bob', textBody('123456'), 0, 0)).toBeNull()
  })

  test('keep n within reach of the floor', () => {
    outbox = create({ maxMessages: 5_000 })
    open()
    for (let n = 1; n <= 1_500; n++) {
      add()
      outbox.stored('bob', n, 0)
    }
    const floors = events().flatMap(line => /^send bob (\d+) from (\d+)/.exec(line)?.slice(1).map(Number) ?? [])
    expect(floors.at(-2)).toBe(1_500)
    expect(floors.at(-1)).toBe(501)
  })

  test('of streams bring a new name when nothing is held, and refuse new targets when too much is', () => {
    outbox = create({ maxStreams: 2 })
    open()
    for (const target of ['a', 'b']) {
      add(1, target)
      outbox.delivered(target, 1, 0)
    }
    add(1, 'c')
    expect(outbox.name).toBe('outbox-2')
    for (const target of ['d', 'e', 'f']) add(1, target)
    expect(outbox.add('g', textBody('x'), 0, 0)).toBeNull()
    expect(outbox.add('f', textBody('x'), 0, 0)).not.toBeNull()
  })
})

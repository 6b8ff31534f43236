import { beforeEach, describe, expect, test } from 'vitest'
import { Drain } from '../../src/core/drain.ts'
import type { Entry, PageResult } from '../../src/protocol/mailbox.ts'
import { Desk, entryOf } from './recorder.ts'

const ROOM = 10
const BYTES = 1_000

let desk: Desk
let drain: Drain

function flush(room = ROOM, bytes = BYTES): boolean {
  return drain.flush(room, bytes)
}

function asked(): readonly string[] {
  return desk.calls.read()
}

function pageOf(entries: readonly Entry[], more = false, oldest = entries[0]?.s ?? 0): PageResult {
  return { kind: 'page', entries, more, oldest, lost: [] }
}

const ok = { kind: 'ok', lost: [] } as const
const stale = { kind: 'stale' } as const

beforeEach(() => {
  desk = new Desk()
  drain = new Drain(desk.hub, desk.connect('bob').session, false)
  desk.calls.read()
})

describe('Drain, reading', () => {
  test('looks into the mailbox at first, whatever the bind said of it', () => {
    flush()
    expect(asked()).toEqual(['page bob after 0, 10 messages, 1000 bytes'])
  })

  test('does not look into the mailbox of an id that was made up just now, until something may have come', () => {
    const fresh = new Drain(desk.hub, desk.connect('carol').session, true)
    desk.calls.read()
    fresh.flush(ROOM, BYTES)
    expect(asked()).toEqual([])
    expect(fresh.isDry).toBe(true)
    fresh.arrived()
    fresh.flush(ROOM, BYTES)
    expect(asked()).toEqual(['page carol after 0, 10 messages, 1000 bytes'])
  })

  test('has one look under way at a time', () => {
    flush()
    drain.arrived()
    flush()
    expect(asked()).toHaveLength(1)
  })

  test('looks no further when there was no more', () => {
    flush()
    drain.paged(pageOf([entryOf(1)]))
    flush()
    expect(asked()).toHaveLength(1)
  })

  test('goes on after the last entry that was sent', () => {
    flush()
    drain.paged(pageOf([entryOf(7), entryOf(8)], true))
    drain.advance(7)
    drain.advance(8)
    flush()
    expect(asked().at(-1)).toBe('page bob after 8, 10 messages, 1000 bytes')
  })

  test('looks again when something arrived, even during a look', () => {
    flush()
    drain.arrived()
    drain.paged(pageOf([]))
    flush()
    expect(asked()).toHaveLength(2)
  })

  test.each([
    ['messages', 0, BYTES],
    ['bytes', ROOM, 0],
  ])('waits for room in the window: %s', (_what, room, bytes) => {
    flush(room, bytes)
    expect(asked()).toEqual([])
    flush()
    expect(asked()).toHaveLength(1)
  })

  test('asks for 256 entries at most', () => {
    flush(4_096)
    expect(asked()).toEqual(['page bob after 0, 256 messages, 1000 bytes'])
  })

  test('sends no entry twice', () => {
    expect([drain.advance(3), drain.advance(3), drain.advance(2), drain.advance(4)]).toEqual([true, false, false, true])
  })

  test('waits a second when the store does not answer, and asks again', () => {
    flush()
    expect(drain.paged(null)).toEqual([])
    expect(flush()).toBe(false)
    desk.pass(1_000)
    expect(flush()).toBe(true)
    expect(asked()).toHaveLength(2)
  })

  test('tells that the token is lost', () => {
    flush()
    expect(drain.paged(stale)).toEqual(stale)
    expect(drain.removed(stale)).toEqual(stale)
  })

  test('is stale when nobody has looked for that long', () => {
    flush()
    expect(drain.isStale(desk.hub.now + 9_999, 10_000)).toBe(false)
    expect(drain.isStale(desk.hub.now + 10_000, 10_000)).toBe(true)
  })
})

describe('Drain, removing', () => {
  beforeEach(() => {
    flush()
    drain.paged(pageOf([1, 2, 3, 4, 5].map(n => entryOf(n))))
    asked()
  })

  test('removes what was acked, in one call', () => {
    drain.acked(1)
    drain.acked(3)
    flush()
    expect(asked()).toEqual(['remove bob up to 3'])
  })

  test('has one removal under way, and takes what is acked meanwhile with the next', () => {
    drain.acked(1)
    flush()
    drain.acked(2)
    drain.acked(3)
    flush()
    drain.removed(ok)
    flush()
    expect(asked()).toEqual(['remove bob up to 1', 'remove bob up to 3'])
  })

  test('removes nothing twice', () => {
    drain.acked(1)
    flush()
    drain.removed(ok)
    flush()
    expect(asked()).toEqual(['remove bob up to 1'])
  })

  test('asks again for a removal that was not answered, after a second', () => {
    drain.acked(1)
    flush()
    drain.removed(null)
    flush()
    desk.pass(1_000)
    flush()
    expect(asked().filter(call => call.startsWith('remove'))).toEqual(['remove bob up to 1', 'remove bob up to 1'])
  })

  test('refuses each nacked entry by itself, in order, and removes the rest around them', () => {
    drain.nacked(2, 'spam')
    drain.nacked(4, 'worse')
    drain.acked(5)
    for (let call = 0; call < 3; call++) {
      flush()
      drain.removed(ok)
    }
    expect(asked()).toEqual(['refuse bob 2: spam', 'refuse bob 4: worse', 'remove bob up to 5'])
  })

  test('refuses again what the store did not answer for', () => {
    drain.nacked(2, 'spam')
    flush()
    drain.removed(null)
    desk.pass(1_000)
    flush()
    expect(asked().filter(call => call.startsWith('refuse'))).toEqual(['refuse bob 2: spam', 'refuse bob 2: spam'])
  })

  test('asks at its end for what is due up to the first refusal, whatever is under way', () => {
    drain.acked(1)
    flush()
    drain.nacked(3, 'spam')
    drain.acked(4)
    asked()
    drain.finish()
    expect(asked()).toEqual(['refuse bob 3: spam'])
  })

  test('asks at its end for no removal of what it refuses', () => {
    drain.acked(1)
    drain.nacked(2, 'spam')
    drain.finish()
    expect(asked()).toEqual(['refuse bob 2: spam'])
  })

  test('asks for nothing at its end when nothing is due', () => {
    drain.acked(1)
    flush()
    drain.removed(ok)
    asked()
    drain.finish()
    expect(asked()).toEqual([])
  })

  test('removes again what a failover has brought back', () => {
    drain.acked(3)
    flush()
    drain.removed(ok)
    drain.arrived()
    flush()
    drain.paged(pageOf([], false, 2))
    asked()
    flush()
    expect(asked()).toEqual(['remove bob up to 3'])
  })
})

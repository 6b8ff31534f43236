/** Conversations as values: order, ticks, what is unread, who came and went. */
import { describe, expect, test } from 'vitest'
import {
  endOfLog,
  firstUnread,
  KEPT_OF_ALL,
  KEPT_OF_LOG,
  KEPT_OF_ONE,
  keptOf,
  MAX_ENTRIES,
  newConversation,
  newestOffset,
  oldestOffset,
  unreadOf,
  withAllRead,
  withEntries,
  withKeptLog,
  withLog,
  withMember,
  withMembers,
  withNote,
  withoutEntry,
  withoutHole,
  withTick,
  type Conversation,
  type Entry,
} from '../../../src/web/page/conversation.ts'

const base: Entry = {
  key: '',
  from: 'bob',
  name: 'Bob',
  text: '',
  time: 0,
  at: 0,
  own: false,
  tick: null,
  trouble: '',
  offset: null,
}
const said = (offset: number, more: Partial<Entry> = {}): Entry => ({
  ...base,
  key: `m${offset}`,
  offset,
  at: offset,
  ...more,
})
const direct = (at: number, more: Partial<Entry> = {}): Entry => ({ ...base, key: `d${at}`, at, ...more })
const own = (key: string, at: number): Entry => direct(at, { key, own: true, from: 'me', tick: 'waiting' })
const room = (...entries: Entry[]): Conversation => withEntries(newConversation('#tea'), entries)
const talk = (...entries: Entry[]): Conversation => withEntries(newConversation('bob'), entries)
const keys = ({ entries }: Conversation): string[] => entries.map(({ key }) => key)

describe('the order', () => {
  test('of a room is that of its log, and what is not in it yet comes behind', () => {
    expect(keys(room(said(3), own('mine', 1), said(1), said(2)))).toEqual(['m1', 'm2', 'm3', 'mine'])
  })

  test('of direct messages is that in which they came, whatever their senders take for the time', () => {
    expect(keys(talk(direct(5, { time: 1 }), direct(4, { time: 9 })))).toEqual(['d4', 'd5'])
  })

  test('is the same when a page and the live messages overlap', () => {
    expect(keys(withEntries(room(said(2), said(3)), [said(1), said(2), said(3)]))).toEqual(['m1', 'm2', 'm3'])
  })
})

describe('one’s own message', () => {
  test('gets its place in the log under the same key', () => {
    const after = withEntries(room(own('mine', 1)), [said(1), said(2, { key: 'mine', own: true, tick: 'stored' })])
    expect(after.entries.map(({ key, offset, tick }) => [key, offset, tick])).toEqual([
      ['m1', 1, null],
      ['mine', 2, 'stored'],
    ])
    // What another tab or the archive still holds of it does not take the place away.
    expect(withEntries(after, [own('mine', 1)]).entries[1]?.offset).toBe(2)
  })

  test('goes from waiting to stored to delivered, and not back', () => {
    const stored = withTick(talk(own('a', 1)), 'a', 'stored')
    expect(stored.entries[0]?.tick).toBe('stored')
    const delivered = withTick(stored, 'a', 'delivered')
    expect(withTick(delivered, 'a', 'stored').entries[0]?.tick).toBe('delivered')
    expect(withTick(delivered, 'a', 'failed', 'no').entries[0]?.trouble).toBe('')
  })

  test('that failed says why, and keeps the first word about it', () => {
    const failed = withTick(talk(own('a', 1)), 'a', 'failed', 'nobody there')
    expect(withTick(failed, 'a', 'failed', 'other').entries[0]?.trouble).toBe('nobody there')
    expect(keys(withoutEntry(failed, 'a'))).toEqual([])
  })

  test('in the log is at its end, and those of others have no ticks', () => {
    const both = room(said(1, { own: true, tick: 'stored', key: 'a' }), said(2))
    expect(withTick(withTick(both, 'a', 'failed', 'x'), 'm2', 'stored').entries.map(({ tick }) => tick)).toEqual([
      'stored',
      null,
    ])
  })
})

describe('what is unread', () => {
  test('is what others said behind the mark', () => {
    const some = { ...room(said(1), said(2), said(3, { own: true, tick: 'stored' }), said(4)), mark: 1 }
    expect([unreadOf(some), firstUnread(some)]).toEqual([2, 'm2'])
    const read = withAllRead(some)
    expect([read.mark, unreadOf(read), firstUnread(read)]).toEqual([4, 0, ''])
    expect(withAllRead(read)).toBe(read)
  })

  test('is nothing in a room of which it is not known where one was', () => {
    expect(unreadOf(room(said(1)))).toBe(0)
  })

  test('is no question of what waits for its place', () => {
    expect(withAllRead({ ...room(said(7), own('mine', 1_700_000_000_000)), mark: 0 }).mark).toBe(7)
  })

  test('of direct messages counts by when they came, so one that was written long ago is new', () => {
    const before = withAllRead(talk(direct(10)))
    const after = withEntries(before, [direct(20, { time: 1 })])
    expect([unreadOf(after), firstUnread(after)]).toEqual([1, 'd20'])
  })

  test('of direct messages is nothing that was read in another tab, which heard of it earlier than this one', () => {
    const { mark, readTo } = withAllRead(talk(direct(10, { key: 'first' }), direct(20, { key: 'second' })))
    const here = { ...talk(direct(11, { key: 'first' }), direct(22, { key: 'second' })), mark, readTo }
    expect(unreadOf(here)).toBe(0)
    expect(unreadOf(withEntries(here, [direct(23, { key: 'third' })]))).toBe(1)
  })

  test('has no line above it where nothing was read', () => {
    expect(firstUnread(talk(direct(1), direct(2)))).toBe('')
  })
})

describe('a log', () => {
  test('that is another one takes away what was said in the one before, and leaves what waits', () => {
    const before = { ...withLog(room(said(5), own('mine', 1)), 'a'), mark: 5, hasOlder: false }
    expect(withLog(before, 'a')).toBe(before)
    const after = withLog(before, 'b')
    expect([keys(after), after.mark, after.hasOlder]).toEqual([['mine'], 0, true])
  })

  test('is asked for what is older than the oldest that is there', () => {
    expect(oldestOffset(room(own('mine', 1), said(8), said(9)))).toBe(8)
    expect(oldestOffset(room(own('mine', 1)))).toBeNull()
  })

  test('is held up to a limit; the oldest go, and can be asked for again', () => {
    const many = Array.from({ length: MAX_ENTRIES + 5 }, (_, index) => said(index + 1))
    const held = withEntries({ ...newConversation('#tea'), hasOlder: false }, many)
    expect([held.entries.length, held.entries[0]?.offset, held.hasOlder]).toEqual([MAX_ENTRIES, 6, true])
    expect(withEntries(newConversation('bob'), many).hasOlder).toBe(false)
  })
})

describe('what is kept', () => {
  const of = (target: string, count: number, at = 0) =>
    Array.from({ length: count }, (_, index) => ({ ...direct(at + index), key: `${target} ${index}`, target }))

  test('is the latest of each conversation, and what was not sent yet', () => {
    const waiting = { ...own('waits', 0), target: 'bob' }
    const kept = keptOf([waiting, ...of('bob', KEPT_OF_ONE + 10, 1)])
    expect([kept.size, kept.has(waiting)]).toEqual([KEPT_OF_ONE + 1, true])
  })

  test('is not pushed out by who writes much', () => {
    const few = of('friend', 20)
    const many = ['a', 'b', 'c', 'd', 'e', 'f'].flatMap(name => of(name, 5_000, 1_000))
    const kept = keptOf([...few, ...many])
    expect([kept.size, few.every(entry => kept.has(entry))]).toEqual([KEPT_OF_ALL, true])
  })
})

describe('people', () => {
  const ann = { id: 'ann', name: 'Ann' }

  test('come and go, by name, and it is noted where they did', () => {
    const there = withMember(withMembers(room(said(1)), [{ id: 'zoe', name: 'Zoe' }], false), 'join', ann, 1_000)
    expect(there.members.map(({ id }) => id)).toEqual(['ann', 'zoe'])
    expect(there.notes).toMatchObject([{ event: 'join', id: 'ann', after: 'm1' }])
    expect(withMember(there, 'leave', ann, 2_000).members.map(({ id }) => id)).toEqual(['zoe'])
  })

  test('who are back at once have not been away', () => {
    const gone = withMember(withMembers(room(), [ann], false), 'leave', ann, 1_000)
    expect(gone.notes).toHaveLength(1)
    expect(withMember(gone, 'join', ann, 9_000)).toMatchObject({ notes: [], members: [ann] })
    expect(withMember(gone, 'join', ann, 60_000).notes).toHaveLength(2)
  })

  test('are noted up to a limit', () => {
    let conversation = room()
    for (let i = 0; i < 100; i++) conversation = withNote(conversation, 'join', `p${i}`, i)
    expect(conversation.notes).toHaveLength(20)
  })
})

describe('what is kept of a log', () => {
  const log = (...entries: Entry[]): Conversation => withLog(room(...entries), 'one')

  test('is its end, without what has no place in it, and nothing of a log that is not known', () => {
    const many = Array.from({ length: 60 }, (_, i) => said(i + 1))
    const kept = endOfLog(log(...many, own('mine', 99)))
    expect([kept?.target, kept?.epoch, kept?.entries.length]).toEqual(['#tea', 'one', KEPT_OF_LOG])
    expect([kept?.entries[0]?.offset, kept?.entries.at(-1)?.offset]).toEqual([11, 60])
    expect([endOfLog(room(said(1))), endOfLog(undefined)]).toEqual([null, null])
  })

  test('is shown again, before it is known what the server has, but not in another log', () => {
    const kept = { target: '#tea', epoch: 'one', entries: [said(1), said(2)] }
    const shown = withKeptLog(newConversation('#tea'), kept)
    expect([keys(shown), shown.epoch, newestOffset(shown)]).toEqual([['m1', 'm2'], 'one', 2])
    expect(keys(withLog(shown, 'two'))).toEqual([])
    const other = withLog(newConversation('#tea'), 'two')
    expect(withKeptLog(other, kept)).toBe(other)
  })

  test('goes where the log does not go on, so that no hole is shown', () => {
    const before = log(said(1), said(2), own('mine', 99))
    expect(withoutHole(before, 2, 3)).toBe(before)
    expect(withoutHole(before, 2, 1)).toBe(before)
    expect(keys(withoutHole(before, 2, 4))).toEqual(['mine'])
    expect(keys(withoutHole(log(said(1), said(9)), 1, Infinity))).toEqual(['m9'])
    expect(withoutHole({ ...before, hasOlder: false }, 2, 4).hasOlder).toBe(true)
    expect(newestOffset(newConversation('#tea'))).toBe(0)
  })
})

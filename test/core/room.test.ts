/** How a room is told to its members: from memory, from the log, and to those on their way in. */
import { describe, expect, test } from 'vitest'
import type { RoomEntry, RoomLog, RoomPage, RoomRecord } from '../../src/protocol/rooms.ts'
import { bodyOf, Desk, start, type Connected } from './recorder.ts'

const room = '#tea'

function logOf(last: number, more: Partial<RoomLog> = {}): RoomLog {
  return { epoch: 'e1', ended: [], first: 1, last, ...more }
}

function recordOf(last: number, more: Partial<RoomRecord> = {}): RoomRecord {
  return { ...logOf(last), room, owner: 'olga', private: false, password: '', messages: 100, created: start, ...more }
}

function pageOf(first: number, upTo: number, last = upTo, more: Partial<RoomLog> = {}): RoomPage {
  const entries: RoomEntry[] = []
  for (let offset = first; offset <= upTo; offset++)
    entries.push({ offset, stream: 'carol out', n: offset, time: start, body: bodyOf(1) })
  return { entries, ...logOf(last, more) }
}

class RoomDesk extends Desk {
  get rooms(): Desk['hub']['rooms'] {
    return this.hub.rooms
  }

  /** Somebody is in the room, whose log ends at `last`; what that took is not written down. */
  within(id: string, last = 0): Connected {
    const connected = this.connect(id)
    this.rooms.join(connected.session, id, room, {})
    this.hub.turn()
    this.rooms.found(room, recordOf(last))
    this.hub.turn()
    this.calls.read()
    this.quiet(connected)
    return connected
  }

  /** Somebody joins behind an offset. */
  joining(id: string, since: number, last: number, epoch = 'e1'): Connected {
    const connected = this.connect(id)
    this.rooms.join(connected.session, id, room, { since, epoch })
    this.hub.turn()
    this.calls.read()
    this.rooms.found(room, recordOf(last))
    this.hub.turn()
    return connected
  }

  quiet(...all: readonly Connected[]): void {
    for (const { line } of all) line.read()
  }

  /** The member that the store was asked to feed last. */
  get fed(): Parameters<Desk['hub']['rooms']['fed']>[0] {
    const member = this.calls.rooms.members.at(-1)
    if (member === undefined) throw new Error('nobody is fed')
    return member
  }

  appended(offsets: readonly number[], last = offsets.at(-1) ?? 0, epoch = 'e1'): void {
    this.hub.appended(room, { kind: 'appended', outcomes: offsets.map(offset => ({ offset })), epoch, last })
    this.hub.turn()
  }
}

function alone(more: ConstructorParameters<typeof Desk>[0] = {}): RoomDesk {
  return new RoomDesk({ soleOwner: true, ...more })
}

describe('a room message', () => {
  test('is told when the log has it, first to the members and then to its sender', () => {
    const desk = alone()
    const [alice, bob] = [desk.within('alice'), desk.within('bob')]
    desk.quiet(alice)
    desk.send(alice, 1, room)
    desk.send(alice, 2, room)
    desk.hub.turn()
    expect(desk.calls.read()).toEqual(['append #tea: alice out 1/1, alice out 2/2'])
    expect([alice.line.read(), bob.line.read()]).toEqual([[], []])
    desk.appended([1, 2])
    expect(bob.line.read()).toEqual(['room #tea 1: alice out 1', 'room #tea 2: alice out 2'])
    expect(alice.line.read().toSorted()).toEqual([
      'room #tea 1: alice out 1',
      'room #tea 2: alice out 2',
      'stored #tea 2',
    ])
  })

  test('goes with the next batch while one is under way', () => {
    const desk = alone()
    const alice = desk.within('alice')
    desk.send(alice, 1, room)
    desk.hub.turn()
    desk.send(alice, 2, room)
    desk.send(alice, 3, room)
    desk.hub.turn()
    expect(desk.calls.read()).toEqual(['append #tea: alice out 1/1'])
    desk.appended([1])
    expect(desk.calls.read()).toEqual(['append #tea: alice out 2/2, alice out 3/3'])
  })

  test('of another node is read from the log before those of this one are told', () => {
    const desk = alone()
    const alice = desk.within('alice', 4)
    desk.send(alice, 1, room)
    desk.hub.turn()
    desk.calls.read()
    desk.appended([7])
    expect(alice.line.read()).toEqual(['stored #tea 1'])
    expect(desk.calls.read()).toEqual(['page #tea after 4'])
    desk.rooms.paged(room, pageOf(5, 7))
    desk.hub.turn()
    expect(alice.line.read()).toEqual([
      'room #tea 5: carol out 5',
      'room #tea 6: carol out 6',
      'room #tea 7: carol out 7',
    ])
  })

  test('whose append was not answered comes by the log, once', () => {
    const desk = alone()
    const alice = desk.within('alice')
    desk.send(alice, 1, room)
    desk.hub.turn()
    desk.hub.appended(room, null)
    desk.hub.turn()
    desk.calls.read()
    desk.pass(1_000)
    expect(desk.calls.read().toSorted()).toEqual(['append #tea: alice out 1/1', 'page #tea after 0'])
    desk.rooms.paged(room, pageOf(1, 1))
    desk.hub.appended(room, { kind: 'appended', outcomes: ['stored'], epoch: 'e1', last: 1 })
    desk.hub.turn()
    expect(alice.line.read().toSorted()).toEqual(['room #tea 1: carol out 1', 'stored #tea 1'])
    expect(desk.calls.read()).toEqual([])
  })

  test('is told although its sender was told to send it again meanwhile', () => {
    const desk = alone({ ackTimeoutMs: 1_000 })
    const [alice, bob] = [desk.within('alice'), desk.within('bob')]
    desk.send(alice, 1, room)
    desk.hub.turn()
    desk.pass(2_500)
    desk.quiet(alice, bob)
    desk.appended([1])
    expect(bob.line.read()).toEqual(['room #tea 1: alice out 1'])
  })

  test('that comes in pages is asked for page by page', () => {
    const desk = alone()
    const alice = desk.within('alice')
    desk.rooms.woken(room)
    desk.hub.turn()
    expect(desk.calls.read()).toEqual(['page #tea after 0'])
    desk.rooms.paged(room, pageOf(1, 2, 3))
    desk.hub.turn()
    expect(alice.line.read()).toHaveLength(2)
    expect(desk.calls.read()).toEqual(['page #tea after 2'])
    // The last one was lost to damage.
    desk.rooms.paged(room, pageOf(4, 3, 3))
    desk.hub.turn()
    expect(desk.calls.read()).toEqual([])
  })

  test('behind those that a page repeats is not passed over', () => {
    const desk = alone()
    const [alice, bob] = [desk.within('alice'), desk.within('bob')]
    desk.send(alice, 1, room)
    desk.hub.turn()
    desk.rooms.woken(room)
    desk.hub.turn()
    expect(desk.calls.read().toSorted()).toEqual(['append #tea: alice out 1/1', 'page #tea after 0'])
    desk.appended([1])
    // The page was read after the append, and was full before it came to the message of another node.
    desk.rooms.paged(room, pageOf(1, 1, 2))
    desk.hub.turn()
    expect(desk.calls.read()).toEqual(['page #tea after 1'])
    desk.rooms.paged(room, pageOf(2, 2))
    desk.hub.turn()
    expect(bob.line.read()).toEqual(['room #tea 1: alice out 1', 'room #tea 2: carol out 2'])
  })
})

describe('the log of a room', () => {
  test('is looked at when the first member comes, if others may write to it, and now and then', () => {
    const desk = new RoomDesk({ soleOwner: false, pollMs: 5_000 })
    const alice = desk.connect('alice')
    desk.rooms.join(alice.session, 'alice', room, {})
    desk.hub.turn()
    desk.calls.read()
    desk.rooms.found(room, recordOf(3))
    desk.hub.turn()
    expect(desk.calls.read()).toEqual(['page #tea after 3'])
    desk.rooms.paged(room, pageOf(4, 3, 3))
    desk.pass(5_000)
    expect(desk.calls.read()).toContain('page #tea after 3')
  })

  test('that has lost what members have seen sends them away', () => {
    const desk = alone()
    const [alice, bob] = [desk.within('alice', 5), desk.within('bob')]
    desk.rooms.woken(room)
    desk.hub.turn()
    desk.quiet(alice, bob)
    desk.rooms.paged(room, pageOf(4, 4, 4, { epoch: 'e2', ended: [{ epoch: 'e1', last: 3 }] }))
    desk.hub.turn()
    expect([alice.line.read(), bob.line.read()]).toEqual([['leave #tea alice'], ['leave #tea bob']])
    desk.send(alice, 1, room)
    desk.send(bob, 1, room)
    desk.calls.read()
    desk.rooms.join(alice.session, 'again', room, { since: 5, epoch: 'e1' })
    desk.hub.turn()
    desk.rooms.found(room, recordOf(4, { epoch: 'e2', ended: [{ epoch: 'e1', last: 3 }] }))
    desk.hub.turn()
    expect(desk.calls.read()).toEqual(['find #tea', 'append #tea: alice out 1/1'])
    expect(alice.line.read()).toEqual([
      'reply again: {"offset":4,"epoch":"e2","recovered":false,"members":1}',
      'join #tea alice',
    ])
    desk.rooms.leave(bob.session, 'leave', room)
    expect(bob.line.read()).toEqual(['failed #tea 1: not_joined', 'reply leave: null'])
  })

  test('that has another epoch and has lost nothing goes on', () => {
    const desk = alone()
    const alice = desk.within('alice', 5)
    desk.send(alice, 1, room)
    desk.hub.turn()
    desk.calls.read()
    desk.appended([6], 6, 'e2')
    expect(desk.calls.read()).toEqual(['page #tea after 5'])
    desk.rooms.paged(room, pageOf(6, 6, 6, { epoch: 'e2', ended: [{ epoch: 'e1', last: 5 }] }))
    desk.hub.turn()
    expect(alice.line.read()).toEqual(['stored #tea 1', 'room #tea 6: carol out 6'])
  })
})

describe('one who joins behind an offset', () => {
  test('is fed until it meets the others, then told, then live', () => {
    const desk = alone()
    const alice = desk.within('alice', 6)
    const bob = desk.joining('bob', 2, 6)
    expect(desk.calls.read()).toEqual(['feed bob in #tea after 2'])
    desk.rooms.fed(desk.fed, pageOf(3, 4, 6))
    desk.hub.turn()
    expect(bob.line.read()).toEqual(['room #tea 3: carol out 3', 'room #tea 4: carol out 4'])
    expect(desk.calls.read()).toEqual(['feed bob in #tea after 4'])
    desk.rooms.fed(desk.fed, pageOf(5, 6, 6))
    desk.hub.turn()
    expect(bob.line.read()).toEqual([
      ...['room #tea 5: carol out 5', 'room #tea 6: carol out 6'],
      ...['reply bob: {"offset":6,"epoch":"e1","recovered":true,"members":2}', 'join #tea bob'],
    ])
    expect(alice.line.read()).toEqual(['join #tea bob'])
  })

  test('is given from memory what was said while it was fed', () => {
    const desk = alone()
    const alice = desk.within('alice', 3)
    const bob = desk.joining('bob', 2, 3)
    desk.send(alice, 1, room)
    desk.hub.turn()
    desk.appended([4])
    expect(bob.line.read()).toEqual([])
    desk.calls.read()
    desk.rooms.fed(desk.fed, pageOf(3, 3))
    desk.hub.turn()
    expect(desk.calls.read()).toEqual([])
    expect(bob.line.read().slice(0, 2)).toEqual(['room #tea 3: carol out 3', 'room #tea 4: alice out 1'])
  })

  test('is told nothing twice when its page is ahead of its node', () => {
    const desk = alone()
    const alice = desk.within('alice', 3)
    const bob = desk.joining('bob', 2, 5)
    desk.calls.read()
    desk.rooms.fed(desk.fed, pageOf(3, 5))
    desk.hub.turn()
    expect(bob.line.read()).toHaveLength(3)
    expect(desk.calls.read()).toEqual(['page #tea after 3'])
    desk.rooms.paged(room, pageOf(4, 6))
    desk.hub.turn()
    expect(bob.line.read()).toEqual([
      'room #tea 6: carol out 6',
      'reply bob: {"offset":6,"epoch":"e1","recovered":true,"members":2}',
      'join #tea bob',
    ])
    expect(alice.line.read()).toHaveLength(4)
  })

  test('waits for a page while it does not read', () => {
    const desk = alone()
    const bob = desk.connect('bob')
    bob.line.unread = 1024 * 1024
    desk.rooms.join(bob.session, 'bob', room, { since: 0 })
    desk.hub.turn()
    desk.calls.read()
    desk.rooms.found(room, recordOf(3))
    desk.hub.turn()
    desk.pass(1_000)
    expect(desk.calls.read()).toEqual([])
    bob.line.unread = 0
    desk.pass(250)
    expect(desk.calls.read()).toEqual(['feed bob in #tea after 0'])
  })

  test('and whose next page begins beyond it is not recovered', () => {
    const desk = alone()
    const bob = desk.joining('bob', 2, 6)
    desk.rooms.fed(desk.fed, pageOf(5, 6, 6, { first: 5 }))
    desk.hub.turn()
    expect(bob.line.read()).toEqual([
      'reply bob: {"offset":6,"epoch":"e1","recovered":false,"members":1}',
      'join #tea bob',
    ])
  })

  test('and has seen what the log has lost while it was fed is not recovered', () => {
    const desk = alone()
    const bob = desk.joining('bob', 4, 6)
    const lost = { epoch: 'e2', ended: [{ epoch: 'e1', last: 3 }] }
    desk.rooms.fed(desk.fed, pageOf(4, 4, 4, lost))
    desk.hub.turn()
    expect(bob.line.read()).toEqual([
      'reply bob: {"offset":4,"epoch":"e2","recovered":false,"members":1}',
      'join #tea bob',
    ])
  })

  test('must ask again when there is another room of that name by then, and is fed nothing of the one before', () => {
    const desk = alone()
    const carol = desk.within('carol', 8)
    const bob = desk.joining('bob', 2, 8)
    const page = desk.fed
    desk.rooms.woken(room)
    desk.rooms.paged(room, pageOf(1, 0, 9, { epoch: 'e9' }))
    desk.hub.turn()
    expect(bob.line.read()).toEqual(['error bob: unavailable'])
    desk.rooms.fed(page, pageOf(3, 8))
    expect(bob.line.read()).toEqual([])
    expect(carol.line.read()).toEqual([expect.stringMatching(/^leave #tea/)])
  })

  test('is not given from memory what a room said that is gone', () => {
    const desk = alone()
    const alice = desk.within('alice', 3)
    const bob = desk.connect('bob')
    desk.rooms.join(bob.session, 'bob', room, { since: 3 })
    desk.hub.turn()
    desk.send(alice, 1, room)
    desk.send(alice, 2, room)
    desk.hub.turn()
    desk.appended([4, 5])
    desk.rooms.deleted({ session: alice.session, ref: 'd', room }, true)
    desk.calls.read()
    desk.rooms.found(room, recordOf(5, { epoch: 'e2' }))
    desk.hub.turn()
    expect(bob.line.read()).toEqual([])
    expect(desk.calls.read()).toEqual(['feed bob in #tea after 3'])
  })

  test('is refused when the store does not answer, and what it sent is handed back', () => {
    const desk = alone()
    const bob = desk.joining('bob', 2, 6)
    desk.send(bob, 1, room)
    desk.rooms.fed(desk.fed, null)
    desk.hub.turn()
    expect(bob.line.read()).toEqual(['error bob: unavailable', 'retry #tea 1: unavailable, 1000 ms'])
    expect(desk.hub.custody.bytes).toBe(0)
  })

  test('and ends meanwhile leaves nothing behind', () => {
    const desk = alone()
    const bob = desk.joining('bob', 2, 6)
    desk.send(bob, 1, room)
    bob.session.bye()
    desk.rooms.fed(desk.fed, pageOf(3, 6))
    desk.hub.turn()
    expect(bob.line.read()).toEqual(['end'])
    expect(desk.hub.custody.bytes).toBe(0)
  })
})

describe('comings and goings', () => {
  test('of many in one turn are told in one go, whatever their number', () => {
    const desk = alone()
    const alice = desk.within('alice')
    const others = ['bob', 'carol', 'dave'].map(id => desk.connect(id))
    for (const { session } of others) desk.rooms.join(session, 'join', room, {})
    desk.hub.turn()
    expect(desk.calls.read()).toContain('find #tea')
    desk.rooms.found(room, recordOf(0))
    desk.hub.turn()
    const joins = ['join #tea bob', 'join #tea carol', 'join #tea dave']
    expect(alice.line.read()).toEqual(joins)
    for (const { line } of others) expect(line.read().slice(1)).toEqual(joins)
    for (const { session } of others) session.bye()
    desk.hub.turn()
    expect(alice.line.read()).toEqual(['leave #tea bob', 'leave #tea carol', 'leave #tea dave'])
  })

  test('are not told while the node shuts down', () => {
    const desk = alone()
    const [alice, bob] = [desk.within('alice'), desk.within('bob')]
    desk.hub.drain()
    desk.quiet(alice)
    bob.session.close('restart')
    desk.hub.turn()
    expect(alice.line.read()).toEqual([])
  })
})

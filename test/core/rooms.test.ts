/** Who may do what with rooms, and what is asked of the store for it. */
import { describe, expect, test } from 'vitest'
import { LOBBY } from '../../src/core/rooms.ts'
import { ordinary } from '../../src/core/rights.ts'
import type { RoomRecord } from '../../src/protocol/rooms.ts'
import { bodyOf, Desk, start, type Connected } from './recorder.ts'

function recordOf(more: Partial<RoomRecord> = {}): RoomRecord {
  const log = { epoch: 'e1', ended: [], first: 1, last: 0 }
  const settings = { owner: 'olga', private: false, password: '', messages: 100, created: start }
  return { room: '#tea', ...log, ...settings, ...more }
}

class RoomDesk extends Desk {
  get rooms(): Desk['hub']['rooms'] {
    return this.hub.rooms
  }

  get ask(): Parameters<Desk['hub']['rooms']['deleted']>[0] {
    const ask = this.calls.rooms.asks.at(-1)
    if (ask === undefined) throw new Error('nothing was asked')
    return ask
  }

  /** Somebody wants to enter, and the store has said what into. */
  tries(
    { session, line }: Connected,
    record: RoomRecord | null | 'no_such_room',
    password?: string,
  ): readonly string[] {
    this.rooms.join(session, 'j', '#tea', password === undefined ? {} : { password })
    this.hub.turn()
    this.calls.read()
    this.rooms.found('#tea', record)
    this.hub.turn()
    return line.read()
  }
}

const entered = [
  'reply j: {"offset":0,"epoch":"e1","recovered":false,"members":1}',
  expect.stringMatching(/^join #tea/),
]

describe('entering a room', () => {
  test('is refused when there is none, when nobody knows, and by a name that is none', () => {
    const desk = new RoomDesk({ soleOwner: true })
    const alice = desk.connect('alice')
    expect(desk.tries(alice, 'no_such_room')).toEqual(['error j: no_such_room'])
    expect(desk.tries(alice, null)).toEqual(['error j: unavailable'])
    desk.rooms.join(alice.session, 'j', 'tea', {})
    expect(alice.line.read()).toEqual(['error j: bad_id'])
  })

  test('needs its password, which is checked outside, but not of its owner and of admins', () => {
    const desk = new RoomDesk({ soleOwner: true })
    const locked = recordOf({ password: 'hash' })
    const alice = desk.connect('alice')
    expect(desk.tries(alice, locked)).toEqual(['error j: bad_password'])
    expect(desk.tries(alice, locked, 'x'.repeat(201))).toEqual(['error j: bad_password'])
    for (const [result, answer] of [
      [false, 'bad_password'],
      ['busy', 'overloaded'],
      [null, 'unavailable'],
      [{ waitMs: 33_001 }, 'rate_limited'],
    ] as const) {
      expect(desk.tries(alice, locked, 'guess')).toEqual([])
      expect(desk.calls.read()).toContain('verify guess by hash')
      const member = desk.calls.rooms.members.at(-1)
      if (member !== undefined) desk.rooms.verified(member, result)
      expect(alice.line.read()).toEqual([`error j: ${answer}`])
    }
    expect(desk.tries(desk.connect('olga'), locked)).toEqual(entered)
    const admin = desk.connect('adam', { rights: { ...ordinary, admin: true } })
    expect(desk.tries(admin, locked).at(0)).toMatch(/^reply j/)
  })

  test('is not refused by an answer from before it was asked for, though nobody waits for that one any more', () => {
    const desk = new RoomDesk({ soleOwner: true })
    const [early, alice] = [desk.connect('early'), desk.connect('alice')]
    desk.rooms.join(early.session, 'j', '#tea', {})
    desk.hub.turn()
    desk.rooms.leave(early.session, 'l', '#tea')
    desk.hub.turn()
    desk.rooms.create(alice.session, 'c', '#tea', {})
    desk.rooms.join(alice.session, 'j', '#tea', {})
    desk.hub.turn()
    desk.rooms.found('#tea', 'no_such_room')
    desk.hub.turn()
    expect(alice.line.read()).toEqual([])
    desk.rooms.found('#tea', recordOf({ owner: 'alice' }))
    desk.hub.turn()
    expect(alice.line.read()).toEqual(entered)
  })

  test('is asked for again when the room whose password was checked is another one by then', () => {
    const desk = new RoomDesk({ soleOwner: true })
    const [olga, alice] = [desk.connect('olga'), desk.connect('alice')]
    desk.tries(olga, recordOf({ password: 'hash' }))
    desk.tries(alice, recordOf({ password: 'hash' }), 'guess')
    const member = desk.calls.rooms.members.at(-1)
    if (member === undefined) throw new Error('no password was checked')
    desk.rooms.deleted({ session: olga.session, ref: 'd', room: '#tea' }, true)
    desk.calls.read()
    desk.rooms.verified(member, true)
    desk.hub.turn()
    expect(desk.calls.read()).toEqual(['find #tea'])
    desk.rooms.found('#tea', recordOf({ epoch: 'e2', password: 'another' }))
    expect(desk.calls.read()).toEqual(['verify guess by another'])
    expect(alice.line.read()).toEqual([])
    desk.rooms.verified(member, false)
    expect(alice.line.read()).toEqual(['error j: bad_password'])
  })

  test('is kept from those whose token does not name it; a private one is for those whose token does', () => {
    const desk = new RoomDesk({ soleOwner: true })
    const hidden = recordOf({ private: true })
    expect(desk.tries(desk.connect('alice'), hidden)).toEqual(['error j: forbidden'])
    const named = desk.connect('nina', { rights: { ...ordinary, rooms: ['#te*'] } })
    expect(desk.tries(named, hidden)).toEqual(entered)
    const other = desk.connect('otto', { rights: { ...ordinary, rooms: ['#coffee'] } })
    desk.rooms.join(other.session, 'j', '#tea', {})
    expect(other.line.read()).toEqual(['error j: forbidden'])
  })

  test('ends when rights become less', () => {
    const desk = new RoomDesk({ soleOwner: true })
    const alice = desk.connect('alice')
    desk.tries(alice, recordOf())
    alice.session.rights = { ...ordinary, rooms: [] }
    desk.send(alice, 1, '#tea')
    expect(alice.line.read()).toEqual(['failed #tea 1: forbidden'])
  })

  test('is possible for so many rooms', () => {
    const desk = new RoomDesk({ soleOwner: true, roomsPerConnection: 1 })
    const alice = desk.connect('alice')
    desk.tries(alice, recordOf())
    desk.rooms.join(alice.session, 'k', '#other', {})
    expect(alice.line.read()).toEqual(['error k: forbidden'])
  })

  test('makes the lobby if it is not there', () => {
    const desk = new RoomDesk({ soleOwner: true })
    const alice = desk.connect('alice')
    desk.rooms.join(alice.session, 'j', LOBBY, {})
    desk.hub.turn()
    desk.calls.read()
    desk.rooms.found(LOBBY, 'no_such_room')
    desk.hub.turn()
    expect(desk.calls.read()).toEqual(['create #lobby of nobody for 1000'])
    desk.rooms.created(LOBBY, null, 'created')
    desk.hub.turn()
    expect(desk.calls.read()).toEqual(['find #lobby'])
    desk.rooms.found(LOBBY, 'no_such_room')
    desk.rooms.created(LOBBY, null, null)
    expect(alice.line.read()).toEqual(['error j: unavailable'])
  })
})

describe('making and deleting a room', () => {
  test('is answered as the store does', () => {
    const desk = new RoomDesk({ soleOwner: true })
    const { session, line } = desk.connect('alice')
    for (const [result, heard] of [
      ['created', 'reply c: null'],
      ['exists', 'error c: room_exists'],
      ['busy', 'error c: overloaded'],
      [null, 'error c: unavailable'],
    ] as const) {
      desk.rooms.create(session, 'c', '#tea', { password: 'pw', history: 5 })
      expect(desk.calls.read()).toEqual(['create #tea of alice for 5, locked'])
      desk.rooms.created('#tea', desk.ask, result)
      expect(line.read()).toEqual([heard])
    }
    desk.rooms.create(session, 'c', '#tea', { password: 'x'.repeat(201) })
    desk.rooms.create(session, 'c', 'tea', {})
    expect(line.read()).toEqual(['error c: too_large', 'error c: bad_id'])
  })

  test('waits for who did it too often', () => {
    const desk = new RoomDesk({ soleOwner: true })
    const { session, line } = desk.connect('alice')
    desk.rooms.create(session, 'c', '#tea', {})
    desk.rooms.created('#tea', desk.ask, { waitMs: 1 })
    expect(line.read()).toEqual(['error c: rate_limited'])
  })

  test('by its owner or an admin, and that very room', () => {
    const desk = new RoomDesk({ soleOwner: true })
    const [alice, olga] = [desk.connect('alice'), desk.connect('olga')]
    for (const [{ session, line }, found, heard] of [
      [alice, recordOf(), ['error d: forbidden']],
      [alice, null, ['error d: unavailable']],
      [alice, 'no_such_room', ['error d: no_such_room']],
      [olga, recordOf(), []],
    ] as const) {
      desk.rooms.delete(session, 'd', '#tea')
      desk.rooms.inspected(desk.ask, found)
      expect(line.read()).toEqual(heard)
    }
    expect(desk.calls.read().at(-1)).toBe('delete #tea e1')
    desk.rooms.deleted(desk.ask, false)
    desk.rooms.deleted(desk.ask, null)
    expect(olga.line.read()).toEqual(['error d: no_such_room', 'error d: unavailable'])
    desk.rooms.delete(olga.session, 'd', 'tea')
    expect(olga.line.read()).toEqual(['error d: no_such_room'])
  })
})

describe('questions', () => {
  test('are sixteen at once for a session', () => {
    const desk = new RoomDesk({ soleOwner: true })
    const { session, line } = desk.connect('alice')
    for (let i = 0; i < 17; i++) desk.rooms.list(session, i, {})
    expect(line.read()).toEqual(['error 16: rate_limited'])
    desk.rooms.listed(desk.ask, 200, [])
    desk.rooms.list(session, 17, {})
    expect(line.read()).toEqual(['reply 15: {"rooms":[],"next":null}'])
  })

  test('are not answered to who has gone', () => {
    const desk = new RoomDesk({ soleOwner: true })
    const { session, line } = desk.connect('alice')
    desk.rooms.list(session, 'l', {})
    desk.rooms.sync(session, 's', '#tea')
    const [list, sync] = desk.calls.rooms.asks
    session.bye()
    line.read()
    if (list !== undefined) desk.rooms.listed(list, 200, [recordOf()])
    if (sync !== undefined) desk.rooms.taken(sync, 5)
    expect(line.read()).toEqual([])
  })

  test('of an operator, how many are in a room, have an answer at once', () => {
    const desk = new RoomDesk({ soleOwner: true })
    const alice = desk.connect('alice')
    expect(desk.rooms.company('#tea')).toBeNull()
    desk.tries(alice, recordOf())
    expect(desk.rooms.company('#tea')?.count).toBe(1)
    desk.rooms.leave(alice.session, 'l', '#tea')
    expect(desk.rooms.company('#tea')?.count).toBe(0)
  })

  test('who is in a room is not known where the store has not said so', () => {
    const desk = new RoomDesk()
    desk.tries(desk.connect('alice'), recordOf())
    expect(desk.rooms.company('#tea')).toBeNull()
  })

  test('of history and members are for who is in the room', () => {
    const desk = new RoomDesk({ soleOwner: true })
    const alice = desk.connect('alice')
    desk.rooms.members(alice.session, 'm', '#tea', {})
    desk.rooms.history(alice.session, 'h', '#tea', {})
    expect(alice.line.read()).toEqual(['error m: not_joined', 'error h: not_joined'])
    desk.tries(alice, recordOf())
    desk.calls.read()
    desk.rooms.history(alice.session, 'h', '#tea', { limit: 500, before: 9 })
    expect(desk.calls.read()).toEqual(['history #tea: {"before":9,"limit":200}, 1048576 bytes'])
    const query = { before: 9, limit: 200, maxBytes: 1 }
    for (const answer of [null, 'no_such_room'] as const) {
      desk.rooms.history(alice.session, 'h', '#tea', {})
      desk.rooms.read(desk.ask, query, answer)
    }
    desk.rooms.read(desk.ask, query, { entries: [], epoch: 'e1', ended: [], first: 1, last: 0 })
    expect(alice.line.read()).toEqual(['error h: unavailable', 'error h: no_such_room', 'reply h: [] of 1 to 0, e1'])
  })

  test('about what the log has taken of a stream settle what is still on its way', () => {
    const desk = new RoomDesk({ soleOwner: true })
    const alice = desk.connect('alice')
    desk.tries(alice, recordOf())
    desk.send(alice, 1, '#tea')
    desk.hub.turn()
    alice.session.sync('s', '#tea')
    desk.rooms.taken(desk.ask, 1)
    desk.hub.turn()
    expect(alice.line.read()).toEqual(['reply s: {"last":1,"delivered":0}', 'stored #tea 1'])
    expect(desk.hub.custody.bytes).toBe(0)
  })
})

describe('a signal', () => {
  test('is dropped while the node cannot keep up', () => {
    const desk = new RoomDesk({ soleOwner: true })
    const [alice, bob] = [desk.connect('alice'), desk.connect('bob')]
    desk.tries(alice, recordOf())
    desk.tries(bob, recordOf())
    bob.line.read()
    alice.session.signal('#tea', bodyOf(1))
    expect(bob.line.read()).toEqual(['signal from alice to #tea'])
    desk.hub.overloaded = true
    alice.session.signal('#tea', bodyOf(1))
    expect(bob.line.read()).toEqual([])
  })
})

describe('a token with other rights', () => {
  test('puts its bearer out of the rooms that it does not name, whether he is in or about to be', () => {
    const desk = new RoomDesk({ soleOwner: true })
    const [alice, bob] = [desk.connect('alice'), desk.connect('bob')]
    for (const each of [bob, alice]) expect(desk.tries(each, recordOf())).toHaveLength(2)
    desk.hub.turn()
    desk.rooms.join(alice.session, 'k', '#den', {})
    bob.line.read()
    alice.session.entitle({ ...ordinary, rooms: ['#tea', '#den'] })
    desk.hub.turn()
    expect([alice.line.read(), bob.line.read()]).toEqual([[], []])
    alice.session.entitle({ ...ordinary, rooms: [] })
    desk.hub.turn()
    expect(alice.line.read()).toEqual(['leave #tea alice', 'error k: forbidden'])
    expect(bob.line.read()).toEqual(['leave #tea alice'])
  })

  test.each([
    ['named a private room', { ...ordinary, rooms: ['#te*'] }, { private: true }],
    ['was that of an admin', { ...ordinary, admin: true }, { private: true }],
    ['was that of an admin', { ...ordinary, admin: true }, { password: 'hush' }],
  ])('puts out who came in by one that %s', (_, rights, settings) => {
    const desk = new RoomDesk({ soleOwner: true })
    const nina = desk.connect('nina', { rights })
    expect(desk.tries(nina, recordOf(settings))).toEqual(entered)
    nina.session.entitle({ ...rights })
    expect(nina.line.read()).toEqual([])
    nina.session.entitle(ordinary)
    expect(nina.line.read()).toEqual(['leave #tea nina'])
  })

  test('leaves in it who came in without it: everybody, its owner, who knew the password', () => {
    const desk = new RoomDesk({ soleOwner: true })
    const [alice, olga] = [
      desk.connect('alice', { rights: { ...ordinary, admin: true } }),
      desk.connect('olga', { rights: { ...ordinary, admin: true } }),
    ]
    desk.tries(alice, recordOf())
    desk.tries(olga, recordOf({ owner: 'olga' }))
    alice.line.read()
    for (const { session } of [alice, olga]) session.entitle(ordinary)
    expect([alice.line.read(), olga.line.read()]).toEqual([[], []])
  })
})

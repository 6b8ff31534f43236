/** What every store must do, third part: rooms, their logs, and what may be believed of a log that was seen before. */
import { describe, expect, test } from 'vitest'

import { streamName } from '../../src/protocol/mailbox.ts'
import { agreedUpTo, type RoomPage, type RoomQuery } from '../../src/protocol/rooms.ts'
import type { RoomStore } from '../../src/store/room-store.ts'
import { limits, parcel, parcels, roomSettings, setUp, START, stream, textOf } from './support.ts'
import type { Open } from './support.ts'

const ROOM = '#hall'
const ALL = { after: 0, limit: 1_000, maxBytes: 1e9 } as const

export function describeRooms(name: string, open: Open): void {
  const at = setUp(open)
  const rooms = (): RoomStore => at.store.rooms

  async function page(query: Partial<RoomQuery> = {}, room = ROOM): Promise<RoomPage> {
    const result = await rooms().page(room, {
      ...('before' in query ? {} : ALL),
      limit: 1_000,
      maxBytes: 1e9,
      ...query,
    })
    if (result === null) throw new Error(`there is no ${room}`)
    return result
  }

  async function offsets(query: Partial<RoomQuery> = {}): Promise<number[]> {
    return (await page(query)).entries.map(({ offset }) => offset)
  }

  async function create(room = ROOM, change: Parameters<typeof roomSettings>[0] = {}): Promise<string> {
    const settings = roomSettings(change)
    expect(await rooms().create(room, settings)).toBe('created')
    return settings.epoch
  }

  async function append(from: number, to = from, room = ROOM) {
    const result = await rooms().append(room, parcels(from, to))
    if (result.kind !== 'appended') throw new Error(`there is no ${room}`)
    return result
  }

  describe(`${name}: a room`, () => {
    test('is made with its settings, and found', async () => {
      const settings = roomSettings({ owner: 'alice', private: true, password: '$argon2id$v=19$…', messages: 7 })
      expect(await rooms().find(ROOM)).toBeNull()
      expect(await rooms().create(ROOM, settings)).toBe('created')
      expect(await rooms().find(ROOM)).toEqual({ ...settings, room: ROOM, ended: [], first: 1, last: 0 })
    })

    test('is made once: the same epoch is the same call again, another one another room', async () => {
      const settings = roomSettings({ owner: 'alice' })
      for (let time = 0; time < 2; time++) expect(await rooms().create(ROOM, settings)).toBe('created')
      await append(1)
      expect(await rooms().create(ROOM, settings)).toBe('created')
      expect(await rooms().create(ROOM, roomSettings({ owner: 'bob' }))).toBe('exists')
      expect(await rooms().find(ROOM)).toMatchObject({ owner: 'alice', last: 1 })
    })

    test('is one of so many that its owner may have, and of so many in all', async () => {
      const owned = (owner: string) => roomSettings({ owner })
      const first = owned('alice')
      expect(await rooms().create('#a', first)).toBe('created')
      for (const name of ['#b', '#c']) expect(await rooms().create(name, owned('alice'))).toBe('created')
      expect(await rooms().create('#d', owned('alice'))).toBe('owns_too_many')
      // What is there already is answered as ever.
      expect(await rooms().create('#a', first)).toBe('created')
      expect(await rooms().create('#a', owned('alice'))).toBe('exists')
      expect(await rooms().create('#a', owned('bob'))).toBe('exists')
      for (const name of ['#d', '#e']) expect(await rooms().create(name, owned('bob'))).toBe('created')
      for (const name of ['#x', '#y', '#z']) expect(await rooms().create(name, owned('dan'))).toBe('created')
      expect(await rooms().create('#f', owned('carol'))).toBe('too_many')
      expect(await rooms().create('#a', owned('carol'))).toBe('exists')
      const lobby = owned('')
      expect(await rooms().create('#f', lobby)).toBe('created')
      expect(await rooms().delete('#f', lobby.epoch)).toBe(true)
      expect(await rooms().delete('#b', 'another')).toBe(false)
      expect(await rooms().delete('#a', first.epoch)).toBe(true)
      expect(await rooms().create('#a', owned('bob'))).toBe('created')
      const again = (await at.reopen()) ? 'too_many' : null
      if (again !== null) expect(await rooms().create('#g', owned('carol'))).toBe(again)
    })

    test('is deleted with its log and what it knew of streams, and only by its own epoch', async () => {
      const epoch = await create()
      await append(1, 3)
      expect(await rooms().delete(ROOM, 'another')).toBe(false)
      expect(await rooms().delete(ROOM, epoch)).toBe(true)
      expect(await rooms().delete(ROOM, epoch)).toBe(false)
      expect(await rooms().find(ROOM)).toBeNull()
      expect(await rooms().page(ROOM, ALL)).toBeNull()
      expect(await rooms().append(ROOM, parcels(1, 2))).toEqual({ kind: 'no_such_room' })
      expect(await rooms().taken(ROOM, stream)).toBe(0)
      const other = await create()
      expect(await rooms().delete(ROOM, epoch)).toBe(false)
      expect(await append(1)).toEqual({ kind: 'appended', outcomes: [{ offset: 1 }], epoch: other, last: 1 })
      expect(agreedUpTo(await page(), epoch)).toBe(-1)
    })

    test('is listed in order of the names, page by page; a private one only where it is asked for', async () => {
      const names = ['#B', '#a', '#b', '#c', '#c.1', '#z']
      for (const room of [...names].reverse()) await create(room, { private: room === '#b', owner: room })
      const listed = async (after: string, limit: number, hidden: boolean): Promise<string[]> =>
        (await rooms().list(after, limit, hidden)).map(({ room }) => room)
      expect(await listed('', 100, true)).toEqual(names)
      expect(await listed('', 100, false)).toEqual(names.filter(room => room !== '#b'))
      expect(await listed('', 2, false)).toEqual(['#B', '#a'])
      expect(await listed('#a', 2, false)).toEqual(['#c', '#c.1'])
      expect(await listed('#a', 2, true)).toEqual(['#b', '#c'])
      expect(await listed('#z', 2, true)).toEqual([])
      await append(1, 2, '#c')
      expect(await rooms().list('#b', 1, false)).toMatchObject([{ room: '#c', owner: '#c', first: 1, last: 2 }])
      expect(await rooms().delete('#c', (await rooms().find('#c'))?.epoch ?? '')).toBe(true)
      expect(await listed('#a', 100, false)).toEqual(['#c.1', '#z'])
    })
  })

  describe(`${name}: append`, () => {
    test('goes to the room that is meant, by any of its epochs, and to no other one of that name', async () => {
      const first = await create()
      expect(await rooms().append(ROOM, [parcel(1)], first)).toMatchObject({ outcomes: [{ offset: 1 }], epoch: first })
      await at.reopen()
      const { epoch } = await page()
      for (const [index, meant] of [first, epoch, `${first}.of-another-server`].entries())
        expect(await rooms().append(ROOM, [parcel(index + 2)], meant)).toMatchObject({ last: index + 2 })
      expect(await rooms().append(ROOM, [parcel(5)], `${first}x`)).toEqual({ kind: 'another_room' })
      expect(await rooms().append('#nowhere', [parcel(1)], first)).toEqual({ kind: 'no_such_room' })
      await rooms().delete(ROOM, first)
      const other = await create()
      for (const meant of [first, epoch, 'another'])
        expect(await rooms().append(ROOM, parcels(1, 3), meant)).toEqual({ kind: 'another_room' })
      expect(await page()).toMatchObject({ entries: [], epoch: other, last: 0 })
      expect(await rooms().taken(ROOM, stream)).toBe(0)
      expect(await rooms().append(ROOM, [parcel(1)], other)).toMatchObject({ outcomes: [{ offset: 1 }] })
      expect(await append(2)).toMatchObject({ outcomes: [{ offset: 2 }] })
    })

    test('gives offsets without holes, and keeps messages whole', async () => {
      const epoch = await create()
      const other = streamName('carol', 'outbox-2')
      const bytes = Uint8Array.of(0, 0xff, 0x80, 0, 1)
      const batch = [
        parcel(1),
        parcel(1, { stream: other, text: 'ünïcode', time: 7 }),
        parcel(2, { body: { bytes, start: 1, end: 4, text: false } }),
      ]
      expect(await rooms().append(ROOM, batch)).toEqual({
        kind: 'appended',
        outcomes: [{ offset: 1 }, { offset: 2 }, { offset: 3 }],
        epoch,
        last: 3,
      })
      const { entries, ...log } = await page()
      expect(log).toEqual({ epoch, ended: [], first: 1, last: 3 })
      expect(entries.map(({ offset, stream, n, time }) => [offset, stream, n, time])).toEqual([
        [1, stream, 1, START + 1],
        [2, other, 1, 7],
        [3, stream, 2, START + 2],
      ])
      expect(entries.slice(0, 2).map(textOf)).toEqual(['message 1', 'ünïcode'])
      const body = entries[2]!.body
      expect([entries[0]!.body.text, body.text, [...body.bytes.subarray(body.start, body.end)]]).toEqual([
        true,
        false,
        [0xff, 0x80, 0],
      ])
    })

    test('takes of each stream only the next number, and what it took before is stored', async () => {
      await create()
      const first = await rooms().append(ROOM, [parcel(2), parcel(1), parcel(3), parcel(2), parcel(1)])
      expect(first).toMatchObject({
        outcomes: [{ missing: 1 }, { offset: 1 }, { missing: 2 }, { offset: 2 }, 'stored'],
        last: 2,
      })
      expect(await append(1, 3)).toMatchObject({ outcomes: ['stored', 'stored', { offset: 3 }], last: 3 })
      expect(await append(1, 3)).toMatchObject({ outcomes: ['stored', 'stored', 'stored'], last: 3 })
      expect(await rooms().append(ROOM, [])).toMatchObject({ kind: 'appended', outcomes: [], last: 3 })
      expect(await rooms().taken(ROOM, stream)).toBe(3)
      expect(await offsets()).toEqual([1, 2, 3])
    })

    test('lets the floor say where a stream goes on', async () => {
      await create()
      const batch = [
        parcel(7, { floor: 7 }),
        parcel(8, { floor: 3 }),
        parcel(12, { floor: 11 }),
        parcel(11, { floor: 11 }),
      ]
      expect(await rooms().append(ROOM, batch)).toMatchObject({
        outcomes: [{ offset: 1 }, { offset: 2 }, { missing: 11 }, { offset: 3 }],
      })
      expect((await page()).entries.map(({ n }) => n)).toEqual([7, 8, 11])
    })

    test('made at the same time by many, gives each its own offset, in the order of each', async () => {
      await create()
      const streams = ['one', 'two', 'three'].map(from => streamName(from, 'outbox-1'))
      const calls = streams.flatMap(stream => [1, 2, 3].map(n => rooms().append(ROOM, [parcel(n, { stream })])))
      const given = (await Promise.all(calls)).flatMap(result => (result.kind === 'appended' ? result.outcomes : []))
      expect(
        given.map(outcome => (typeof outcome === 'object' && 'offset' in outcome ? outcome.offset : 0)).sort(),
      ).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
      const { entries } = await page()
      for (const stream of streams)
        expect(entries.filter(entry => entry.stream === stream).map(({ n }) => n)).toEqual([1, 2, 3])
    })

    test('forgets the least recently used streams, which then go on from their floor', async () => {
      await create()
      const streamOf = (index: number): string => streamName('alice', `outbox-${index}`)
      for (let index = 0; index <= 25; index++) await rooms().append(ROOM, [parcel(1, { stream: streamOf(index) })])
      for (let index = 18; index <= 25; index++) expect(await rooms().taken(ROOM, streamOf(index))).toBe(1)
      expect(await rooms().taken(ROOM, streamOf(0))).toBe(0)
      const after = await rooms().append(ROOM, [parcel(2, { stream: streamOf(0), floor: 2 })])
      expect(after).toMatchObject({ outcomes: [{ offset: 27 }] })
    })
  })

  describe(`${name}: what a log keeps`, () => {
    test('is as many messages as the room or the store allows, the oldest leave first', async () => {
      await create()
      await create('#small', { messages: 3 })
      await create('#none', { messages: 0 })
      for (let n = 1; n <= 45; n += 5) {
        await append(n, n + 4)
        await append(n, n + 4, '#small')
      }
      expect(await page()).toMatchObject({ first: 46 - limits.rooms.messages, last: 45 })
      expect((await offsets()).length).toBe(limits.rooms.messages)
      expect((await page({}, '#small')).entries.map(({ n }) => n)).toEqual([43, 44, 45])
      expect(await append(1, 2, '#none')).toMatchObject({ outcomes: [{ offset: 1 }, { offset: 2 }] })
      expect(await page({}, '#none')).toMatchObject({ entries: [], first: 3, last: 2 })
    })

    test('is as many as the store allows by now, and so are rooms, when its limits change', async () => {
      at.store.limit({ ...limits, rooms: { ...limits.rooms, messages: 2, rooms: 1 } })
      await create()
      await append(1, 4)
      expect(await offsets()).toEqual([3, 4])
      const more = { ...roomSettings({ owner: 'alice' }) }
      expect(await rooms().create('#more', more)).toBe('too_many')
      at.store.limit(limits)
      await append(5, 8)
      expect(await offsets()).toEqual([3, 4, 5, 6, 7, 8])
      expect(await rooms().create('#more', more)).toBe('created')
    })

    test('is no older than the store allows, after an append and after sweeps, and no offset comes again', async () => {
      const epoch = await create()
      await append(1, 3)
      at.now += limits.rooms.lifeMs / 2
      await rooms().append(ROOM, [parcel(4, { time: at.now })])
      at.now += limits.rooms.lifeMs / 2 + 10
      await rooms().append(ROOM, [parcel(5, { time: at.now })])
      expect(await offsets()).toEqual([4, 5])
      at.now += limits.rooms.lifeMs
      await at.store.sweep()
      expect(await page()).toEqual({ entries: [], epoch, ended: [], first: 6, last: 5 })
      expect(await rooms().find(ROOM)).toMatchObject({ first: 6, last: 5 })
      await at.reopen()
      expect(await rooms().append(ROOM, [parcel(6, { time: at.now })])).toMatchObject({ outcomes: [{ offset: 6 }] })
      expect(await rooms().taken(ROOM, stream)).toBe(6)
      at.now += 2 * limits.rooms.lifeMs
      await at.store.sweep()
      expect(await page()).toMatchObject({ entries: [], first: 7, last: 6 })
    })
  })

  describe(`${name}: page`, () => {
    test('goes forward from a place, and back from one, oldest first', async () => {
      await create()
      await append(1, 9)
      expect(await offsets({ after: 4, limit: 3 })).toEqual([5, 6, 7])
      expect(await offsets({ after: 7, limit: 3 })).toEqual([8, 9])
      expect(await offsets({ after: 9 })).toEqual([])
      expect(await offsets({ after: 99 })).toEqual([])
      expect(await offsets({ before: 6, limit: 3 })).toEqual([3, 4, 5])
      expect(await offsets({ before: 3, limit: 3 })).toEqual([1, 2])
      expect(await offsets({ before: 1 })).toEqual([])
      expect(await offsets({ before: 99, limit: 2 })).toEqual([8, 9])
      expect(await offsets({ after: 2, before: 7 })).toEqual([3, 4, 5, 6])
      expect(await offsets({ after: 2, before: 7, limit: 2 })).toEqual([3, 4])
      expect(await offsets({ after: 6, before: 7 })).toEqual([])
      const newest = await rooms().page(ROOM, { limit: 2, maxBytes: 1e9 })
      expect(newest?.entries.map(({ offset }) => offset)).toEqual([8, 9])
    })

    test('begins with the oldest message that is kept', async () => {
      await create(ROOM, { messages: 4 })
      await append(1, 9)
      expect(await page({ after: 2, limit: 2 })).toMatchObject({ first: 6, last: 9 })
      expect(await offsets({ after: 2, limit: 2 })).toEqual([6, 7])
      expect(await offsets({ before: 7 })).toEqual([6])
      expect(await offsets({ before: 6 })).toEqual([])
    })

    test('holds no more bytes than asked for, but always one message', async () => {
      await create()
      await rooms().append(
        ROOM,
        [4, 4, 4, 9, 1].map((size, index) => parcel(index + 1, { text: 'x'.repeat(size) })),
      )
      expect(await offsets({ after: 0, maxBytes: 8 })).toEqual([1, 2])
      expect(await offsets({ after: 0, maxBytes: 11 })).toEqual([1, 2])
      expect(await offsets({ after: 3, maxBytes: 8 })).toEqual([4])
      expect(await offsets({ before: 4, maxBytes: 8 })).toEqual([2, 3])
      expect(await offsets({ before: 5, maxBytes: 8 })).toEqual([4])
      expect(await offsets({ before: 6, maxBytes: 10 })).toEqual([4, 5])
    })

    test('holds only what one client sent, from whichever outbox', async () => {
      await create()
      const from = (index: number): string => streamName(['ann', 'an', 'bob'][index % 3] ?? '', `outbox-${index % 2}`)
      for (let index = 0; index < 18; index++)
        await rooms().append(ROOM, [parcel(index + 1, { stream: from(index), floor: index + 1 })])
      expect(await offsets({ from: 'an' })).toEqual([2, 5, 8, 11, 14, 17])
      expect(await offsets({ from: 'an', after: 5, limit: 2 })).toEqual([8, 11])
      expect(await offsets({ from: 'an', before: 11, limit: 2 })).toEqual([5, 8])
      expect(await offsets({ from: 'outbox-1' })).toEqual([])
      expect(await offsets({ from: '' })).toEqual([])
      expect(await offsets({ from: '', after: 5 })).toEqual([])
      expect(await offsets({ from: 'an', maxBytes: 1 })).toEqual([2])
    })

    test('knows no room that was never made', async () => {
      expect(await rooms().page('#nowhere', ALL)).toBeNull()
      expect(await rooms().append('#nowhere', parcels(1, 2))).toEqual({ kind: 'no_such_room' })
      expect(await rooms().taken('#nowhere', stream)).toBe(0)
      expect(await rooms().delete('#nowhere', 'epoch')).toBe(false)
    })
  })

  describe(`${name}: what is kept`, () => {
    test('is there when the store is opened again, with all that may still be believed of it', async ({ skip }) => {
      const settings = roomSettings({ owner: 'alice', password: 'secret', messages: 15 })
      await rooms().create(ROOM, settings)
      for (let n = 1; n <= 18; n += 3) await append(n, n + 2)
      await create('#quiet')
      const before = await page()
      if (!(await at.reopen())) skip('nothing is kept')
      const after = await page()
      expect(after.entries.map(({ offset, n }) => [offset, n])).toEqual(
        before.entries.map(({ offset, n }) => [offset, n]),
      )
      expect([after.first, after.last, agreedUpTo(after, before.epoch)]).toEqual([4, 18, 18])
      const record = await rooms().find(ROOM)
      expect(record).toMatchObject({ owner: 'alice', password: 'secret', messages: 15, epoch: after.epoch, last: 18 })
      expect(await rooms().taken(ROOM, stream)).toBe(18)
      expect(await append(18, 20)).toMatchObject({
        outcomes: ['stored', { offset: 19 }, { offset: 20 }],
        epoch: after.epoch,
      })
      expect(await rooms().create(ROOM, settings)).toBe('created')
      expect((await rooms().list('', 9, true)).map(({ room }) => room)).toEqual([ROOM, '#quiet'])
      await at.reopen()
      const last = await page()
      // Where opening the store again cannot have lost anything, the epoch is still the same.
      const before18 = before.epoch === after.epoch ? 20 : 18
      expect([agreedUpTo(last, before.epoch), agreedUpTo(last, after.epoch)]).toEqual([before18, 20])
      expect(await rooms().delete(ROOM, before.epoch)).toBe(true)
    })
  })
}

/** Random calls about rooms, made on a store and on the tables in memory, which are the model: every answer must be the same. */
import * as fc from 'fast-check'
import { expect } from 'vitest'

import { streamName } from '../../src/protocol/mailbox.ts'
import { agreedUpTo, type RoomLog } from '../../src/protocol/rooms.ts'
import { RoomTables } from '../../src/store/memory/rooms.ts'
import type { RoomStore } from '../../src/store/room-store.ts'
import { defaultStoreLimits, type Store, type StoreLimits } from '../../src/store/store.ts'
import { parcel, roomSettings, START, textOf, type Opened } from './support.ts'

// Few enough messages that the limits are met; streams apart, since a store may remember a few more.
const limits: StoreLimits = {
  ...defaultStoreLimits,
  rooms: { ...defaultStoreLimits.rooms, messages: 12, lifeMs: 50_000, streams: 100 },
}

/** A store, and how another server comes to serve what it keeps. */
export interface Restartable extends Opened {
  restart(): Promise<Store>
}

interface World {
  readonly tables: RoomTables
  rooms: RoomStore
  store: Store
  readonly restart: () => Promise<Store>
  /** Every epoch that was answered: in the model, and in the store. */
  readonly epochs: Map<string, string>
}

type Act = (world: World) => Promise<void>

let now = START

/** What may differ is left out: how an epoch is called. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, inner: unknown) => {
      if (key === 'body') return textOf({ body: inner } as Parameters<typeof textOf>[0])
      return key === 'epoch' ? '' : inner
    }),
  )
}

async function same<T>(label: string, expected: T, actual: Promise<T>): Promise<[T, T]> {
  const answer = await actual
  expect({ [label]: plain(answer) }).toEqual({ [label]: plain(expected) })
  return [expected, answer]
}

/** Both believe the same of every epoch that anybody has seen. */
function believe({ epochs }: World, [expected, actual]: readonly [RoomLog | null, RoomLog | null]): void {
  if (expected === null || actual === null) return
  epochs.set(expected.epoch, actual.epoch)
  for (const [model, store] of epochs) {
    expect(agreedUpTo(actual, store), `up to where ${model} is believed`).toBe(agreedUpTo(expected, model))
  }
}

const aRoom = fc.constantFrom('#a', '#b')
const aStream = fc.constantFrom(streamName('x', 'outbox-1'), streamName('x', 'outbox-2'), streamName('y', 'outbox-1'))

const create = fc
  .record({ room: aRoom, hides: fc.boolean(), messages: fc.constantFrom(3, 100), again: fc.boolean() })
  .map(({ room, hides, messages, again }): Act => async ({ tables, rooms }) => {
    const settings = roomSettings({ private: hides, messages, owner: room })
    for (let time = again ? 0 : 1; time < 2; time++) {
      await same(`create ${room}`, tables.create(room, settings), rooms.create(room, settings))
    }
  })

const remove = aRoom.map((room): Act => async world => {
  const { tables, rooms } = world
  const [model, store] = await same('find', tables.find(room), rooms.find(room))
  for (const [mine, its] of [
    ['another', 'another'],
    [model?.epoch ?? '', store?.epoch ?? ''],
  ] as const) {
    await same(`delete ${room}`, tables.delete(room, mine), rooms.delete(room, its))
  }
})

const append = fc
  .record({
    room: aRoom,
    stream: aStream,
    skip: fc.constantFrom(0, 0, 0, 1, -1),
    floor: fc.constantFrom(1, 1, 1, 2),
    length: fc.constantFrom(1, 10, 60),
    early: fc.constantFrom(0, 0, 40_000, -10),
    count: fc.integer({ min: 0, max: 6 }),
    meant: fc.constantFrom('any', 'any', 'known', 'another'),
  })
  .map(({ room, stream, skip, floor, length, early, count, meant }): Act => async ({ tables, rooms, epochs }) => {
    const first = tables.taken(room, stream) + 1 + skip
    const batch = Array.from({ length: count }, (_, index) => {
      const n = Math.max(1, first + index)
      return parcel(n, { stream, floor: floor === 1 ? 1 : n, text: 'x'.repeat(length), time: now - early })
    })
    // One that was answered may be of this room, of the other one, or of one that was deleted.
    const known = [...epochs].at(meant === 'known' ? -1 : epochs.size)
    const [mine, its] = meant === 'another' ? ['another', 'another'] : (known ?? [])
    await same(`append ${room}`, tables.append(room, batch, mine), rooms.append(room, batch, its))
  })

const page = fc
  .record({
    room: aRoom,
    query: fc.record(
      {
        after: fc.nat(40),
        before: fc.nat(40),
        from: fc.constantFrom('x', 'y'),
        limit: fc.integer({ min: 1, max: 9 }),
        maxBytes: fc.constantFrom(1, 70, 1000),
      },
      { requiredKeys: ['limit', 'maxBytes'] },
    ),
  })
  .map(({ room, query }): Act => async world => {
    const { tables, rooms } = world
    believe(world, await same(`page ${room}`, tables.page(room, query), rooms.page(room, query)))
  })

const look = fc.record({ room: aRoom, stream: aStream }).map(({ room, stream }): Act => async world => {
  const { tables, rooms } = world
  believe(world, await same('find', tables.find(room), rooms.find(room)))
  await same('taken', tables.taken(room, stream), rooms.taken(room, stream))
  await same('list', tables.list('', 5, true), rooms.list('', 5, true))
  await same('list', tables.list('', 5, false), rooms.list('', 5, false))
})

const sweep = fc.constant<Act>(async ({ tables, store }) => {
  tables.sweep()
  await store.sweep()
})

const wait = fc.constantFrom(1, 9, 20_000, 45_000).map((ms): Act => () => {
  now += ms
  return Promise.resolve()
})

const restart = fc.constant<Act>(async world => {
  world.tables.restore(world.tables.snapshot())
  world.store = await world.restart()
  world.rooms = world.store.rooms
})

const acts = fc.oneof(
  { weight: 3, arbitrary: create },
  { weight: 1, arbitrary: remove },
  { weight: 9, arbitrary: append },
  { weight: 5, arbitrary: page },
  { weight: 2, arbitrary: look },
  { weight: 1, arbitrary: sweep },
  { weight: 1, arbitrary: wait },
  { weight: 1, arbitrary: restart },
)

/** Opens a store, empty, for each run of random calls. */
export async function modelledRooms(
  open: (limits: StoreLimits, clock: () => number) => Promise<Restartable>,
  numRuns: number,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(acts, { minLength: 20, maxLength: 80, size: 'max' }), async script => {
      now = START
      const clock = (): number => now
      const opened = await open(limits, clock)
      const { store } = opened
      const world: World = {
        tables: new RoomTables(limits.rooms, clock),
        rooms: store.rooms,
        store,
        restart: () => opened.restart(),
        epochs: new Map(),
      }
      try {
        for (const act of script) await act(world)
      } finally {
        await opened.close()
      }
    }),
    { numRuns, interruptAfterTimeLimit: 4_000, markInterruptAsFailure: false },
  )
}

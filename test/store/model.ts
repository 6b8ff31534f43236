/** Random calls, made on a store and on the tables in memory, which are the model: every answer must be the same. */
import * as fc from 'fast-check'
import { expect } from 'vitest'

import { streamName, type Entry, type Lost } from '../../src/protocol/mailbox.ts'
import { MemoryTables } from '../../src/store/memory/tables.ts'
import { defaultStoreLimits, type Store, type StoreLimits } from '../../src/store/store.ts'
import { bindRequest, hash, parcel, START, textOf, type Opened } from './support.ts'

// Few enough of everything that the limits are met; streams apart, since a store may remember a few more.
const limits: StoreLimits = {
  ...defaultStoreLimits,
  mailboxMessages: 12,
  mailboxBytes: 300,
  messageLifeMs: 50_000,
  idLifeMs: 200_000,
  lost: 4,
  headAttempts: 2,
  deadLetters: 2,
  deadLifeMs: 60_000,
}

interface World {
  readonly tables: MemoryTables
  readonly store: Store
  /** Of the session of each client: in the model, and in the store. */
  readonly tokens: Map<string, readonly [model: string, store: string]>
  readonly places: Map<string, number[]>
}

type Act = (world: World) => Promise<void>

let now = START

function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, inner: unknown) => {
      if (key === 'body' && inner !== null) return textOf({ body: inner } as Entry)
      // What a store has in an entry besides, as where it stands in a file, is its own affair, as is how far it counts its sessions.
      if (typeof inner === 'object' && inner !== null && 'under' in inner)
        return { ...inner, under: undefined, expires: undefined }
      return key === 'token' ? String(inner).replace(/^\d+:/, '') : inner
    }),
  )
}

const nobody = ['none', 'none'] as const

async function same<T>(label: string, expected: T, actual: Promise<T>): Promise<T> {
  expect({ [label]: plain(await actual) }).toEqual({ [label]: plain(expected) })
  return expected
}

const anId = fc.constantFrom('ann', 'bob')
const aStream = fc.constantFrom(streamName('x', 'outbox-1'), streamName('y', 'outbox-2'))
const aPlace = fc.nat(14)
const placeOf = (world: World, id: string, index: number): number => world.places.get(id)?.[index] ?? index

const bind = fc
  .record({
    id: anId,
    create: fc.boolean(),
    right: fc.boolean(),
    outbox: fc.constantFrom('one', 'two'),
    attempt: fc.nat(3),
  })
  .map(({ id, create, right, outbox, attempt }): Act => async ({ tables, store, tokens }) => {
    const proof = { kind: 'secret', hash: hash(right ? id : 'wrong') } as const
    const request = bindRequest(id, { create, outbox, attempt, proof })
    const bound = tables.bind(request)
    const answer = await store.bind(request)
    await same(`bind ${id}`, bound, Promise.resolve(answer))
    if (bound.kind === 'bound' && answer.kind === 'bound') tokens.set(id, [bound.token, answer.token])
  })

const enqueue = fc
  .record({
    id: anId,
    stream: aStream,
    skip: fc.constantFrom(0, 0, 0, 1, -1),
    floor: fc.constantFrom(1, 1, 1, 2),
    length: fc.constantFrom(1, 10, 60),
    ttl: fc.constantFrom(0, 10, 30_000),
    count: fc.integer({ min: 1, max: 7 }),
  })
  .map(({ id, stream, skip, floor, length, ttl, count }): Act => async ({ tables, store }) => {
    const first = tables.sync(id, stream).last + 1 + skip
    const expires = ttl === 0 ? 0 : now + ttl
    const batch = Array.from({ length: count }, (_, index) => {
      const n = Math.max(1, first + index)
      return parcel(n, { stream, floor: floor === 1 ? 1 : n, text: 'x'.repeat(length), expires })
    })
    await same(`enqueue ${id}`, tables.enqueue(id, batch), store.enqueue(id, batch))
  })

const page = fc
  .record({ id: anId, after: aPlace, limit: fc.integer({ min: 1, max: 6 }), maxBytes: fc.constantFrom(1, 70, 1000) })
  .map(({ id, after, limit, maxBytes }): Act => async world => {
    const { tables, store, tokens, places } = world
    const [model, token] = tokens.get(id) ?? nobody
    const from = after > 6 ? 0 : placeOf(world, id, after)
    await same(
      `page ${id}`,
      tables.page(id, model, from, limit, maxBytes),
      store.page(id, token, from, limit, maxBytes),
    )
    places.set(
      id,
      tables.view(id, 0, 20).map(({ s }) => s),
    )
  })

const settle = fc
  .record({ id: anId, at: aPlace, how: fc.constantFrom('remove', 'refuse', 'unbind') })
  .map(({ id, at, how }): Act => async world => {
    const { tables, store, tokens } = world
    const [model, token] = tokens.get(id) ?? nobody
    const s = placeOf(world, id, how === 'unbind' ? at % 2 : at % 4)
    if (how === 'remove') await same(how, tables.remove(id, model, s), store.remove(id, token, s))
    else if (how === 'refuse') await same(how, tables.refuse(id, model, s, 'no'), store.refuse(id, token, s, 'no'))
    else {
      for (let time = 0; time < 2; time++) await same(how, tables.unbind(id, model, s), store.unbind(id, token, s))
      tokens.delete(id)
    }
  })

const sweep = fc.constant<Act>(async ({ tables, store }) => {
  const byName = (lost: readonly Lost[]): string[] => lost.map(one => JSON.stringify(one))
  expect(byName(await store.sweep())).toEqual(byName(tables.sweep()))
})

const wait = fc.constantFrom(1, 9, 20_000, 45_000, 190_000).map((ms): Act => () => {
  now += ms
  return Promise.resolve()
})

const look = fc.record({ id: anId, stream: aStream }).map(({ id, stream }): Act => async ({ tables, store }) => {
  await same('sync', tables.sync(id, stream), store.sync(id, stream))
  await same('client', tables.client(id), store.client(id))
  await same('view', tables.view(id, 0, 20), store.view(id, 0, 20))
  await same('deadLetters', tables.deadLetters(id), store.deadLetters(id))
  await same('mailboxes', tables.mailboxes('', 5), store.mailboxes('', 5))
})

const acts = fc.oneof(
  { weight: 3, arbitrary: bind },
  { weight: 6, arbitrary: enqueue },
  { weight: 4, arbitrary: page },
  { weight: 4, arbitrary: settle },
  { weight: 1, arbitrary: sweep },
  { weight: 1, arbitrary: wait },
  { weight: 2, arbitrary: look },
)

/** Opens a store, empty, for each run of random calls. */
export async function modelled(
  open: (limits: StoreLimits, clock: () => number) => Promise<Opened>,
  numRuns: number,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(acts, { minLength: 20, maxLength: 80, size: 'max' }), async script => {
      now = START
      const clock = (): number => now
      const opened = await open(limits, clock)
      const { store } = opened
      const world = { tables: new MemoryTables(limits, clock), store, tokens: new Map(), places: new Map() }
      try {
        for (const id of ['ann', 'bob']) {
          const request = bindRequest(id, { create: true, proof: { kind: 'secret', hash: hash(id) } })
          world.tables.bind(request)
          await store.bind(request)
        }
        for (const act of script) await act(world)
      } finally {
        await opened.close()
      }
    }),
    { numRuns, interruptAfterTimeLimit: 4_000, markInterruptAsFailure: false },
  )
}

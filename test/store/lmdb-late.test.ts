/** What becomes of calls on a store that does not keep up. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

import { openLmdbStore, type LmdbStore } from '../../src/store/lmdb.ts'
import { bindRequest, parcel, register, stream } from './support.ts'

const PATIENCE_MS = 1_000
/** Long enough for the store to look for what is late. */
const BUSY_MS = 1_500

let directory: string
let store: LmdbStore

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'ackd-late-'))
  store = await openLmdbStore({ directory, patienceMs: PATIENCE_MS })
})

afterEach(async () => {
  await store.close()
  rmSync(directory, { recursive: true })
})

/** Holds the event loop, so that nothing which waits can have its turn. */
function busy(): void {
  for (const end = performance.now() + BUSY_MS; performance.now() < end;);
}

test('refuses what has waited too long for its turn, and has not done it', async () => {
  await register(store, 'bob')
  const late = store.enqueue('bob', [parcel(1)])
  const refused = expect(late).rejects.toThrow('more to write than the disk takes')
  busy()
  const timely = store.enqueue('bob', [parcel(1)])
  await refused
  expect(await timely).toMatchObject({ outcomes: ['ok'] })
})

test('lets a client leave however long that takes', async () => {
  const token = await register(store, 'bob')
  // Behind a call for the same client it waits, as that does.
  const refused = expect(store.enqueue('bob', [parcel(1)])).rejects.toThrow('more to write than the disk takes')
  const leaving = store.unbind('bob', token, 0)
  busy()
  const timely = store.enqueue('bob', [parcel(1)])
  await refused
  expect(await leaving).toEqual({ kind: 'ok', lost: [] })
  expect(await timely).toMatchObject({ outcomes: ['ok'], owner: null })
})

test('reads what belongs to a client before a sweep that waits, and not behind it', async () => {
  await register(store, 'bob')
  const carol = await register(store, 'carol')
  await store.enqueue('carol', [parcel(1, { expires: 1 })])
  await store.unbind('carol', carol, 0)
  const order: string[] = []
  const swept = store.sweep().then(lost => order.push(`swept ${lost.length}`))
  const read = store.sync('bob', stream).then(() => order.push('read'))
  await Promise.all([swept, read])
  expect(order).toEqual(['read', 'swept 1'])
})

test('sweeps where nothing has ended without waiting for the disk', async () => {
  const bob = await register(store, 'bob')
  await store.enqueue('bob', [parcel(1, { expires: 1 })])
  await store.unbind('bob', bob, 0)
  const carol = await register(store, 'carol')
  const order: string[] = []
  const swept = async (): Promise<void> => {
    const { length } = await store.sweep()
    order.push(`swept ${length}`)
  }
  const parked = async (n: number): Promise<void> => {
    await store.enqueue('carol', [parcel(n)])
    order.push(`parked ${n}`)
  }
  await Promise.all([parked(1), swept()])
  await Promise.all([parked(2), swept()])
  // Nothing is taken from who is there.
  await store.enqueue('carol', [parcel(3, { expires: 1 })])
  await Promise.all([parked(4), swept()])
  await store.unbind('carol', carol, 0)
  await Promise.all([parked(5), swept()])
  expect(order).toEqual(['parked 1', 'swept 1', 'swept 0', 'parked 2', 'swept 0', 'parked 4', 'parked 5', 'swept 1'])
})

test('lets who is known come and go while the disk is busy with others', async () => {
  await register(store, 'bob')
  await register(store, 'carol')
  const order: string[] = []
  const written = store.enqueue('carol', [parcel(1)]).then(() => order.push('written'))
  const bound = await store.bind(bindRequest('bob', { outbox: 'another', nonce: 'again' }))
  order.push('bound')
  expect(bound).toMatchObject({ kind: 'bound', token: '2:again', resumed: true, parked: 0 })
  expect(await store.unbind('bob', '2:again', 0)).toEqual({ kind: 'ok', lost: [] })
  order.push('unbound')
  await written
  expect(order).toEqual(['bound', 'unbound', 'written'])
})

test('lets who is known in behind what is being written for it', async () => {
  await register(store, 'bob')
  const parked = store.enqueue('bob', [parcel(1)])
  const bound = store.bind(bindRequest('bob', { outbox: 'another', nonce: 'again' }))
  await parked
  expect(await bound).toMatchObject({ kind: 'bound', parked: 1 })
})

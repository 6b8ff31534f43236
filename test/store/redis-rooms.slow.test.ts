/** Rooms on a Redis whose replies are lost, that is killed, and whose replica is promoted without the end of a log. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'

import { agreedUpTo, type RoomPage } from '../../src/protocol/rooms.ts'
import { openRedisStore, type RedisStore } from '../../src/store/redis.ts'
import { StoreError, type Store } from '../../src/store/store.ts'
import { Proxy } from '../support/proxy.ts'
import { RedisServer } from '../support/redis.ts'
import { parcel, parcels, roomSettings, stream } from './support.ts'

const ROOM = '#hall'

let server: RedisServer
let proxy: Proxy
let store: RedisStore

beforeEach(async () => {
  server = await RedisServer.start('--appendonly', 'yes', '--appendfsync', 'always', '--repl-ping-replica-period', '1')
  proxy = await Proxy.start(server.port)
  store = await openRedisStore({ url: `redis://127.0.0.1:${proxy.port}` })
})

afterEach(async () => {
  await store.close()
  await proxy.close()
  await server.stop()
})

/** Makes a call again until it is answered. */
async function insist<T>(call: () => Promise<T>, limitMs = 30_000): Promise<T> {
  for (const end = performance.now() + limitMs; ;) {
    try {
      return await call()
    } catch (error) {
      if (!(error instanceof StoreError) || performance.now() > end) throw error
      await sleep(20)
    }
  }
}

async function pageOf(at: Store, after = 0): Promise<RoomPage> {
  const page = await insist(() => at.rooms.page(ROOM, { after, limit: 1e6, maxBytes: 1e9 }))
  if (page === null) throw new Error(`there is no ${ROOM}`)
  return page
}

/** Offsets without holes up to the last one, and each number of the stream once. */
function expectWhole({ entries, last }: RoomPage): void {
  expect(entries.length).toBeGreaterThan(0)
  expect(entries.map(({ offset }) => last - offset)).toEqual(entries.map((_, index) => entries.length - 1 - index))
  expect(entries.map(({ n }) => n - (entries[0]?.n ?? 0))).toEqual(entries.map((_, index) => index))
}

test('replies that are lost at any moment change nothing: every call can be made again', async () => {
  const settings = roomSettings()
  proxy.cutsOneReplyIn = 8
  expect(await insist(() => store.rooms.create(ROOM, settings))).toBe('created')
  for (let n = 1; n <= 200; n += 4) {
    const result = await insist(() => store.rooms.append(ROOM, parcels(n, n + 3)))
    expect(result).toMatchObject({ kind: 'appended', last: n + 3, epoch: settings.epoch })
  }
  proxy.cutsOneReplyIn = 0
  const page = await pageOf(store)
  expect([page.first, page.last, page.ended]).toEqual([1, 200, []])
  expectWhole(page)
  expect(await insist(() => store.rooms.append(ROOM, [parcel(200)]))).toMatchObject({ outcomes: ['stored'] })
})

test('a Redis that is killed and reads its journal begins an epoch, and all of the one before is still true', async () => {
  const settings = roomSettings()
  await store.rooms.create(ROOM, settings)
  let promised = 0
  for (let kill = 0; kill < 3; kill++) {
    const killing = sleep(60).then(async () => {
      await server.signal('SIGKILL')
      await server.start()
    })
    const state = { killed: false }
    void killing.then(() => (state.killed = true))
    while (!state.killed) {
      const batch = parcels(promised + 1, promised + 8)
      const result = await insist(() => store.rooms.append(ROOM, batch))
      expect(result).toMatchObject({ last: promised + 8 })
      promised += 8
    }
    await killing
  }
  const page = await pageOf(store, promised - 100)
  expectWhole(page)
  expect(page.last).toBe(promised)
  expect(page.ended.length).toBe(3)
  const ends = [settings.epoch, ...page.ended.map(({ epoch }) => epoch)].map(epoch => agreedUpTo(page, epoch))
  expect(ends.slice(1)).toEqual([...ends.slice(1)].sort((a, b) => a - b))
  expect(Math.min(...ends)).toBeGreaterThan(0)
})

test('a replica that is promoted without the end of the log says up to where what was seen is still true', async () => {
  const settings = roomSettings()
  await store.rooms.create(ROOM, settings)
  await store.rooms.append(ROOM, parcels(1, 5))
  const replica = await RedisServer.start('--replicaof', '127.0.0.1', String(server.port))
  try {
    const known = async (): Promise<string> => replica.ask('HGET ackd:{#hall}:room last')
    await expect.poll(known, { timeout: 30_000 }).toContain('5')
    // The first replica makes Redis begin a new id: an epoch ends without any loss, and nobody loses his place.
    const seen = await pageOf(store)
    expect([seen.last, agreedUpTo(seen, settings.epoch)]).toEqual([5, 5])
    const isOne = seen.epoch === settings.epoch
    await store.rooms.append(ROOM, [parcel(6)])
    await expect.poll(known, { timeout: 30_000 }).toContain('6')
    expect(await replica.ask('REPLICAOF NO ONE')).toBe('+OK')
    await store.rooms.append(ROOM, parcels(7, 9))
    await server.signal('SIGKILL')

    const promoted = await openRedisStore({ url: replica.url })
    // Nobody who has seen what is gone speaks first, and the log grows beyond it.
    const other = `${stream}-2`
    for (let n = 1; n <= 5; n++) await promoted.rooms.append(ROOM, [parcel(n, { stream: other })])
    const page = await pageOf(promoted)
    expect([page.last, page.epoch === seen.epoch]).toEqual([11, false])
    expect([agreedUpTo(page, seen.epoch), agreedUpTo(page, settings.epoch)]).toEqual([6, isOne ? 6 : 5])
    // The sender was told of 7 to 9, and goes on.
    expect(await promoted.rooms.append(ROOM, [parcel(10, { floor: 10 })])).toMatchObject({ outcomes: [{ offset: 12 }] })
    await promoted.close()
  } finally {
    await replica.stop()
  }
})

test('a server that was a replica for a while, under a connection that stands, begins an epoch, and says what it has lost', async () => {
  const direct = await openRedisStore({ url: server.url })
  await direct.rooms.create(ROOM, roomSettings())
  await direct.rooms.append(ROOM, parcels(1, 5))
  const other = await RedisServer.start('--replicaof', '127.0.0.1', String(server.port))
  try {
    const lengthAt = (where: RedisServer): Promise<string> => where.ask('HGET ackd:{#hall}:room last').catch(() => '')
    await expect.poll(() => lengthAt(other), { timeout: 30_000 }).toContain('5')
    const seen = await pageOf(direct)
    expect(await other.ask('REPLICAOF NO ONE')).toBe('+OK')
    await direct.rooms.append(ROOM, parcels(6, 9))
    const before = (await pageOf(direct)).epoch
    await server.ask(`REPLICAOF 127.0.0.1 ${other.port}`)
    await expect.poll(() => lengthAt(server), { timeout: 30_000 }).toMatch(/\b5$/)
    expect(await server.ask('REPLICAOF NO ONE')).toBe('+OK')
    await sleep(1_100)
    const after = await pageOf(direct)
    expect([after.last, after.epoch === before, agreedUpTo(after, before)]).toEqual([5, false, 5])
    expect(agreedUpTo(after, seen.epoch)).toBe(5)
  } finally {
    await direct.close()
    await other.stop()
  }
})

test('out of memory nothing is appended, but a log can be read on another server than before, and a token revoked', async () => {
  const settings = roomSettings()
  await store.rooms.create(ROOM, settings)
  await store.rooms.append(ROOM, parcels(1, 5))
  for (const words of ['REPLICAOF 127.0.0.1 1', 'REPLICAOF NO ONE', 'CONFIG SET maxmemory 1']) await server.ask(words)
  // On another connection it is asked anew which server it is.
  proxy.cut()
  const page = await pageOf(store)
  expect([page.entries.length, page.ended]).toEqual([5, [{ epoch: settings.epoch, last: 5 }]])
  await expect(store.rooms.append(ROOM, [parcel(6)])).rejects.toThrow('OOM')
  expect(await store.accounts.revoke({ kind: 'token', value: 'leaked', time: 1, expires: 2 ** 50 })).toBe('revoked')
  expect(await store.accounts.revocations(0, 9)).toMatchObject([{ value: 'leaked' }])
  await server.ask('CONFIG SET maxmemory 0')
  expect(await store.rooms.append(ROOM, [parcel(6)])).toMatchObject({ outcomes: [{ offset: 6 }], epoch: page.epoch })
})

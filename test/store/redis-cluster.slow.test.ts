/** Three masters that share the slots, as a cluster: every operation stays within the slot of its client. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { openRedisStore } from '../../src/store/redis.ts'
import { StoreError } from '../../src/store/store.ts'
import { describeStore } from './contract.ts'
import { describeNeighbours } from './contract-neighbours.ts'
import { RedisServer } from '../support/redis.ts'
import { bindRequest, page, parcel, parcels, register, tokenOf } from './support.ts'

const SLOTS = 16_384
const MASTERS = 3

let masters: readonly RedisServer[]
let url: string
let tests = 0

beforeAll(async () => {
  const start = (): Promise<RedisServer> =>
    RedisServer.start('--cluster-enabled', 'yes', '--cluster-node-timeout', '2000')
  masters = await Promise.all(Array.from({ length: MASTERS }, start))
  const [first] = masters
  for (const [index, master] of masters.entries()) {
    const from = Math.ceil((SLOTS * index) / MASTERS)
    const to = Math.ceil((SLOTS * (index + 1)) / MASTERS) - 1
    expect(await master.ask(`CLUSTER ADDSLOTSRANGE ${from} ${to}`)).toBe('+OK')
    if (index > 0) await first!.ask(`CLUSTER MEET 127.0.0.1 ${master.port}`)
  }
  for (const master of masters) {
    while (!(await master.ask('CLUSTER INFO')).includes('cluster_state:ok')) await sleep(50)
  }
  url = `redis+cluster://${masters.map(({ port }) => `127.0.0.1:${port}`).join(',')}`
})

afterAll(async () => {
  for (const master of masters) await master.stop()
})

describeStore('redis cluster', async (limits, clock) => {
  const prefix = `test-${++tests}:`
  const open = () => openRedisStore({ url, limits, clock, prefix })
  let store = await open()
  return {
    store,
    reopen: async () => {
      await store.close()
      store = await open()
      return store
    },
    close: () => store.close(),
  }
})

describeNeighbours('redis cluster', () => {
  const prefix = `test-${++tests}:`
  return clock => openRedisStore({ url, clock, prefix })
})

test('mailboxes are spread over the masters, and each is whole', async () => {
  const store = await openRedisStore({ url })
  const ids = Array.from({ length: 60 }, (_, index) => `client-${index}`)
  const tokens = await Promise.all(ids.map(id => register(store, id)))
  await Promise.all(ids.map(id => store.enqueue(id, parcels(1, 20))))
  const pages = await Promise.all(ids.map((id, index) => page(store, id, tokens[index]!)))
  for (const { entries } of pages) expect(entries.map(({ n }) => n)).toEqual(parcels(1, 20).map(({ n }) => n))
  const sizes = await Promise.all(masters.map(master => master.ask('DBSIZE')))
  for (const size of sizes) expect(Number(size.slice(1))).toBeGreaterThan(20)
  expect((await store.mailboxes('', 100)).map(({ id }) => id)).toEqual([...ids].sort())
  await store.close()
})

/** Makes a call again until it is answered. */
async function insist<T>(call: () => Promise<T>): Promise<T> {
  for (const end = performance.now() + 20_000; ;) {
    try {
      return await call()
    } catch (error) {
      if (!(error instanceof StoreError) || performance.now() > end) throw error
      await sleep(20)
    }
  }
}

test('a slot that moves to another master takes its mailbox along, whatever is parked and removed meanwhile', async () => {
  const store = await openRedisStore({ url, prefix: 'moving:' })
  const token = await register(store, 'bob')
  await store.enqueue('bob', parcels(1, 3))
  const got: number[] = []
  let last = 3
  const move = { isOver: false }
  const traffic = (async () => {
    for (let after = 0; after < 5; after += move.isOver ? 1 : 0) {
      const { outcomes } = await insist(() => store.enqueue('bob', [parcel(last + 1), parcel(last + 2)]))
      expect(outcomes.every(outcome => outcome === 'ok' || outcome === 'stored')).toBe(true)
      last += 2
      const { entries } = await insist(() => page(store, 'bob', token, 0, 1))
      got.push(...entries.map(({ n }) => n))
      expect(await insist(() => store.remove('bob', token, entries[0]?.s ?? 0))).toMatchObject({ kind: 'ok' })
    }
  })()
  const slot = Number((await masters[0]!.ask('CLUSTER KEYSLOT moving:{bob}:mail')).slice(1))
  const from = masters[Math.floor((slot * MASTERS) / SLOTS)]!
  const to = masters.find(master => master !== from)!
  const nameOf = async (master: RedisServer): Promise<string> =>
    (await master.ask('CLUSTER MYID')).split('\r\n')[1] ?? ''
  await to.ask(`CLUSTER SETSLOT ${slot} IMPORTING ${await nameOf(from)}`)
  await from.ask(`CLUSTER SETSLOT ${slot} MIGRATING ${await nameOf(to)}`)
  const keys = ['box', 'mail', 'in'].map(part => `moving:{bob}:${part}`)
  // One after the other, so that the client is in two places for a while.
  for (const key of keys) {
    await sleep(100)
    await from.ask(`MIGRATE 127.0.0.1 ${to.port} ${key} 0 5000`)
  }
  await sleep(100)
  for (const master of [to, from]) await master.ask(`CLUSTER SETSLOT ${slot} NODE ${await nameOf(to)}`)
  move.isOver = true
  await traffic
  got.push(...(await page(store, 'bob', token)).entries.map(({ n }) => n))
  expect(got).toEqual(Array.from({ length: last }, (_, index) => index + 1))
  await store.close()
})

test('with one master away, the clients of the others go on', async () => {
  for (const master of masters) await master.ask('CONFIG SET cluster-require-full-coverage no')
  const store = await openRedisStore({ url, prefix: 'partial:' })
  const ids = Array.from({ length: 30 }, (_, index) => `client-${index}`)
  await Promise.all(ids.map(id => register(store, id)))
  await masters[2]!.signal('SIGKILL')
  const parked = async (): Promise<number> => {
    const results = await Promise.allSettled(ids.map(id => store.enqueue(id, [parcel(1)])))
    return results.filter(({ status }) => status === 'fulfilled').length
  }
  await expect.poll(parked, { timeout: 15_000 }).toBeGreaterThan(10)
  expect(await parked()).toBeLessThan(ids.length)
  await masters[2]!.start()
  await expect.poll(parked, { timeout: 20_000, interval: 500 }).toBe(ids.length)
  await store.close()
})

test('a client has one owner in a cluster too', async () => {
  const [one, two] = await Promise.all([1, 2].map(() => openRedisStore({ url, prefix: 'owners:' })))
  const first = await register(one!, 'bob')
  tokenOf(await two!.bind(bindRequest('bob', { node: 'n2' })))
  expect(await one!.page('bob', first, 0, 10, 1_000)).toEqual({ kind: 'stale' })
  await Promise.all([one!.close(), two!.close()])
})

/** Redis away, back, slow, full, read-only or forgetful: what is told is true, and nothing is kept twice. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'

import { shardOf } from '../../src/store/redis/keys.ts'
import { openRedisStore, type RedisStore } from '../../src/store/redis.ts'
import { StoreError, type Store } from '../../src/store/store.ts'
import { Proxy } from '../support/proxy.ts'
import { freePort } from '../support/port.ts'
import { RedisServer } from '../support/redis.ts'
import { bindRequest, page, parcel, parcels, register, stream, tokenOf } from './support.ts'

let server: RedisServer
let proxy: Proxy
let store: RedisStore
let notes: string[]

beforeEach(async () => {
  server = await RedisServer.start('--appendonly', 'yes', '--appendfsync', 'always')
  proxy = await Proxy.start(server.port)
  notes = []
  store = await openRedisStore({ url: `redis://127.0.0.1:${proxy.port}`, onNote: note => notes.push(note) })
})

afterEach(async () => {
  await store.close()
  await proxy.close()
  await server.signal('SIGCONT')
  await server.stop()
})

function failure(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => null,
    (error: unknown) => error,
  )
}

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

/** ms; a slow machine must have written by then what expires then. */
const SOON_MS = 2_000

/** For what comes after a connection that was cut, however slow the machine is. */
const patiently = { timeout: 30_000, interval: 50 }

async function numbers(at: Store, token: string): Promise<number[]> {
  return (await page(at, 'bob', token, 0, 100_000)).entries.map(({ n }) => n)
}

const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1)

test('replies that are lost at any moment change nothing: every call can be made again', async () => {
  let token = await register(store, 'bob')
  proxy.cutsOneReplyIn = 12
  const got: number[] = []
  let last = 0
  for (let round = 0; round < 60; round++) {
    const batch = parcels(last + 1, last + 1 + (round % 5))
    const { outcomes } = await insist(() => store.enqueue('bob', batch))
    expect(outcomes.every(outcome => outcome === 'ok' || outcome === 'stored')).toBe(true)
    last += batch.length
    const { entries } = await insist(() => page(store, 'bob', token, 0, 3))
    got.push(...entries.map(({ n }) => n))
    const upTo = entries.at(-1)?.s ?? 0
    expect((await insist(() => store.remove('bob', token, upTo))).kind).toBe('ok')
    if (round % 7 !== 0) continue
    expect((await insist(() => store.unbind('bob', token, 0))).kind).toBe('ok')
    const request = bindRequest('bob')
    token = tokenOf(await insist(() => store.bind(request)))
  }
  expect(proxy.cuts).toBeGreaterThan(10)
  proxy.cutsOneReplyIn = 0
  got.push(...(await insist(() => numbers(store, token))))
  expect(got).toEqual(upTo(last))
})

/** Kills it once some calls were answered, however long that takes, and starts it again. */
async function killAmongCalls(answered: () => number): Promise<void> {
  await expect.poll(answered, patiently).toBeGreaterThan(5)
  await sleep(Math.random() * 100)
  await server.signal('SIGKILL')
  await sleep(50)
  await server.start()
}

test('what was acknowledged is there after Redis was killed and has read its journal', async () => {
  await register(store, 'bob')
  let last = 0
  for (let kill = 0; kill < 5; kill++) {
    const before = last
    const killing = { over: false }
    const killed = killAmongCalls(() => last - before).finally(() => (killing.over = true))
    while (!killing.over) {
      const results = await Promise.allSettled([1, 2, 3].map(next => store.enqueue('bob', [parcel(last + next)])))
      for (const result of results) {
        if (result.status === 'fulfilled' && ['ok', 'stored'].includes(String(result.value.outcomes[0]))) last++
        else break
      }
      if (results.some(({ status }) => status === 'rejected')) await sleep(10)
    }
    await killed
    const { last: kept } = await insist(() => store.sync('bob', stream))
    expect(kept).toBeGreaterThanOrEqual(last)
    last = kept
  }
  expect(last).toBeGreaterThan(20)
  const token = tokenOf(await insist(() => store.bind(bindRequest('bob'))))
  expect(await numbers(store, token)).toEqual(upTo(last))
  expect(notes.filter(note => note.includes('is there.'))).toHaveLength(6)
  expect(notes.filter(note => note.includes('cannot be reached'))).toHaveLength(5)
})

test('a Redis that reads its journal is away until it has, which is told once', async () => {
  // It answers once in 1,024 commands meanwhile.
  const slow = await RedisServer.start('--appendonly', 'yes', '--key-load-delay', '3000')
  const said: string[] = []
  const waiting = await openRedisStore({ url: slow.url, onNote: note => said.push(note) })
  await register(waiting, 'bob')
  for (let n = 1; n <= 800; n++) await waiting.enqueue('bob', [parcel(n)])
  await slow.signal('SIGKILL')
  await slow.start(false)
  await expect.poll(() => slow.ask('PING').catch(() => ''), { timeout: 30_000 }).toContain('LOADING')
  expect(await failure(waiting.check())).toBeInstanceOf(StoreError)
  expect((await insist(() => waiting.enqueue('bob', [parcel(800), parcel(801)]))).outcomes).toEqual(['stored', 'ok'])
  expect(said.filter(note => note.includes('is there.'))).toHaveLength(2)
  expect(said.filter(note => note.includes('cannot be reached'))).toHaveLength(1)
  await waiting.close()
  await slow.stop()
})

test('a Redis that stands still is given up after two seconds, and found again', async () => {
  const token = await register(store, 'bob')
  await server.signal('SIGSTOP')
  const start = performance.now()
  expect(await failure(store.enqueue('bob', [parcel(1)]))).toBeInstanceOf(StoreError)
  expect(performance.now() - start).toBeLessThan(5_000)
  await sleep(500)
  const refused = performance.now()
  expect(await failure(store.check())).toBeInstanceOf(StoreError)
  expect(performance.now() - refused).toBeLessThan(1_500)
  await server.signal('SIGCONT')
  await insist(() => store.check())
  expect((await insist(() => store.enqueue('bob', [parcel(1)]))).outcomes[0]).toMatch(/ok|stored/)
  expect(await numbers(store, token)).toEqual([1])
})

test('replies that never come count as nothing done, and a delay as nothing at all', async () => {
  await register(store, 'bob')
  proxy.delayMs = 150
  expect((await store.enqueue('bob', [parcel(1)])).outcomes).toEqual(['ok'])
  proxy.delayMs = 0
  proxy.losesReplies = true
  expect(await failure(store.enqueue('bob', [parcel(2)]))).toBeInstanceOf(StoreError)
  proxy.losesReplies = false
  proxy.cut()
  expect((await insist(() => store.enqueue('bob', [parcel(2), parcel(3)]))).outcomes).toEqual(['stored', 'ok'])
})

test('out of memory it takes nothing, says so, and still gives what it has', async () => {
  const token = await register(store, 'bob')
  await store.enqueue('bob', parcels(1, 3))
  await server.ask('CONFIG SET maxmemory 1mb')
  const refused = await failure(store.enqueue('bob', [parcel(4)]))
  expect(refused).toBeInstanceOf(StoreError)
  expect(String(refused)).toContain('OOM')
  await expect(store.check()).rejects.toThrow('OOM')
  const { entries } = await page(store, 'bob', token)
  expect(entries.map(({ n }) => n)).toEqual([1, 2, 3])
  expect(await store.remove('bob', token, entries[2]!.s)).toEqual({ kind: 'ok', lost: [] })
  await server.ask('CONFIG SET maxmemory 0')
  expect((await store.enqueue('bob', [parcel(3), parcel(4)])).outcomes).toEqual(['delivered', 'ok'])
})

test('out of memory, who was away can come for what waits, what has expired goes, and nobody new is taken', async () => {
  const soon = Date.now() + SOON_MS
  const token = await register(store, 'bob')
  await store.enqueue('bob', [parcel(1), parcel(2, { expires: soon }), parcel(3)])
  await store.unbind('bob', token, 0)
  await sleep(soon + 100 - Date.now())
  await server.ask('CONFIG SET maxmemory 1mb')
  const back = tokenOf(await store.bind(bindRequest('bob')))
  const { entries, lost } = await page(store, 'bob', back)
  expect(entries.map(({ n, reason }) => [n, reason])).toEqual([
    [1, ''],
    [2, 'expired'],
    [3, ''],
  ])
  expect(lost).toHaveLength(1)
  expect(await store.remove('bob', back, entries[2]!.s)).toEqual({ kind: 'ok', lost: [] })
  expect(await store.unbind('bob', back, 0)).toEqual({ kind: 'ok', lost: [] })
  await expect(register(store, 'dave')).rejects.toThrow('OOM')
  expect(await server.ask('EXISTS ackd:{dave}:box')).toBe(':0')
})

test('out of memory, a sweep ends what has expired, and loses sight of nobody', async () => {
  const soon = Date.now() + SOON_MS
  await store.unbind('carol', await register(store, 'carol'), 0)
  await store.enqueue('carol', [parcel(1, { expires: soon }), parcel(2)])
  // What is known of many clients is told to Redis at the end of the turn.
  await sleep(soon + 100 - Date.now())
  await server.ask('CONFIG SET maxmemory 1mb')
  expect(await store.sweep()).toMatchObject([{ recipient: 'carol', n: 1, kind: 'expired' }])
  const due = await server.ask(`ZSCORE ackd:{index-${shardOf('carol')}}:due carol`)
  expect(Number(due.split('\r\n')[1])).toBeGreaterThan(Date.now())
})

test('a Redis that becomes a replica takes nothing, and the next connection knows it', async () => {
  await register(store, 'bob')
  const other = await RedisServer.start()
  await server.ask(`REPLICAOF 127.0.0.1 ${other.port}`)
  expect(await failure(store.enqueue('bob', [parcel(1)]))).toBeInstanceOf(StoreError)
  proxy.cut()
  await expect.poll(() => failure(store.check()).then(String), patiently).toMatch(/is a replica|READONLY/)
  await server.ask('REPLICAOF NO ONE')
  await insist(() => store.check())
  await other.stop()
})

test('after a failover that lost writes no place is used again, and the stream goes on where the new master stands', async () => {
  const token = await register(store, 'bob')
  const replica = await RedisServer.start('--replicaof', `127.0.0.1 ${server.port}`)
  await store.enqueue('bob', parcels(1, 3))
  await expect.poll(() => replica.ask('LLEN ackd:{bob}:mail'), patiently).toBe(':3')
  await replica.ask('REPLICAOF NO ONE')
  await store.enqueue('bob', parcels(4, 6))
  const before = (await page(store, 'bob', token)).entries.at(-1)!.s
  const promoted = await openRedisStore({ url: replica.url })
  const next = tokenOf(await promoted.bind(bindRequest('bob')))
  expect(await promoted.sync('bob', stream)).toEqual({ last: 3, delivered: 0 })
  expect((await promoted.enqueue('bob', [parcel(5), parcel(4), parcel(5)])).outcomes).toEqual([4, 'ok', 'ok'])
  const after = (await page(promoted, 'bob', next)).entries
  expect(after.map(({ n }) => n)).toEqual([1, 2, 3, 4, 5])
  expect(after[3]!.s).toBeGreaterThan(before)
  await promoted.close()
  await replica.stop()
})

test('an address where nothing is, is no reason not to start', async () => {
  const said: string[] = []
  const port = await freePort()
  const absent = await openRedisStore({ url: `redis://127.0.0.1:${port}`, onNote: note => said.push(note) })
  await expect(absent.check()).rejects.toThrow('cannot be reached')
  expect(said).toEqual([expect.stringContaining('See that it runs')])
  await absent.close()
})

test('a Redis that may evict is refused, at start and later', async () => {
  const evicting = await RedisServer.start('--maxmemory-policy', 'allkeys-lru')
  await expect(openRedisStore({ url: evicting.url })).rejects.toThrow('allkeys-lru')
  await evicting.stop()
  await server.ask('CONFIG SET maxmemory-policy volatile-ttl')
  proxy.cut()
  await expect.poll(() => failure(store.check()).then(String), patiently).toContain('volatile-ttl')
  await server.ask('CONFIG SET maxmemory-policy noeviction')
  await insist(() => store.check())
})

test('a Redis in which another version has written is left alone', async () => {
  expect(await server.ask('GET ackd:format')).toContain('1')
  await server.ask('SET ackd:format 7')
  await expect(openRedisStore({ url: server.url })).rejects.toThrow('another version of ackd')
  proxy.cut()
  await expect.poll(() => failure(store.check()).then(String), patiently).toContain('another version of ackd')
  await server.ask('SET ackd:format 1')
  await insist(() => store.check())
})

test('another version that starts in the same moment on an empty Redis is heeded, however the calls of both fall', async () => {
  const empty = await RedisServer.start()
  const way = await Proxy.start(empty.port)
  const calls: string[] = []
  way.before = async call => {
    if (!call.includes('ackd:format')) return
    calls.push(call.toString())
    // The other one is always the quicker one at writing.
    if (/\bset\b/i.test(call.toString())) await empty.ask('SET ackd:format 7 NX')
  }
  await expect(openRedisStore({ url: `redis://127.0.0.1:${way.port}` })).rejects.toThrow('in format 7')
  expect(calls.length).toBeGreaterThan(0)
  await way.close()
  await empty.stop()
})

test('a wrong password is told at start', async () => {
  const guarded = await RedisServer.start('--requirepass', 'right')
  const url = (password: string): string => `redis://:${password}@127.0.0.1:${guarded.port}`
  await expect(openRedisStore({ url: url('wrong') })).rejects.toThrow('WRONGPASS')
  await expect(openRedisStore({ url: guarded.url })).rejects.toThrow('NOAUTH')
  const said: string[] = []
  const open = await openRedisStore({ url: url('right'), onNote: note => said.push(note) })
  await open.check()
  expect(said.join()).not.toMatch(/password|right@/)
  await open.close()
  await guarded.stop()
})

test('the clients of a process that is killed are online until its lease ends, and of one that stays for as long as it does', async () => {
  const child = spawn(process.execPath, ['--import', 'tsx', 'test/store/binder.ts', server.url, 'ann', 'bob'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  await register(store, 'carol')
  const everybody = ['ann', 'bob', 'carol', 'nobody']
  expect(await store.online(everybody)).toEqual(new Set(['ann', 'bob', 'carol']))
  child.kill('SIGKILL')
  await once(child, 'close')
  const killed = performance.now()
  await expect.poll(() => store.online(everybody), { timeout: 60_000, interval: 200 }).toEqual(new Set(['carol']))
  expect(performance.now() - killed).toBeGreaterThan(5_000)
})

/** The contract over a real Redis. Each test has keys of its own in one server. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { streamName, type EnqueueResult } from '../../src/protocol/mailbox.ts'
import type { RoomQuery } from '../../src/protocol/rooms.ts'
import { defaultRoomLimits } from '../../src/store/room-store.ts'
import { defaultStoreLimits } from '../../src/store/store.ts'
import { openRedisStore } from '../../src/store/redis.ts'
import { redisWay } from '../../src/store/redis/address.ts'
import { Keys } from '../../src/store/redis/keys.ts'
import { RedisLink } from '../../src/store/redis/link.ts'
import { RedisParking } from '../../src/store/redis/parking.ts'
import { UnexpectedReply } from '../../src/store/redis/records.ts'
import { createScripts } from '../../src/store/redis/scripts.ts'
import { describeStore } from './contract.ts'
import { redisProgram, RedisServer } from '../support/redis.ts'
import { bindRequest, page, parcel, parcels, register, roomSettings, stream, tokenOf } from './support.ts'

let server: RedisServer
let tests = 0

// Unit tests run where there is no Redis too; the slow ones insist on it.
describe.skipIf(redisProgram === null)('with redis-server', () => {
  beforeAll(async () => {
    server = await RedisServer.start()
  })

  afterAll(() => server.stop())

  describeStore('redis', async (limits, clock) => {
    const prefix = `test-${++tests}:`
    const open = () => openRedisStore({ url: server.url, limits, clock, prefix })
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

  test('parked messages are entries of a list that is named after the client', async () => {
    const store = await openRedisStore({ url: server.url })
    await register(store, 'bob')
    await store.enqueue('bob', parcels(1, 3))
    expect(await server.ask('TYPE ackd:{bob}:mail')).toBe('+list')
    expect(await server.ask('LLEN ackd:{bob}:mail')).toBe(':3')
    await store.close()
  })

  test('calls for a client keep their order through a change of limits', async () => {
    const store = await openRedisStore({ url: server.url, prefix: `test-${++tests}:` })
    const [ann, bob] = [await register(store, 'ann'), await register(store, 'bob')]
    await store.enqueue('bob', [parcel(1)])
    const { entries } = await page(store, 'bob', bob)
    // Redis does not know the scripts of these limits yet.
    store.limit({ ...defaultStoreLimits, mailboxMessages: 12_345 + tests })
    await store.unbind('ann', ann, 0)
    const calls = [store.remove('bob', bob, entries[0]?.s ?? 0), store.unbind('bob', bob, 0)]
    expect(await Promise.all(calls)).toEqual([
      { kind: 'ok', lost: [] },
      { kind: 'ok', lost: [] },
    ])
    expect(await store.client('bob')).toMatchObject({ parked: 0, node: null })
    await store.close()
  })

  test('two stores share what they keep, and a client has one owner', async () => {
    const prefix = `test-${++tests}:`
    const [one, two] = await Promise.all([1, 2].map(() => openRedisStore({ url: server.url, prefix })))
    const first = await register(one!, 'bob')
    expect(await two!.enqueue('bob', [parcel(1)])).toEqual({ outcomes: ['ok'], owner: 'n1' })
    expect(await one!.page('bob', first, 0, 10, 1_000)).toMatchObject({ entries: [{ n: 1 }] })
    const bound = await two!.bind(bindRequest('bob', { node: 'n2' }))
    expect(bound).toMatchObject({ kind: 'bound', previous: 'n1' })
    expect(await one!.page('bob', first, 0, 10, 1_000)).toEqual({ kind: 'stale' })
    expect(await one!.client('bob')).toMatchObject({ node: 'n2' })
    await two!.close()
    const three = await openRedisStore({ url: server.url, prefix })
    expect(await three.client('bob')).toMatchObject({ node: null })
    expect(await three.bind(bindRequest('bob'))).toMatchObject({ kind: 'bound', previous: null })
    await Promise.all([one!.close(), three.close()])
  })

  test('an answer about one client that nobody understands is the trouble of that one only', async () => {
    const options = { ...redisWay(server.url, ''), scripts: createScripts(defaultStoreLimits), formatKey: null }
    const link = new RedisLink({ ...options, onNote: () => {} })
    await link.tried
    const parking = new RedisParking(
      link,
      new Keys(`test-${++tests}:`),
      () => '',
      (id, batch) => {
        if (id === 'bob') throw new UnexpectedReply('what becomes of a message')
        return { outcomes: batch.map(() => 'unknown'), owner: null }
      },
    )
    const answers = await Promise.allSettled(['ann', 'bob', 'carol'].map(id => parking.park(id, [parcel(1)])))
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    await link.close()
  })

  test('what a session was given is taken away without being read again', async () => {
    const store = await openRedisStore({ url: server.url, prefix: `test-${++tests}:` })
    const token = await register(store, 'bob')
    await store.enqueue('bob', [...parcels(1, 3), parcel(1, { stream: streamName('carol', 'outbox-1') })])
    const given = await store.page('bob', token, 0, 3, 1_000)
    const [, second, third] = given.kind === 'page' ? given.entries : []
    await server.ask('CONFIG RESETSTAT')
    expect(await store.remove('bob', token, second!.s)).toEqual({ kind: 'ok', lost: [] })
    expect(await store.remove('bob', token, third!.s)).toEqual({ kind: 'ok', lost: [] })
    const commands = await server.ask('INFO commandstats')
    expect(commands).toContain('cmdstat_ltrim:calls=2')
    expect(commands).not.toContain('cmdstat_lrange')
    expect(await store.sync('bob', stream)).toEqual({ last: 3, delivered: 3 })
    expect(await store.client('bob')).toMatchObject({ parked: 1, bytes: 'message 1'.length })
    await store.close()
  })

  test('what a failover has brought back goes with the next removal', async () => {
    const prefix = `test-${++tests}:`
    const store = await openRedisStore({ url: server.url, prefix })
    const token = await register(store, 'bob')
    await store.enqueue('bob', parcels(1, 4))
    const given = await store.page('bob', token, 0, 10, 1_000)
    const [, second, , last] = given.kind === 'page' ? given.entries : []
    for (const key of ['mail', 'in']) await server.ask(`COPY ${prefix}{bob}:${key} ${prefix}{bob}:${key}-before`)
    await store.remove('bob', token, second!.s)
    for (const key of ['mail', 'in']) await server.ask(`RENAME ${prefix}{bob}:${key}-before ${prefix}{bob}:${key}`)
    expect(await store.client('bob')).toMatchObject({ parked: 4 })
    expect(await store.remove('bob', token, last!.s)).toEqual({ kind: 'ok', lost: [] })
    expect(await store.client('bob')).toMatchObject({ parked: 0, bytes: 0 })
    expect(await store.sync('bob', stream)).toEqual({ last: 4, delivered: 4 })
    await store.close()
  })

  test('a Redis that forgets its scripts is given them again', async () => {
    const store = await openRedisStore({ url: server.url, prefix: `test-${++tests}:` })
    await register(store, 'bob')
    await server.ask('SCRIPT FLUSH')
    expect((await store.enqueue('bob', [parcel(1)])).outcomes).toEqual(['ok'])
    expect(tokenOf(await store.bind(bindRequest('bob')))).toMatch(/^2:/)
    await store.close()
  })

  test('a Redis that has forgotten its scripts does what is asked for one client in that order', async () => {
    const store = await openRedisStore({ url: server.url, prefix: `test-${++tests}:` })
    const bob = await register(store, 'bob')
    const eve = await register(store, 'eve')
    await store.enqueue('bob', parcels(1, 2))
    const last = (await page(store, 'bob', bob)).entries.at(-1)?.s ?? 0
    await server.ask('SCRIPT FLUSH')
    // By this it knows the script again that comes second.
    await store.unbind('eve', eve, 0)
    const goodbye = [store.remove('bob', bob, last), store.unbind('bob', bob, 0)]
    for (const answer of await Promise.all(goodbye)) expect(answer).toEqual({ kind: 'ok', lost: [] })
    expect(await store.client('bob')).toMatchObject({ parked: 0 })
    await store.close()
  })

  test('messages are parked in order while a Redis forgets its scripts again and again', async () => {
    const store = await openRedisStore({ url: server.url, prefix: `test-${++tests}:` })
    await register(store, 'bob')
    const answers: Promise<EnqueueResult>[] = []
    const flushes: Promise<string>[] = []
    for (let n = 1; n <= 600; n++) {
      if (n % 60 === 0) flushes.push(server.ask('SCRIPT FLUSH'))
      answers.push(store.enqueue('bob', [parcel(n)]))
      await new Promise(setImmediate)
    }
    for (const { outcomes } of await Promise.all(answers)) expect(outcomes).toEqual(['ok'])
    await Promise.all(flushes)
    await store.close()
  })

  test('the log of a room is a list that is named after it, and an append tells its channel', async () => {
    const store = await openRedisStore({ url: server.url })
    const { epoch } = roomSettings()
    await store.rooms.create('#hall', roomSettings({ epoch }))
    const told = await server.subscribe('ackd:{#hall}:wakes')
    await store.rooms.append('#hall', parcels(1, 3))
    await store.rooms.append('#hall', parcels(2, 3))
    await store.rooms.append('#hall', parcels(2, 4))
    const endings = (): unknown[] => told.messages.map(message => message.split(' ').slice(1).join(' '))
    await expect.poll(endings).toEqual([`${epoch} 3`, `${epoch} 4`])
    expect(await server.ask('TYPE ackd:{#hall}:log')).toBe('+list')
    expect(await server.ask('LLEN ackd:{#hall}:log')).toBe(':4')
    told.end()
    await store.close()
  })

  test('a room that leaves the list by mistake comes back, and one that is gone leaves it', async () => {
    const prefix = `test-${++tests}:`
    const store = await openRedisStore({ url: server.url, prefix })
    const settings = roomSettings()
    await store.rooms.create('#hall', settings)
    await store.rooms.create('#gone', roomSettings())
    // As when a node is killed between deleting a room and saying so to the index.
    await server.ask(`DEL ${prefix}{#gone}:room`)
    expect((await store.rooms.list('', 10, false)).map(({ room }) => room)).toEqual(['#hall'])
    expect(await store.rooms.create('#gone', roomSettings())).toBe('created')
    expect((await store.rooms.list('', 10, false)).map(({ room }) => room)).toEqual(['#gone', '#hall'])
    await store.close()
  })

  test('a log is looked through by scripts that stop after a while', async () => {
    const limits = { ...defaultStoreLimits, rooms: { ...defaultRoomLimits, messages: 5_000 } }
    const store = await openRedisStore({ url: server.url, limits, prefix: `test-${++tests}:` })
    await store.rooms.create('#hall', roomSettings({ messages: 5_000 }))
    const rare = streamName('bob', 'outbox-1')
    await store.rooms.append('#hall', [parcel(1, { stream: rare })])
    for (let n = 1; n <= 3_000; n += 500) await store.rooms.append('#hall', parcels(n, n + 499))
    await store.rooms.append('#hall', [parcel(2, { stream: rare })])
    const offsets = async (query: Partial<RoomQuery>): Promise<number[] | undefined> =>
      (await store.rooms.page('#hall', { from: 'bob', limit: 200, maxBytes: 1e6, ...query }))?.entries.map(
        ({ offset }) => offset,
      )
    expect(await offsets({ after: 0 })).toEqual([1, 3_002])
    expect(await offsets({})).toEqual([1, 3_002])
    expect(await offsets({ before: 3_002 })).toEqual([1])
    expect(await offsets({ after: 1, limit: 1 })).toEqual([3_002])
    await store.close()
  })

  test('is up when it says so, and not when it is closed', async () => {
    const store = await openRedisStore({ url: server.url })
    await store.check()
    await store.close()
    await expect(store.check()).rejects.toThrow('closed')
  })
})

/** The contract over a real Redis. Each test has keys of its own in one server. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { openRedisStore } from '../../src/store/redis.ts'
import { describeStore } from './contract.ts'
import { redisProgram, RedisServer } from '../support/redis.ts'
import { bindRequest, parcel, parcels, register, tokenOf } from './support.ts'

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

  test('a Redis that forgets its scripts is given them again', async () => {
    const store = await openRedisStore({ url: server.url, prefix: `test-${++tests}:` })
    await register(store, 'bob')
    await server.ask('SCRIPT FLUSH')
    expect((await store.enqueue('bob', [parcel(1)])).outcomes).toEqual(['ok'])
    expect(tokenOf(await store.bind(bindRequest('bob')))).toMatch(/^2:/)
    await store.close()
  })

  test('is up when it says so, and not when it is closed', async () => {
    const store = await openRedisStore({ url: server.url })
    await store.check()
    await store.close()
    await expect(store.check()).rejects.toThrow('closed')
  })
})

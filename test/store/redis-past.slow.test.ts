/**
 * What comes from the past: calls that were given up and arrive all the same, places of a history that a failover has lost, signs of life
 * that were not given because Redis was away. None of it may undo what was decided since.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { redisWay } from '../../src/store/redis/address.ts'
import { RedisLink } from '../../src/store/redis/link.ts'
import { listOf, textOf } from '../../src/store/redis/records.ts'
import { openRedisStore } from '../../src/store/redis.ts'
import { createScripts } from '../../src/store/redis/scripts.ts'
import { Proxy } from '../support/proxy.ts'
import { RedisServer } from '../support/redis.ts'
import {
  bindRequest,
  hash,
  limits,
  page,
  parcel,
  parcels,
  register,
  START,
  stream,
  textOf as bodyOf,
} from './support.ts'

let server: RedisServer

beforeEach(async () => {
  server = await RedisServer.start()
})

afterEach(() => server.stop())

describe('a call that was given up and comes late', () => {
  let proxy: Proxy

  beforeEach(async () => {
    proxy = await Proxy.start(server.port)
  })

  afterEach(() => proxy.close())

  /** Makes a call that gets stuck on the way, and waits until it was given up and Redis is reached again. */
  async function stuck<T>(call: () => Promise<T>, check: () => Promise<void>): Promise<void> {
    proxy.holdsCalls = true
    await expect(call()).rejects.toThrow(/longer than|connection/)
    proxy.holdsCalls = false
    await expect
      .poll(
        () =>
          check().then(
            () => true,
            () => false,
          ),
        { timeout: 10_000 },
      )
      .toBe(true)
  }

  // With the right to end connections, and without it.
  test.each(['+@all', '-client|kill'])('does nothing any more (%s)', async rule => {
    await server.ask(`ACL SETUSER default ${rule}`)
    const store = await openRedisStore({
      url: `redis://127.0.0.1:${proxy.port}`,
      limits: { ...limits, mailboxMessages: 2 },
    })
    const token = await register(store, 'bob')
    await store.enqueue('bob', parcels(1, 2))
    // Its sender is told that the mailbox is full, and gives the number to another message.
    await stuck(
      () => store.enqueue('bob', [parcel(3, { text: 'given up' })]),
      () => store.check(),
    )
    expect((await store.enqueue('bob', [parcel(3, { text: 'given up' })])).outcomes).toEqual(['full'])
    const { entries } = await page(store, 'bob', token)
    await store.remove('bob', token, entries[1]!.s)
    await proxy.release()
    await sleep(100)
    expect((await store.enqueue('bob', [parcel(3, { text: 'the next one' })])).outcomes).toEqual(['ok'])
    expect((await page(store, 'bob', token)).entries.map(entry => bodyOf(entry))).toEqual(['the next one'])
    await store.close()
  })

  test('takes no client away from where it went meanwhile, and no secret', async () => {
    const here = await openRedisStore({ url: `redis://127.0.0.1:${proxy.port}` })
    const there = await openRedisStore({ url: server.url })
    const token = await register(here, 'bob')
    await stuck(
      () => here.rotate('bob', token, hash('first')),
      () => here.check(),
    )
    expect(await here.rotate('bob', token, hash('second'))).toMatchObject({ kind: 'ok' })
    await proxy.release()
    await sleep(100)
    await stuck(
      () => here.bind(bindRequest('bob', { outbox: 'outbox-9' })),
      () => here.check(),
    )
    const secret = { kind: 'secret', hash: hash('second') } as const
    const bound = await there.bind(bindRequest('bob', { node: 'n2', proof: secret }))
    expect(bound).toMatchObject({ kind: 'bound' })
    await proxy.release()
    await sleep(100)
    expect(await there.client('bob')).toMatchObject({ node: 'n2' })
    await Promise.all([here.close(), there.close()])
  })
})

describe('after a failover that lost writes', () => {
  let replica: RedisServer

  beforeEach(async () => {
    replica = await RedisServer.start('--replicaof', `127.0.0.1 ${server.port}`)
  })

  afterEach(() => replica.stop())

  test('an ack of before does not take what has the same place now, however far behind the clock of the new master is', async () => {
    const proxy = await Proxy.start(server.port)
    let now = START + 5_000
    const store = await openRedisStore({ url: `redis://127.0.0.1:${proxy.port}`, clock: () => now })
    const token = await register(store, 'bob')
    await store.enqueue('bob', [parcel(1)])
    await expect.poll(() => replica.ask('LLEN ackd:{bob}:mail'), { timeout: 10_000 }).toBe(':1')
    await replica.ask('REPLICAOF NO ONE')
    await store.enqueue('bob', parcels(2, 3))
    const acked = (await page(store, 'bob', token)).entries.at(-1)!.s
    proxy.farPort = replica.port
    proxy.cut()
    now = START
    const eve = 'eve outbox-2'
    await expect
      .poll(
        () =>
          store.enqueue('bob', [parcel(1, { stream: eve })]).then(
            ({ outcomes }) => outcomes,
            () => [],
          ),
        { timeout: 10_000 },
      )
      .toEqual(['ok'])
    expect(await store.remove('bob', token, acked)).toEqual({ kind: 'forgotten' })
    expect(await store.page('bob', token, acked, 10, 1_000)).toEqual({ kind: 'forgotten' })
    expect(await store.sync('bob', eve)).toEqual({ last: 1, delivered: 0 })
    expect((await page(store, 'bob', token)).entries.map(({ stream: of, n }) => [of, n])).toEqual([
      [stream, 1],
      [eve, 1],
    ])
    await store.close()
    await proxy.close()
  })

  test('a session whose bind was lost is told so, and not that somebody has replaced it', async () => {
    const store = await openRedisStore({ url: server.url })
    await register(store, 'bob')
    await expect.poll(() => replica.ask('EXISTS ackd:{bob}:box'), { timeout: 10_000 }).toBe(':1')
    await replica.ask('REPLICAOF NO ONE')
    const bound = await store.bind(bindRequest('bob'))
    if (bound.kind !== 'bound') throw new Error('not bound')
    const promoted = await openRedisStore({ url: replica.url })
    expect(await promoted.page('bob', bound.token, 0, 10, 1_000)).toEqual({ kind: 'forgotten' })
    await Promise.all([store.close(), promoted.close()])
  })
})

describe('signs of life', () => {
  const LIFE = 15_000
  const GAP = 6_500
  let link: RedisLink
  let now = START

  beforeEach(async () => {
    now = START
    link = new RedisLink({
      ...redisWay(server.url, ''),
      scripts: createScripts(limits),
      formatKey: null,
      onNote: () => {},
    })
    await link.tried
  })

  afterEach(() => link.close())

  async function beat(who: string, life = LIFE): Promise<string[]> {
    return listOf(await link.run('lease', ['leases'], String(now), who, life, GAP))
      .map(textOf)
      .sort()
  }

  test('that were not given while Redis was away are no sign of death', async () => {
    await beat('one')
    await beat('two')
    now += 60_000
    expect(await beat('one')).toEqual(['one', 'two'])
    now += 3_000
    expect(await beat('two')).toEqual(['one', 'two'])
  })

  test('count for their time when others go on giving them', async () => {
    await beat('one')
    for (let passed = 0; passed < LIFE; passed += 3_000) {
      expect(await beat('two')).toEqual(['one', 'two'])
      now += 3_000
    }
    expect(await beat('two')).toEqual(['two'])
  })

  test('count for no longer when the clock of Redis goes back', async () => {
    await beat('one')
    now -= 3_600_000
    for (let passed = 0; passed <= LIFE; passed += 3_000) {
      await beat('two')
      now += 3_000
    }
    expect(await beat('two')).toEqual(['two'])
  })

  test('end when a process ends', async () => {
    await beat('one')
    await beat('two')
    expect(await beat('two', 0)).toEqual(['one'])
  })
})

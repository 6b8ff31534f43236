/** The ways to name a Redis, besides a single server and a cluster: a socket file, and sentinels that know who the master is. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'

import { openRedisStore } from '../../src/store/redis.ts'
import { askRedis, freePort, redisProgram, RedisServer } from '../support/redis.ts'
import { parcel, register } from './support.ts'

async function startSentinel(master: RedisServer): Promise<{ port: number; child: ChildProcess }> {
  const port = await freePort()
  const file = join(master.directory, 'sentinel.conf')
  const settings = [
    `port ${port}`,
    'bind 127.0.0.1',
    `sentinel monitor main 127.0.0.1 ${master.port} 1`,
    'sentinel down-after-milliseconds main 500',
    'sentinel failover-timeout main 3000',
  ]
  writeFileSync(file, `${settings.join('\n')}\n`)
  const child = spawn(redisProgram ?? '', [file, '--sentinel'], { stdio: 'ignore' })
  while (!(await askRedis(port, 'PING').catch(() => '')).includes('PONG')) await sleep(20)
  return { port, child }
}

test('reaches a Redis by its socket file', async () => {
  const server = await RedisServer.start('--unixsocket', './redis.sock')
  const store = await openRedisStore({ url: `unix://${join(server.directory, 'redis.sock')}` })
  await register(store, 'bob')
  expect((await store.enqueue('bob', [parcel(1)])).outcomes).toEqual(['ok'])
  expect(await server.ask('LLEN ackd:{bob}:mail')).toBe(':1')
  await store.close()
  await server.stop()
})

test('finds the master by its sentinels, and the next one when it is gone', async () => {
  const master = await RedisServer.start()
  const replica = await RedisServer.start('--replicaof', `127.0.0.1 ${master.port}`)
  const sentinel = await startSentinel(master)
  await expect
    .poll(() => askRedis(sentinel.port, 'SENTINEL REPLICAS main'), { timeout: 20_000 })
    .toContain(String(replica.port))
  const store = await openRedisStore({ url: `redis+sentinel://127.0.0.1:${sentinel.port}/main` })
  await register(store, 'bob')
  await store.enqueue('bob', [parcel(1)])
  await expect.poll(() => replica.ask('LLEN ackd:{bob}:mail')).toBe(':1')
  await master.signal('SIGKILL')
  const parked = () =>
    store.enqueue('bob', [parcel(1), parcel(2)]).then(
      ({ outcomes }) => outcomes,
      () => [],
    )
  await expect.poll(parked, { timeout: 90_000, interval: 200 }).toHaveLength(2)
  expect(await replica.ask('LLEN ackd:{bob}:mail')).toBe(':2')
  await store.close()
  const ended = once(sentinel.child, 'exit')
  sentinel.child.kill('SIGKILL')
  await ended
  await master.stop()
  await replica.stop()
})

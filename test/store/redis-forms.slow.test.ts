/** The ways to name a Redis, besides a plain server and a cluster: a socket file, TLS, and sentinels that know who the master is. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'

import { openRedisStore } from '../../src/store/redis.ts'
import { makeDevelopmentCertificate } from '../../src/transport/development.ts'
import { freePort } from '../support/port.ts'
import { askRedis, redisProgram, RedisServer } from '../support/redis.ts'
import { parcel, register } from './support.ts'

async function startSentinel(master: RedisServer): Promise<{ port: number; child: ChildProcess }> {
  const port = await freePort()
  const file = join(master.directory, 'sentinel.conf')
  const settings = [
    `port ${port}`,
    'bind 127.0.0.1',
    `sentinel monitor main 127.0.0.1 ${master.port} 1`,
    // A sentinel pings once a second: with less patience than two of these it takes a living master for dead.
    'sentinel down-after-milliseconds main 3000',
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

test('reaches a Redis over TLS, if it shows a certificate that is trusted', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'ackd-redis-tls-'))
  const [certFile, keyFile] = [join(directory, 'cert.pem'), join(directory, 'key.pem')]
  const { cert, key } = makeDevelopmentCertificate()
  writeFileSync(certFile, cert)
  writeFileSync(keyFile, key)
  const tlsPort = await freePort()
  const files = ['--tls-cert-file', certFile, '--tls-key-file', keyFile, '--tls-auth-clients', 'no']
  const server = await RedisServer.start('--tls-port', String(tlsPort), ...files)
  const url = `rediss://127.0.0.1:${tlsPort}`
  const store = await openRedisStore({ url, caFile: certFile })
  await register(store, 'bob')
  expect((await store.enqueue('bob', [parcel(1)])).outcomes).toEqual(['ok'])
  expect(await server.ask('LLEN ackd:{bob}:mail')).toBe(':1')
  await store.close()
  const distrustful = await openRedisStore({ url })
  await expect(distrustful.check()).rejects.toThrow('self-signed')
  await distrustful.close()
  await expect(openRedisStore({ url, caFile: join(directory, 'none') })).rejects.toThrow('ACKD_REDIS_CA')
  await server.stop()
  rmSync(directory, { recursive: true })
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

/** The command that looks into mailboxes, on a Redis. On the embedded store it is tried with the other commands. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { streamName } from '../../src/protocol/mailbox.ts'
import { openRedisStore } from '../../src/store/redis.ts'
import { RedisServer } from '../support/redis.ts'
import { ackd } from './process.ts'

const home = mkdtempSync(join(tmpdir(), 'ackd-cli-'))
let redis: RedisServer

beforeAll(async () => {
  redis = await RedisServer.start()
  const store = await openRedisStore({ url: redis.url })
  const proof = { kind: 'token' } as const
  await store.bind({ id: 'bob', proof, create: true, node: 'n', nonce: 'x', outbox: 'outbox-1', attempt: 0 })
  const bytes = Buffer.from('"hello"')
  const body = { bytes, start: 0, end: bytes.length, text: true }
  const stream = streamName('alice', 'outbox-1')
  await store.enqueue('bob', [{ stream, n: 1, floor: 1, time: Date.now(), expires: 0, body, repeated: false }])
  await store.close()
})

afterAll(async () => {
  await redis.stop()
  rmSync(home, { recursive: true })
})

it('lists and shows what waits in a Redis, and takes nothing out', async () => {
  for (let time = 0; time < 2; time++) {
    const list = await ackd(['mailbox', 'ls', '--redis-url', redis.url, '--json'], { home })
    expect(JSON.parse(list.out)).toMatchObject({ id: 'bob', parked: 1, bytes: 7 })
    const view = await ackd(['mailbox', 'view', 'bob'], { home, environment: { ACKD_REDIS_URL: redis.url } })
    expect(view.out).toContain('alice  hello')
  }
})

it('says what to do when there is no such client, and no Redis', async () => {
  const nobody = await ackd(['mailbox', 'view', 'nobody', '--redis-url', redis.url], { home })
  expect([nobody.code, nobody.err]).toEqual([1, expect.stringContaining('no client')])
  const away = await ackd(['mailbox', 'ls', '--redis-url', 'redis://127.0.0.1:1'], { home })
  expect([away.code, away.err]).toEqual([1, expect.stringContaining('See that it runs')])
})

it('says so when nobody has mail, which is no data', async () => {
  const empty = await ackd(['mailbox', 'ls', '--redis-url', `${redis.url}/1`], { home })
  expect(empty).toEqual({ code: 0, out: '', err: 'no mailboxes: nobody has messages waiting\n' })
})

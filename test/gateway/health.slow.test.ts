/** What those see who watch over a server while its Redis is away: the truth, in time. While its event loop is late: `security/limits.test.ts`. */
import { afterEach, expect, it } from 'vitest'
import { secret } from '../support/issuer.ts'
import { RedisServer } from '../support/redis.ts'
import { ApiCaller, refusedWith } from './api-caller.ts'

let caller: ApiCaller
let redis: RedisServer | null = null

afterEach(async () => {
  await caller.close()
  await redis?.stop()
  redis = null
})

interface Seen {
  readonly status: number
  readonly text: string
  readonly ms: number
}

async function see(path: string): Promise<Seen> {
  const since = performance.now()
  const response = await fetch(`${caller.server.http}${path}`)
  return { status: response.status, text: await response.text(), ms: performance.now() - since }
}

async function isReady(): Promise<boolean> {
  return (await see('/readyz')).status === 200
}

it('is not ready while its Redis is away, lives, and says so to who asks for what needs it', async () => {
  redis = await RedisServer.start()
  caller = await ApiCaller.start({
    store: 'lmdb',
    redisUrl: redis.url,
    auth: 'both',
    jwtSecret: secret,
    accounts: 'on',
  })
  expect(await isReady()).toBe(true)
  await redis.signal('SIGKILL')
  await expect.poll(isReady, { timeout: 20_000 }).toBe(false)
  // Who asks at once is told at once, and by one question to the store.
  const crowd = await Promise.all(Array.from({ length: 50 }, () => see('/readyz')))
  expect(new Set(crowd.map(({ status }) => status))).toEqual(new Set([503]))
  expect(Math.max(...crowd.map(({ ms }) => ms))).toBeLessThan(5_000)
  expect(JSON.parse(crowd[0]?.text ?? '')).toMatchObject({ checks: { store: { ok: false }, lag: { ok: true } } })
  expect((await see('/healthz')).status).toBe(200)

  const account = { id: 'alice', password: 'correct horse battery' }
  for (const [path, body] of [
    ['/api/login', account],
    ['/api/register', account],
    ['/api/revocations', { kind: 'client', value: 'alice' }],
  ] as const) {
    const answered = await caller.ask(path, { method: 'POST', body })
    expect(refusedWith(answered)).toMatch(/^503 unavailable: /)
  }
  for (const path of ['/api/rooms', '/api/clients', '/api/accounts', '/api/revocations'])
    expect(refusedWith(await caller.ask(path))).toMatch(/^503 unavailable: /)
  const { status, text } = await see('/metrics')
  expect(status).toBe(200)
  expect(text).toContain('ackd_exceptions_total 0')
  await redis.start()
  await expect.poll(isReady, { timeout: 30_000 }).toBe(true)
})

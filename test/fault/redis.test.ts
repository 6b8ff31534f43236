/**
 * The real server on a real Redis that is killed under load and reads its journal again, or stays away for long: judged by a history.
 *
 * `FAULT_KILLS` is how often Redis is killed, `FAULT_AWAY_MS` how long it stays away once.
 */
import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Random } from '../simulation/random.ts'
import { RedisServer } from '../support/redis.ts'
import { Crowd, judge, settled } from './crowd.ts'
import { newRun, type Run } from './parties.ts'

const KILLS = Number(process.env['FAULT_KILLS'] ?? 10)
const AWAY_MS = Number(process.env['FAULT_AWAY_MS'] ?? 10_000)
const SEED = Number(process.env['FAULT_SEED'] ?? Date.now() % 1_000_000)
/** ms from one kill to the next, and for which Redis stays away. */
const KILL_EVERY = [1_000, 3_000] as const
const MAX_AWAY_MS = 1_000
const MIB = 1_048_576
/** What the budget of held messages (64 MiB) leaves to code, buffers and the collector. */
const MEMORY_LIMIT = 256 * MIB

let redis: RedisServer
let run: Run
let crowd: Crowd

beforeEach(async () => {
  redis = await RedisServer.start('--appendonly', 'yes', '--appendfsync', 'always')
  run = newRun(SEED, ['--redis-url', redis.url])
  await run.server.start()
  const { server, history, seed } = run
  crowd = await Crowd.gather({ url: server.url, history, seed, senders: 50, recipients: 20, pauseMs: 120 })
  crowd.begin()
})

afterEach(async () => {
  await crowd.stop()
  await crowd.leave()
  await run.server.discard()
  await redis.stop()
  run.history.close()
  rmSync(run.directory, { recursive: true })
})

async function expectRight(title: string): Promise<void> {
  await crowd.stop()
  await settled(run.histories, run.history)
  const { wrong } = judge(run.histories, `seed ${SEED}, ${title}`)
  expect(wrong.slice(0, 20)).toEqual([])
  expect(await run.server.metric('ackd_exceptions_total')).toBe(0)
  expect(run.server.log).not.toContain('a fault of this program')
}

async function ready(): Promise<number> {
  return (await fetch(run.server.url.replace(/^ws:(.*)\/ws$/, 'http:$1/readyz'))).status
}

test(`a Redis killed ${KILLS} times under load costs nothing that was receipted`, async () => {
  const random = new Random(SEED)
  for (let kill = 0; kill < KILLS; kill++) {
    await sleep(random.between(...KILL_EVERY))
    run.history.note({ who: 'redis', what: 'fault', detail: 'SIGKILL' })
    await redis.signal('SIGKILL')
    await sleep(random.between(0, MAX_AWAY_MS))
    await redis.start()
  }
  await expectRight(`Redis killed ${KILLS} times`)
})

test(`a Redis away for ${AWAY_MS} ms is missed by nobody who is connected, and memory stays within its budget`, async () => {
  await sleep(1_000)
  await redis.signal('SIGKILL')
  const delivered = await run.server.metric('ackd_messages_total', 'outcome="delivered"')
  let most = 0
  for (const end = performance.now() + AWAY_MS; performance.now() < end;) {
    await sleep(1_000)
    most = Math.max(most, run.server.memory)
  }
  expect(await ready()).toBe(503)
  expect(await run.server.metric('ackd_messages_total', 'outcome="delivered"')).toBeGreaterThan(delivered)
  expect(most).toBeLessThan(MEMORY_LIMIT)
  await redis.start()
  await expect.poll(ready, { timeout: 10_000 }).toBe(200)
  await expectRight(`Redis away for ${AWAY_MS} ms, at most ${Math.round(most / MIB)} MiB`)
})

/**
 * The real server on a real Redis that is killed under load and reads its journal again, or stays away for long: judged by a history.
 *
 * `FAULT_KILLS` is how often Redis is killed, `FAULT_AWAY_MS` how long it stays away once; how the node fares meanwhile is printed as a
 * table, a line each second (`npm run fault:away` for a minute of it).
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
/** The budget of held messages. */
const HELD_LIMIT = 64 * MIB
/** What that budget leaves to code, buffers and the collector. */
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

const TABLE = ['s', 'node MiB', 'held KiB', 'delivered/s', 'handed back/s', '/readyz']

interface Sample {
  readonly memory: number
  readonly held: number
  readonly delivered: number
  readonly retried: number
  readonly status: number
}

async function sample(): Promise<Sample> {
  const { server } = run
  return {
    memory: server.memory,
    held: await server.metric('ackd_held_bytes'),
    delivered: await server.metric('ackd_messages_total', 'outcome="delivered"'),
    retried: await server.metric('ackd_messages_total', 'outcome="retry"'),
    status: await ready(),
  }
}

function rowOf(second: number, last: Sample, now: Sample): string {
  const { memory, held, delivered, retried, status } = now
  const cells = [
    second,
    Math.round(memory / MIB),
    Math.round(held / 1_024),
    delivered - last.delivered,
    retried - last.retried,
    status,
  ]
  return `| ${cells.join(' | ')} |`
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
  // All of the crowd write to some who lose their connections, and so wait for Redis sooner or later; these do not.
  const { server, history, seed } = run
  const healthy = await Crowd.gather({
    url: server.url,
    history,
    seed: seed + 1,
    senders: 5,
    recipients: 1,
    pauseMs: 20,
  })
  healthy.begin()
  await sleep(1_000)
  await redis.signal('SIGKILL')
  let last = await sample()
  let standstills = 0
  let most = 0
  let mostHeld = 0
  const table = [`| ${TABLE.join(' | ')} |`, `| ${TABLE.map(() => '--:').join(' | ')} |`]
  for (let second = 1; second <= AWAY_MS / 1_000; second++) {
    await sleep(1_000)
    const now = await sample()
    table.push(rowOf(second, last, now))
    if (now.delivered === last.delivered) standstills++
    last = now
    most = Math.max(most, now.memory)
    mostHeld = Math.max(mostHeld, now.held)
  }
  process.stdout.write(`Redis away for ${AWAY_MS} ms:\n${table.join('\n')}\n`)
  expect(last.status).toBe(503)
  expect(standstills).toBe(0)
  expect(most).toBeLessThan(MEMORY_LIMIT)
  expect(mostHeld).toBeLessThan(HELD_LIMIT)
  await redis.start()
  await expect.poll(ready, { timeout: 10_000 }).toBe(200)
  await healthy.stop()
  await expectRight(`Redis away for ${AWAY_MS} ms, at most ${Math.round(most / MIB)} MiB`)
  await healthy.leave()
})

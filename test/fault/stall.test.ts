/**
 * Those who stop without a word: clients that read no more, a client and the server that stand still (SIGSTOP), which to the other
 * side looks like a connection that is half open. Nobody else suffers, and when they go on, everything is right.
 *
 * `FAULT_LONG` takes the time-outs as they are by default and stops for 45 s; otherwise both are shorter.
 */
import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Random } from '../simulation/random.ts'
import type { Verdict } from './checker.ts'
import { Crowd, judge, newMember, settled, type Member } from './crowd.ts'
import { newRun, Party, type Run } from './parties.ts'
import { until } from './server.ts'
import { read, Sender } from './traffic.ts'

const LONG = process.env['FAULT_LONG'] !== undefined
const CLIENT_STOP_MS = LONG ? 45_000 : 6_000
/** Long enough for the clients to give it up: two ping intervals and 5 s. */
const SERVER_STOP_MS = LONG ? 45_000 : 11_000
const ACK_TIMEOUT_MS = LONG ? 30_000 : 3_000
const OPTIONS = LONG ? [] : ['--ack-timeout', '3s', '--ping-interval', '2s']
const SEED = Number(process.env['FAULT_SEED'] ?? Date.now() % 1_000_000)

const STALLED = 20
const MESSAGES_EACH = 300
const ROUND_TRIPS = 200
const MIB = 1_048_576
/** What a stalled reader may cost: its window, and as much again on its way through the system. */
const MEMORY_PER_READER = 2 * MIB
/** What the collector may take its time about. */
const MEMORY_SLACK = 24 * MIB
/** ms; below it a difference of two medians means nothing on a busy machine. */
const NOTICEABLE_MS = 20

/** From going on to the first message that arrives. */
const RECOVERY_LIMIT_MS = 4_000

let run: Run

beforeEach(async () => {
  run = newRun(SEED, OPTIONS)
  await run.server.start()
})

afterEach(async () => {
  await run.server.discard()
  run.history.close()
  rmSync(run.directory, { recursive: true })
})

function expectRight(title: string): Verdict {
  const verdict = judge(run.histories, `seed ${SEED}, ${title}`)
  expect(verdict.wrong.slice(0, 20)).toEqual([])
  return verdict
}

function newSender({ client, id }: Member, seed: number): Sender {
  return new Sender({ client, id, history: run.history, random: new Random(seed) })
}

/** ms from sending to `delivered`, one message after the other. */
async function roundTrips({ client }: Member, to: string, count: number): Promise<number[]> {
  const times: number[] = []
  for (let n = 0; n < count; n++) {
    const started = performance.now()
    const sent = await client.send(to, n)
    await sent.delivered
    times.push(performance.now() - started)
  }
  return times.sort((a, b) => a - b)
}

interface Couple {
  readonly reader: Member
  readonly sender: Sender
}

/** Writes to readers that do not read, lets them go on, and waits until they have it all. Returns the memory at its highest. */
async function stallAll(couples: readonly Couple[], meanwhile: () => Promise<void>): Promise<number> {
  for (const { reader } of couples) reader.line.hold(true)
  const writing = couples.map(async ({ reader, sender }) => {
    for (let n = 0; n < MESSAGES_EACH; n++) {
      await until(() => sender.open < 50, 'a sender may go on', 60_000)
      sender.send(reader.id)
    }
  })
  await meanwhile()
  const most = run.server.memory
  await Promise.all(writing)
  await sleep(ACK_TIMEOUT_MS)
  for (const { reader } of couples) reader.line.hold(false)
  await settled(run.histories, run.history)
  return Math.max(most, run.server.memory)
}

test('readers that stop reading cost their windows and nobody else anything, and get it all when they go on', async () => {
  const { server, history } = run
  const enter = (count: number): Promise<Member[]> =>
    Promise.all(Array.from({ length: count }, () => newMember(server.url)))
  const [readers, writers, healthy] = [await enter(STALLED), await enter(STALLED), await enter(2)]
  const [ann, bob] = healthy
  if (!ann || !bob) throw new Error('nobody is healthy')
  const couples = readers.map((reader, index) => ({ reader, sender: newSender(writers[index] ?? ann, SEED + index) }))
  for (const reader of readers) read({ ...reader, history })
  bob.client.on('message', () => {})
  const base = await roundTrips(ann, bob.id, ROUND_TRIPS)
  // The first time is for the process to take the memory that it works with.
  await stallAll(couples, async () => {})
  const before = { memory: server.memory, descriptors: server.descriptors }

  let beside: number[] = []
  const most = await stallAll(couples, async () => {
    beside = await roundTrips(ann, bob.id, ROUND_TRIPS)
  })
  const [cost, left] = [most - before.memory, server.memory - before.memory]
  expectRight(`${STALLED} stalled readers, ${Math.round(cost / MIB)} MiB at most, ${Math.round(left / MIB)} MiB after`)
  const median = (times: readonly number[]): number => times[times.length >> 1] ?? 0
  expect(median(beside)).toBeLessThan(2 * median(base) + NOTICEABLE_MS)
  expect(cost).toBeLessThan(STALLED * MEMORY_PER_READER + MEMORY_SLACK)
  expect(left).toBeLessThan(MEMORY_SLACK)
  expect(server.descriptors).toBeLessThanOrEqual(before.descriptors)
  await Promise.all([...readers, ...writers, ...healthy].map(({ client }) => client.close({ flushMs: 0 })))
})

test('a client that stands still is parked for, and goes on where it was', async () => {
  const { server, history } = run
  const party = new Party('reader', 'rita', run)
  await party.start()
  const writer = await newMember(server.url)
  const sender = newSender(writer, SEED)
  const writing = sender.run([party.id], 20)
  await sleep(500)
  party.signal('SIGSTOP')
  await sleep(CLIENT_STOP_MS)
  const parked = await server.metric('ackd_messages_total', 'outcome="stored"')
  party.signal('SIGCONT')
  sender.stop()
  await writing
  await settled(run.histories, history)
  expect(parked).toBeGreaterThan(10)
  expect(await party.end()).toBe(0)
  await writer.client.close()
  expectRight(`a client that stood still for ${CLIENT_STOP_MS} ms`)
})

test('a server that stands still loses nothing, and goes on', async () => {
  const { server, history } = run
  const crowd = await Crowd.gather({ url: server.url, history, seed: SEED, senders: 10, recipients: 10, pauseMs: 50 })
  crowd.begin()
  await sleep(500)
  server.signal('SIGSTOP')
  await sleep(SERVER_STOP_MS)
  server.signal('SIGCONT')
  await sleep(2_000)
  await crowd.stop()
  await settled(run.histories, history)
  await crowd.leave()
  const { recoveriesMs } = expectRight(`a server that stood still for ${SERVER_STOP_MS} ms`)
  expect(Math.max(...recoveriesMs)).toBeLessThan(RECOVERY_LIMIT_MS)
})

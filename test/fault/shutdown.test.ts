/**
 * The end of a server by signals, with ten thousand messages on their way to recipients that take them and do not ack: everybody
 * is told, and everything is there when the server is.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Client } from '../../src/client/index.node.ts'
import { Random } from '../simulation/random.ts'
import { judge, newMember, settled } from './crowd.ts'
import { History } from './history.ts'
import { ServerProcess, until } from './server.ts'
import { read, Sender } from './traffic.ts'

const RECIPIENTS = 40
const SENDERS = 160
/** The send window: as many messages of a sender are under way at once. */
const EACH = 63
const IN_FLIGHT = SENDERS * EACH
/** ms */
const EXIT_LIMIT_MS = 25_000
const AT_ONCE_MS = 5_000

let directory = ''
let history: History
let server: ServerProcess
let clients: Client[] = []
let senders: Sender[] = []
/** The recipients with a handler, while they have one. */
let listening: (() => void)[] = []
let open: () => number

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'ackd-shutdown-'))
  mkdirSync(join(directory, 'histories'))
  history = new History(join(directory, 'histories'), 'test')
  server = new ServerProcess(
    join(directory, 'data'),
    ['--send-window-bytes', '4MiB', '--window-bytes', '4MiB'],
    history,
  )
  await server.start()
})

afterEach(async () => {
  await Promise.all(clients.map(client => client.close({ flushMs: 0 })))
  await server.discard()
  history.close()
  rmSync(directory, { recursive: true })
})

/** Senders with their windows full of messages that no recipient acks; returns what lets the recipients read. */
async function fill(): Promise<() => void> {
  const readers = await Promise.all(Array.from({ length: RECIPIENTS }, () => newMember(server.url)))
  const writers = await Promise.all(Array.from({ length: SENDERS }, () => newMember(server.url)))
  clients = [...readers, ...writers].map(({ client }) => client)
  senders = writers.map(({ client, id }, index) => new Sender({ client, id, history, random: new Random(index) }))
  open = () => senders.reduce((sum, sender) => sum + sender.open, 0)
  const listen = (): void => {
    listening = readers.map(({ client, id }) => read({ client, id, history }))
  }
  const toTheirs = (sender: Sender, index: number): void => sender.send(readers[index % RECIPIENTS]?.id ?? '')
  // The first message of each stream is acked, so that the others go live.
  listen()
  senders.forEach(toTheirs)
  await until(() => open() === 0, 'the first messages are receipted')
  for (const stop of listening) stop()
  for (let n = 0; n < EACH; n++) senders.forEach(toTheirs)
  const accepted = SENDERS + IN_FLIGHT
  await until(async () => (await server.metric('ackd_accepted_total')) === accepted, 'the server has all of them')
  return listen
}

/** Starts the server again and lets everybody read; then nothing is missing. */
async function expectWhole(listen: () => void, title: string): Promise<void> {
  await server.start()
  listen()
  await settled(join(directory, 'histories'), history)
  const { wrong, surfaced } = judge(join(directory, 'histories'), title)
  expect(wrong.slice(0, 20)).toEqual([])
  expect(surfaced).toBe(SENDERS + IN_FLIGHT)
}

test('SIGTERM with 10,000 messages in flight parks and receipts all of them, and exits with 0', async () => {
  const listen = await fill()
  expect(open()).toBe(IN_FLIGHT)
  const started = performance.now()
  server.signal('SIGTERM')
  expect(await server.ended()).toEqual({ code: 0, signal: null })
  const tookMs = performance.now() - started
  process.stdout.write(`SIGTERM with ${IN_FLIGHT} in flight: gone after ${Math.round(tookMs)} ms\n`)
  expect(tookMs).toBeLessThan(EXIT_LIMIT_MS)
  await until(() => open() === 0, 'every message has its receipt before the server is back', 5_000)
  await expectWhole(listen, 'after SIGTERM')
})

test.each([0, 20, 80])('a second signal after %i ms ends it at once, and nothing is lost by that', async pauseMs => {
  const listen = await fill()
  server.signal('SIGTERM')
  await sleep(pauseMs)
  const started = performance.now()
  try {
    server.signal('SIGINT')
  } catch {
    // It was gone already.
  }
  const { code, signal } = await server.ended()
  // It may have been done before the second signal came.
  expect([
    { code: 0, signal: null },
    { code: null, signal: 'SIGKILL' },
  ]).toContainEqual({ code, signal })
  expect(performance.now() - started).toBeLessThan(AT_ONCE_MS)
  await expectWhole(listen, `second signal after ${pauseMs} ms, ${signal ?? 'it was done'}`)
})

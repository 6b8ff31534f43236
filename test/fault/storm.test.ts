/**
 * A storm: the server is killed, and 5,000 clients that it had lose their connections at the same instant and all want to come back.
 *
 * They do as the protocol says (§8) and no more: they wait with jitter when nothing answers, and as long as they are told when they are
 * turned away. Each comes back under its own id. Arrivals are read off the server's own clock, in the welcomes. The figures are printed.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import WebSocket from 'ws'
import { backoff, defaultBackoff } from '../../src/client/backoff.ts'
import { ServerProcess } from './server.ts'

const CLIENTS = 5_000
const RATE = 1_000
/** ms; three times what it takes alone on such a machine. */
const PATIENCE_MS = 90_000

type Frame = readonly [op: string, ...rest: unknown[]]

interface Welcome {
  readonly id: string
  readonly secret?: string
  readonly resumed: boolean
  readonly time: number
}

/** One client: it connects until it is welcome, and whenever it is cut off. */
class Comer {
  readonly #url: string
  #id: string | null = null
  #secret = ''
  #attempt = 0
  #socket: WebSocket | null = null
  #over = false
  refusals = 0
  welcome: Welcome | null = null

  constructor(url: string) {
    this.#url = url
  }

  connect(): void {
    if (this.#over) return
    const socket = new WebSocket(this.#url, { perMessageDeflate: false })
    let retryAfterMs: number | null = null
    this.#socket = socket
    const proof = this.#id === null ? {} : { id: this.#id, secret: this.#secret }
    socket.on('open', () => socket.send(JSON.stringify(['hello', { v: 1, outbox: 'the-outbox', ...proof }])))
    socket.on('message', (bytes: Buffer) => {
      const [op, first, , third] = JSON.parse(bytes.toString()) as Frame
      if (op === 'ping') socket.send('["pong"]')
      if (op === 'close') {
        this.refusals++
        retryAfterMs = third as number | null
      }
      if (op === 'welcome') this.#welcomed(first as Welcome)
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.welcome = null
      setTimeout(() => this.connect(), retryAfterMs ?? backoff(this.#attempt++, Math.random(), defaultBackoff))
    })
  }

  leave(): void {
    this.#over = true
    this.#socket?.terminate()
  }

  #welcomed(welcome: Welcome): void {
    this.#attempt = 0
    this.#id = welcome.id
    this.#secret = welcome.secret ?? this.#secret
    this.welcome = welcome
  }
}

/** The most of these times that lie within one second. */
function mostInASecond(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b)
  let start = 0
  let most = 0
  for (const [end, time] of sorted.entries()) {
    while ((sorted[start] ?? 0) <= time - 1_000) start++
    most = Math.max(most, end - start + 1)
  }
  return most
}

let folder = ''
let server: ServerProcess
const comers: Comer[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ackd-storm-'))
  const limits = ['--connect-rate', `${RATE}`, '--connections-per-address', '10000', '--max-lag', '1s']
  server = new ServerProcess(folder, limits)
})

afterEach(async () => {
  for (const comer of comers.splice(0)) comer.leave()
  if (server.pid !== 0) {
    server.signal('SIGKILL')
    await server.ended()
  }
  rmSync(folder, { recursive: true })
})

/** Waits until everybody is there, and returns how late the loop of the server was at worst meanwhile, ms. */
async function everybody(): Promise<number> {
  const end = performance.now() + PATIENCE_MS
  let lag = 0
  while (comers.some(({ welcome }) => welcome === null)) {
    if (performance.now() > end) {
      const there = comers.filter(({ welcome }) => welcome !== null).length
      throw new Error(`${there} of ${CLIENTS} are there; the server says: ${server.log}`)
    }
    await sleep(500)
    lag = Math.max(lag, await lagOf(server))
  }
  return lag
}

/** ms that the event loop of the server is late, 99th percentile of five seconds. */
async function lagOf({ url }: ServerProcess): Promise<number> {
  const metrics = await fetch(url.replace('ws:', 'http:').replace('/ws', '/metrics')).then(response => response.text())
  return Number(/^ackd_eventloop_lag_seconds (.*)$/m.exec(metrics)?.[1] ?? NaN) * 1_000
}

test('5,000 clients that are cut off at once are all back, at the rate that the server takes them', async () => {
  await server.start()
  for (let i = 0; i < CLIENTS; i++) comers.push(new Comer(server.url))
  for (const comer of comers) comer.connect()
  await everybody()
  const ids = comers.map(({ welcome }) => welcome?.id)
  expect(new Set(ids).size).toBe(CLIENTS)

  const refusedBefore = comers.map(({ refusals }) => refusals)
  server.signal('SIGKILL')
  await server.ended()
  await expect.poll(() => comers.every(({ welcome }) => welcome === null), { timeout: 30_000 }).toBe(true)
  await server.start()
  const since = performance.now()
  const lag = await everybody()
  const seconds = (performance.now() - since) / 1_000

  expect(comers.map(({ welcome }) => welcome?.id)).toEqual(ids)
  expect(comers.every(({ welcome }) => welcome?.resumed)).toBe(true)
  const times = comers.map(({ welcome }) => welcome?.time ?? 0)
  const most = mostInASecond(times)
  const refused = comers.map(({ refusals }, i) => refusals - (refusedBefore[i] ?? 0))
  const sum = refused.reduce((all, some) => all + some, 0)
  console.info(
    `${CLIENTS} clients back within ${seconds.toFixed(1)} s; at most ${most} in a second (limit ${RATE}); ` +
      `turned away ${sum} times, ${Math.max(...refused)} at most; event loop late ${lag.toFixed(0)} ms (p99 of 5 s, worst span)`,
  )
  // Who is admitted in a second is tried exactly where it is decided (`gateway/parts.test.ts`). A welcome comes a hello and a flush of
  // the disk later, so on a busy machine many come close together; over the whole time there are no more than were admitted.
  expect(sum).toBeGreaterThan(0)
  expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan((CLIENTS / RATE - 3) * 1_000)
  expect(lag).toBeLessThan(1_000)
})

/**
 * Takeovers under load: while others write to them, ten recipients are taken over again and again by newer connections, as tabs and phones do
 * that share an identity. Nothing is lost, shown twice or out of order; the older connection is told `replaced`; how long a takeover takes is printed.
 *
 * `FAULT_TAKEOVERS` is how many there are: 500 by default, 100,000 in the long run.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import WebSocket from 'ws'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { connect, type Client } from '../../src/client/index.node.ts'
import { ServerProcess } from './server.ts'
import { quickBackoff } from './traffic.ts'

const total = Number(process.env['FAULT_TAKEOVERS'] ?? (process.env['FAULT_LONG'] === undefined ? 500 : 100_000))
const RECIPIENTS = 10
const SENDERS = 10
/** ms between two takeovers of one recipient, at most, and between two messages of a sender. */
const PAUSE_MS = 40
const SEND_EVERY_MS = 5
const PATIENCE_MS = 60_000

type Frame = readonly [op: string, ...rest: unknown[]]

/** Somebody who is taken over: what was seen outlives the connections. */
class Recipient {
  id = ''
  readonly tookMs: number[] = []
  readonly ends: string[] = []
  /** By stream, the highest number that was seen; and by sender, what it said, in the order in which it was seen. */
  readonly cursors = new Map<string, number>()
  readonly seen = new Map<string, number[]>()
  repeats = 0
  gaps = 0
  readonly #url: string
  #secret = ''
  #outboxes = 0
  #socket: WebSocket | null = null

  constructor(url: string) {
    this.#url = url
  }

  /** Connects, and so takes over from the connection before. Resolves when it is welcome. */
  async takeOver(): Promise<void> {
    const socket = new WebSocket(this.#url, { perMessageDeflate: false })
    const since = performance.now()
    const outbox = `outbox-${String(++this.#outboxes).padStart(6, '0')}`
    const proof = this.id === '' ? {} : { id: this.id, secret: this.#secret }
    socket.on('open', () => socket.send(JSON.stringify(['hello', { v: 1, outbox, ...proof }])))
    await new Promise<void>((resolve, reject) => {
      socket.on('error', reject)
      socket.on('message', (bytes: Buffer) => {
        const frame = JSON.parse(bytes.toString()) as Frame
        if (frame[0] === 'welcome') {
          const { id, secret } = frame[1] as { id: string; secret?: string }
          this.id = id
          this.#secret = secret ?? this.#secret
          resolve()
        } else this.#heard(socket, frame)
      })
    })
    if (this.#socket !== null) this.tookMs.push(performance.now() - since)
    this.#socket = socket
  }

  leave(): void {
    this.#socket?.terminate()
  }

  #heard(socket: WebSocket, frame: Frame): void {
    if (frame[0] === 'ping') socket.send('["pong"]')
    if (frame[0] === 'close') this.ends.push(String(frame[1]))
    if (frame[0] !== 'message') return
    const [, seq, from, outbox, n, , , k] = frame as [string, number, string, string, number, number, number, number]
    const stream = `${from} ${outbox}`
    const cursor = this.cursors.get(stream)
    if (cursor !== undefined && n <= cursor) this.repeats++
    else {
      if (cursor !== undefined && n > cursor + 1) this.gaps++
      this.cursors.set(stream, n)
      this.seen.set(from, [...(this.seen.get(from) ?? []), k])
    }
    socket.send(JSON.stringify(['ack', seq]))
  }
}

let folder = ''
let server: ServerProcess
const clients: Client[] = []
const recipients: Recipient[] = []

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ackd-takeovers-'))
  server = new ServerProcess(folder, ['--replacement-rate', '1000000', '--connect-rate', '100000'])
  await server.start()
})

afterEach(async () => {
  for (const recipient of recipients.splice(0)) recipient.leave()
  await Promise.all(clients.splice(0).map(client => client.close()))
  await server.discard()
  rmSync(folder, { recursive: true })
})

/** Writes numbers from 1 to each recipient in turn until it is told to stop; answers the last for each, once all are receipted. */
async function write(client: Client, stopped: () => boolean): Promise<ReadonlyMap<string, number>> {
  const last = new Map<string, number>()
  const receipts: Promise<unknown>[] = []
  for (let turn = 0; !stopped(); turn++) {
    const id = recipients[turn % recipients.length]?.id ?? ''
    const k = (last.get(id) ?? 0) + 1
    last.set(id, k)
    receipts.push(client.send(id, k))
    await sleep(SEND_EVERY_MS)
  }
  await Promise.all(receipts)
  return last
}

it(`${total} takeovers under load lose nothing and repeat nothing`, async () => {
  for (let i = 0; i < RECIPIENTS; i++) recipients.push(new Recipient(server.url))
  await Promise.all(recipients.map(recipient => recipient.takeOver()))
  for (let i = 0; i < SENDERS; i++) clients.push(connect(server.url, { backoff: quickBackoff }))
  await Promise.all(clients.map(client => client.ready()))
  let over = false
  const writing = clients.map(client => write(client, () => over))
  const each = Math.ceil(total / RECIPIENTS)
  await Promise.all(
    recipients.map(async recipient => {
      for (let i = 0; i < each; i++) {
        await sleep(Math.random() * PAUSE_MS)
        await recipient.takeOver()
      }
    }),
  )
  over = true
  const written = await Promise.all(writing)
  const expected = (id: string, sender: number): number => written[sender]?.get(id) ?? 0
  const missing = (): number =>
    recipients.reduce(
      (sum, { id, seen }) =>
        sum + clients.reduce((of, client, i) => of + expected(id, i) - (seen.get(client.id ?? '')?.length ?? 0), 0),
      0,
    )
  await expect.poll(missing, { timeout: PATIENCE_MS, interval: 100 }).toBe(0)

  for (const { id, seen, gaps, ends } of recipients) {
    for (const [i, client] of clients.entries())
      expect(seen.get(client.id ?? '')).toEqual(Array.from({ length: expected(id, i) }, (_, k) => k + 1))
    expect([gaps, ends.length, new Set(ends)]).toEqual([0, each, new Set(['replaced'])])
  }
  const took = recipients.flatMap(({ tookMs }) => tookMs).sort((a, b) => a - b)
  const at = (share: number): string => (took[Math.floor((took.length - 1) * share)] ?? NaN).toFixed(0)
  const sent = written.reduce((sum, last) => sum + [...last.values()].reduce((of, k) => of + k, 0), 0)
  const repeats = recipients.reduce((sum, one) => sum + one.repeats, 0)
  console.info(
    `${took.length} takeovers while ${sent} messages were sent: ${at(0.5)} ms from opening to welcome (median), ` +
      `${at(0.99)} ms (p99), ${at(1)} ms at most; ${repeats} messages came again and were dropped by their numbers`,
  )
}, 3_600_000)

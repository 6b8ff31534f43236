/**
 * `ackd bench`: load on a running server through the client library, as a program would put it there.
 *
 * Clients come in pairs that send to each other. The first eight bytes of a body say when it was sent, so that its recipient, in the
 * same process, knows how long it took. The limits of the server apply: with its defaults a client gets 1,000 frames a second.
 */
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import { AckdError, connect, type Client } from '../client/index.node.ts'
import { toJson } from './bodies.ts'
import { firstTrouble, refusal, within } from './connecting.ts'
import type { Context } from './context.ts'
import { Failure } from './failure.ts'
import { showDuration } from './quantities.ts'
import { columns, type Terminal } from './terminal.ts'

export interface BenchFlags {
  readonly url: string
  readonly clients: number
  readonly window: number
  readonly size: number
  /** ms */
  readonly duration: number
  /** Messages a second, of all clients. */
  readonly rate?: number
  readonly json?: boolean
}

const CONNECT_MS = 30_000
/** What to do about a server that does not keep up. */
const FEWER = 'ask for less: fewer --clients, a smaller --window or a --rate'
const WARM_UP_MS = 500
const CONNECT_AT_ONCE = 50

export async function bench(flags: BenchFlags, { terminal }: Context): Promise<void> {
  const clients: Client[] = []
  try {
    await open(clients, flags, terminal)
    await show(await measure(clients, flags, terminal), flags, terminal)
  } catch (error) {
    if (!(error instanceof AckdError)) throw error
    if (error.code !== 'unauthorized') throw refusal(error)
    const fix = 'measure one that takes clients without: ACKD_AUTH=anonymous, or both'
    throw new Failure('refused', 'this server wants tokens, and bench has none', fix)
  } finally {
    terminal.progress('')
    await Promise.all(clients.map(client => client.close()))
  }
}

/** Opens them a few at a time, as the server's limit on new connections wants it. */
async function open(clients: Client[], flags: BenchFlags, terminal: Terminal): Promise<void> {
  const wanted = flags.clients + (flags.clients % 2)
  while (clients.length < wanted) {
    terminal.progress(`connecting ${clients.length} of ${wanted}`)
    const batch = Array.from({ length: Math.min(CONNECT_AT_ONCE, wanted - clients.length) }, () => connect(flags.url))
    clients.push(...batch)
    const ready = batch.map(client => Promise.race([client.ready(), firstTrouble(client, flags.url)]))
    await within(CONNECT_MS, 'welcome', Promise.all(ready), { fix: FEWER })
  }
}

interface Tally {
  counting: boolean
  settled: number
  stored: number
  /** µs from the sending to the handler of the recipient, and to the receipt. */
  readonly delivery: RecordableHistogram
  readonly receipt: RecordableHistogram
  readonly stopped: AbortController
}

async function measure(
  clients: readonly Client[],
  flags: BenchFlags,
  terminal: Terminal,
): Promise<Tally & { perSecond: number }> {
  const tally: Tally = {
    counting: false,
    settled: 0,
    stored: 0,
    delivery: createHistogram(),
    receipt: createHistogram(),
    stopped: new AbortController(),
  }
  for (const client of clients) {
    client.on('message', ({ body }) => {
      if (tally.counting && body instanceof Uint8Array) record(tally.delivery, readTime(body))
    })
  }
  const lanes = clients.flatMap((client, i) => {
    const partner = clients[i ^ 1]?.id ?? ''
    return Array.from({ length: flags.window }, (_, k) => lane(client, partner, i * flags.window + k, flags, tally))
  })
  const work = Promise.all(lanes)
  await Promise.race([work, pause(WARM_UP_MS)])
  tally.counting = true
  const start = performance.now()
  while (performance.now() - start < flags.duration) {
    await Promise.race([work, pause(Math.min(500, flags.duration))])
    terminal.progress(`${tally.settled} messages in ${showDuration(performance.now() - start)}`)
  }
  tally.counting = false
  const perSecond = (tally.settled / (performance.now() - start)) * 1000
  tally.stopped.abort()
  await within(CONNECT_MS, 'receipt', work, { fix: FEWER })
  return { ...tally, perSecond }
}

/** One of the messages that a client keeps on its way: sends, waits for the receipt, sends the next one, at its share of the rate. */
async function lane(client: Client, to: string, index: number, flags: BenchFlags, tally: Tally): Promise<void> {
  const lanes = (flags.clients + (flags.clients % 2)) * flags.window
  const everyMs = flags.rate === undefined ? 0 : (lanes / flags.rate) * 1000
  const body = new Uint8Array(flags.size)
  let due = performance.now() + (everyMs * index) / lanes
  while (!tally.stopped.signal.aborted) {
    if (everyMs > 0) await pause(Math.max(0, due - performance.now()))
    // Late counts from when it was due; a timer that fires early does not make it early.
    const at = everyMs > 0 ? Math.min(due, performance.now()) : performance.now()
    writeTime(body, at)
    const { status } = await client.send(to, body)
    due += everyMs
    if (!tally.counting) continue
    tally.settled++
    if (status === 'stored') tally.stored++
    record(tally.receipt, at)
  }
}

function writeTime(body: Uint8Array, at: number): void {
  new DataView(body.buffer, body.byteOffset).setFloat64(0, at)
}

function readTime(body: Uint8Array): number {
  return new DataView(body.buffer, body.byteOffset).getFloat64(0)
}

function record(histogram: RecordableHistogram, since: number): void {
  histogram.record(Math.max(1, Math.round((performance.now() - since) * 1000)))
}

async function show(tally: Tally & { perSecond: number }, flags: BenchFlags, terminal: Terminal): Promise<void> {
  const { delivery, receipt, stored } = tally
  const perSecond = Math.round(tally.perSecond)
  if (flags.json === true) {
    const figures = { perSecond, stored, delivery: percentiles(delivery), receipt: percentiles(receipt) }
    await terminal.data(toJson(figures))
    return
  }
  const row = (name: string, histogram: RecordableHistogram): string[] => [
    name,
    ...Object.entries(percentiles(histogram)).map(([share, us]) => `${share} ${showDuration(us / 1000)}`),
  ]
  await terminal.data(`${perSecond} messages/s, ${flags.clients} clients, bodies of ${flags.size} B`)
  for (const line of columns([row('until delivered', delivery), row('until receipted', receipt)]))
    await terminal.data(line)
  if (stored > 0) await terminal.data(`${stored} of them were stored first`)
}

/** µs */
function percentiles(histogram: RecordableHistogram): Record<'p50' | 'p99' | 'p99.9', number> {
  return { p50: histogram.percentile(50), p99: histogram.percentile(99), 'p99.9': histogram.percentile(99.9) }
}

/**
 * `npm run bench:messenger`: ackd as the server of a messenger, with many clients over TLS of which each says a little.
 *
 * Every client sends one message a second to a random other, so nearly every message is the first of its stream; with `--contacts`
 * each keeps to a few others. Messages are due by the clock and their latency counts from then. Every message has a number
 * of its own in its tag, so that what was lost or came twice is known exactly, not only as a difference of totals. The process
 * ends by itself: with 0 when every message was receipted and came once, with 1 otherwise.
 *
 * Clients and server have a process each, and each needs a descriptor for every connection.
 */
import { createHistogram } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { MOST_UNSETTLED, fail, leave, nanoseconds, open, pause, percentiles, since, type Percentiles } from './load.ts'
import { descriptors, machineName, pinSelf, serverPrefix } from './machine.ts'
import { Peer, type PeerEvents, type Stream } from './peer.ts'
import { transports, type Transport } from './pipe.ts'
import type { Server } from './server.ts'
import { Servers } from './servers.ts'
import { sendTemplate } from './wire.ts'

const BODY_BYTES = 128
/** Descriptors of either process that are not connections. */
const RESERVED = 200
/** Unsettled messages from one client to one other; a power of two. */
const RING = 8
/** ms; the protocol ends every message within 32 s. */
const GRACE_MS = 40_000

interface Load {
  readonly transport: Transport
  readonly clients: number
  readonly seconds: number
  /** How many others each client writes to. */
  readonly contacts: number
}

/** Bytes of the server's memory. */
interface Memory {
  readonly resident: number
  readonly anonymous: number
}

/** What happened to the messages, told by the tags: numbers from 0 in the order of sending. */
class Ledger {
  sent = 0
  delivered = 0
  stored = 0
  received = 0
  repeated = 0
  /** Were due while their client had too many unsettled, so they were never sent. */
  withheld = 0
  readonly delivery = createHistogram()
  readonly #due: Float64Array
  readonly #came: Uint8Array

  constructor(most: number) {
    this.#due = new Float64Array(most)
    this.#came = new Uint8Array(most)
  }

  send(due: number): number {
    this.#due[this.sent] = due
    return this.sent++
  }

  receive(tag: number): void {
    if (this.#came[tag] === 1) {
      this.repeated++
      return
    }
    this.#came[tag] = 1
    this.received++
    this.delivery.record(since(this.#due[tag]!))
  }

  /** Every message was receipted and has come. */
  get ended(): boolean {
    return this.received === this.sent && this.delivered + this.stored === this.sent
  }

  get whole(): boolean {
    return this.ended && this.repeated === 0
  }
}

/** The clients, who may be asked to send. */
class Crowd {
  readonly ledger: Ledger
  readonly #load: Load
  readonly #peers: Peer[] = []
  readonly #unsettled = new Map<Peer, number>()
  /** By client: the bytes of a message to it. */
  readonly #templates: Buffer[] = []
  /** How many clients further each contact is. */
  readonly #steps: readonly number[]

  constructor(load: Load) {
    this.#load = load
    this.ledger = new Ledger(load.clients * load.seconds)
    this.#steps = Array.from({ length: load.contacts }, () => 1 + below(load.clients - 1))
  }

  async connect(server: Server): Promise<void> {
    this.#peers.push(...(await open(server.address(this.#load.transport), this.#load.clients, this.#events)))
    for (const peer of this.#peers) {
      this.#unsettled.set(peer, 0)
      this.#templates.push(sendTemplate(peer.id, BODY_BYTES))
    }
  }

  /** Sends until the time is over, each client once a second at an instant of its own. */
  send(): Promise<void> {
    const { clients, seconds } = this.#load
    const start = nanoseconds()
    let turns = 0
    return new Promise(resolve => {
      const turn = (): void => {
        const due = Math.min(clients * seconds, Math.floor(((nanoseconds() - start) / 1e9) * clients))
        for (; turns < due; turns++) this.#sendOne(turns % clients, start + (turns / clients) * 1e9)
        if (turns < clients * seconds) setImmediate(turn)
        else resolve()
      }
      turn()
    })
  }

  get retries(): number {
    return this.#peers.reduce((total, peer) => total + peer.retries, 0)
  }

  leave(): Promise<void> {
    return leave(this.#peers)
  }

  #sendOne(from: number, due: number): void {
    const { clients, contacts } = this.#load
    const to = (from + (contacts > 0 ? this.#steps[below(contacts)]! : 1 + below(clients - 1))) % clients
    const peer = this.#peers[from]!
    const stream = this.#stream(peer, to)
    const unsettled = this.#unsettled.get(peer) ?? 0
    if (unsettled >= MOST_UNSETTLED || stream.unsettled >= RING) {
      this.ledger.withheld++
      return
    }
    this.#unsettled.set(peer, unsettled + 1)
    peer.send(stream, this.ledger.send(due))
    peer.flush()
  }

  #stream(peer: Peer, to: number): Stream {
    const target = this.#peers[to]!.id
    return peer.streams.get(target) ?? peer.stream(target, this.#templates[to]!, RING)
  }

  readonly #events: PeerEvents = {
    settled: (peer, _stream, from, to, stored) => {
      this.#unsettled.set(peer, (this.#unsettled.get(peer) ?? 0) - (to - from))
      if (stored) this.ledger.stored += to - from
      else this.ledger.delivered += to - from
    },
    received: (_peer, tag) => this.ledger.receive(tag),
    trouble: fail,
  }
}

function below(count: number): number {
  return Math.floor(Math.random() * count)
}

/** Looks once a second until told to stop, and keeps the most that it saw. */
function watch(server: Server): () => Memory {
  let most: Memory = memoryOf(server)
  const timer = setInterval(() => {
    const { resident, anonymous } = memoryOf(server)
    most = { resident: Math.max(most.resident, resident), anonymous: Math.max(most.anonymous, anonymous) }
  }, 1000)
  return () => {
    clearInterval(timer)
    return most
  }
}

function memoryOf(server: Server): Memory {
  return { resident: server.resident(), anonymous: server.memory() }
}

interface Result {
  readonly handshakes: { readonly perSecond: number; readonly cpu: number }
  readonly memory: { readonly empty: Memory; readonly connected: Memory; readonly most: Memory }
  /** ns of the server's CPU, and seconds, from the first message due until all had their end. */
  readonly cpu: number
  readonly seconds: number
  readonly retries: number
  readonly ledger: Ledger
}

async function measure(server: Server, load: Load): Promise<Result> {
  const crowd = new Crowd(load)
  const empty = memoryOf(server)
  const idle = { cpu: server.cpu(), at: nanoseconds() }
  await crowd.connect(server)
  const connecting = (nanoseconds() - idle.at) / 1e9
  const handshakes = {
    perSecond: load.clients / connecting,
    cpu: (server.cpu() - idle.cpu) / load.clients,
  }
  await pause(2000)
  const connected = memoryOf(server)
  const stopWatching = watch(server)
  const began = { cpu: server.cpu(), at: nanoseconds() }
  await crowd.send()
  for (const end = nanoseconds() + GRACE_MS * 1e6; !crowd.ledger.ended && nanoseconds() < end;) await pause(5)
  const cpu = server.cpu() - began.cpu
  const seconds = (nanoseconds() - began.at) / 1e9
  const most = stopWatching()
  await crowd.leave()
  return { handshakes, memory: { empty, connected, most }, cpu, seconds, retries: crowd.retries, ledger: crowd.ledger }
}

function page(load: Load, { handshakes, memory, cpu, seconds, retries, ledger }: Result): string {
  const { sent, delivered, stored, received, repeated, withheld } = ledger
  const mebibytes = ({ resident, anonymous }: Memory): string =>
    `${(resident / 2 ** 20).toFixed(0)} / ${(anonymous / 2 ** 20).toFixed(0)}`
  const each = (memory.connected.anonymous - memory.empty.anonymous) / load.clients / 1024
  const to = load.contacts > 0 ? `one of ${load.contacts} others` : 'a random other'
  const milliseconds = ({ p50, p99, p999 }: Percentiles): string =>
    [p50, p99, p999].map(us => (us / 1000).toFixed(2)).join(' / ')
  return `${machineName()}; ${load.clients} clients over ${load.transport}, each one message of ${BODY_BYTES} bytes a second to ${to}, for ${load.seconds} s.

| what | figure |
| --- | ---: |
| sent | ${sent} |
| receipted: delivered, stored | ${delivered + stored}: ${delivered}, ${stored} |
| received | ${received} |
| without a receipt; not received; received twice | ${sent - delivered - stored}; ${sent - received}; ${repeated} |
| withheld, because a client had too many unsettled; handed back | ${withheld}; ${retries} |
| delivery, ms from due: p50 / p99 / p99.9 | ${milliseconds(percentiles(ledger.delivery))} |
| server CPU of a message; share of a core | ${(cpu / 1000 / sent).toFixed(1)} µs; ${((cpu / seconds / 1e9) * 100).toFixed(0)} % |
| server memory, MiB resident / anonymous: empty | ${mebibytes(memory.empty)} |
| all connected (${each.toFixed(1)} KiB anonymous each) | ${mebibytes(memory.connected)} |
| most under load | ${mebibytes(memory.most)} |
| handshakes/s; server CPU of one | ${handshakes.perSecond.toFixed(0)}; ${(handshakes.cpu / 1000).toFixed(0)} µs |

${ledger.whole ? 'Nothing was lost.' : 'NOT WHOLE: see what is without a receipt, not received or received twice.'}
`
}

function readLoad(): Load {
  const { values } = parseArgs({
    options: {
      clients: { type: 'string', default: '10000' },
      seconds: { type: 'string', default: '60' },
      contacts: { type: 'string', default: '0' },
      transport: { type: 'string', default: 'tls' },
    },
  })
  const transport = transports.find(name => name === values.transport)
  if (transport === undefined) throw new RangeError(`--transport is one of ${transports.join(', ')}`)
  const asked = integer('--clients', values.clients, 2, 1_000_000)
  const clients = Math.min(asked, descriptors() - RESERVED)
  if (clients < asked) {
    process.stderr.write(
      `Only ${clients} of ${asked} clients: a process may open ${descriptors()} files here (ulimit -n), and needs one for each.\n`,
    )
  }
  return {
    transport,
    clients,
    seconds: integer('--seconds', values.seconds, 1, 3600),
    contacts: integer('--contacts', values.contacts, 0, 1000),
  }
}

function integer(name: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < min || value > max)
    throw new RangeError(`${name} is a whole number from ${min} to ${max}`)
  return value
}

const load = readLoad()
const servers = new Servers(serverPrefix())
pinSelf()
await servers.during(async () => {
  const result = await measure(await servers.start(), load)
  process.stdout.write(page(load, result))
  if (!result.ledger.whole) process.exitCode = 1
})

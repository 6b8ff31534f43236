/**
 * The loads that are measured, each against a server that runs already.
 *
 * One message is: sent, delivered, acked, receipted. Every client sends to its partner and receives from it. In the closed
 * loop a client keeps `window` messages unsettled; at a fixed rate the messages are due by the clock, and their latency counts
 * from when they were due, so that a server that stalls is not asked less.
 */
import { createHistogram } from 'node:perf_hooks'
import { Peer, type Credentials, type PeerEvents, type Stream } from './peer.ts'
import type { Address, Transport } from './pipe.ts'
import type { Server } from './server.ts'
import { sendTemplate } from './wire.ts'

export interface Throughput {
  readonly perSecond: number
  /** µs of the server's CPU per message. */
  readonly cpu: number
  readonly retries: number
}

export interface Latency {
  readonly perSecond: number
  readonly cpu: number
  /** µs, from due until it reached its recipient: p50, p99, p99.9. */
  readonly delivery: Percentiles
  /** µs, from due until its receipt. */
  readonly receipt: Percentiles
}

export interface Percentiles {
  readonly p50: number
  readonly p99: number
  readonly p999: number
}

interface Pair {
  readonly peer: Peer
  readonly stream: Stream
  partner: Pair | null
}

export const idle: PeerEvents = { settled: () => {}, received: () => {}, trouble: fail }

export function fail(text: string): never {
  throw new Error(`the measurement is not valid: ${text}`)
}

/** Connections that are being opened at the same time, as a load balancer would let them in. */
const AT_ONCE = 200

export async function open(
  address: Address,
  count: number,
  events: PeerEvents,
  known: readonly Credentials[] = [],
): Promise<Peer[]> {
  const peers: Peer[] = []
  let next = 0
  const openOn = async (): Promise<void> => {
    while (next < count) {
      const i = next++
      peers[i] = await Peer.open(address, events, known[i] ?? null)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, openOn))
  return peers
}

async function openPairs(address: Address, count: number, bytes: number, events: PeerEvents): Promise<Map<Peer, Pair>> {
  const peers = await open(address, count, events)
  const pairs = peers.map((peer, i) => pair(peer, peers[i ^ 1]!, bytes))
  for (const [i, own] of pairs.entries()) own.partner = pairs[i ^ 1]!
  return new Map(pairs.map(own => [own.peer, own]))
}

function pair(peer: Peer, partner: Peer, bytes: number): Pair {
  return { peer, stream: peer.stream(partner.id, sendTemplate(partner.id, bytes)), partner: null }
}

export async function leave(peers: Iterable<Peer>): Promise<void> {
  await Promise.all([...peers].map(peer => peer.leave()))
}

export interface ClosedLoop {
  readonly transport: Transport
  readonly clients: number
  readonly window: number
  readonly bytes: number
  readonly warmUpMs: number
  readonly forMs: number
}

/** As fast as it goes, with `window` unsettled messages per client. */
export async function closedLoop(server: Server, load: ClosedLoop): Promise<Throughput> {
  let running = true
  let settled = 0
  const pairs = await openPairs(server.address(load.transport), load.clients, load.bytes, {
    ...idle,
    settled(peer, stream, from, to) {
      settled += to - from
      if (!running) return
      while (stream.unsettled < load.window) peer.send(stream, 0)
    },
  })
  for (const { peer, stream } of pairs.values()) {
    for (let i = 0; i < load.window; i++) peer.send(stream, 0)
    peer.flush()
  }
  await pause(load.warmUpMs)
  const measured = await measure(server, load.forMs, () => settled)
  running = false
  await until(() => [...pairs.values()].every(({ stream }) => stream.unsettled === 0))
  await leave(pairs.keys())
  return { ...measured, retries: sum(pairs.keys(), peer => peer.retries) }
}

export interface FixedRate extends Omit<ClosedLoop, 'window'> {
  readonly perSecond: number
}

/** The room that is always there. */
const LOBBY = '#lobby'

/** Unsettled messages of one client at a fixed rate; the server allows 64. */
export const MOST_UNSETTLED = 64

export async function fixedRate(server: Server, load: FixedRate): Promise<Latency> {
  const delivery = createHistogram()
  const receipt = createHistogram()
  let recording = false
  let settled = 0
  const pairs = await openPairs(server.address(load.transport), load.clients, load.bytes, {
    ...idle,
    received(_peer, due) {
      if (recording) delivery.record(since(due))
    },
    settled(_peer, stream, from, to) {
      settled += to - from
      if (recording) for (let n = from + 1; n <= to; n++) receipt.record(since(stream.tagOf(n)))
    },
  })
  const stop = pace([...pairs.values()], load.perSecond)
  await pause(load.warmUpMs)
  recording = true
  const measured = await measure(server, load.forMs, () => settled)
  recording = false
  stop()
  await until(() => [...pairs.values()].every(({ stream }) => stream.unsettled === 0))
  await leave(pairs.keys())
  return { ...measured, delivery: percentiles(delivery), receipt: percentiles(receipt) }
}

/** Sends what is due, round and round; returns how to stop it. A client with a full window is passed over until it has room. */
function pace(pairs: readonly Pair[], perSecond: number): () => void {
  const start = nanoseconds()
  let sent = 0
  let running = true
  const turn = (): void => {
    if (!running) return
    const due = Math.floor(((nanoseconds() - start) / 1e9) * perSecond)
    for (let tried = 0; sent < due && tried < pairs.length; tried++) {
      const { peer, stream } = pairs[(sent + tried) % pairs.length]!
      if (stream.unsettled >= MOST_UNSETTLED) continue
      peer.send(stream, start + (sent / perSecond) * 1e9)
      peer.flush()
      sent++
      tried = -1
    }
    setImmediate(turn)
  }
  turn()
  return () => {
    running = false
  }
}

export interface Idle {
  readonly connections: number
  /** Bytes of the server's memory for each. */
  readonly bytes: number
  /** Handshakes, hello and welcome included. */
  readonly perSecond: number
  /** µs of the server's CPU for each of them, and for one of a client who was here before. */
  readonly cpu: number
  readonly back: number
}

/** Connections that are there before the first one counts: what the server needs once for all is not theirs. */
export const IDLE_BEFORE = 500

/** Crowds of connections that come and go before handshakes count: until their code is compiled as it will be. */
const CROWDS_BEFORE = 2

/** Memory first, of a server that has not had so many yet: what its heap has grown to, it keeps. */
export async function idleConnections(server: Server, transport: Transport, connections: number): Promise<Idle> {
  const address = server.address(transport)
  const first = await open(address, IDLE_BEFORE, idle)
  await pause(1000)
  const before = server.memory()
  let peers = await open(address, connections, idle)
  await pause(1000)
  const bytes = (server.memory() - before) / connections
  for (let crowd = 0; crowd < CROWDS_BEFORE; crowd++) {
    await leave(peers)
    peers = await open(address, connections, idle)
  }
  await leave(peers)
  const { perSecond, cpu } = await meter(server, async () => {
    peers = await open(address, connections, idle)
    return connections
  })
  const back = await comeBack(server, address, peers)
  await leave(first)
  return { connections, bytes: Math.round(bytes), perSecond, cpu, back }
}

/** They leave and come back, and once more, which counts. µs of the server's CPU for each. */
async function comeBack(server: Server, address: Address, crowd: readonly Peer[]): Promise<number> {
  const known = crowd.map(({ id, secret }) => ({ id, secret }))
  await leave(crowd)
  await leave(await open(address, known.length, idle, known))
  let peers: readonly Peer[] = []
  const { cpu } = await meter(server, async () => {
    peers = await open(address, known.length, idle, known)
    return known.length
  })
  await leave(peers)
  return cpu
}

export interface Parking {
  readonly park: Throughput
  readonly drain: Throughput
}

export interface ParkingLoad {
  readonly transport: Transport
  readonly recipients: number
  readonly messages: number
  readonly bytes: number
}

/** Rounds of parking and draining before one counts: until their code is compiled, which takes more than one. */
const PARKED_BEFORE = 3

/** Parks `messages` for absent recipients, then lets these come back and drain them; all of it a few times before it counts. */
export async function parkAndDrain(server: Server, load: ParkingLoad): Promise<Parking> {
  for (let i = 0; i < PARKED_BEFORE; i++) await parkAndDrainOnce(server, load)
  return parkAndDrainOnce(server, load)
}

async function parkAndDrainOnce(server: Server, load: ParkingLoad): Promise<Parking> {
  const address = server.address(load.transport)
  const recipients = await open(address, load.recipients, idle)
  const known = recipients.map(({ id, secret }) => ({ id, secret }))
  await leave(recipients)
  const senders = Math.min(100, load.recipients)
  const each = load.messages / load.recipients
  let parked = 0
  const rounds = new Map<Peer, Stream[]>()
  const peers = await open(address, senders, {
    ...idle,
    settled(peer, _stream, from, to) {
      parked += to - from
      fill(peer, rounds.get(peer) ?? [], each)
    },
  })
  for (const [i, peer] of peers.entries()) {
    const own = known.filter((_, k) => k % senders === i)
    rounds.set(
      peer,
      own.map(({ id }) => peer.stream(id, sendTemplate(id, load.bytes))),
    )
  }
  const park = await meter(server, async () => {
    for (const [peer, streams] of rounds) {
      fill(peer, streams, each)
      peer.flush()
    }
    await until(() => parked >= load.messages)
    return load.messages
  })
  const retries = sum(peers, peer => peer.retries)
  await leave(peers)
  let drained = 0
  const returning: Peer[] = []
  const drain = await meter(server, async () => {
    returning.push(...(await open(address, load.recipients, { ...idle, received: () => drained++ }, known)))
    await until(() => drained >= load.messages)
    return load.messages
  })
  await leave(returning)
  return { park: { ...park, retries }, drain: { ...drain, retries: 0 } }
}

/** Sends on the streams of one peer in turn, as far as the window of the connection allows. */
function fill(peer: Peer, streams: readonly Stream[], each: number): void {
  let unsettled = streams.reduce((total, stream) => total + stream.unsettled, 0)
  for (const stream of streams) {
    while (unsettled < MOST_UNSETTLED && stream.sent < each) {
      peer.send(stream, 0)
      unsettled++
    }
  }
}

export interface FanOut {
  readonly transport: Transport
  readonly members: number
  readonly bytes: number
  /** Messages that are on their way at once. */
  readonly ahead: number
  readonly warmUpMs: number
  readonly forMs: number
}

/** One publishes to a room, as fast as everybody in it is told. The figures are those of a delivery. */
export async function fanOut(server: Server, load: FanOut): Promise<Throughput> {
  let running = true
  let delivered = 0
  const peers = await open(server.address(load.transport), load.members, {
    ...idle,
    received: () => {
      delivered++
      // Not at once: this is the turn of another peer.
      if (running && delivered % load.members === 0) setImmediate(publish)
    },
  })
  for (const peer of peers) await peer.join(LOBBY)
  const publisher = peers[0]!
  const stream = publisher.stream(LOBBY, sendTemplate(LOBBY, load.bytes))
  const publish = (): void => {
    publisher.send(stream, 0)
    publisher.flush()
  }
  for (let i = 0; i < load.ahead; i++) publish()
  await pause(load.warmUpMs)
  const measured = await measure(server, load.forMs, () => delivered)
  running = false
  await until(() => stream.unsettled === 0 && delivered === stream.sent * load.members)
  await leave(peers)
  return { ...measured, retries: publisher.retries }
}

type Measured = Pick<Throughput, 'perSecond' | 'cpu'>

async function measure(server: Server, forMs: number, count: () => number): Promise<Measured> {
  const from = count()
  return meter(server, async () => {
    await pause(forMs)
    return count() - from
  })
}

async function meter(server: Server, work: () => Promise<number>): Promise<Measured> {
  const cpu = server.cpu()
  const start = nanoseconds()
  const messages = await work()
  const seconds = (nanoseconds() - start) / 1e9
  if (messages === 0) fail('no message got through')
  return { perSecond: Math.round(messages / seconds), cpu: (server.cpu() - cpu) / 1000 / messages }
}

function sum(peers: Iterable<Peer>, of: (peer: Peer) => number): number {
  return [...peers].reduce((total, peer) => total + of(peer), 0)
}

export function nanoseconds(): number {
  return performance.now() * 1e6
}

export function since(at: number): number {
  return Math.max(1, Math.round(nanoseconds() - at))
}

export function percentiles(histogram: ReturnType<typeof createHistogram>): Percentiles {
  const at = (share: number): number => Math.round(histogram.percentile(share) / 1000)
  return { p50: at(50), p99: at(99), p999: at(99.9) }
}

export function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}

/** Everything must have an end within the time that the protocol gives it. */
async function until(done: () => boolean): Promise<void> {
  const deadline = performance.now() + 60_000
  while (!done()) {
    if (performance.now() > deadline) fail('messages without an end after 60 s')
    await pause(5)
  }
}

/**
 * Damaged frames over real sockets, on all four transports and in both encodings: whatever the decoder says is no frame ends its connection with
 * `bad_frame`, nothing else does, and the process is in the end what it was, in memory and descriptors.
 *
 * A connection is used until it is closed. Behind each damaged frame something is asked, and the answer says that the frame did no harm.
 * `FUZZ_SEED` repeats a run; `FAULT_FRAMES` is how many frames there are, 20,000 by default and 2,000,000 in the long run.
 */
import { isUtf8 } from 'node:buffer'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import WebSocket from 'ws'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createClientFrameDecoder } from '../../src/protocol/codec.ts'
import { StreamDecoder } from '../../src/protocol/framing.ts'
import { start, type Running } from '../cli/process.ts'
import { exchange } from '../gateway/house.ts'
import { connectBySocket, Peer, type Heard } from '../gateway/peer.ts'
import { Damage } from '../protocol/damage.ts'
import { clientFrames } from '../protocol/golden.ts'
import { hex, record, utf8, type Call } from '../protocol/recorder.ts'
import { framed, openSocket } from '../transport/stream-client.ts'

const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000)
const total = Number(process.env['FAULT_FRAMES'] ?? (process.env['FAULT_LONG'] === undefined ? 20_000 : 2_000_000))
/** Of the frames: a handshake of TLS costs as much as many connections without one. */
const shares = { ws: 0.4, tcp: 0.4, wss: 0.1, tls: 0.1 } as const
type Transport = keyof typeof shares
const AT_ONCE = 8
/** Bytes that the process may have grown by: what its heap holds before the next collection. */
const GROWTH = 32 * 1024 * 1024

let folder: string
let server: Running
let places: Record<Transport | 'http', string>
let pid: number

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ackd-frames-'))
  const limits = [
    '--connect-rate',
    '1000000',
    '--connections-per-address',
    '100000',
    '--frame-rate',
    '1000000',
    '--replacement-rate',
    '1000000',
  ]
  const ports = ['--port', '0', '--wss-port', '0', '--store', 'memory', '--max-lag', '1m', '--log-level', 'error']
  server = start(['serve', ...ports, ...limits], { home: folder })
  const ready = JSON.parse(await server.line()) as typeof places & { pid: number }
  places = ready
  pid = ready.pid
})

afterAll(async () => {
  await server.kill('SIGKILL')
  rmSync(folder, { recursive: true })
})

/** Who comes back again and again: a new id each time would be kept for ninety days. */
class Tormentor {
  readonly #transport: Transport
  readonly #text: boolean
  #proof: { id?: string; secret?: string } = {}

  constructor(transport: Transport, text: boolean) {
    this.#transport = transport
    this.#text = text
  }

  /** Connects, and is welcomed. */
  async enter(): Promise<Peer> {
    const url = places[this.#transport]
    const isStream = this.#transport === 'tcp' || this.#transport === 'tls'
    const peer = await (isStream ? byStream(url, this.#text) : bySocket(url, this.#text))
    const { id, secret } = await peer.hello({ outbox: 'damagedbox', ...this.#proof })
    if (secret !== undefined) this.#proof = { id, secret }
    return peer
  }
}

async function bySocket(url: string, text: boolean): Promise<Peer> {
  const socket = new WebSocket(url, { rejectUnauthorized: false, perMessageDeflate: false })
  const peer = new Peer(
    text,
    (packet, isText) => socket.send(packet, { binary: !isText }),
    () => socket.terminate(),
  )
  socket.on('message', (bytes: Buffer, binary) => peer.receive(bytes, !binary))
  socket.on('close', (number, name) => {
    peer.ended = { number, name: name.toString() }
  })
  await new Promise((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  socket.on('error', () => {})
  return peer
}

async function byStream(url: string, text: boolean): Promise<Peer> {
  const socket = await openSocket(url)
  const peer = new Peer(
    text,
    (packet, isText) => void socket.write(framed(packet, isText)),
    () => socket.destroy(),
  )
  const broken = (reason: string): never => expect.unreachable(`the server wrote what is ${reason}`)
  const packets = new StreamDecoder({ packet: (bytes, isText) => peer.receive(bytes, isText), broken }, 8 * 1024 * 1024)
  socket.on('data', chunk => packets.push(chunk))
  socket.on('close', () => {
    peer.ended ??= { number: 0, name: '' }
  })
  return peer
}

let asked = 0

/** How the frame ended: `answered`, when what was asked behind it was, or by a close of that name, '' for a clean end. */
async function fate(peer: Peer, packet: Uint8Array): Promise<string> {
  const from = peer.heard.length
  const ref = `asked ${++asked}`
  peer.write(packet, peer.text)
  if (peer.ended === null) peer.say(frames => frames.presence(ref, []))
  const found = (): Heard | undefined =>
    peer.heard.slice(from).find(([name, about]) => name === 'close' || (name === 'reply' && about === ref))
  const end = performance.now() + 30_000
  while (performance.now() < end) {
    const heard = found()
    if (heard !== undefined) return heard[0] === 'reply' ? 'answered' : String(heard[1])
    if (peer.ended !== null) return ''
    await sleep(1)
  }
  return 'nothing'
}

/** Sends so many damaged frames, one after the other, over as many connections as that takes. */
async function torment(
  transport: Transport,
  text: boolean,
  count: number,
  damage: Damage,
): Promise<Record<string, number>> {
  const seeds = clientFrames.map(frame => (text ? utf8(frame.text) : hex(frame.binary)))
  const pick = (): Uint8Array => seeds[damage.random(seeds.length)] ?? new Uint8Array(0)
  const calls: Call[] = []
  const decoder = createClientFrameDecoder(record(calls))
  const counts: Record<string, number> = {}
  const tormentor = new Tormentor(transport, text)
  let peer: Peer | null = null
  for (let i = 0; i < count; i++) {
    const packet = damage.do(pick(), pick(), text)
    // To a stream a line break is the end of a packet, and an empty line is none.
    if (text && (packet.length === 0 || packet.includes(10) || packet.includes(13))) continue
    peer ??= await tormentor.enter()
    calls.length = 0
    const isFrame = decoder.decode(packet, 0, packet.length, text) === null
    const ending = await fate(peer, packet)
    if (ending !== 'answered') {
      peer.hangUp()
      peer = null
    }
    // A goodbye before the fault ends it cleanly; and WebSocket itself ends who sends as text what is none (RFC 6455, 8.1).
    const isClean = calls.some(([op]) => op === 'bye') || (text && !isUtf8(packet) && transport.startsWith('ws'))
    if (!rightEndings(isFrame, isClean).includes(ending))
      expect.unreachable(`${transport}: ${Buffer.from(packet).toString(text ? 'utf8' : 'hex')} ended as ${ending}`)
    counts[ending] = (counts[ending] ?? 0) + 1
  }
  peer?.hangUp()
  return counts
}

/** A frame may still be an ack of what was never sent or a second hello, a goodbye, or one send too many. */
function rightEndings(isFrame: boolean, isClean: boolean): readonly string[] {
  if (isFrame) return ['answered', 'bad_frame', '', 'flood']
  return isClean ? ['bad_frame', ''] : ['bad_frame']
}

const residentBytes = (): number => Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4_096
const descriptors = (): number => readdirSync(`/proc/${pid}/fd`).length
const metrics = async (): Promise<string> => (await fetch(`${places.http}/metrics`)).text()

/** Frames of every transport, `share` of all, in both encodings at once. */
async function round(share: number, damage: Damage): Promise<Record<string, number>> {
  const sums: Record<string, number> = {}
  const works = Object.entries(shares).flatMap(([transport, part]) =>
    Array.from({ length: AT_ONCE }, (_, i) =>
      torment(transport as Transport, i % 2 === 0, Math.ceil((total * share * part) / AT_ONCE), damage),
    ),
  )
  for (const counts of await Promise.all(works))
    for (const [name, count] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + count
  return sums
}

it(`${total} damaged frames over four transports do no harm (seed ${seed})`, async () => {
  const damage = new Damage(seed)
  const before = descriptors()
  // The first third warms it up.
  const first = await round(1 / 3, damage)
  const warm = residentBytes()
  const second = await round(2 / 3, damage)
  const grown = residentBytes() - warm
  console.info(
    `${total} damaged frames (seed ${seed}): ${JSON.stringify(first)} and ${JSON.stringify(second)}; ` +
      `${(warm / 2 ** 20).toFixed(0)} MiB after a third, ${(grown / 2 ** 20).toFixed(1)} MiB more at the end`,
  )
  expect((first['bad_frame'] ?? 0) + (second['bad_frame'] ?? 0)).toBeGreaterThan(total / 4)
  expect(grown).toBeLessThan(GROWTH)
  await expect.poll(descriptors, { timeout: 30_000 }).toBeLessThanOrEqual(before + 2)
  const counted = await metrics()
  expect(counted).toContain('ackd_exceptions_total 0')
  expect(counted).toContain('ackd_connections{transport="tls"} 0')
  await exchange(() => connectBySocket(places.ws))
}, 3_600_000)

/**
 * The load generator's end of a connection: packets over WebSocket, TCP or TLS, written and read by hand on sockets of node.
 *
 * What the three differ in is a table of functions, chosen once for a connection: how a socket is opened, what is said before
 * the first packet, and the few bytes at the head of each. A chunk that came is walked over where it lies, and only the part of a
 * packet at its end is copied. WebSocket frames are masked with a key of zeros, which is legal and costs nothing; certificates are
 * not looked at, because the server's is one that it made itself.
 */
import { randomBytes } from 'node:crypto'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, createSecureContext } from 'node:tls'

export const transports = ['ws', 'tcp', 'tls'] as const
export type Transport = (typeof transports)[number]

/** Where a client connects, and how packets lie on what it connects by. */
export interface Address {
  readonly wire: Wire
  readonly port: number
}

export interface PipeEvents {
  /** The first packet may be written. */
  ready(): void
  /** A packet came: the bytes from `start` to `end`, valid until this returns. */
  packet(bytes: Buffer, start: number, end: number): void
  /** Every packet of what was read at once has been given. */
  turnEnded(): void
  /** What must not happen in a measurement. */
  trouble(text: string): void
}

/** Where the head of a packet says that its bytes are. One for all, because it is read before the next is sought. */
export const found = { start: 0, end: 0, close: false }

/** What a protocol is carried by, and how its packets are told apart there. */
export interface Wire {
  readonly connect: (port: number) => Socket
  /** What is said before the first packet and answered with a 101; null: nothing. */
  readonly upgrade: ((port: number) => string) | null
  readonly headSize: (length: number) => number
  readonly writeHead: (out: Buffer, length: number) => void
  /** Sets `found` by the head at `at`; false: it is not whole. */
  readonly readHead: (bytes: Buffer, at: number) => boolean
}

const host = '127.0.0.1'

const webSocket: Wire = {
  connect: port => connectTcp({ port, host }),
  upgrade: port => upgradeRequest(port, '/ws', null),
  headSize: length => (length < 126 ? 6 : length < 65536 ? 8 : 14),
  writeHead(out, length) {
    out[0] = 0x82
    if (length < 126) {
      out[1] = 0x80 | length
      out.fill(0, 2, 6)
    } else if (length < 65536) {
      out[1] = 0x80 | 126
      out.writeUInt16BE(length, 2)
      out.fill(0, 4, 8)
    } else {
      out[1] = 0x80 | 127
      out.writeBigUInt64BE(BigInt(length), 2)
      out.fill(0, 10, 14)
    }
  },
  readHead(bytes, at) {
    const left = bytes.length - at
    if (left < 2) return false
    const short = bytes[at + 1]! & 0x7f
    const size = short < 126 ? 2 : short === 126 ? 4 : 10
    if (left < size) return false
    const length =
      short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2))
    found.start = at + size
    found.end = found.start + length
    found.close = (bytes[at]! & 0x0f) === 8
    return true
  },
}

/** WebSocket at another path than ackd's; with a subprotocol, or with messages of text. */
export function webSocketAt(path: string, protocol: string | null, text: boolean): Wire {
  return {
    ...webSocket,
    upgrade: port => upgradeRequest(port, path, protocol),
    writeHead(out, length) {
      webSocket.writeHead(out, length)
      if (text) out[0] = 0x81
    },
  }
}

function upgradeRequest(port: number, path: string, protocol: string | null): string {
  return (
    `GET ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    (protocol === null ? '' : `Sec-WebSocket-Protocol: ${protocol}\r\n`) +
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\nSec-WebSocket-Version: 13\r\n\r\n`
  )
}

const tcp: Wire = {
  connect: port => connectTcp({ port, host }),
  upgrade: null,
  headSize: () => 4,
  writeHead: (out, length) => void out.writeUInt32BE(length, 0),
  readHead(bytes, at) {
    if (bytes.length - at < 4) return false
    found.start = at + 4
    found.end = found.start + bytes.readUInt32BE(at)
    found.close = false
    return true
  },
}

/** One for all connections; each handshake is a whole one nevertheless, as of clients that never were here. */
const secureContext = createSecureContext()

const tls: Wire = {
  ...tcp,
  connect: port => connectTls({ port, host, servername: 'localhost', secureContext, rejectUnauthorized: false }),
}

export const wires: Readonly<Record<Transport, Wire>> = { ws: webSocket, tcp, tls }

/** A stream on which packets follow each other with nothing between them; `readHead` finds where each ends, and gives its head as well. */
export function stream(readHead: Wire['readHead']): Wire {
  return { connect: tcp.connect, upgrade: null, headSize: () => 0, writeHead: () => {}, readHead }
}

const nothing = Buffer.alloc(0)

export class Pipe {
  readonly #wire: Wire
  readonly #port: number
  readonly #events: PipeEvents
  readonly #socket: Socket
  #left: Buffer = nothing
  #ready = false
  #leaving = false
  #corked = false

  constructor({ wire, port }: Address, events: PipeEvents) {
    this.#wire = wire
    this.#port = port
    this.#events = events
    this.#socket = this.#wire.connect(port)
  }

  /** To be called once, when the owner is able to hear. */
  open(): void {
    const socket = this.#socket
    socket.once('connect', () => socket.setNoDelay(true))
    socket.on('data', (chunk: Buffer) => this.#data(chunk))
    socket.on('error', error => this.#trouble(`socket: ${error.message}`))
    socket.on('close', () => this.#trouble('the server closed a connection'))
    if (this.#wire.upgrade !== null) socket.write(this.#wire.upgrade(this.#port))
    else this.#getReady()
  }

  /** Writes one packet; the frames are copied. */
  write(frames: Buffer): void {
    const { length } = frames
    const size = this.#wire.headSize(length)
    const out = Buffer.allocUnsafe(size + length)
    this.#wire.writeHead(out, length)
    out.set(frames, size)
    this.#socket.write(out)
  }

  /** Until `uncork`, or for the time of the events of a turn, what is written waits, and then leaves in one go. */
  cork(): void {
    if (!this.#corked) this.#socket.cork()
    this.#corked = true
  }

  uncork(): void {
    if (this.#corked) this.#socket.uncork()
    this.#corked = false
  }

  /** Writes the last packet, or with null just ends; resolves when the connection is gone, which takes two seconds at most. */
  leave(frames: Buffer | null): Promise<void> {
    this.#leaving = true
    return new Promise(resolve => {
      this.#socket.once('close', () => resolve())
      if (frames === null) this.#socket.end()
      else this.write(frames)
      setTimeout(() => this.#socket.destroy(), 2000).unref()
    })
  }

  #data(chunk: Buffer): void {
    const bytes: Buffer = this.#left.length > 0 ? Buffer.concat([this.#left, chunk]) : chunk
    this.#left = nothing
    const start = this.#ready ? 0 : this.#upgraded(bytes)
    const end = this.#ready ? this.#packets(bytes, start) : start
    if (end < bytes.length) this.#left = Buffer.from(bytes.subarray(end))
    if (this.#ready) this.#events.turnEnded()
  }

  /** The end of the server's answer to the upgrade; 0 when that is not whole. */
  #upgraded(bytes: Buffer): number {
    const end = bytes.indexOf('\r\n\r\n')
    if (end === -1) return 0
    if (!bytes.toString('latin1', 0, 12).endsWith(' 101')) this.#trouble('the server refused the upgrade')
    this.#getReady()
    return end + 4
  }

  /** Gives all whole packets; returns where the part of one at the end begins. */
  #packets(bytes: Buffer, from: number): number {
    let at = from
    while (this.#wire.readHead(bytes, at)) {
      const { start, end, close } = found
      if (end > bytes.length) break
      if (close) this.#trouble(`a close: ${bytes.toString('latin1', start, end)}`)
      else this.#events.packet(bytes, start, end)
      at = end
    }
    return at
  }

  #getReady(): void {
    this.#ready = true
    this.#events.ready()
  }

  #trouble(text: string): void {
    if (!this.#leaving) this.#events.trouble(text)
  }
}

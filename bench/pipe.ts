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

export interface Address {
  readonly transport: Transport
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
const found = { start: 0, end: 0, close: false }

interface Wire {
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
  upgrade: port =>
    `GET /ws HTTP/1.1\r\nHost: ${host}:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
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

const wires: Readonly<Record<Transport, Wire>> = { ws: webSocket, tcp, tls }

const nothing = Buffer.alloc(0)

export class Pipe {
  readonly #wire: Wire
  readonly #port: number
  readonly #events: PipeEvents
  readonly #socket: Socket
  #left: Buffer = nothing
  #ready = false
  #leaving = false

  constructor({ transport, port }: Address, events: PipeEvents) {
    this.#wire = wires[transport]
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

  /** Writes the last packet; resolves when the connection is gone, which takes two seconds at most. */
  leave(frames: Buffer): Promise<void> {
    this.#leaving = true
    return new Promise(resolve => {
      this.#socket.once('close', () => resolve())
      this.write(frames)
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

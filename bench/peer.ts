/**
 * One client of the load generator: a WebSocket and the protocol on it, with nothing that a measurement does not need.
 *
 * What a turn produces (acks, new sends) is gathered in one buffer that all peers share, because a peer always finishes its
 * turn before the next one begins, and leaves as one WebSocket message: that is how the client library behaves too.
 * Frames are masked with a key of zeros, which is legal and costs nothing.
 */
import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { Reader, bye, hello, pong, sendTemplate, writeAck, writeSend } from './wire.ts'

/** Sends of one stream that may be on their way. A power of two, above every window that is measured. */
const RING = 1024

const scratch = Buffer.allocUnsafeSlow(4 * 1024 * 1024)
const reader = new Reader()
const nothing = Buffer.alloc(0)

/** The numbered messages from a peer to one target. */
export class Stream {
  readonly target: string
  readonly template: Buffer
  sent = 0
  settled = 0
  /** When message n was sent, at n modulo the ring; ns. */
  readonly sentAt = new Float64Array(RING)

  constructor(target: string, bodyBytes: number) {
    this.target = target
    this.template = sendTemplate(target, bodyBytes)
  }

  sentAtOf(n: number): number {
    return this.sentAt[n & (RING - 1)]!
  }
}

export interface PeerEvents {
  /** Messages of a stream were settled by a receipt, those after `from` up to `to`. Sends made here leave with this turn. */
  settled(peer: Peer, stream: Stream, from: number, to: number, stored: boolean): void
  /** A message came; its ack leaves with this turn. */
  received(peer: Peer, n: number): void
  /** What must not happen in a measurement. */
  trouble(text: string): void
}

export interface Credentials {
  readonly id: string
  readonly secret: string
}

export class Peer {
  id = ''
  secret = ''
  retries = 0
  readonly outbox: string = randomBytes(9).toString('base64url')
  readonly streams = new Map<string, Stream>()
  readonly #events: PeerEvents
  readonly #socket: Socket
  readonly #known: Credentials | null
  #left: Buffer = nothing
  #upgraded = false
  #leaving = false
  #end = 0
  #seq = 0
  #welcome: () => void = () => {}

  private constructor(port: number, events: PeerEvents, known: Credentials | null) {
    this.#events = events
    this.#known = known
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.#socket.on('data', chunk => this.#data(chunk))
    this.#socket.on('error', error => events.trouble(`socket: ${error.message}`))
    this.#socket.on('close', () => {
      if (!this.#leaving) events.trouble('the server closed a connection')
    })
    this.#socket.write(
      `GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    )
  }

  /** Resolves once the server has said welcome. */
  static open(port: number, events: PeerEvents, known: Credentials | null = null): Promise<Peer> {
    return new Promise(resolve => {
      const peer = new Peer(port, events, known)
      peer.#welcome = () => resolve(peer)
    })
  }

  stream(target: string, bodyBytes: number): Stream {
    const stream = new Stream(target, bodyBytes)
    this.streams.set(target, stream)
    return stream
  }

  /** Adds one message to this turn. `at` is the time it counts from. */
  send(stream: Stream, at: number): void {
    const n = ++stream.sent
    stream.sentAt[n & (RING - 1)] = at
    this.#end = writeSend(scratch, this.#end, stream.template, n, Math.min(n, stream.settled + 1))
  }

  /** Ends the turn: what was added leaves as one packet. */
  flush(): void {
    if (this.#end === 0) return
    this.#socket.write(packet(scratch.subarray(0, this.#end)))
    this.#end = 0
  }

  /** Leaves politely; resolves when the connection is gone. */
  leave(): Promise<void> {
    this.#leaving = true
    return new Promise(resolve => {
      this.#socket.once('close', () => resolve())
      this.#socket.write(packet(bye))
      setTimeout(() => this.#socket.destroy(), 2000).unref()
    })
  }

  #data(chunk: Buffer): void {
    let bytes: Buffer = this.#left.length > 0 ? Buffer.concat([this.#left, chunk]) : chunk
    this.#left = nothing
    if (!this.#upgraded) {
      const end = bytes.indexOf('\r\n\r\n')
      if (end === -1) {
        this.#left = bytes
        return
      }
      if (!bytes.toString('latin1', 0, 12).endsWith(' 101')) this.#events.trouble('the server refused the upgrade')
      this.#upgraded = true
      this.#socket.write(packet(hello({ ...this.#known, outbox: this.outbox })))
      bytes = bytes.subarray(end + 4)
    }
    this.#packets(bytes)
    if (this.#seq > 0) {
      this.#end = writeAck(scratch, this.#end, this.#seq)
      this.#seq = 0
    }
    this.flush()
  }

  /** Walks over the WebSocket messages of a chunk and keeps the part of one at its end. */
  #packets(bytes: Buffer): void {
    let at = 0
    while (bytes.length - at >= 2) {
      const short = bytes[at + 1]! & 0x7f
      const head = short < 126 ? 2 : short === 126 ? 4 : 10
      if (bytes.length - at < head) break
      const length =
        short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2))
      const end = at + head + length
      if (end > bytes.length) break
      const kind = bytes[at]! & 0x0f
      if (kind === 2) this.#frames(bytes, at + head, end)
      else if (kind === 8 && !this.#leaving)
        this.#events.trouble(`a close: ${bytes.toString('latin1', at + head, end)}`)
      at = end
    }
    if (at < bytes.length) this.#left = Buffer.from(bytes.subarray(at))
  }

  #frames(bytes: Buffer, start: number, end: number): void {
    reader.bytes = bytes
    reader.at = start
    while (reader.at < end) this.#frame()
  }

  #frame(): void {
    const count = reader.count()
    const op = reader.at
    switch (reader.initial()) {
      case 0x6d: // message
        this.#seq = reader.integer()
        reader.skip()
        reader.skip()
        this.#events.received(this, reader.integer())
        skip(count - 5)
        return
      case 0x72: // receipt
        this.#receipt(count)
        return
      case 0x70: // ping
        this.#socket.write(packet(pong))
        return
      case 0x77: // welcome
        this.#welcomed()
        return
      default:
        reader.at = op
        this.#events.trouble(`an unexpected frame: ${reader.string()}${told(count - 1)}`)
    }
  }

  #receipt(count: number): void {
    const kind = reader.string()
    const stream = this.streams.get(reader.string())
    const n = reader.integer()
    if (stream === undefined) {
      this.#events.trouble('a receipt of an unknown stream')
    } else if (kind === 'delivered' || kind === 'stored') {
      const from = stream.settled
      if (n > from) {
        stream.settled = n
        this.#events.settled(this, stream, from, n, kind === 'stored')
      }
    } else if (kind === 'retry') {
      reader.skip()
      const afterMs = reader.integer()
      setTimeout(() => this.#goBack(stream, n), afterMs)
      return
    } else {
      this.#events.trouble(`a receipt that ends a message: ${kind}`)
    }
    skip(count - 4)
  }

  /** Sends from n again, what was already sent after it too. */
  #goBack(stream: Stream, n: number): void {
    this.retries++
    const upTo = stream.sent
    stream.sent = Math.max(n, stream.settled + 1) - 1
    while (stream.sent < upTo) this.send(stream, stream.sentAtOf(stream.sent + 1))
    this.flush()
  }

  #welcomed(): void {
    for (let left = reader.count(); left > 0; left--) {
      const key = reader.string()
      if (key === 'id') this.id = reader.string()
      else if (key === 'secret') this.secret = reader.string()
      else reader.skip()
    }
    this.#welcome()
  }
}

function skip(count: number): void {
  for (let i = 0; i < count; i++) reader.skip()
}

/** The strings of a frame that was not expected: a close or an error says there what is wrong. */
function told(count: number): string {
  let words = ''
  for (let i = 0; i < count; i++) {
    const head = reader.bytes[reader.at]!
    if ((head >= 0xa0 && head < 0xc0) || head === 0xd9) words += ` ${reader.string()}`
    else reader.skip()
  }
  return words
}

function packet(frames: Buffer): Buffer {
  const { length } = frames
  const head = length < 126 ? 6 : length < 65536 ? 8 : 14
  const out = Buffer.allocUnsafe(head + length)
  out[0] = 0x82
  if (head === 6) {
    out[1] = 0x80 | length
  } else if (head === 8) {
    out[1] = 0x80 | 126
    out.writeUInt16BE(length, 2)
  } else {
    out[1] = 0x80 | 127
    out.writeBigUInt64BE(BigInt(length), 2)
  }
  out.fill(0, head - 4, head)
  out.set(frames, head)
  return out
}

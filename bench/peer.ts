/**
 * One client of the load generator: the protocol on a pipe, with nothing that a measurement does not need.
 *
 * What a turn produces (acks, new sends) is gathered in one buffer that all peers share, because a peer always finishes its
 * turn before the next one begins, and leaves as one packet in one write: that is how the client library behaves too.
 */
import { randomBytes } from 'node:crypto'
import { Pipe, type Address, type PipeEvents } from './pipe.ts'
import { Reader, bye, hello, join, pong, writeAck, writeSend } from './wire.ts'

/** Sends of one stream that may be on their way, above every window that is measured. */
const RING = 1024

const scratch = Buffer.allocUnsafeSlow(4 * 1024 * 1024)
const reader = new Reader()

/** The numbered messages from a peer to one target. */
export class Stream {
  readonly target: string
  readonly template: Buffer
  sent = 0
  settled = 0
  readonly #tags: Float64Array

  /** `ring`, a power of two: how many may be unsettled. */
  constructor(target: string, template: Buffer, ring: number) {
    this.target = target
    this.template = template
    this.#tags = new Float64Array(ring)
  }

  get unsettled(): number {
    return this.sent - this.settled
  }

  /** Numbers the next message and keeps its tag. */
  next(tag: number): number {
    const n = ++this.sent
    this.#tags[n & (this.#tags.length - 1)] = tag
    return n
  }

  /** The tag of an unsettled message, or of one that was just settled. */
  tagOf(n: number): number {
    return this.#tags[n & (this.#tags.length - 1)]!
  }
}

export interface PeerEvents {
  /** Messages of a stream were settled by a receipt, those after `from` up to `to`. Sends made here leave with this turn. */
  settled(peer: Peer, stream: Stream, from: number, to: number, stored: boolean): void
  /** A message came, with the tag that it was sent with; its ack leaves with this turn. */
  received(peer: Peer, tag: number): void
  /** What must not happen in a measurement. */
  trouble(text: string): void
}

export interface Credentials {
  readonly id: string
  readonly secret: string
}

export class Peer implements PipeEvents {
  id = ''
  secret = ''
  retries = 0
  readonly outbox: string = randomBytes(9).toString('base64url')
  readonly streams = new Map<string, Stream>()
  readonly #events: PeerEvents
  readonly #pipe: Pipe
  readonly #known: Credentials | null
  #end = 0
  #seq = 0
  #welcome: () => void = () => {}
  #joined: () => void = () => {}

  private constructor(address: Address, events: PeerEvents, known: Credentials | null) {
    this.#events = events
    this.#known = known
    this.#pipe = new Pipe(address, this)
  }

  /** Resolves once the server has said welcome. */
  static open(address: Address, events: PeerEvents, known: Credentials | null = null): Promise<Peer> {
    return new Promise(resolve => {
      const peer = new Peer(address, events, known)
      peer.#welcome = () => resolve(peer)
      peer.#pipe.open()
    })
  }

  /** Begins a stream. Templates of one target may be shared; `ring`, a power of two: how many messages may be unsettled. */
  stream(target: string, template: Buffer, ring = RING): Stream {
    const stream = new Stream(target, template, ring)
    this.streams.set(target, stream)
    return stream
  }

  /** Adds one message to this turn. The tag is told when it arrives and kept until it is settled. */
  send(stream: Stream, tag: number): void {
    const n = stream.next(tag)
    this.#end = writeSend(scratch, this.#end, stream.template, n, Math.min(n, stream.settled + 1), tag)
  }

  /** Ends the turn: what was added leaves as one packet. */
  flush(): void {
    if (this.#end === 0) return
    this.#pipe.write(scratch.subarray(0, this.#end))
    this.#end = 0
  }

  /** Enters a room. What comes in it is told as received, and needs no ack. */
  join(room: string): Promise<void> {
    return new Promise(resolve => {
      this.#joined = resolve
      this.#pipe.write(join(room))
    })
  }

  /** Leaves politely; resolves when the connection is gone. */
  leave(): Promise<void> {
    return this.#pipe.leave(bye)
  }

  // ── for the pipe ────────────────────────────────────────────────────────────────────────────────────────────────────────────

  ready(): void {
    this.#pipe.write(hello({ ...this.#known, outbox: this.outbox }))
  }

  packet(bytes: Buffer, start: number, end: number): void {
    reader.bytes = bytes
    reader.at = start
    while (reader.at < end) this.#frame()
  }

  turnEnded(): void {
    if (this.#seq > 0) {
      this.#end = writeAck(scratch, this.#end, this.#seq)
      this.#seq = 0
    }
    this.flush()
  }

  trouble(text: string): void {
    this.#events.trouble(text)
  }

  // ── inside ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  #frame(): void {
    const count = reader.count()
    const op = reader.at
    switch (reader.initial()) {
      case 0x6d: // message, members
        if (reader.bytes[op + 3] === 0x6d) return skip(count - 1)
        this.#seq = reader.integer()
        skip(count - 2)
        this.#events.received(this, reader.tag())
        return
      case 0x72: // receipt, room, reply
        if (reader.at - op === 8) return this.#receipt(count)
        skip(count - 1)
        if (reader.bytes[op + 2] === 0x65) this.#joined()
        else this.#events.received(this, reader.tag())
        return
      case 0x70: // ping
        this.#pipe.write(pong)
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
    while (stream.sent < upTo) this.send(stream, stream.tagOf(stream.sent + 1))
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

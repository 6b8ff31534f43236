/**
 * The other end of a client's sockets, played by hand: real frames, no network. Every connection is noted, and answers when told to.
 */
import { createClientFrameDecoder, createServerFrameEncoder } from '../../src/protocol/codec.ts'
import type { ClientFrames, HelloOptions, JoinOptions, Ref, ServerFrames } from '../../src/protocol/frames.ts'
import type { ErrorCode } from '../../src/protocol/errors.ts'
import type { OpenSocket, SocketEvents } from '../../src/client/sockets.ts'

export class Peer {
  readonly hellos: HelloOptions[] = []
  /** Frames that came, by name, with what matters of them. */
  readonly heard: string[] = []
  /** Refs of questions about rooms, and of tokens, in order, and the options of joins. */
  readonly refs: Ref[] = []
  readonly joins: JoinOptions[] = []
  closed = false
  readonly #events: SocketEvents
  readonly #encoder = createServerFrameEncoder(false)
  readonly #decoder = createClientFrameDecoder(this.#frames())

  constructor(events: SocketEvents) {
    this.#events = events
  }

  open(): void {
    this.#events.opened()
  }

  take(packet: Uint8Array): void {
    const bytes = packet.slice()
    const fault = this.#decoder.decode(bytes, 0, bytes.length, false)
    if (fault !== null) throw new Error(fault)
  }

  say(what: (frames: ServerFrames) => void): void {
    what(this.#encoder)
    this.#encoder.flush(packet => {
      this.#events.packet(packet.slice(), false)
      return true
    })
  }

  write(text: string): void {
    this.#events.packet(new TextEncoder().encode(text), true)
  }

  garble(): void {
    this.#events.packet(new Uint8Array([0xc1]), false)
  }

  welcome(options: { readonly id?: string; readonly secret?: string; readonly resumed?: boolean } = {}): void {
    const { id = 'me', resumed = false, secret } = options
    this.say(frames =>
      frames.welcome({
        v: 1,
        id,
        ...(secret !== undefined && { secret }),
        resumed,
        expires: 0,
        parked: 0,
        outbox: 'outbox-a',
        window: 16,
        sendWindow: { messages: 16, bytes: 65_536 },
        maxPacket: 65_536,
        pingInterval: 15_000,
        ackTimeout: 30_000,
        time: 0,
        node: 'n',
      }),
    )
  }

  drop(number = 1006, name = ''): void {
    this.#events.closed(number, name)
  }

  /** Answers the oldest of these questions. */
  answer(value: unknown): void {
    const ref = this.refs.shift() ?? 0
    this.say(frames => frames.reply(ref, value))
  }

  refuse(code: ErrorCode): void {
    const ref = this.refs.shift() ?? 0
    this.say(frames => frames.error(ref, code, 'no'))
  }

  #asked(ref: Ref, what: string): void {
    this.refs.push(ref)
    this.heard.push(what)
  }

  #frames(): ClientFrames {
    const { heard } = this
    return {
      hello: options => void this.hellos.push(options),
      send: (n, _floor, target) => heard.push(`send ${target} ${n}`),
      ack: seq => heard.push(`ack ${seq}`),
      nack: (seq, reason) => heard.push(`nack ${seq} ${reason}`),
      sync: (_, target) => heard.push(`sync ${target}`),
      signal: target => heard.push(`signal ${target}`),
      presence: (ref, ids) => {
        heard.push(`presence ${ids.length}`)
        this.say(frames => frames.reply(ref, Object.fromEntries(ids.map(id => [id, true]))))
      },
      rotate: ref => {
        heard.push('rotate')
        this.say(frames => frames.error(ref, 'forbidden', 'not you'))
      },
      join: (ref, room, options) => {
        this.joins.push(options)
        this.#asked(ref, `join ${room}`)
      },
      leave: (ref, room) => this.#asked(ref, `leave ${room}`),
      create: (ref, room) => this.#asked(ref, `create ${room}`),
      delete: (ref, room) => this.#asked(ref, `delete ${room}`),
      rooms: ref => this.#asked(ref, 'rooms'),
      members: (ref, room) => this.#asked(ref, `members ${room}`),
      history: (ref, room, { after }) => this.#asked(ref, `history ${room} after ${after}`),
      token: (ref, token) => this.#asked(ref, `token ${token}`),
      ping: () => heard.push('ping'),
      pong: () => heard.push('pong'),
      bye: () => heard.push('bye'),
      unknown: op => heard.push(op),
    }
  }
}

export class Network {
  readonly peers: Peer[] = []

  readonly openSocket: OpenSocket = (_, events) => {
    const peer = new Peer(events)
    this.peers.push(peer)
    return { send: packet => peer.take(packet), close: () => (peer.closed = true) }
  }

  get last(): Peer {
    const peer = this.peers.at(-1)
    if (!peer) throw new Error('nobody has connected')
    return peer
  }
}

/**
 * A client for tests, as bare as the protocol allows: says frames, keeps what it hears, and waits for a frame by name. It acks
 * nothing by itself. It speaks through a pipe in memory or through a WebSocket.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import WebSocket from 'ws'
import { createClientFrameEncoder, createServerFrameDecoder, type PacketOutput } from '../../src/protocol/codec.ts'
import type { Body, ClientFrames, ServerFrames, WelcomeOptions } from '../../src/protocol/frames.ts'
import { decodeBody, encodeBody } from '../../src/protocol/values.ts'
import { connectMemory, type MemoryLink } from '../../src/transport/memory.ts'
import type { Accept } from '../../src/transport/transport.ts'

/** A frame of the server: its name, then its arguments as they were given to the method, bodies decoded. */
export type Heard = readonly [name: keyof ServerFrames, ...args: unknown[]]

export interface Ended {
  readonly number: number
  readonly name: string
}

/** A longer wait than anything here should need. */
const PATIENCE_MS = 10_000

export class Peer {
  readonly text: boolean
  readonly heard: Heard[] = []
  ended: Ended | null = null
  readonly #encoder: ClientFrames & PacketOutput
  readonly #decoder
  readonly #write: (packet: Uint8Array, text: boolean) => void
  readonly #hangUp: () => void
  #read = 0

  constructor(text: boolean, write: (packet: Uint8Array, text: boolean) => void, hangUp: () => void) {
    this.text = text
    this.#encoder = createClientFrameEncoder(text)
    this.#decoder = createServerFrameDecoder(this.#listener())
    this.#write = write
    this.#hangUp = hangUp
  }

  /** Says frames, all in one packet if the encoding allows it. */
  say(speak: (frames: ClientFrames) => void): void {
    speak(this.#encoder)
    this.#encoder.flush((packet, text) => {
      this.#write(packet, text)
      return true
    })
  }

  /** Writes bytes that need not be a frame. */
  write(bytes: Uint8Array, text: boolean): void {
    this.#write(bytes, text)
  }

  body(value: unknown): Body {
    return encodeBody(value, this.text)
  }

  async hello(
    options: { id?: string; secret?: string; outbox?: string; attempt?: number; window?: number } = {},
  ): Promise<WelcomeOptions> {
    this.say(frames => frames.hello({ v: 1, ...options }))
    const [, welcome] = await this.next('welcome')
    return welcome as WelcomeOptions
  }

  /** The next frame of this name; those before it are passed over. Rejects with what was heard instead. */
  async next(name: keyof ServerFrames): Promise<Heard> {
    const end = performance.now() + PATIENCE_MS
    for (;;) {
      while (this.#read < this.heard.length) {
        const frame = this.heard[this.#read++]
        if (frame?.[0] === name) return frame
      }
      if (this.ended !== null)
        throw new Error(`ended as ${this.ended.name} before ${name}: ${JSON.stringify(this.heard)}`)
      if (performance.now() > end) throw new Error(`no ${name}, but ${JSON.stringify(this.heard)}`)
      await sleep(2)
    }
  }

  async end(): Promise<Ended> {
    const end = performance.now() + PATIENCE_MS
    while (this.ended === null) {
      if (performance.now() > end) throw new Error(`not ended; heard ${JSON.stringify(this.heard)}`)
      await sleep(2)
    }
    return this.ended
  }

  hangUp(): void {
    this.#hangUp()
  }

  receive(bytes: Uint8Array, text: boolean): void {
    const reason = this.#decoder.decode(bytes.slice(), 0, bytes.length, text)
    if (reason !== null) throw new Error(`the server wrote a bad packet: ${reason}`)
  }

  #listener(): ServerFrames {
    const note = (...frame: Heard): void => void this.heard.push(frame)
    return {
      welcome: options => note('welcome', options),
      message: (seq, from, outbox, n, time, flags, body) =>
        note('message', seq, from, outbox, n, time, flags, decodeBody(body)),
      void: (...args) => note('void', ...args),
      delivered: (...args) => note('delivered', ...args),
      stored: (...args) => note('stored', ...args),
      ended: (...args) => note('ended', ...args),
      failed: (...args) => note('failed', ...args),
      retry: (...args) => note('retry', ...args),
      room: (room, offset, from, outbox, n, time, body) =>
        note('room', room, offset, from, outbox, n, time, decodeBody(body)),
      members: (...args) => note('members', ...args),
      signal: (from, target, body) => note('signal', from, target, decodeBody(body)),
      reply: (...args) => note('reply', ...args),
      error: (...args) => note('error', ...args),
      close: (...args) => note('close', ...args),
      ping: () => note('ping'),
      pong: () => note('pong'),
      unknown: op => note('unknown', op),
    }
  }
}

export interface MemoryPeer extends Peer {
  readonly link: MemoryLink
}

/** A client that is connected through memory. */
export function connectInMemory(
  accept: Accept,
  text = false,
  address = '127.0.0.1',
  maxBuffered?: number,
): Peer & { link: MemoryLink } {
  const events = {
    packet: (bytes: Uint8Array, isText: boolean) => peer.receive(bytes, isText),
    broken: () => {},
    closed: () => {
      peer.ended = link.client.endedBy ?? { number: 1006, name: '' }
    },
  }
  const peer: Peer = new Peer(
    text,
    (packet, isText) => link.client.write(packet, isText),
    () => link.client.destroy(),
  )
  const link = connectMemory(accept, events, address, maxBuffered)
  return Object.assign(peer, { link })
}

/** A client that is connected through a WebSocket. */
export async function connectBySocket(
  url: string,
  text = false,
  headers: Readonly<Record<string, string>> = {},
): Promise<Peer & { socket: WebSocket }> {
  const socket = new WebSocket(url, { headers })
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
  return Object.assign(peer, { socket })
}

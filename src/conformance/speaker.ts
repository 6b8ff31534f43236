/**
 * A client that says exactly what it is told to, right or wrong, and keeps what it hears.
 *
 * Frames are said as plain arrays, so that a check reads like the protocol page and can say what no client library would. What the server
 * says is read by the decoder of the client library, which lets nothing pass that is not a frame.
 */
import { createServerFrameDecoder, type PacketDecoder } from '../protocol/codec.ts'
import type { ServerFrames } from '../protocol/frames.ts'
import { decodeBody, encodeBody } from '../protocol/values.ts'

/** A connection of any transport that carries packets. */
export interface Wire {
  send(packet: Uint8Array, text: boolean): void
  close(): void
}

export interface WireEvents {
  opened(): void
  packet(bytes: Uint8Array, text: boolean): void
  /** `number` and `name` are those of a WebSocket close; `why` says what nobody closed ended of. */
  closed(number: number, name: string, why?: string): void
}

export type OpenWire = (events: WireEvents) => Wire

/** A frame as it stands on the page: its op, then its elements, bodies as values. */
export type Frame = readonly [op: string, ...elements: unknown[]]

/** The server does not do what the protocol says. */
export class Violation extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'Violation'
  }
}

/** How long a frame may take to come, ms; slowed-down answers to wrong secrets are the latest. */
const PATIENCE_MS = 15_000
/** What a violation shows of the frames that came instead. */
const SHOWN = 400

interface Waiter {
  look(): boolean
  fail(reason: string): void
}

export class Speaker {
  readonly text: boolean
  /** How the connection ended; null while it has not. */
  ended: { readonly number: number; readonly name: string } | null = null
  readonly #wire: Wire
  readonly #decoder: PacketDecoder
  readonly #heard: Frame[] = []
  readonly #waiters = new Set<Waiter>()
  #read = 0
  /** The encoding is known. */
  #said = false
  /** What the server said that can never be right. */
  #fault: string | null = null

  private constructor(openWire: OpenWire, text: boolean, opened: () => void, failed: (error: Error) => void) {
    this.text = text
    this.#decoder = createServerFrameDecoder(this.#listener())
    this.#wire = openWire({
      opened,
      packet: (bytes, isText) => this.#packet(bytes, isText),
      closed: (number, name, why) => {
        failed(new Violation(why ?? 'the connection could not be made'))
        this.ended = { number, name }
        this.#look()
      },
    })
  }

  static open(openWire: OpenWire, text: boolean): Promise<Speaker> {
    return new Promise((resolve, reject) => {
      const speaker: Speaker = new Speaker(openWire, text, () => resolve(speaker), reject)
    })
  }

  /** Says frames: in one packet where the encoding allows it. */
  say(...frames: readonly (readonly unknown[])[]): void {
    this.#said = true
    const packets = frames.map(frame => encodeBody(frame, this.text).bytes)
    if (this.text) for (const packet of packets) this.#wire.send(packet, true)
    else this.#wire.send(joined(packets), false)
  }

  /** Sends a packet that need not be one. */
  bytes(packet: Uint8Array, text = this.text): void {
    this.#wire.send(packet, text)
  }

  /** The next frame that begins like this; those before it are passed over. */
  hear(...beginning: Frame): Promise<Frame> {
    return this.#wait(`["${beginning.join('", "')}" …]`, () => {
      while (this.#read < this.#heard.length) {
        const frame = this.#heard[this.#read++]
        if (frame !== undefined && beginning.every((word, i) => frame[i] === word)) return frame
      }
      return null
    })
  }

  /** Whether a frame with this op came that was not passed over yet. */
  hasHeard(op: string): boolean {
    return this.#heard.slice(this.#read).some(frame => frame[0] === op)
  }

  /** Waits until the server has closed the connection. */
  end(): Promise<{ readonly number: number; readonly name: string }> {
    return this.#wait('the end of the connection', () => this.ended)
  }

  hangUp(): void {
    this.#wire.close()
  }

  #packet(bytes: Uint8Array, text: boolean): void {
    if (text !== this.text && this.#said) this.#fault ??= 'the server changed the encoding'
    const fault = this.#decoder.decode(bytes.slice(), 0, bytes.length, text)
    if (fault !== null) this.#fault ??= `the server wrote what is no frame (${fault})`
    this.#look()
  }

  #look(): void {
    for (const waiter of this.#waiters) {
      if (this.#fault !== null) waiter.fail(this.#fault)
      else if (waiter.look()) this.#waiters.delete(waiter)
      else if (this.ended !== null) waiter.fail(`the connection ended (${this.ended.number} ${this.ended.name})`)
    }
  }

  #wait<Found>(what: string, find: () => Found | null): Promise<Found> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        look: () => {
          const found = find()
          if (found === null) return false
          clearTimeout(timer)
          resolve(found)
          return true
        },
        fail: reason => {
          clearTimeout(timer)
          this.#waiters.delete(waiter)
          const heard = JSON.stringify(this.#heard, (_, value: unknown) =>
            typeof value === 'bigint' ? `${value}` : value,
          )
          reject(new Violation(`${what} did not come, ${reason}; heard ${heard.slice(-SHOWN)}`))
        },
      }
      const timer = setTimeout(() => {
        waiter.fail(`within ${PATIENCE_MS / 1_000} s`)
      }, PATIENCE_MS)
      this.#waiters.add(waiter)
      this.#look()
    })
  }

  #listener(): ServerFrames {
    const note = (...frame: Frame): void => void this.#heard.push(frame)
    return {
      welcome: options => note('welcome', options),
      message: (seq, from, outbox, n, time, flags, body) =>
        note('message', seq, from, outbox, n, time, flags, decodeBody(body)),
      void: (...rest) => note('void', ...rest),
      delivered: (target, n) => note('receipt', 'delivered', target, n),
      stored: (target, n) => note('receipt', 'stored', target, n),
      ended: (kind, ...rest) => note('receipt', kind, ...rest),
      failed: (target, n, code) => note('receipt', 'failed', target, n, code),
      retry: (...rest) => note('receipt', 'retry', ...rest),
      room: (room, offset, from, outbox, n, time, body) =>
        note('room', room, offset, from, outbox, n, time, decodeBody(body)),
      members: (...rest) => note('members', ...rest),
      signal: (from, target, body) => note('signal', from, target, decodeBody(body)),
      reply: (...rest) => note('reply', ...rest),
      error: (...rest) => note('error', ...rest),
      close: (...rest) => note('close', ...rest),
      ping: () => {
        note('ping')
        this.say(['pong'])
      },
      pong: () => note('pong'),
      unknown: op => note(op),
    }
  }
}

function joined(packets: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(packets.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const packet of packets) {
    all.set(packet, at)
    at += packet.length
  }
  return all
}

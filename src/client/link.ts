/**
 * One connection, from opening a socket to its end: writes frames once per turn, answers pings, and gives up on silence.
 *
 * Any packet is a sign of life. The server pings; a client that is alive only has to answer, so hidden tabs whose timers run once a
 * minute stay connected. Silence alone is not the end: a machine that slept has heard nothing either, so the server is asked first.
 */
import {
  createBinaryClientEncoder,
  createBinaryServerDecoder,
  type BinaryPacketDecoder,
} from '../protocol/binary-codec.ts'
import type { PacketOutput } from '../protocol/output.ts'
import { closeReasons, mayReconnect } from '../protocol/errors.ts'
import type { ClientFrames, HelloOptions, ServerFrames, WelcomeOptions } from '../protocol/frames.ts'
import type { OpenSocket, Socket } from './sockets.ts'
import { LONGEST_MS } from './turn.ts'

/** Why a connection ended. */
export interface LinkEnd {
  /** The name of a close (§8), or words of this library. */
  readonly reason: string
  readonly text: string
  /** Whether the client may come back by itself. */
  readonly again: boolean
  /** ms; the server wants to be left alone for so long. */
  readonly retryAfterMs: number
}

export interface LinkOptions {
  readonly url: string
  readonly openSocket: OpenSocket
  readonly hello: HelloOptions
  /** ms, from opening the socket to welcome. */
  readonly welcomeTimeoutMs: number
}

/** ms that a server has to answer a ping, after silence for two ping intervals or when there is reason to doubt. */
const PROBE_MS = 5_000
/** ms; a timer that comes later than that was asleep, with the machine or its page, and says nothing about the server. */
const LATE_MS = 1_000

/** What a link hands on; pings and closes it deals with itself. */
export type LinkFrames = Omit<ServerFrames, 'ping' | 'pong' | 'close' | 'unknown'>

export class Link {
  readonly frames: ClientFrames
  readonly #output: PacketOutput
  readonly #decoder: BinaryPacketDecoder
  readonly #socket: Socket
  readonly #ended: (end: LinkEnd) => void
  readonly #turn: () => void
  #over = false
  #open = false
  #silenceMs = 0
  #heardAt = 0
  #probing = false
  #timer: ReturnType<typeof setTimeout>

  /** `turn` is called when something is to be flushed; `ended` once, last, and never from within the constructor. */
  constructor(options: LinkOptions, frames: LinkFrames, turn: () => void, ended: (end: LinkEnd) => void) {
    const encoder = createBinaryClientEncoder()
    this.frames = encoder
    this.#output = encoder
    this.#turn = turn
    this.#ended = ended
    this.#decoder = createBinaryServerDecoder(this.#hearing(frames))
    this.frames.hello(options.hello)
    this.#socket = options.openSocket(options.url, {
      opened: () => this.#opened(),
      packet: (bytes, text) => this.#packet(bytes, text),
      closed: (number, name, why) => this.#closed(number, name, why),
    })
    this.#timer = setTimeout(() => this.end('timeout', 'There was no welcome in time.'), options.welcomeTimeoutMs)
  }

  /** Bytes that wait for the end of the turn. */
  get pending(): number {
    return this.#output.pending
  }

  /** Writes what is pending. */
  flush(): void {
    if (!this.#open || this.#over) return
    this.#output.flush(packet => {
      this.#socket.send(packet)
      return true
    })
  }

  /** Takes what is pending out, and returns what writes it if the link is still there then. */
  setAside(): () => void {
    const packets: Uint8Array[] = []
    if (this.#open && !this.#over) {
      this.#output.flush(packet => {
        packets.push(packet.slice())
        return true
      })
    }
    return () => {
      if (!this.#over) for (const packet of packets) this.#socket.send(packet)
    }
  }

  /** Asks whether the server is still there, and ends the link when it does not answer in time. */
  probe(): void {
    if (this.#over || this.#probing || this.#silenceMs === 0) return
    this.#probing = true
    this.#ask(false)
  }

  /** `again`: the answer to the question before was waited for in a sleep. */
  #ask(again: boolean): void {
    const askedAt = performance.now()
    this.frames.ping()
    this.#turn()
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      const isLate = performance.now() > askedAt + PROBE_MS + LATE_MS
      if (this.#heardAt < askedAt && isLate && !again) return this.#ask(true)
      this.#probing = false
      if (this.#heardAt < askedAt) this.end('timeout', 'The server was silent for too long.')
      else this.#watch()
    }, PROBE_MS)
  }

  /** Ends it from this side, without writing what is pending; the client may come back. */
  end(reason: string, text: string): void {
    this.#finish({ reason, text, again: true, retryAfterMs: 0 })
  }

  #hearing(frames: LinkFrames): ServerFrames {
    const { frames: mouth } = this
    return {
      welcome: options => {
        this.#welcomed(options)
        frames.welcome(options)
      },
      message: frames.message.bind(frames),
      void: frames.void.bind(frames),
      delivered: frames.delivered.bind(frames),
      stored: frames.stored.bind(frames),
      ended: frames.ended.bind(frames),
      failed: frames.failed.bind(frames),
      retry: frames.retry.bind(frames),
      room: frames.room.bind(frames),
      members: frames.members.bind(frames),
      signal: frames.signal.bind(frames),
      reply: frames.reply.bind(frames),
      error: frames.error.bind(frames),
      close: (name, text, retryAfterMs) => {
        const again = mayReconnect(name, 4000)
        this.#finish({ reason: name, text, again, retryAfterMs: retryAfterMs ?? 0 })
      },
      ping: () => mouth.pong(),
      pong: () => {},
      unknown: () => {},
    }
  }

  #opened(): void {
    if (this.#over) return
    this.#open = true
    this.flush()
  }

  #packet(bytes: Uint8Array, text: boolean): void {
    if (this.#over) return
    this.#heardAt = performance.now()
    if (text) return this.#textPacket(bytes)
    const fault = this.#decoder.decode(bytes, 0, bytes.length)
    if (fault !== null) this.end('bad_frame', `The server sent what is not a frame: ${fault}`)
    else this.#turn()
  }

  /** A server that does not know yet how it is spoken to closes in text (§1). Nothing else is text. */
  #textPacket(bytes: Uint8Array): void {
    const [op, name, text, retryAfterMs] = listIn(bytes)
    if (op !== 'close' || typeof name !== 'string') return this.end('bad_frame', 'The server speaks text.')
    const again = mayReconnect(name, 4000)
    this.#finish({
      reason: name,
      text: String(text),
      again,
      retryAfterMs: typeof retryAfterMs === 'number' ? retryAfterMs : 0,
    })
  }

  #welcomed({ pingInterval }: WelcomeOptions): void {
    this.#silenceMs = Math.min(2 * pingInterval, LONGEST_MS)
    this.#watch()
  }

  /** One timer that is only moved on when it fires, since moving it at every packet would cost more than the packet. */
  #watch(): void {
    clearTimeout(this.#timer)
    const left = this.#heardAt + this.#silenceMs - performance.now()
    if (left <= 0) this.probe()
    else this.#timer = setTimeout(() => this.#watch(), left)
  }

  #closed(number: number, name: string, why = 'The connection was lost or could not be made.'): void {
    const known = Object.entries(closeReasons).find(([, close]) => close.number === number)
    const reason = known?.[0] ?? (name === '' ? 'lost' : name)
    const text = known?.[1].text ?? why
    this.#finish({ reason, text, again: mayReconnect(reason, number), retryAfterMs: 0 })
  }

  #finish(end: LinkEnd): void {
    if (this.#over) return
    this.#over = true
    clearTimeout(this.#timer)
    this.#decoder.stop()
    this.#output.discard()
    this.#socket.close()
    this.#ended(end)
  }
}

function listIn(json: Uint8Array): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(json))
    return Array.isArray(value) ? value : []
  } catch {
    return []
  }
}

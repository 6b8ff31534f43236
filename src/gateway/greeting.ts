/**
 * The first packet of a connection: its hello, and what the core needs to know of it.
 *
 * Everything in a hello is a wish of the client. What is malformed counts as absent, except the version; an id without a secret
 * gets the hash of the empty secret, which belongs to nobody, so that it is refused exactly like a wrong one (§7).
 */
import type { Greeting } from '../core/effects.ts'
import { ordinary, type Rights } from '../core/rights.ts'
import type { SharedDecoder } from '../protocol/codec.ts'
import type { ClientFrames, HelloOptions } from '../protocol/frames.ts'
import { DEFAULT_WINDOW, MAX_NAME, MAX_WINDOW } from '../protocol/limits.ts'
import { isClientId, isOutbox } from '../protocol/names.ts'
import { makeName, sha256 } from './fresh.ts'

export interface FirstPacket {
  readonly hello: HelloOptions
  /** Whether frames follow the hello in the same packet. */
  readonly more: boolean
}

/** Reads the first packet; a string says why it cannot be one. Bodies of frames that follow are not kept. */
export function readFirstPacket(decoder: SharedDecoder, bytes: Uint8Array, text: boolean): FirstPacket | string {
  const frames = new FirstFrames()
  const reason = decoder.decode(frames, bytes, 0, bytes.length, text)
  if (reason !== null) return reason
  if (frames.greeting === null) return 'The first frame must be hello.'
  return { hello: frames.greeting, more: frames.count > 1 }
}

/** Takes the hello at the head of a packet and counts what follows. */
class FirstFrames implements ClientFrames {
  greeting: HelloOptions | null = null
  count = 0

  hello(options: HelloOptions): void {
    if (this.count === 0) this.greeting = options
    this.count++
  }

  send(): void {
    this.count++
  }

  ack(): void {
    this.count++
  }

  nack(): void {
    this.count++
  }

  sync(): void {
    this.count++
  }

  signal(): void {
    this.count++
  }

  presence(): void {
    this.count++
  }

  rotate(): void {
    this.count++
  }

  join(): void {
    this.count++
  }

  leave(): void {
    this.count++
  }

  create(): void {
    this.count++
  }

  delete(): void {
    this.count++
  }

  rooms(): void {
    this.count++
  }

  members(): void {
    this.count++
  }

  history(): void {
    this.count++
  }

  token(): void {
    this.count++
  }

  ping(): void {
    this.count++
  }

  pong(): void {
    this.count++
  }

  bye(): void {
    this.count++
  }

  unknown(): void {
    this.count++
  }
}

/** What a token says of its bearer; its name, if it says one, wins over that in the hello. */
interface Bearing {
  readonly name: string | null
  readonly rights: Rights
}

/** What the core is told of a hello whose version was checked. An id that is proved, by the transport or by a token, needs no secret. */
export function greetingOf(
  hello: HelloOptions,
  provenId: string | null = null,
  { name, rights }: Bearing = { name: null, rights: ordinary },
): Greeting {
  const { secret, outbox, attempt, window } = hello
  const id = provenId ?? hello.id
  const known = id !== undefined && isClientId(id)
  const numbered = outbox !== undefined && isOutbox(outbox)
  const nonce = makeName()
  return {
    id: known ? id : null,
    secretHash: known && provenId === null ? sha256(secret ?? '') : null,
    nonce,
    outbox: numbered ? outbox : nonce,
    numbered,
    attempt: attempt !== undefined && Number.isSafeInteger(attempt) && attempt > 0 ? attempt : 0,
    window: clamp(window ?? DEFAULT_WINDOW),
    name: shownName(name ?? hello.name ?? ''),
    rights,
  }
}

/** What others may be shown: neither long nor of more than one line. */
function shownName(name: string): string {
  const line = name.replace(/\p{C}+/gu, ' ').trim()
  return line.slice(0, MAX_NAME).replace(/[\ud800-\udbff]$/, '')
}

function clamp(window: number): number {
  return Number.isFinite(window) ? Math.min(Math.max(Math.trunc(window), 1), MAX_WINDOW) : DEFAULT_WINDOW
}

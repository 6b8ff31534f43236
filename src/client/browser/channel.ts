/**
 * What the tabs of an origin say to each other, over a BroadcastChannel.
 *
 * Words are plain data; errors and the bytes of bodies are packed and unpacked here. What is no word is not heard (`words.ts`).
 */
import type { Body } from '../../protocol/frames.ts'
import type { Asking } from '../courier.ts'
import { AckdError, type AckdErrorCode } from '../errors.ts'
import { FORMAT, isEnvelope, type Word } from './words.ts'

export interface ChannelLike {
  onmessage: ((event: never) => void) | null
  postMessage(message: unknown): void
  close(): void
}

export class Channel {
  readonly #pipe: ChannelLike
  readonly #self: string

  constructor(pipe: ChannelLike, self: string, hear: (from: string, word: Word, toAll: boolean) => void) {
    this.#pipe = pipe
    this.#self = self
    pipe.onmessage = ({ data }: { readonly data: unknown }) => {
      const envelope = unpack(data)
      if (!isEnvelope(envelope)) return
      const { from, to, word } = envelope
      if (to === null || to === self) hear(from, word, to === null)
    }
  }

  say(word: Word, to: string | null = null): void {
    this.#pipe.postMessage(pack({ format: FORMAT, from: this.#self, to, word }))
  }

  close(): void {
    this.#pipe.onmessage = null
    this.#pipe.close()
  }
}

/** Does a call that came as data. */
export function perform(target: object, [name, ...args]: readonly [string, ...unknown[]]): void {
  const method: unknown = Reflect.get(target, name)
  if (typeof method === 'function') Reflect.apply(method, target, args)
}

/** Frames that are written by another tab. */
export function framesOver(post: (op: keyof Asking, args: readonly unknown[]) => void): Asking {
  const write =
    (op: keyof Asking) =>
    (...args: readonly unknown[]) =>
      post(op, args)
  // Every property is a method that writes a frame, and none of them returns anything.
  return new Proxy({}, { get: (_, op) => write(op as keyof Asking) }) as Asking
}

interface PackedError {
  readonly ackdError: AckdErrorCode
  readonly detail: string
}

function pack(value: unknown): unknown {
  if (value instanceof AckdError) return { ackdError: value.code, detail: value.detail } satisfies PackedError
  // Else all of the packet that the body came in would be copied.
  if (isBody(value))
    return { ...value, bytes: value.bytes.slice(value.start, value.end), start: 0, end: value.end - value.start }
  return mapPlain(value, pack)
}

function unpack(value: unknown): unknown {
  if (isPackedError(value)) return new AckdError(value.ackdError, value.detail)
  return mapPlain(value, unpack)
}

/** Arrays and plain objects through and through, so far as they are nested in words and calls. */
function mapPlain(value: unknown, map: (value: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map(map)
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, map(inner)]))
}

function isBody(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && 'bytes' in value && 'start' in value && 'text' in value
}

function isPackedError(value: unknown): value is PackedError {
  return typeof value === 'object' && value !== null && 'ackdError' in value
}

/**
 * Reads what a client says, §3: the shapes of its frames, and what is said of values that have another shape.
 *
 * A number or a name that the server must answer with a receipt or an error is handed on as NaN or '' for the session to refuse;
 * what leaves no one to answer to, or no way to go on, is a bad frame.
 */
import { type Dialect, isInteger, isMap, isRef, literal } from './dialect.ts'
import type { Body, ClientFrames, HelloOptions } from './frames.ts'
import { MAX_DEPTH, MAX_PRESENCE_IDS, MAX_REASON } from './limits.ts'
import type { Reader } from './reader.ts'
import { readRoomFrame, roomOptionsAt } from './room-frames.ts'

type Writable<T> = { -readonly [K in keyof T]: T[K] }

const SEND = literal('send')
const ACK = literal('ack')

export const clientDialect: Dialect<ClientFrames> = {
  bodyAt: op => (op === 'send' ? 5 : op === 'signal' ? 2 : 0),
  optionsAt: op => (op === 'hello' ? 1 : op === 'send' ? 4 : roomOptionsAt(op)),
  levelsOf: () => MAX_DEPTH,
  deepest: MAX_DEPTH,

  readFrequent(reader, frames, count) {
    if (reader.accept(SEND)) return readSend(reader, frames, count)
    if (reader.accept(ACK)) return readAck(reader, frames, count)
    return undefined
  },

  read(frames, op, header, body) {
    switch (op) {
      case 'hello':
        return hello(frames, header[1])
      case 'send':
        return send(frames, header, body)
      case 'ack':
        return ack(frames, header[1])
      case 'nack':
        return nack(frames, header[1], header[2])
      case 'sync':
        return sync(frames, header)
      case 'signal':
        return signal(frames, header[1], body)
      case 'presence':
        return presence(frames, header[1], header[2])
      case 'rotate':
        return rotate(frames, header[1])
      case 'token':
        return token(frames, header[1], header[2])
      default: {
        const wrong = readRoomFrame(frames, op, header)
        return wrong === undefined ? bare(frames, op, header[1]) : wrong
      }
    }
  },
}

const SEND_SHAPE = 'send needs n, floor, target, opts and a body; opts is nil or a map'
const ACK_SHAPE = 'ack needs a seq, an integer from 1'

function readSend(reader: Reader, frames: ClientFrames, count: number): string | null {
  if (count < 6) return SEND_SHAPE
  const n = reader.acceptNil() ? 0 : positive(reader.number())
  const floor = reader.acceptNil() ? 0 : positive(reader.number())
  const target = reader.name()
  let ttl = 0
  if (!reader.acceptNil()) {
    const { at } = reader
    const wrong = reader.skipOptions()
    if (reader.failed) return null
    const options = reader.valueAt(at)
    if (wrong !== null || !isMap(options)) return wrong ?? SEND_SHAPE
    ttl = seconds(options['ttl'])
  }
  const start = reader.at
  reader.skip(1)
  const end = reader.at
  reader.skip(count - 6)
  if (!reader.failed) frames.send(n, floor, target, ttl, { bytes: reader.bytes, start, end, text: false })
  return null
}

function readAck(reader: Reader, frames: ClientFrames, count: number): string | null {
  if (count < 2) return ACK_SHAPE
  const seq = reader.number()
  reader.skip(count - 2)
  return reader.failed ? null : ack(frames, seq)
}

/** A number as it is if it is an integer from 1, else NaN. */
function positive(value: unknown): number {
  return isInteger(value, 1) ? value : NaN
}

/** The `ttl` of a send: 0 for none, NaN for what is no positive number. */
function seconds(ttl: unknown): number {
  if (ttl === undefined || ttl === null) return 0
  return typeof ttl === 'number' && ttl > 0 && ttl < Infinity ? ttl : NaN
}

function hello(frames: ClientFrames, given: unknown): string | null {
  if (!isMap(given)) return 'hello needs a map of options, at least {v: 1}'
  const { v } = given
  const options: Writable<HelloOptions> = { v: typeof v === 'number' ? v : 0 }
  for (const key of ['id', 'secret', 'token', 'name', 'outbox', 'agent'] as const) {
    const value = given[key]
    if (typeof value === 'string') options[key] = value
  }
  for (const key of ['attempt', 'window'] as const) {
    const value = given[key]
    if (isInteger(value, 0)) options[key] = value
  }
  frames.hello(options)
  return null
}

function send(frames: ClientFrames, header: readonly unknown[], body: Body | null): string | null {
  const [, n, floor, target, options] = header
  if (body === null || options === undefined || (options !== null && !isMap(options))) return SEND_SHAPE
  const ttl = options === null ? 0 : seconds(options['ttl'])
  const name = typeof target === 'string' ? target : ''
  frames.send(n === null ? 0 : positive(n), floor === null ? 0 : positive(floor), name, ttl, body)
  return null
}

function ack(frames: ClientFrames, seq: unknown): string | null {
  if (!isInteger(seq, 1)) return ACK_SHAPE
  frames.ack(seq)
  return null
}

function nack(frames: ClientFrames, seq: unknown, reason: unknown): string | null {
  if (!isInteger(seq, 1) || typeof reason !== 'string')
    return 'nack needs a seq, an integer from 1, and a reason, a string'
  frames.nack(seq, shortened(reason))
  return null
}

/** Cut to the longest reason that is kept, but never through a pair of surrogates. */
function shortened(reason: string): string {
  const short = reason.slice(0, MAX_REASON)
  return short.length < reason.length ? short.replace(/[\ud800-\udbff]$/, '') : short
}

function sync(frames: ClientFrames, header: readonly unknown[]): string | null {
  const [, ref, target] = header
  if (!isRef(ref) || target === undefined) return 'sync needs a ref, an integer or a string, and a target'
  frames.sync(ref, typeof target === 'string' ? target : '')
  return null
}

function signal(frames: ClientFrames, target: unknown, body: Body | null): string | null {
  if (body === null) return 'signal needs a target and a body'
  frames.signal(typeof target === 'string' ? target : '', body)
  return null
}

function presence(frames: ClientFrames, ref: unknown, ids: unknown): string | null {
  if (!isRef(ref) || !Array.isArray(ids)) return 'presence needs a ref, an integer or a string, and an array of ids'
  const asked: string[] = []
  // One more than allowed is enough for the session to refuse.
  for (const id of ids.slice(0, MAX_PRESENCE_IDS + 1)) {
    if (typeof id !== 'string') return 'presence takes ids, which are strings'
    asked.push(id)
  }
  frames.presence(ref, asked)
  return null
}

function rotate(frames: ClientFrames, ref: unknown): string | null {
  if (!isRef(ref)) return 'rotate needs a ref, an integer or a string'
  frames.rotate(ref)
  return null
}

function token(frames: ClientFrames, ref: unknown, given: unknown): string | null {
  if (!isRef(ref) || typeof given !== 'string')
    return 'token needs a ref, an integer or a string, and a token, a string'
  frames.token(ref, given)
  return null
}

/** Frames without elements, and those that this version does not know. */
function bare(frames: ClientFrames, op: string, second: unknown): null {
  if (op === 'ping') frames.ping()
  else if (op === 'pong') frames.pong()
  else if (op === 'bye') frames.bye()
  else frames.unknown(op, isRef(second) ? second : null)
  return null
}

/**
 * Reads what a server says, §4. A client trusts its server no more than a server its clients: what is not of the right shape
 * is a bad frame.
 *
 * What a later server may add is no error: an unknown frame or kind of receipt is told as `unknown`; an unknown code is read as the
 * known one that asks for the same conduct.
 */
import { type Dialect, isInteger, isMap, isRef, literal } from './dialect.ts'
import { type CloseName, type ErrorCode, closeReasons, refusals } from './errors.ts'
import type { Body, ServerFrames, WelcomeOptions } from './frames.ts'
import { MAX_DEPTH, MAX_REPLY_DEPTH } from './limits.ts'
import type { Reader } from './reader.ts'

const MESSAGE = literal('message')
const ROOM = literal('room')
const DELIVERED = literal('receipt', 'delivered')
const STORED = literal('receipt', 'stored')

export const serverDialect: Dialect<ServerFrames> = {
  bodyAt: op => (op === 'message' || op === 'room' ? 7 : op === 'signal' ? 3 : 0),
  optionsAt: op => (op === 'welcome' ? 1 : 0),
  levelsOf: op => (op === 'reply' ? MAX_REPLY_DEPTH : MAX_DEPTH),
  deepest: MAX_REPLY_DEPTH,

  readFrequent(reader, frames, count) {
    if (reader.accept(MESSAGE)) return readMessage(reader, frames, count)
    if (reader.accept(ROOM)) return readRoom(reader, frames, count)
    if (reader.accept(DELIVERED)) return readReceipt(reader, frames, count, true)
    if (reader.accept(STORED)) return readReceipt(reader, frames, count, false)
    return undefined
  },

  read(frames, op, header, body) {
    switch (op) {
      case 'welcome':
        return welcome(frames, header[1])
      case 'message':
        return message(frames, header, body)
      case 'void':
        return voided(frames, header)
      case 'receipt':
        return receipt(frames, header)
      case 'room':
        return room(frames, header, body)
      case 'members':
        return members(frames, header)
      case 'signal':
        return signal(frames, header, body)
      case 'reply':
        return reply(frames, header)
      case 'error':
        return error(frames, header)
      case 'close':
        return close(frames, header)
      case 'ping':
        frames.ping()
        return null
      case 'pong':
        frames.pong()
        return null
      default:
        frames.unknown(op)
        return null
    }
  },
}

const MESSAGE_SHAPE = 'message needs seq, from, outbox, n, time, flags and a body'
const ROOM_SHAPE = 'room needs a room, offset, from, outbox, n, time and a body'
const RECEIPT_SHAPE = 'receipt needs a kind, a target and n, and what its kind adds'

function readMessage(reader: Reader, frames: ServerFrames, count: number): string | null {
  if (count < 8) return MESSAGE_SHAPE
  const seq = reader.number()
  const from = reader.name()
  const outbox = reader.name()
  const n = reader.number()
  const time = reader.number()
  const flags = reader.number()
  const start = reader.at
  reader.skip(1)
  const end = reader.at
  reader.skip(count - 8)
  if (reader.failed) return null
  if (!isMessage(seq, from, outbox, n, time, flags)) return MESSAGE_SHAPE
  frames.message(seq, from, outbox, n, time, flags, { bytes: reader.bytes, start, end, text: false })
  return null
}

function isMessage(seq: number, from: string, outbox: string, n: number, time: number, flags: number): boolean {
  if (!isInteger(seq, 1) || !isInteger(n, 1) || !isInteger(time, 0) || !isInteger(flags, 0)) return false
  return from !== '' && outbox !== ''
}

function readRoom(reader: Reader, frames: ServerFrames, count: number): string | null {
  if (count < 8) return ROOM_SHAPE
  const name = reader.name()
  const offset = reader.number()
  const from = reader.name()
  const outbox = reader.name()
  const n = reader.number()
  const time = reader.number()
  const start = reader.at
  reader.skip(1)
  const end = reader.at
  reader.skip(count - 8)
  if (reader.failed) return null
  if (!isRoomMessage(name, offset, from, outbox, n, time)) return ROOM_SHAPE
  frames.room(name, offset, from, outbox, n, time, { bytes: reader.bytes, start, end, text: false })
  return null
}

function isRoomMessage(name: string, offset: number, from: string, outbox: string, n: number, time: number): boolean {
  if (!isInteger(offset, 1) || !isInteger(n, 1) || !isInteger(time, 0)) return false
  return name !== '' && from !== '' && outbox !== ''
}

function readReceipt(reader: Reader, frames: ServerFrames, count: number, delivered: boolean): string | null {
  if (count < 4) return RECEIPT_SHAPE
  const target = reader.name()
  const n = reader.number()
  reader.skip(count - 4)
  if (reader.failed) return null
  if (target === '' || !isInteger(n, 1)) return RECEIPT_SHAPE
  if (delivered) frames.delivered(target, n)
  else frames.stored(target, n)
  return null
}

const WELCOME_SHAPE = 'welcome lacks one of its options, or one has a wrong type'

function welcome(frames: ServerFrames, given: unknown): string | null {
  if (!isMap(given) || !isMap(given['sendWindow'])) return WELCOME_SHAPE
  const { id, secret, resumed, outbox, node } = given
  const numbers = ['v', 'expires', 'parked', 'window', 'maxPacket', 'pingInterval', 'ackTimeout', 'time'] as const
  const [v, expires, parked, window, maxPacket, pingInterval, ackTimeout, time] = numbers.map(key =>
    integer(given[key]),
  )
  const idleTimeout = integer(given['idleTimeout'])
  const messages = integer(given['sendWindow']['messages'])
  const bytes = integer(given['sendWindow']['bytes'])
  if (typeof id !== 'string' || typeof resumed !== 'boolean' || typeof outbox !== 'string') return WELCOME_SHAPE
  if (v === undefined || expires === undefined || parked === undefined || window === undefined) return WELCOME_SHAPE
  if (maxPacket === undefined || pingInterval === undefined || ackTimeout === undefined) return WELCOME_SHAPE
  if (time === undefined || messages === undefined || bytes === undefined || typeof node !== 'string')
    return WELCOME_SHAPE
  const sendWindow = { messages, bytes }
  const options: WelcomeOptions = {
    ...{ v, id, resumed, expires, parked, outbox, window, sendWindow, maxPacket, pingInterval, ackTimeout, time, node },
    ...(typeof secret === 'string' ? { secret } : {}),
    ...(idleTimeout === undefined ? {} : { idleTimeout }),
  }
  frames.welcome(options)
  return null
}

function integer(value: unknown): number | undefined {
  return isInteger(value, 0) ? value : undefined
}

function message(frames: ServerFrames, header: readonly unknown[], body: Body | null): string | null {
  const [, seq, from, outbox, n, time, flags] = header
  const texts = typeof from === 'string' && typeof outbox === 'string'
  const numbers = typeof seq === 'number' && typeof n === 'number' && typeof time === 'number'
  if (body === null || !texts || !numbers || typeof flags !== 'number') return MESSAGE_SHAPE
  if (!isMessage(seq, from, outbox, n, time, flags)) return MESSAGE_SHAPE
  frames.message(seq, from, outbox, n, time, flags, body)
  return null
}

function room(frames: ServerFrames, header: readonly unknown[], body: Body | null): string | null {
  const [, name, offset, from, outbox, n, time] = header
  const texts = typeof name === 'string' && typeof from === 'string' && typeof outbox === 'string'
  const numbers = typeof offset === 'number' && typeof n === 'number' && typeof time === 'number'
  if (body === null || !texts || !numbers || !isRoomMessage(name, offset, from, outbox, n, time)) return ROOM_SHAPE
  frames.room(name, offset, from, outbox, n, time, body)
  return null
}

function members(frames: ServerFrames, header: readonly unknown[]): string | null {
  const [, name, event, id, called] = header
  if (!isText(name) || !isText(event) || !isText(id) || typeof called !== 'string')
    return 'members needs a room, join or leave, an id and a name'
  if (event === 'join' || event === 'leave') frames.members(name, event, id, called)
  else frames.unknown(`members ${event}`)
  return null
}

function voided(frames: ServerFrames, header: readonly unknown[]): string | null {
  const [, seq, from, outbox, n, reason] = header
  if (!isInteger(seq, 1) || !isInteger(n, 1) || typeof reason !== 'string' || !isText(from) || !isText(outbox)) {
    return 'void needs seq, from, outbox, n and a reason'
  }
  frames.void(seq, from, outbox, n, reason)
  return null
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function receipt(frames: ServerFrames, header: readonly unknown[]): string | null {
  const [, kind, target, n, detail, afterMs] = header
  if (!isText(kind) || !isText(target) || !isInteger(n, 1)) return RECEIPT_SHAPE
  switch (kind) {
    case 'delivered':
      frames.delivered(target, n)
      return null
    case 'stored':
      frames.stored(target, n)
      return null
    case 'rejected':
    case 'expired':
    case 'dead':
      if (typeof detail !== 'string') return RECEIPT_SHAPE
      frames.ended(kind, target, n, detail)
      return null
    case 'failed':
      if (typeof detail !== 'string') return RECEIPT_SHAPE
      frames.failed(target, n, knownCode(detail, 'internal'))
      return null
    case 'retry':
      if (typeof detail !== 'string' || !isInteger(afterMs, 0)) return RECEIPT_SHAPE
      frames.retry(target, n, knownCode(detail, 'unavailable'), afterMs)
      return null
    default:
      frames.unknown(`receipt ${kind}`)
      return null
  }
}

function knownCode(code: string, otherwise: ErrorCode): ErrorCode {
  return Object.hasOwn(refusals, code) ? (code as ErrorCode) : otherwise
}

function signal(frames: ServerFrames, header: readonly unknown[], body: Body | null): string | null {
  const [, from, target] = header
  if (body === null || !isText(from) || !isText(target)) return 'signal needs from, target and a body'
  frames.signal(from, target, body)
  return null
}

function reply(frames: ServerFrames, header: readonly unknown[]): string | null {
  const [, ref, value] = header
  if (!isRef(ref) || value === undefined) return 'reply needs a ref and a value'
  frames.reply(ref, value)
  return null
}

function error(frames: ServerFrames, header: readonly unknown[]): string | null {
  const [, ref, code, text] = header
  if ((ref !== null && !isRef(ref)) || typeof code !== 'string' || typeof text !== 'string') {
    return 'error needs a ref or nil, a code and a text'
  }
  frames.error(ref, knownCode(code, 'internal'), text)
  return null
}

function close(frames: ServerFrames, header: readonly unknown[]): string | null {
  const [, name, text, retryAfterMs = null] = header
  if (typeof name !== 'string' || typeof text !== 'string' || (retryAfterMs !== null && !isInteger(retryAfterMs, 0))) {
    return 'close needs a name, a text and retryAfterMs or nil'
  }
  // On a WebSocket the number beside it says whether to come back; elsewhere, coming back with back-off is the safe reading.
  const known = Object.hasOwn(closeReasons, name) ? (name as CloseName) : 'unavailable'
  frames.close(known, text, retryAfterMs)
  return null
}

/**
 * How mailboxes are written down in LMDB: keys and values as bytes, each value with its own checksums.
 *
 * LMDB does not check what it reads, so each record does. Numbers are big-endian, so that keys sort by them; 48 bits are enough
 * for times and numbers, a place in a mailbox takes 56. Messages are in `entries.ts` and `bundle.ts`.
 */
import type { EndReason } from '../../protocol/errors.ts'
import type { Secrets } from '../ownership.ts'
import { createStream, type StreamRecord } from '../streams.ts'
import { sumOf } from './sum.ts'

/** The first byte of a key says what stands under it. */
export const Tag = {
  format: 1,
  box: 2,
  entry: 3,
  stream: 4,
  dead: 5,
  quarantined: 6,
  room: 7,
  post: 8,
  once: 9,
  account: 10,
  revocation: 11,
} as const

/** Ends every range of keys with a smaller tag. */
export const LAST_KEY = Uint8Array.of(0xff)

/** Names the store; the marker file beside it has the same name. */
export const FORMAT_KEY = Uint8Array.of(Tag.format)

export const LAST_NUMBER_KEY = Uint8Array.of(Tag.format, 1)

/** A reason is written as its place here. */
export const REASONS = ['', 'rejected', 'expired', 'dead'] as const satisfies readonly (EndReason | '')[]
const SECRET_BYTES = 32
export const NUMBERED_KEY_BYTES = 14

/** The bytes are not what was written. `entryKey` is set for a message, which can be moved aside. */
export class DamagedRecord extends Error {
  readonly entryKey: Uint8Array | null

  constructor(what: string, entryKey: Uint8Array | null) {
    super(what)
    this.name = 'DamagedRecord'
    this.entryKey = entryKey
  }
}

/** What is kept of a client besides its messages and streams; true of everything up to `through`. */
export interface BoxRecord extends Secrets {
  /** Takes the place of the id in all other keys. */
  readonly number: number
  /** ms since the epoch. */
  expires: number
  count: number
  bytes: number
  /** The highest `s` that is counted here. */
  through: number
  /** The last `s` that was taken away. Its record may stand for what came with it; nothing up to here is in the mailbox any more. */
  floor: number
  /** ms since the epoch: nothing in the mailbox expires before it. */
  earliest: number
  headS: number
  headAttempts: number
  /** Streams written down. */
  streams: number
  dead: number
  /** Rises with each use of a stream, to know the least recently used. */
  uses: number
}

export interface KeptStream extends StreamRecord {
  /** `uses` of the box when it was used last. */
  used: number
}

/** All that is written is put together here, and copied by the driver at once. */
let scratch = Buffer.allocUnsafe(64 * 1024)

/** Lent until the next call. */
export function roomFor(bytes: number): Buffer {
  if (scratch.length < bytes) scratch = Buffer.allocUnsafe(bytes * 2)
  return scratch
}

export function boxKey(id: string): Uint8Array {
  const key = Buffer.allocUnsafe(1 + id.length)
  key[0] = Tag.box
  key.write(id, 1, 'latin1')
  return key
}

export function boxId(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1', 1)
}

/** The place `s` in the mailbox of that number; of its dead letters with that tag. */
export function entryKey(box: number, s: number, tag: number = Tag.entry): Buffer {
  const key = Buffer.allocUnsafe(NUMBERED_KEY_BYTES)
  writeEntryKey(key, box, s, tag)
  return key
}

export function writeEntryKey(key: Buffer, box: number, s: number, tag: number): void {
  key[0] = tag
  key.writeUIntBE(box, 1, 6)
  key.writeUInt32BE(Math.floor(s / 0x1000000), 7)
  key.writeUIntBE(s % 0x1000000, 11, 3)
}

export function entryPlace(key: Uint8Array): number {
  let place = 0
  for (let at = 7; at < NUMBERED_KEY_BYTES; at++) place = place * 256 + (key[at] ?? 0)
  return place
}

/** The number of the box to which an entry, a dead letter or a stream belongs. */
export function boxNumber(key: Uint8Array): number {
  return Buffer.from(key.buffer, key.byteOffset, key.length).readUIntBE(1, 6)
}

export function streamKey(box: number, name: string): Buffer {
  const key = Buffer.allocUnsafe(7 + name.length)
  key[0] = Tag.stream
  key.writeUIntBE(box, 1, 6)
  key.write(name, 7, 'latin1')
  return key
}

/** Before, and after, all that stands under that tag for one box. */
export function boxRange(tag: number, box: number): [start: Uint8Array, end: Uint8Array] {
  const start = Buffer.alloc(7, tag)
  start.writeUIntBE(box, 1, 6)
  const end = Buffer.alloc(7, tag)
  end.writeUIntBE(box + 1, 1, 6)
  return [start, end]
}

export function quarantineKey(key: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(Tag.quarantined), key])
}

/** Appends the checksum of a key and its value, and hands both on. */
function putSummed(key: Uint8Array, value: Buffer, put: (key: Uint8Array, value: Uint8Array) => void): void {
  const end = value.length - 4
  value.writeUInt32BE(sumOf(value, 0, end, sumOf(key, 0, key.length)), end)
  put(key, value)
}

function checkSum(key: Uint8Array, value: Buffer, least: number, what: string): void {
  const end = value.length - 4
  if (value.length >= least && sumOf(value, 0, end, sumOf(key, 0, key.length)) === value.readUInt32BE(end)) return
  throw new DamagedRecord(`${what} does not match its checksum`, null)
}

export function putText(key: Uint8Array, text: string, put: (key: Uint8Array, value: Uint8Array) => void): void {
  const length = Buffer.byteLength(text) + 4
  const room = roomFor(length).subarray(0, length)
  room.write(text, 0)
  putSummed(key, room, put)
}

export function readText(key: Uint8Array, value: Buffer, what: string): string {
  checkSum(key, value, 4, what)
  return value.toString('utf8', 0, value.length - 4)
}

const BOX_NUMBERS = 11
const FLOOR_AT = BOX_NUMBERS * 8 + 1 + 2 * SECRET_BYTES
const BOX_BYTES = FLOOR_AT + 8 + 4
/** As the first versions wrote them, in whose records there is one message each. */
const BOX_BYTES_WITHOUT_FLOOR = FLOOR_AT + 4

export function putBox(id: string, box: BoxRecord, put: (key: Uint8Array, value: Uint8Array) => void): void {
  const room = roomFor(BOX_BYTES).subarray(0, BOX_BYTES)
  let at = 0
  for (const number of [
    box.number,
    box.expires,
    box.count,
    box.bytes,
    box.through,
    box.earliest,
    box.headS,
    box.headAttempts,
    box.streams,
    box.dead,
    box.uses,
  ]) {
    at = room.writeDoubleBE(number, at)
  }
  room[at++] = (box.secret === null ? 0 : 1) | (box.nextSecret === null ? 0 : 2)
  for (const secret of [box.secret, box.nextSecret]) {
    room.fill(0, at, at + SECRET_BYTES)
    if (secret !== null) room.write(secret, at, 'latin1')
    at += SECRET_BYTES
  }
  room.writeDoubleBE(box.floor, at)
  putSummed(boxKey(id), room, put)
}

export function readBox(key: Uint8Array, value: Buffer): BoxRecord {
  checkSum(key, value, BOX_BYTES_WITHOUT_FLOOR, `the record of client ${boxId(key)}`)
  const number = (index: number): number => value.readDoubleBE(index * 8)
  const flagsAt = BOX_NUMBERS * 8
  const flags = value[flagsAt] ?? 0
  const secret = (index: number): string => {
    const at = flagsAt + 1 + index * SECRET_BYTES
    return value.toString('latin1', at, at + SECRET_BYTES)
  }
  return {
    number: number(0),
    expires: number(1),
    count: number(2),
    bytes: number(3),
    through: number(4),
    floor: value.length < BOX_BYTES ? 0 : value.readDoubleBE(FLOOR_AT),
    earliest: number(5),
    headS: number(6),
    headAttempts: number(7),
    streams: number(8),
    dead: number(9),
    uses: number(10),
    secret: flags & 1 ? secret(0) : null,
    nextSecret: flags & 2 ? secret(1) : null,
  }
}

/** The box of a client that is new. */
export function createBox(number: number, secret: string | null): BoxRecord {
  return {
    number,
    expires: 0,
    count: 0,
    bytes: 0,
    through: 0,
    floor: 0,
    earliest: Number.MAX_SAFE_INTEGER,
    headS: 0,
    headAttempts: 0,
    streams: 0,
    dead: 0,
    uses: 0,
    secret,
    nextSecret: null,
  }
}

/** The number of the box that was registered last. */
export function readLastNumber(value: Buffer | undefined): number {
  if (value === undefined) return 0
  checkSum(LAST_NUMBER_KEY, value, 12, 'the count of clients')
  return value.readDoubleBE(0)
}

export function putLastNumber(number: number, put: (key: Uint8Array, value: Uint8Array) => void): void {
  const room = roomFor(12).subarray(0, 12)
  room.writeDoubleBE(number, 0)
  putSummed(LAST_NUMBER_KEY, room, put)
}

export function putStream(
  box: number,
  name: string,
  { last, delivered, used, lost }: KeptStream,
  put: (key: Uint8Array, value: Uint8Array) => void,
): void {
  const length = 24 + lost.length * 7 + 4
  const room = roomFor(length).subarray(0, length)
  let at = 0
  for (const number of [last, delivered, used]) at = room.writeDoubleBE(number, at)
  for (const [n, reason] of lost) {
    at = room.writeUIntBE(n, at, 6)
    room[at++] = REASONS.indexOf(reason)
  }
  putSummed(streamKey(box, name), room, put)
}

export function readStream(key: Uint8Array, value: Buffer): KeptStream {
  checkSum(key, value, 28, 'the record of a stream')
  const stream: KeptStream = { ...createStream(), used: value.readDoubleBE(16) }
  stream.last = value.readDoubleBE(0)
  stream.delivered = value.readDoubleBE(8)
  for (let at = 24; at < value.length - 4; at += 7) {
    const reason = REASONS[value[at + 6] ?? 0]
    if (reason !== undefined && reason !== '') stream.lost.push([value.readUIntBE(at, 6), reason])
  }
  return stream
}

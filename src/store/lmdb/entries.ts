/**
 * How one message is written down in LMDB, alone in its record or with others.
 *
 * It has two checksums: one for its key and header, so that a damaged body still tells which message it was, and one for the body. Nothing but
 * the body is ever longer than a few hundred bytes.
 */
import { internAscii } from '../../protocol/intern.ts'
import type { Entry } from '../../protocol/mailbox.ts'
import { DamagedRecord, entryPlace, NUMBERED_KEY_BYTES, REASONS, roomFor, Tag, writeEntryKey } from './records.ts'
import { sumOf } from './sum.ts'

const HEADER_BYTES = 20
/** Of the body and of the header, behind both. */
const SUMS_BYTES = 8
/** The flag of a message in a record of several that is of the same stream as the one before. */
const FOLLOWS = 32

export interface ParkedEntry extends Entry {
  /** ms since the epoch. Of a dead letter: when it died. */
  readonly expires: number
}

/** A message as it stands in the file. */
export interface KeptEntry extends ParkedEntry {
  /** The place under which its record stands: that of the last message in it. */
  readonly under: number
}

/** Bytes of a message in its record. */
export function entryBytes({ stream, body }: ParkedEntry): number {
  return HEADER_BYTES + stream.length + (body === null ? 0 : body.end - body.start) + SUMS_BYTES
}

/** Writes a message to `at` and returns where it ends. `keySum`: the checksum of its key. `follows`: it is of the stream of the one before. */
export function writeEntry(
  room: Buffer,
  start: number,
  keySum: number,
  { stream, n, time, body, reason, repeated, expires }: ParkedEntry,
  follows: boolean,
): number {
  let at = start
  const state = (body?.text === true ? 1 : 0) | (body === null ? 2 : 0) | (REASONS.indexOf(reason) << 2)
  room[at++] = state | (repeated ? 16 : 0) | (follows ? FOLLOWS : 0)
  at = room.writeUIntBE(expires, at, 6)
  at = room.writeUIntBE(time, at, 6)
  at = room.writeUIntBE(n, at, 6)
  room[at++] = stream.length
  at += room.write(stream, at, 'latin1')
  const headerSum = sumOf(room, start, at, keySum)
  const bodyAt = at
  if (body !== null) {
    room.set(body.bytes.subarray(body.start, body.end), at)
    at += body.end - body.start
  }
  at = room.writeUInt32BE(sumOf(room, bodyAt, at), at)
  return room.writeUInt32BE(headerSum, at)
}

/** Writes a message in a record of its own through `put`, whose arguments are only lent. */
export function putEntry(
  box: number,
  entry: ParkedEntry,
  put: (key: Uint8Array, value: Uint8Array) => void,
  tag: number = Tag.entry,
): void {
  const room = roomFor(NUMBERED_KEY_BYTES + entryBytes(entry))
  writeEntryKey(room, box, entry.s, tag)
  const end = writeEntry(room, NUMBERED_KEY_BYTES, sumOf(room, 0, NUMBERED_KEY_BYTES), entry, false)
  put(room.subarray(0, NUMBERED_KEY_BYTES), room.subarray(NUMBERED_KEY_BYTES, end))
}

/** What stands between `at` and `end`, which was found whole. `before`: the stream of the message before it, if that was read. */
export function parseEntry(
  value: Buffer,
  at: number,
  end: number,
  s: number,
  under: number,
  before: string | null,
): KeptEntry | null {
  const flags = value[at] ?? 0
  const reason = REASONS[(flags >> 2) & 3]
  if (reason === undefined) return null
  const nameAt = at + HEADER_BYTES
  const bodyAt = nameAt + (value[nameAt - 1] ?? 0)
  return {
    s,
    // The same few streams come again and again, and are looked up by their names.
    stream:
      (flags & FOLLOWS ? before : null) ??
      internAscii(value, nameAt, bodyAt) ??
      value.toString('latin1', nameAt, bodyAt),
    n: value.readUIntBE(at + 13, 6),
    time: value.readUIntBE(at + 7, 6),
    body: flags & 2 ? null : { bytes: value, start: bodyAt, end: end - SUMS_BYTES, text: (flags & 1) !== 0 },
    reason,
    repeated: (flags & 16) !== 0,
    expires: value.readUIntBE(at + 1, 6),
    under,
  }
}

/** Where the body of an entry begins. */
function bodyStart(value: Buffer): number {
  return HEADER_BYTES + (value[HEADER_BYTES - 1] ?? 0)
}

/** What the header of an entry says, or null if it is damaged. The body is not looked at; it is a view of `value`. */
export function readHeader(key: Uint8Array, value: Buffer): KeptEntry | null {
  const bodyAt = bodyStart(value)
  if (key.length !== NUMBERED_KEY_BYTES || value.length < bodyAt + SUMS_BYTES) return null
  const sum = sumOf(value, 0, bodyAt, sumOf(key, 0, key.length))
  if (sum !== value.readUInt32BE(value.length - 4)) return null
  const s = entryPlace(key)
  return parseEntry(value, 0, value.length, s, s, null)
}

/** The body is a view of `value`, which must stay as it is. */
export function readEntry(key: Uint8Array, value: Buffer): KeptEntry {
  const entry = readHeader(key, value)
  if (entry === null) throw new DamagedRecord('a message does not match its checksum', key)
  const bodyAt = bodyStart(value)
  const bodyEnd = value.length - SUMS_BYTES
  if (entry.body === null ? bodyEnd !== bodyAt : sumOf(value, bodyAt, bodyEnd) !== value.readUInt32BE(bodyEnd)) {
    throw new DamagedRecord('the body of a message does not match its checksum', key)
  }
  return entry
}

/**
 * Several messages of one mailbox in one record, so that one read and one removal serve all of them.
 *
 * Reading a record from LMDB and taking it away cost some µs each, whatever is in it; so what one call parks goes into as few
 * records as it can. A record stands under the place of its last message, and the places in it follow each other. What looks for all after
 * a place finds with the first key above it the record in which that begins.
 *
 *   kind 1 · count 2 · list · messages · list · count 2 · checksum of all, with the key 4
 *   list: key 14 · lengths of the messages, 2 each · checksum of this list 4
 *
 * Each message is written as it would be alone, with checksums of its own; where each begins, and under which key, is written twice. When all of it
 * matches the last checksum, nothing else has to be looked at. When not, each message is judged alone: one damaged place harms one message, or none.
 */
import {
  entryBytes,
  type KeptEntry,
  type ParkedEntry,
  parseEntry,
  putEntry,
  readEntry,
  readHeader,
  writeEntry,
} from './entries.ts'
import {
  boxNumber,
  DamagedRecord,
  entryKey,
  entryPlace,
  NUMBERED_KEY_BYTES,
  roomFor,
  Tag,
  writeEntryKey,
} from './records.ts'
import { sumOf } from './sum.ts'

/** Messages of one record, and their bytes, at most. What is larger has a record of its own. */
const MESSAGES = 128
const BYTES = 8 * 1024

/** The first byte; that of a message alone is less. */
const SEVERAL = 0x80

const LIST_AT = 3
/** Of a list, besides the lengths. */
const LIST_BYTES = NUMBERED_KEY_BYTES + 4
/** Behind the second list. */
const TAIL_BYTES = 6

const messageKey = Buffer.alloc(NUMBERED_KEY_BYTES)

/** Writes messages, which are in order, through `put`, whose arguments are only lent. */
export function putEntries(
  box: number,
  entries: readonly ParkedEntry[],
  put: (key: Uint8Array, value: Uint8Array) => void,
): void {
  let together: ParkedEntry[] = []
  let bytes = 0
  let next = 0
  for (const entry of entries) {
    const size = entryBytes(entry)
    if (entry.s !== next || together.length === MESSAGES || bytes + size > BYTES) {
      putRecord(box, together, bytes, put)
      together = []
      bytes = 0
    }
    together.push(entry)
    bytes += size
    next = entry.s + 1
  }
  putRecord(box, together, bytes, put)
}

function putRecord(
  box: number,
  entries: readonly ParkedEntry[],
  bytes: number,
  put: (key: Uint8Array, value: Uint8Array) => void,
): void {
  const [first] = entries
  if (first === undefined) return
  if (entries.length === 1) return putEntry(box, first, put)
  const count = entries.length
  const listBytes = LIST_BYTES + count * 2
  const room = roomFor(NUMBERED_KEY_BYTES + LIST_AT + listBytes * 2 + bytes + TAIL_BYTES)
  writeEntryKey(room, box, first.s + count - 1, Tag.entry)
  const key = room.subarray(0, NUMBERED_KEY_BYTES)
  const value = room.subarray(NUMBERED_KEY_BYTES)
  value[0] = SEVERAL
  value.writeUInt16BE(count, 1)
  value.set(key, LIST_AT)
  const listEnd = LIST_AT + listBytes
  let at = writeMessages(box, entries, value, listEnd)
  value.writeUInt32BE(sumOf(value, LIST_AT, listEnd - 4), listEnd - 4)
  value.copyWithin(at, LIST_AT, listEnd)
  at = value.writeUInt16BE(count, at + listBytes)
  at = value.writeUInt32BE(sumOf(value, 0, at, sumOf(key, 0, key.length)), at)
  put(key, value.subarray(0, at))
}

/** Writes the messages, and how long each is into the first list; returns where they end. */
function writeMessages(box: number, entries: readonly ParkedEntry[], value: Buffer, start: number): number {
  let at = start
  let lengthAt = LIST_AT + NUMBERED_KEY_BYTES
  let before = ''
  for (const entry of entries) {
    writeEntryKey(messageKey, box, entry.s, Tag.entry)
    const end = writeEntry(value, at, sumOf(messageKey, 0, NUMBERED_KEY_BYTES), entry, entry.stream === before)
    lengthAt = value.writeUInt16BE(end - at, lengthAt)
    at = end
    before = entry.stream
  }
  return at
}

/**
 * The messages of a record that come after `after`, the first `limit` of them. Their bodies are views of `value`, which must stay as it is.
 * Throws `DamagedRecord`.
 */
export function readEntries(key: Uint8Array, value: Buffer, after = 0, limit = Infinity): KeptEntry[] {
  if (value[0] !== SEVERAL) {
    const entry = readEntry(key, value)
    return entry.s > after ? [entry] : []
  }
  if (!isWhole(key, value)) throw new DamagedRecord('messages do not match their checksum', key)
  const count = value.readUInt16BE(1)
  const last = entryPlace(key)
  const entries: KeptEntry[] = []
  let before: string | null = null
  let at = LIST_AT + LIST_BYTES + count * 2
  for (let index = 0; index < count && entries.length < limit; index++) {
    const end = at + value.readUInt16BE(LIST_AT + NUMBERED_KEY_BYTES + index * 2)
    const s = last - count + 1 + index
    if (s > after) {
      const entry = parseEntry(value, at, end, s, last, before)
      if (entry === null) throw new DamagedRecord('a message is of an unknown kind', key)
      entries.push(entry)
      before = entry.stream
    }
    at = end
  }
  return entries
}

/** One message of a damaged record. */
export interface Salvaged {
  /** The number of the mailbox in which it was, and its place there. */
  readonly box: number
  readonly s: number
  /** What stands there of it. */
  readonly bytes: Buffer
  /** What its header says; null if that is damaged. */
  readonly header: KeptEntry | null
  readonly isWhole: boolean
}

/** Judges each message of a record alone. Where it cannot be known any more how many there are, it is taken for one without a header. */
export function salvage(key: Uint8Array, value: Buffer): readonly Salvaged[] {
  const list = readList(value, value.length < LIST_AT ? 0 : value.readUInt16BE(1), false) ?? readLastList(value)
  if (list === null) return [judge(key, value)]
  const box = boxNumber(list.key)
  const first = entryPlace(list.key) - list.lengths.length + 1
  let at = LIST_AT + LIST_BYTES + list.lengths.length * 2
  return list.lengths.map((length, index) => {
    const bytes = value.subarray(at, at + length)
    at += length
    return judge(entryKey(box, first + index), bytes)
  })
}

function judge(key: Uint8Array, bytes: Buffer): Salvaged {
  const place = { box: boxNumber(key), s: entryPlace(key), bytes }
  try {
    return { ...place, header: readEntry(key, bytes), isWhole: true }
  } catch (error) {
    if (!(error instanceof DamagedRecord)) throw error
    return { ...place, header: readHeader(key, bytes), isWhole: false }
  }
}

function isWhole(key: Uint8Array, value: Buffer): boolean {
  const end = value.length - 4
  return end > LIST_AT + TAIL_BYTES && sumOf(value, 0, end, sumOf(key, 0, key.length)) === value.readUInt32BE(end)
}

interface List {
  readonly key: Buffer
  readonly lengths: readonly number[]
}

function readLastList(value: Buffer): List | null {
  return value.length < TAIL_BYTES ? null : readList(value, value.readUInt16BE(value.length - TAIL_BYTES), true)
}

/** The list for so many messages, the first or the last one, or null if it is not whole. */
function readList(value: Buffer, count: number, isLast: boolean): List | null {
  const bytes = LIST_BYTES + count * 2
  const start = isLast ? value.length - TAIL_BYTES - bytes : LIST_AT
  const sumAt = start + bytes - 4
  if (count < 2 || start < LIST_AT || sumAt + 4 > value.length) return null
  if (sumOf(value, start, sumAt) !== value.readUInt32BE(sumAt)) return null
  const lengthsAt = start + NUMBERED_KEY_BYTES
  return {
    key: value.subarray(start, lengthsAt),
    lengths: Array.from({ length: count }, (_, index) => value.readUInt16BE(lengthsAt + index * 2)),
  }
}

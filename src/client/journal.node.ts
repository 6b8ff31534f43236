/**
 * A file of records that only grows, with a check sum for each, that is written anew from a snapshot when it has grown too long.
 *
 *   "ackd journal 2\n"  { marker, u32 length, u32 CRC-32 of what follows, u48 flushed, record } …       the first record is a snapshot
 *
 * All before `flushed` was on the disk when that record was written. So a crash leaves intact whatever an intact record says of what is before it,
 * and may leave anything behind that: pages that were on their way together arrive in any order. What is torn there is cut off with all that
 * follows, since nothing was done yet that follows from it. Other damage cannot come from a crash; then reading is refused instead of
 * losing messages in silence. In version 1 records do not say what was flushed, and every hole is damage.
 */
import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'

const HEADER = Buffer.from('ackd journal 2\n')
const FIRST_HEADER = Buffer.from('ackd journal 1\n')
const MARKER = Buffer.from('aJ\xf5\x01', 'latin1')
const PREFIX = MARKER.length + 8
/** Bytes of `flushed`. */
const FLUSHED = 6
const MIN_COMPACTION_BYTES = 1_048_576
/** Bytes that wait for a disk that takes none; with more, all is written anew when it takes some again. */
const MAX_WAITING = MIN_COMPACTION_BYTES

/** What the journal holds, as far as it could be read, or why it must not be used. */
export type JournalContent =
  { readonly records: readonly Uint8Array[]; readonly cut: number } | { readonly damagedAt: number }

/** Reads a journal; null when there is none. */
export function readJournal(path: string): JournalContent | null {
  const file = readIfThere(path)
  if (file === null) return null
  const header = file.subarray(0, HEADER.length)
  const isFirst = header.equals(FIRST_HEADER)
  if (!isFirst && !header.equals(HEADER)) return { damagedAt: 0 }
  const records: Uint8Array[] = []
  let at = HEADER.length
  for (let framed = framedAt(file, at); framed !== null; framed = framedAt(file, at)) {
    records.push(framed.subarray(isFirst ? 0 : FLUSHED))
    at += PREFIX + framed.length
  }
  const mustBeThere = (framed: Buffer): boolean => isFirst || framed.readUIntBE(0, FLUSHED) > at
  const damaged = records.length === 0 || someAfter(file, at, mustBeThere)
  return damaged ? { damagedAt: at } : { records, cut: file.length - at }
}

export class Journal {
  readonly #path: string
  readonly #fsync: boolean
  readonly #snapshot: () => Uint8Array
  #file: number
  #size = 0
  /** So many bytes of it are on the disk. */
  #flushed = 0
  #compactAt = 0
  #pending: Buffer[] = []
  #durable = false
  /** What is pending is not all that is to be written. */
  #whole = false

  /** Starts the file anew with the snapshot. Throws when it cannot be written. */
  constructor(path: string, snapshot: () => Uint8Array, fsync: boolean) {
    this.#path = path
    this.#fsync = fsync
    this.#snapshot = snapshot
    this.#file = this.#compact()
  }

  /** Adds a record, in memory. `durable`: the next `commit` flushes it. */
  add(record: Uint8Array, durable: boolean): void {
    this.#pending.push(frame(record, this.#flushed))
    this.#durable ||= durable
  }

  /** Writes what was added. When it throws, nothing was, and a later call tries again. */
  commit(): void {
    if (this.#pending.length === 0 && !this.#whole) return
    const bytes = Buffer.concat(this.#pending)
    try {
      if (this.#whole || this.#size + bytes.length > this.#compactAt) this.#startAnew()
      else this.#append(bytes)
    } catch (error) {
      this.#whole ||= bytes.length > MAX_WAITING
      if (this.#whole) this.#pending = []
      throw error
    }
    this.#pending = []
    this.#durable = this.#whole = false
  }

  close(): void {
    closeSync(this.#file)
  }

  #append(bytes: Buffer): void {
    try {
      writeAll(this.#file, bytes, this.#size)
      if (this.#durable && this.#fsync) fdatasyncSync(this.#file)
    } catch (error) {
      ftruncateSync(this.#file, this.#size)
      throw error
    }
    this.#size += bytes.length
    if (this.#durable && this.#fsync) this.#flushed = this.#size
  }

  /** The snapshot has in it all that is pending. */
  #startAnew(): void {
    const old = this.#file
    this.#file = this.#compact()
    closeSync(old)
  }

  #compact(): number {
    const temporary = `${this.#path}.new`
    const bytes = Buffer.concat([HEADER, frame(this.#snapshot(), 0)])
    const file = openSync(temporary, 'w', 0o600)
    try {
      writeAll(file, bytes, 0)
      if (this.#fsync) fsyncSync(file)
      renameSync(temporary, this.#path)
      if (this.#fsync) syncDirectory(dirname(this.#path))
    } catch (error) {
      closeSync(file)
      // Half of it would take the room that the next try needs.
      rmSync(temporary, { force: true })
      throw error
    }
    this.#size = bytes.length
    this.#flushed = this.#fsync ? bytes.length : 0
    this.#compactAt = Math.max(MIN_COMPACTION_BYTES, 2 * bytes.length)
    return file
  }
}

/** Makes renames in a directory durable. */
export function syncDirectory(path: string): void {
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

function readIfThere(path: string): Buffer | null {
  try {
    return readFileSync(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

function writeAll(file: number, bytes: Buffer, position: number): void {
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at, bytes.length - at, position + at)
}

function frame(record: Uint8Array, flushed: number): Buffer {
  const framed = Buffer.allocUnsafe(PREFIX + FLUSHED + record.length)
  MARKER.copy(framed)
  framed.writeUInt32BE(FLUSHED + record.length, MARKER.length)
  framed.writeUIntBE(flushed, PREFIX, FLUSHED)
  framed.set(record, PREFIX + FLUSHED)
  framed.writeUInt32BE(crc32(framed.subarray(PREFIX)), MARKER.length + 4)
  return framed
}

/** What an intact frame holds at that place; null when there is none. */
function framedAt(file: Buffer, at: number): Buffer | null {
  if (at + PREFIX > file.length || file.compare(MARKER, 0, MARKER.length, at, at + MARKER.length) !== 0) return null
  const length = file.readUInt32BE(at + MARKER.length)
  // Torn behind the marker it has no length, and the sum of nothing is 0.
  if (length === 0 || length > file.length - at - PREFIX) return null
  const framed = file.subarray(at + PREFIX, at + PREFIX + length)
  return crc32(framed) === file.readUInt32BE(at + MARKER.length + 4) ? framed : null
}

function someAfter(file: Buffer, from: number, is: (framed: Buffer) => boolean): boolean {
  for (let at = file.indexOf(MARKER, from + 1); at !== -1; at = file.indexOf(MARKER, at + 1)) {
    const framed = framedAt(file, at)
    if (framed !== null && is(framed)) return true
  }
  return false
}

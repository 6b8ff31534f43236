/**
 * A file of records that only grows, with a check sum for each, that is written anew from a snapshot when it has grown too long.
 *
 *   "ackd journal 1\n"  { marker, u32 length, u32 CRC-32 of the bytes, bytes } …       the first record is a snapshot
 *
 * A torn end is what a crash leaves behind, and is cut off. Damage with an intact *durable* record after it cannot come from a
 * crash, since those are flushed before anything follows from them; then reading is refused instead of losing messages in silence.
 */
import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'

const HEADER = Buffer.from('ackd journal 1\n')
const MARKER = Buffer.from('aJ\xf5\x01', 'latin1')
const PREFIX = MARKER.length + 8
const MIN_COMPACTION_BYTES = 1_048_576

/** What the journal holds, as far as it could be read, or why it must not be used. */
export type JournalContent =
  { readonly records: readonly Uint8Array[]; readonly cut: number } | { readonly damagedAt: number }

/** Reads a journal; null when there is none. `isDurable` tells which records are flushed before anything follows from them. */
export function readJournal(path: string, isDurable: (record: Uint8Array) => boolean): JournalContent | null {
  const file = readIfThere(path)
  if (file === null) return null
  if (!file.subarray(0, HEADER.length).equals(HEADER)) return { damagedAt: 0 }
  const records: Uint8Array[] = []
  let at = HEADER.length
  for (let record = recordAt(file, at); record !== null; record = recordAt(file, at)) {
    records.push(record)
    at += PREFIX + record.length
  }
  const damaged = records.length === 0 || findLater(file, at, isDurable)
  return damaged ? { damagedAt: at } : { records, cut: file.length - at }
}

export class Journal {
  readonly #path: string
  readonly #fsync: boolean
  readonly #snapshot: () => Uint8Array
  #file: number
  #size = 0
  #compactAt = 0
  #pending: Buffer[] = []
  #durable = false

  /** Starts the file anew with the snapshot. Throws when it cannot be written. */
  constructor(path: string, snapshot: () => Uint8Array, fsync: boolean) {
    this.#path = path
    this.#fsync = fsync
    this.#snapshot = snapshot
    this.#file = this.#compact()
  }

  /** Adds a record, in memory. `durable`: the next `commit` flushes it. */
  add(record: Uint8Array, durable: boolean): void {
    this.#pending.push(frame(record))
    this.#durable ||= durable
  }

  /** Writes what was added. When it throws, nothing was, and a later call tries again. */
  commit(): void {
    if (this.#pending.length === 0) return
    const bytes = Buffer.concat(this.#pending)
    if (this.#size + bytes.length > this.#compactAt) {
      // The snapshot has in it all that is pending.
      const old = this.#file
      this.#file = this.#compact()
      closeSync(old)
    } else {
      this.#append(bytes)
    }
    this.#pending = []
    this.#durable = false
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
  }

  #compact(): number {
    const temporary = `${this.#path}.new`
    const bytes = Buffer.concat([HEADER, frame(this.#snapshot())])
    const file = openSync(temporary, 'w', 0o600)
    try {
      writeAll(file, bytes, 0)
      if (this.#fsync) fsyncSync(file)
      renameSync(temporary, this.#path)
      if (this.#fsync) syncDirectory(dirname(this.#path))
    } catch (error) {
      closeSync(file)
      throw error
    }
    this.#size = bytes.length
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

function frame(record: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(PREFIX + record.length)
  MARKER.copy(framed)
  framed.writeUInt32BE(record.length, MARKER.length)
  framed.writeUInt32BE(crc32(record), MARKER.length + 4)
  framed.set(record, PREFIX)
  return framed
}

function recordAt(file: Buffer, at: number): Uint8Array | null {
  if (at + PREFIX > file.length || file.compare(MARKER, 0, MARKER.length, at, at + MARKER.length) !== 0) return null
  const length = file.readUInt32BE(at + MARKER.length)
  if (length > file.length - at - PREFIX) return null
  const record = file.subarray(at + PREFIX, at + PREFIX + length)
  return crc32(record) === file.readUInt32BE(at + MARKER.length + 4) ? record : null
}

function findLater(file: Buffer, from: number, isDurable: (record: Uint8Array) => boolean): boolean {
  for (let at = file.indexOf(MARKER, from + 1); at !== -1; at = file.indexOf(MARKER, at + 1)) {
    const record = recordAt(file, at)
    if (record !== null && isDurable(record)) return true
  }
  return false
}

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  return value
})

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) crc = (crc >>> 8) ^ (crcTable[(crc ^ byte) & 0xff] ?? 0)
  return (crc ^ 0xffffffff) >>> 0
}

/**
 * The bytes that go to Redis and come back: parcels on their way in, messages, streams. `scripts-mailbox.ts` describes them.
 *
 * A whole batch is one argument, written into one buffer: the driver then has a fixed, small number of arguments to write,
 * however large the batch is. What comes back is not copied: a body is a part of the bytes that were read.
 */
import { internAscii } from '../../protocol/intern.ts'
import type { EndReason } from '../../protocol/errors.ts'
import type { SyncReply } from '../../protocol/frames.ts'
import type { Entry, Lost, Outcome } from '../../protocol/mailbox.ts'
import type { Appended, RoomEntry, RoomParcel } from '../../protocol/rooms.ts'

const TWO_32 = 0x1_0000_0000

/** Bytes of a parcel besides its stream and body; of these, the first four say how many follow. */
const PARCEL_HEAD = 38
/** Where the parts of a message begin. */
const AT = { s: 0, n: 16, time: 24, kind: 32, length: 33, stream: 34 } as const
/** The same in the log of a room. */
const POST = { offset: 0, n: 8, time: 16, kind: 24, length: 25, stream: 26 } as const
const STREAM_HEAD = 24
const LOST_BYTES = 9
/** Added to the kind of what was sent before it was parked. */
const REPEATED = 4

const kinds: readonly (EndReason | '')[] = ['', '', 'expired', 'dead']
const ends: readonly EndReason[] = ['rejected', 'expired', 'dead']
const outcomes = new Map<string, Outcome>(
  (['ok', 'stored', 'delivered', 'rejected', 'expired', 'dead', 'full'] as const).map(word => [word, word]),
)

/** An answer of Redis that no script of ours gives. */
export class UnexpectedReply extends Error {
  constructor(what: string) {
    super(`Redis answered with something else than ${what}.`)
    this.name = 'UnexpectedReply'
  }
}

function writeInteger(bytes: Buffer, value: number, at: number): number {
  bytes.writeUInt32BE(Math.floor(value / TWO_32), at)
  return bytes.writeUInt32BE(value % TWO_32, at + 4)
}

function readInteger(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) * TWO_32 + bytes.readUInt32BE(at + 4)
}

/** For a mailbox, or, without the other two, for a room. */
interface PackedParcel extends RoomParcel {
  readonly expires?: number
  readonly repeated?: boolean
}

export function packParcels(batch: readonly PackedParcel[]): Buffer {
  const bytes = Buffer.allocUnsafe(sizeOfParcels(batch))
  writeParcels(batch, bytes, 0)
  return bytes
}

export function sizeOfParcels(batch: readonly PackedParcel[]): number {
  let size = 0
  for (const { stream, body } of batch) size += PARCEL_HEAD + stream.length + body.end - body.start
  return size
}

/** One after the other; answers where they end. The names of streams are ASCII, shorter than 256. */
export function writeParcels(batch: readonly PackedParcel[], bytes: Buffer, at: number): number {
  for (const { stream, n, floor, time, expires = 0, body, repeated = false } of batch) {
    at = bytes.writeUInt32BE(PARCEL_HEAD - 4 + stream.length + body.end - body.start, at)
    at = writeInteger(bytes, floor, at)
    at = writeInteger(bytes, expires, at)
    at = writeInteger(bytes, n, at)
    at = writeInteger(bytes, time, at)
    at = bytes.writeUInt8((body.text ? 1 : 0) + (repeated ? REPEATED : 0), at)
    at = bytes.writeUInt8(stream.length, at)
    at += bytes.write(stream, at, 'latin1')
    bytes.set(body.bytes.subarray(body.start, body.end), at)
    at += body.end - body.start
  }
  return at
}

/** What was given out up to `before` counts as repeated. */
export function readEntry(bytes: Buffer, before: number): Entry {
  const flags = bytes[AT.kind] ?? 0
  const kind = flags % REPEATED
  const s = readInteger(bytes, AT.s)
  const start = AT.stream + (bytes[AT.length] ?? 0)
  return {
    s,
    stream: internAscii(bytes, AT.stream, start) ?? bytes.toString('latin1', AT.stream, start),
    n: readInteger(bytes, AT.n),
    time: readInteger(bytes, AT.time),
    body: kind < 2 ? { bytes, start, end: bytes.length, text: kind === 1 } : null,
    reason: kinds[kind] ?? '',
    repeated: flags >= REPEATED || s <= before,
  }
}

export function readPost(bytes: Buffer): RoomEntry {
  const start = POST.stream + (bytes[POST.length] ?? 0)
  return {
    offset: readInteger(bytes, POST.offset),
    stream: bytes.toString('latin1', POST.stream, start),
    n: readInteger(bytes, POST.n),
    time: readInteger(bytes, POST.time),
    body: { bytes, start, end: bytes.length, text: bytes[POST.kind] === 1 },
  }
}

/** An offset, 0 for what was taken before, or negative the number that is missing. */
export function readAppended(value: unknown): Appended {
  const outcome = numberOf(value)
  if (outcome === 0) return 'stored'
  return outcome > 0 ? { offset: outcome } : { missing: -outcome }
}

export function readStream(bytes: Buffer): SyncReply {
  const lost: (readonly [number, EndReason])[] = []
  for (let at = STREAM_HEAD; at + LOST_BYTES <= bytes.length; at += LOST_BYTES) {
    lost.push([readInteger(bytes, at), ends[(bytes[at + 8] ?? 0) - 1] ?? 'dead'])
  }
  const reply = { last: readInteger(bytes, 0), delivered: readInteger(bytes, 8) }
  return lost.length === 0 ? reply : { ...reply, lost }
}

/** `taken` times ok, then those of `rest`. */
export function readOutcomes(taken: number, rest: readonly unknown[]): Outcome[] {
  const all: Outcome[] = new Array<Outcome>(taken).fill('ok')
  for (const one of rest) {
    const outcome = typeof one === 'number' ? one : outcomes.get(textOf(one))
    if (outcome === undefined) throw new UnexpectedReply('what becomes of a message')
    all.push(outcome)
  }
  return all
}

/** Streams and numbers in turn. */
export function readLost(flat: readonly unknown[], recipient: string, kind: EndReason, reason: string): Lost[] {
  const lost: Lost[] = []
  for (let i = 0; i + 1 < flat.length; i += 2) {
    lost.push({ recipient, stream: textOf(flat[i]), n: numberOf(flat[i + 1]), kind, reason })
  }
  return lost
}

// ── the parts of a reply ──────────────────────────────────────────────────────────────────────────────────────────────────

export function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new UnexpectedReply('a list')
  return value
}

export function numberOf(value: unknown): number {
  if (typeof value !== 'number') throw new UnexpectedReply('a number')
  return value
}

export function bytesOf(value: unknown): Buffer {
  if (!Buffer.isBuffer(value)) throw new UnexpectedReply('bytes')
  return value
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : bytesOf(value).toString()
}

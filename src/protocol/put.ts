/**
 * Writes the pieces of a MessagePack header, in their smallest widths, to a place that has room for them.
 *
 * Each function writes at `at` and returns where it ended. The caller has made room: 9 bytes for a number, 5 for any other
 * header, and `stringRoom` for a string.
 */
import { writeUtf8 } from './utf8.ts'

const scratch = new DataView(new ArrayBuffer(8))

/** Bytes that `putString` may need. */
export function stringRoom(text: string): number {
  return 5 + 3 * text.length
}

/** A number that is no integer, or is beyond 2^53, is written as a float; -0 becomes 0. */
export function putNumber(bytes: Uint8Array, at: number, value: number): number {
  if ((value & 0x7f) === value) {
    bytes[at] = value
    return at + 1
  }
  if (!Number.isSafeInteger(value)) return putFloat(bytes, at, value)
  return value < 0 ? putNegative(bytes, at, value) : putPositive(bytes, at, value)
}

function putPositive(bytes: Uint8Array, at: number, value: number): number {
  if (value <= 0xff) return putOne(bytes, at, 0xcc, value)
  if (value <= 0xffff) return putTwo(bytes, at, 0xcd, value)
  if (value <= 0xffff_ffff) return putFour(bytes, at, 0xce, value)
  return putEight(bytes, at, 0xcf, value)
}

function putNegative(bytes: Uint8Array, at: number, value: number): number {
  if (value >= -0x20) return putFirst(bytes, at, value)
  if (value >= -0x80) return putOne(bytes, at, 0xd0, value)
  if (value >= -0x8000) return putTwo(bytes, at, 0xd1, value)
  if (value >= -0x8000_0000) return putFour(bytes, at, 0xd2, value)
  return putEight(bytes, at, 0xd3, value)
}

function putFirst(bytes: Uint8Array, at: number, first: number): number {
  bytes[at] = first
  return at + 1
}

function putOne(bytes: Uint8Array, at: number, first: number, value: number): number {
  bytes[at] = first
  bytes[at + 1] = value
  return at + 2
}

function putTwo(bytes: Uint8Array, at: number, first: number, value: number): number {
  bytes[at] = first
  bytes[at + 1] = value >>> 8
  bytes[at + 2] = value
  return at + 3
}

function putFour(bytes: Uint8Array, at: number, first: number, value: number): number {
  putTwo(bytes, at, first, value >>> 16)
  bytes[at + 3] = value >>> 8
  bytes[at + 4] = value
  return at + 5
}

function putEight(bytes: Uint8Array, at: number, first: number, value: number): number {
  const low = value >>> 0
  putFour(bytes, at, first, Math.floor(value / 0x1_0000_0000))
  bytes[at + 5] = low >>> 24
  bytes[at + 6] = low >>> 16
  bytes[at + 7] = low >>> 8
  bytes[at + 8] = low
  return at + 9
}

export function putFloat(bytes: Uint8Array, at: number, value: number): number {
  scratch.setFloat64(0, value)
  return putScratch(bytes, at, 0xcb)
}

/** An integer that no number can hold; it must fit into 64 bits, signed if it is negative. */
export function putBigInt(bytes: Uint8Array, at: number, value: bigint): number {
  if (value < 0n) scratch.setBigInt64(0, value)
  else scratch.setBigUint64(0, value)
  return putScratch(bytes, at, value < 0n ? 0xd3 : 0xcf)
}

function putScratch(bytes: Uint8Array, at: number, first: number): number {
  bytes[at] = first
  for (let i = 0; i < 8; i++) bytes[at + 1 + i] = scratch.getUint8(i)
  return at + 9
}

export function putNil(bytes: Uint8Array, at: number): number {
  return putFirst(bytes, at, 0xc0)
}

export function putBoolean(bytes: Uint8Array, at: number, value: boolean): number {
  return putFirst(bytes, at, value ? 0xc3 : 0xc2)
}

export function putArrayHeader(bytes: Uint8Array, at: number, count: number): number {
  if (count <= 0x0f) return putFirst(bytes, at, 0x90 | count)
  return count <= 0xffff ? putTwo(bytes, at, 0xdc, count) : putFour(bytes, at, 0xdd, count)
}

export function putMapHeader(bytes: Uint8Array, at: number, count: number): number {
  if (count <= 0x0f) return putFirst(bytes, at, 0x80 | count)
  return count <= 0xffff ? putTwo(bytes, at, 0xde, count) : putFour(bytes, at, 0xdf, count)
}

export function putBinaryHeader(bytes: Uint8Array, at: number, length: number): number {
  if (length <= 0xff) return putOne(bytes, at, 0xc4, length)
  return length <= 0xffff ? putTwo(bytes, at, 0xc5, length) : putFour(bytes, at, 0xc6, length)
}

function putStringHeader(bytes: Uint8Array, at: number, length: number): number {
  if (length <= 0x1f) return putFirst(bytes, at, 0xa0 | length)
  if (length <= 0xff) return putOne(bytes, at, 0xd9, length)
  return length <= 0xffff ? putTwo(bytes, at, 0xda, length) : putFour(bytes, at, 0xdb, length)
}

export function putString(bytes: Uint8Array, at: number, text: string): number {
  const { length } = text
  if (length > 0x1f) return putLongString(bytes, at, text)
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0x7f) return putLongString(bytes, at, text)
    bytes[at + 1 + i] = code
  }
  bytes[at] = 0xa0 | length
  return at + 1 + length
}

/** The length in bytes is known only afterwards: the text is written behind the widest header and then moved up to its own. */
function putLongString(bytes: Uint8Array, at: number, text: string): number {
  const start = at + 5
  const end = writeUtf8(text, bytes, start)
  const first = putStringHeader(bytes, at, end - start)
  bytes.copyWithin(first, start, end)
  return first + end - start
}

/** Bytes as they are. Below some thirty bytes a loop is faster than the view that `set` needs. */
export function putRaw(bytes: Uint8Array, at: number, source: Uint8Array, start: number, end: number): number {
  if (end - start <= 32) {
    for (let from = start; from < end; from++) bytes[at++] = source[from] as number
    return at
  }
  bytes.set(viewOf(source, start, end), at)
  return at + end - start
}

/** Bytes that lie in the same buffer, further ahead: no view is needed for these. */
export function putAgain(bytes: Uint8Array, at: number, start: number, end: number): number {
  bytes.copyWithin(at, start, end)
  return at + end - start
}

/**
 * The last bytes that were copied from, and the memory below them: asking for that is a call into native code, and bodies that come one after
 * another often lie in one slab. Large ones are not kept here.
 */
let latest: Uint8Array = new Uint8Array(0)
let memory = latest.buffer
let offset = 0
const LARGEST_KEPT = 64 * 1024

/** A view of these bytes. Half as much as `subarray` takes where the last one was of the same memory. */
function viewOf(source: Uint8Array, start: number, end: number): Uint8Array {
  if (source.length > LARGEST_KEPT) return source.subarray(start, end)
  if (source !== latest) {
    latest = source
    memory = source.buffer
    offset = source.byteOffset
  }
  return new Uint8Array(memory, offset + start, end - start)
}

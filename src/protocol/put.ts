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

/** `value` is a number; one that is no integer, or is beyond 2^53, is written as a float. */
export function putNumber(bytes: Uint8Array, at: number, value: number): number {
  if (value >= 0 && value <= 0x7f && Number.isInteger(value) && !Object.is(value, -0)) {
    bytes[at] = value
    return at + 1
  }
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) return putFloat(bytes, at, value)
  return value < 0 ? putNegative(bytes, at, value) : putPositive(bytes, at, value)
}

function putPositive(bytes: Uint8Array, at: number, value: number): number {
  if (value <= 0xff) return putBytes(bytes, at, 0xcc, value, 1)
  if (value <= 0xffff) return putBytes(bytes, at, 0xcd, value, 2)
  if (value <= 0xffff_ffff) return putBytes(bytes, at, 0xce, value, 4)
  putBytes(bytes, at, 0xcf, Math.floor(value / 0x1_0000_0000), 4)
  return putTail(bytes, at + 5, value >>> 0, 4)
}

function putNegative(bytes: Uint8Array, at: number, value: number): number {
  if (value >= -0x20) return putTail(bytes, at, value, 1)
  if (value >= -0x80) return putBytes(bytes, at, 0xd0, value, 1)
  if (value >= -0x8000) return putBytes(bytes, at, 0xd1, value, 2)
  if (value >= -0x8000_0000) return putBytes(bytes, at, 0xd2, value, 4)
  putBytes(bytes, at, 0xd3, Math.floor(value / 0x1_0000_0000), 4)
  return putTail(bytes, at + 5, value >>> 0, 4)
}

/** A first byte, then `width` bytes of a number, the highest first. */
function putBytes(bytes: Uint8Array, at: number, first: number, value: number, width: number): number {
  bytes[at] = first
  return putTail(bytes, at + 1, value, width)
}

function putTail(bytes: Uint8Array, at: number, value: number, width: number): number {
  for (let shift = (width - 1) * 8; shift >= 0; shift -= 8) bytes[at++] = value >>> shift
  return at
}

function putFloat(bytes: Uint8Array, at: number, value: number): number {
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
  bytes[at] = 0xc0
  return at + 1
}

export function putBoolean(bytes: Uint8Array, at: number, value: boolean): number {
  bytes[at] = value ? 0xc3 : 0xc2
  return at + 1
}

export function putArrayHeader(bytes: Uint8Array, at: number, count: number): number {
  if (count <= 0x0f) return putTail(bytes, at, 0x90 | count, 1)
  return count <= 0xffff ? putBytes(bytes, at, 0xdc, count, 2) : putBytes(bytes, at, 0xdd, count, 4)
}

export function putMapHeader(bytes: Uint8Array, at: number, count: number): number {
  if (count <= 0x0f) return putTail(bytes, at, 0x80 | count, 1)
  return count <= 0xffff ? putBytes(bytes, at, 0xde, count, 2) : putBytes(bytes, at, 0xdf, count, 4)
}

export function putBinaryHeader(bytes: Uint8Array, at: number, length: number): number {
  if (length <= 0xff) return putBytes(bytes, at, 0xc4, length, 1)
  return length <= 0xffff ? putBytes(bytes, at, 0xc5, length, 2) : putBytes(bytes, at, 0xc6, length, 4)
}

function putStringHeader(bytes: Uint8Array, at: number, length: number): number {
  if (length <= 0x1f) return putTail(bytes, at, 0xa0 | length, 1)
  if (length <= 0xff) return putBytes(bytes, at, 0xd9, length, 1)
  return length <= 0xffff ? putBytes(bytes, at, 0xda, length, 2) : putBytes(bytes, at, 0xdb, length, 4)
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

/** Bytes as they are. Below some forty bytes a loop is faster than the view that `set` needs. */
export function putRaw(bytes: Uint8Array, at: number, source: Uint8Array, start: number, end: number): number {
  if (end - start <= 40) {
    for (let from = start; from < end; from++) bytes[at++] = source[from] as number
    return at
  }
  bytes.set(source.subarray(start, end), at)
  return at + end - start
}

/**
 * CRC-32 of a part of some bytes, as `crc32` of zlib computes it.
 *
 * Of the few bytes of a header or a short body the call into native code, and the view that it needs, cost more than the sum itself. So those are
 * summed here, eight bytes a step, by as many tables: the first has the sum of each byte, each further one that of the byte with
 * one more zero behind it.
 */
import { crc32 } from 'node:zlib'

/** Bytes from which on the native one is faster. */
const LONG = 256
const STEP = 8

const tables = new Uint32Array(STEP * 256)
for (let byte = 0; byte < 256; byte++) {
  let sum = byte
  for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1
  tables[byte] = sum
}
for (let at = 256; at < tables.length; at++) {
  const shorter = tables[at - 256] as number
  tables[at] = (shorter >>> 8) ^ (tables[shorter & 0xff] as number)
}

/** `before`: the sum of what precedes it. */
export function sumOf(bytes: Uint8Array, start: number, end: number, before = 0): number {
  if (end - start >= LONG) return crc32(bytes.subarray(start, end), before)
  let sum = ~before
  let at = start
  for (; at + STEP <= end; at += STEP) {
    sum ^=
      byteAt(bytes, at) | (byteAt(bytes, at + 1) << 8) | (byteAt(bytes, at + 2) << 16) | (byteAt(bytes, at + 3) << 24)
    sum =
      entry(7, sum & 0xff) ^
      entry(6, (sum >>> 8) & 0xff) ^
      entry(5, (sum >>> 16) & 0xff) ^
      entry(4, sum >>> 24) ^
      entry(3, byteAt(bytes, at + 4)) ^
      entry(2, byteAt(bytes, at + 5)) ^
      entry(1, byteAt(bytes, at + 6)) ^
      entry(0, byteAt(bytes, at + 7))
  }
  for (; at < end; at++) sum = (sum >>> 8) ^ entry(0, (sum ^ byteAt(bytes, at)) & 0xff)
  return ~sum >>> 0
}

function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] as number
}

function entry(zeros: number, byte: number): number {
  return tables[(zeros << 8) | byte] as number
}

/**
 * The frame check: whether bytes are one plain MessagePack value, before anything is made of them.
 *
 * It walks the bytes, allocates nothing, goes no deeper than it is told, and never believes a declared count: each element takes
 * at least a byte, so a count above the bytes that are left is a lie, found before any loop. Decoders of general libraries trust
 * such counts, and build dates, errors and classes from extension types; nothing reaches a reader here that was not checked.
 */
import { decodeUtf8, isUtf8 } from './utf8.ts'

/**
 * The end of the value that begins at `at`, or -1 if it is not plain MessagePack: extension types and the byte c1, more than
 * `depth` levels (a scalar is one), map keys that are no strings, invalid UTF-8, or anything that reaches beyond `end`.
 */
export function checkValue(bytes: Uint8Array, at: number, end: number, depth: number): number {
  if (at >= end || depth <= 0) return -1
  const byte = bytes[at] as number
  if (byte < 0x80 || byte >= 0xe0) return at + 1
  if (byte < 0x90) return checkMap(bytes, at + 1, end, byte & 0x0f, depth)
  if (byte < 0xa0) return checkArray(bytes, at + 1, end, byte & 0x0f, depth)
  if (byte < 0xc0) return checkString(bytes, at + 1, end, byte & 0x1f)
  switch (byte) {
    case 0xc0:
    case 0xc2:
    case 0xc3:
      return at + 1
    case 0xcc:
    case 0xd0:
      return within(at + 2, end)
    case 0xcd:
    case 0xd1:
      return within(at + 3, end)
    case 0xca:
    case 0xce:
    case 0xd2:
      return within(at + 5, end)
    case 0xcb:
    case 0xcf:
    case 0xd3:
      return within(at + 9, end)
    default:
      return checkSized(bytes, at, end, depth, byte)
  }
}

/** Values that carry a length of one, two or four bytes. */
function checkSized(bytes: Uint8Array, at: number, end: number, depth: number, byte: number): number {
  const width = lengthWidth(byte)
  const body = at + 1 + width
  if (width === 0 || body > end) return -1
  const length = readLength(bytes, at + 1, width)
  if (byte <= 0xc6) return within(body + length, end)
  if (byte <= 0xdb) return checkString(bytes, body, end, length)
  if (byte <= 0xdd) return checkArray(bytes, body, end, length, depth)
  return checkMap(bytes, body, end, length, depth)
}

/** Bytes that the length of a bin, str, array or map takes after its first byte; 0 when it is none of these. */
export function lengthWidth(byte: number): 0 | 1 | 2 | 4 {
  switch (byte) {
    case 0xc4:
    case 0xd9:
      return 1
    case 0xc5:
    case 0xda:
    case 0xdc:
    case 0xde:
      return 2
    case 0xc6:
    case 0xdb:
    case 0xdd:
    case 0xdf:
      return 4
    default:
      return 0
  }
}

/** The big-endian number of one, two or four bytes at `at`. */
export function readLength(bytes: Uint8Array, at: number, width: number): number {
  let length = 0
  for (let i = 0; i < width; i++) length = length * 256 + (bytes[at + i] as number)
  return length
}

function within(at: number, end: number): number {
  return at <= end ? at : -1
}

function checkString(bytes: Uint8Array, at: number, end: number, length: number): number {
  const last = at + length
  return last <= end && isUtf8(bytes, at, last) ? last : -1
}

function checkArray(bytes: Uint8Array, at: number, end: number, count: number, depth: number): number {
  if (count > end - at) return -1
  for (let i = 0; i < count && at >= 0; i++) at = checkValue(bytes, at, end, depth - 1)
  return at
}

function checkMap(bytes: Uint8Array, at: number, end: number, count: number, depth: number): number {
  if (count * 2 > end - at) return -1
  for (let i = 0; i < count && at >= 0; i++) {
    at = checkKey(bytes, at, end)
    if (at >= 0) at = checkValue(bytes, at, end, depth - 1)
  }
  return at
}

function checkKey(bytes: Uint8Array, at: number, end: number): number {
  return at < end && isStringByte(bytes[at] as number) ? checkValue(bytes, at, end, 1) : -1
}

export function isStringByte(byte: number): boolean {
  return (byte >= 0xa0 && byte < 0xc0) || (byte >= 0xd9 && byte <= 0xdb)
}

export function isMapByte(byte: number): boolean {
  return (byte >= 0x80 && byte < 0x90) || byte === 0xde || byte === 0xdf
}

/** Keys that no option map may hold: they would reach into the prototype of a carelessly made copy. */
export function isForbiddenKey(key: string): boolean {
  return key === '__proto__' || key === 'constructor' || key === 'prototype'
}

/** What is wrong with the keys of an option map that `checkValue` has passed, or null: forbidden or doubled ones. */
export function checkOptions(bytes: Uint8Array, at: number, end: number): string | null {
  const byte = bytes[at] as number
  const width = lengthWidth(byte)
  const count = width === 0 ? byte & 0x0f : readLength(bytes, at + 1, width)
  const seen = new Set<string>()
  at += 1 + width
  for (let i = 0; i < count; i++) {
    const keyEnd = checkValue(bytes, at, end, 1)
    const key = decodeUtf8(bytes, at + 1 + lengthWidth(bytes[at] as number), keyEnd)
    if (isForbiddenKey(key)) return `the key ${key} is not allowed in an option map`
    if (seen.size === seen.add(key).size) return 'an option map has a doubled key'
    at = checkValue(bytes, keyEnd, end, Infinity)
  }
  return null
}

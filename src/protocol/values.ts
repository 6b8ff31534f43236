/**
 * Bodies made from values and read back, in both encodings, and what JSON cannot say, said in it.
 *
 * In JSON, bytes are `{"$bin": "<base64>"}`, integers beyond 2^53 `{"$int": "<decimal>"}`, NaN and infinities null. A real map of
 * one key that would look like that gets one more `$`: `$bin` is written `$$bin`, `$$bin` is written `$$$bin`, and so on; on
 * the way back one `$` is taken off a key that has two or more. So every map survives. A map `{"$bin": …}` that does not hold exactly what an
 * encoder writes there (padded base64, a decimal integer of 64 bits) is not ours: it stays the map that it is. A plain JSON number is a
 * double, as in every browser; whoever means an exact integer beyond 2^53 writes `$int`.
 */
import { fromBase64, toBase64 } from './base64.ts'
import { readValue, setOwn } from './read-value.ts'
import { MAX_DEPTH } from './limits.ts'
import type { Body } from './frames.ts'
import { Output } from './output.ts'
import {
  putArrayHeader,
  putBigInt,
  putBinaryHeader,
  putBoolean,
  putFloat,
  putMapHeader,
  putNil,
  putNumber,
  putRaw,
  putString,
  stringRoom,
} from './put.ts'
import { decodeUtf8, encodeUtf8 } from './utf8.ts'

/**
 * The body of a value: null, boolean, number, bigint, string, Uint8Array, array, plain object, Map with string keys; undefined
 * counts as null. Throws a TypeError, which says why, for anything else, for a cycle and for more than 16 levels. Half a
 * surrogate pair in a string becomes U+FFFD, as everywhere where text becomes UTF-8.
 */
export function encodeBody(value: unknown, text: boolean): Body {
  if (!text) return encodeBinaryBody(value)
  const bytes = encodeUtf8(JSON.stringify(toJson(value)))
  return { bytes, start: 0, end: bytes.length, text }
}

/** The same as MessagePack, for who never speaks JSON and does not want to carry what that takes. */
export function encodeBinaryBody(value: unknown): Body {
  const bytes = encodeValue(value)
  return { bytes, start: 0, end: bytes.length, text: false }
}

/** The value of a body: Uint8Array for bytes (a copy), bigint for integers beyond 2^53. Only for a body that a decoder handed on. */
export function decodeBody(body: Body): unknown {
  const { bytes, start, end } = body
  return body.text ? fromJson(JSON.parse(decodeUtf8(bytes, start, end))) : decodeBinaryBody(body)
}

/** The value of a body that is MessagePack. */
export function decodeBinaryBody({ bytes, start, end }: Body): unknown {
  return readValue(bytes, start, end)
}

function encodeValue(value: unknown): Uint8Array {
  const out = new Output()
  try {
    writeValue(out, value)
    return out.takeBytes()
  } finally {
    out.discard()
  }
}

/** Writes a value as MessagePack. Throws like `encodeBody`, and may then have written a part of it. */
export function writeValue(out: Output, value: unknown, depth = MAX_DEPTH): void {
  const plain = checked(value, depth)
  switch (plain.kind) {
    case 'array':
      out.at = putArrayHeader(out.reserve(5), out.at, plain.items.length)
      for (const item of plain.items) writeValue(out, item, depth - 1)
      return
    case 'map':
      out.at = putMapHeader(out.reserve(5), out.at, plain.entries.length)
      for (const [key, item] of plain.entries) {
        out.at = putString(out.reserve(stringRoom(key)), out.at, key)
        writeValue(out, item, depth - 1)
      }
      return
    case 'bytes':
      out.at = putBinaryHeader(out.reserve(5), out.at, plain.bytes.length)
      out.at = putRaw(out.reserve(plain.bytes.length), out.at, plain.bytes, 0, plain.bytes.length)
      return
    case 'scalar':
      writeScalar(out, plain.value)
  }
}

function writeScalar(out: Output, value: Scalar): void {
  if (typeof value === 'string') out.at = putString(out.reserve(stringRoom(value)), out.at, value)
  // A header has no use for a negative zero, but a value may mean it.
  else if (Object.is(value, -0)) out.at = putFloat(out.reserve(9), out.at, -0)
  else if (typeof value === 'number') out.at = putNumber(out.reserve(9), out.at, value)
  else if (typeof value === 'bigint') out.at = putBigInt(out.reserve(9), out.at, value)
  else if (typeof value === 'boolean') out.at = putBoolean(out.reserve(1), out.at, value)
  else out.at = putNil(out.reserve(1), out.at)
}

type Scalar = null | boolean | number | bigint | string

type Plain =
  | { readonly kind: 'scalar'; readonly value: Scalar }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'array'; readonly items: readonly unknown[] }
  | { readonly kind: 'map'; readonly entries: readonly (readonly [string, unknown])[] }

/** Sorts a value into what the wire knows, or throws. */
function checked(value: unknown, depth: number): Plain {
  if (depth <= 0) throw new TypeError(`A body has at most ${MAX_DEPTH} levels; flatten it, and look for a cycle.`)
  switch (typeof value) {
    case 'undefined':
      return { kind: 'scalar', value: null }
    case 'boolean':
    case 'number':
    case 'string':
      return { kind: 'scalar', value }
    case 'bigint':
      return { kind: 'scalar', value: checkedBigInt(value) }
    case 'object':
      return value === null ? { kind: 'scalar', value } : checkedObject(value)
    default:
      throw new TypeError(`A ${typeof value} cannot be sent; leave it out or send what describes it.`)
  }
}

/** A bigint that a number can hold is sent as one, so that equal integers have equal bytes. */
function checkedBigInt(value: bigint): number | bigint {
  const number = Number(value)
  if (Number.isSafeInteger(number)) return number
  if (value >= -(2n ** 63n) && value < 2n ** 64n) return value
  throw new TypeError('An integer above 64 bits cannot be sent; send it as a string.')
}

function checkedObject(value: object): Plain {
  if (Array.isArray(value)) return { kind: 'array', items: value }
  if (value instanceof Uint8Array) return { kind: 'bytes', bytes: value }
  if (value instanceof Map) return { kind: 'map', entries: checkedEntries(value) }
  if (isPlainObject(value)) return { kind: 'map', entries: Object.entries(value) }
  const name = Object.prototype.toString.call(value)
  throw new TypeError(`${name} cannot be sent; send plain objects, arrays, strings, numbers and Uint8Array.`)
}

function checkedEntries(map: ReadonlyMap<unknown, unknown>): [string, unknown][] {
  const entries: [string, unknown][] = []
  for (const [key, value] of map) {
    if (typeof key !== 'string') throw new TypeError('A Map can be sent only if all of its keys are strings.')
    entries.push([key, value])
  }
  return entries
}

/** Also one from another realm, whose prototype is another `Object.prototype`. */
function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

const wrapped = /^\$+(?:bin|int)$/
const loneSurrogates = /\p{Surrogate}/gu

/** The value as one that `JSON.stringify` writes without loss. Throws like `encodeBody`. */
export function toJson(value: unknown, depth = MAX_DEPTH): unknown {
  const plain = checked(value, depth)
  switch (plain.kind) {
    case 'array':
      return plain.items.map(item => toJson(item, depth - 1))
    case 'bytes':
      return { $bin: toBase64(plain.bytes) }
    case 'map':
      return mapToJson(plain.entries, depth)
    case 'scalar':
      if (typeof plain.value === 'bigint') return { $int: String(plain.value) }
      return typeof plain.value === 'string' ? wellFormed(plain.value) : plain.value
  }
}

function mapToJson(entries: readonly (readonly [string, unknown])[], depth: number): Record<string, unknown> {
  const map: Record<string, unknown> = {}
  for (const [key, item] of entries) {
    const name = entries.length === 1 && wrapped.test(key) ? `$${key}` : wellFormed(key)
    setOwn(map, name, toJson(item, depth - 1))
  }
  return map
}

function wellFormed(text: string): string {
  return text.replace(loneSurrogates, '\ufffd')
}

/** The value that a parsed JSON text stands for: the reverse of `toJson`. */
export function fromJson(json: unknown): unknown {
  if (typeof json !== 'object' || json === null) return json
  if (Array.isArray(json)) return json.map(fromJson)
  const entries: [string, unknown][] = Object.entries(json)
  const first = entries.length === 1 ? entries[0] : undefined
  if (first !== undefined && wrapped.test(first[0])) return unwrap(first[0], first[1])
  const map: Record<string, unknown> = {}
  for (const [key, item] of entries) setOwn(map, key, fromJson(item))
  return map
}

function unwrap(key: string, item: unknown): unknown {
  if (key.startsWith('$$')) return { [key.slice(1)]: fromJson(item) }
  const scalar = typeof item === 'string' ? (key === '$bin' ? fromBase64(item) : parseInteger(item)) : null
  return scalar ?? { [key]: fromJson(item) }
}

const decimal = /^(?:0|-?[1-9][0-9]{0,19})$/

function parseInteger(text: string): number | bigint | null {
  if (!decimal.test(text)) return null
  const value = BigInt(text)
  const number = Number(value)
  if (Number.isSafeInteger(number)) return number
  return value >= -(2n ** 63n) && value < 2n ** 64n ? value : null
}

/**
 * Makes values of MessagePack bytes that the frame check has passed; it may therefore trust them.
 *
 * It is written here and not taken from a library, because the libraries rename `__proto__` keys, lose integers beyond 2^53 or
 * need an option for each extension type that they must not build; and the check beside it has done most of the work.
 */
import { isStringByte, lengthWidth, readLength } from './check.ts'
import { decodeUtf8 } from './utf8.ts'

const scratch = new DataView(new ArrayBuffer(8))

/**
 * The value at `at`. Bytes become a Uint8Array of their own, integers beyond 2^53 a bigint, maps plain objects, in which of two
 * equal keys the last one wins.
 */
export function readValue(bytes: Uint8Array, at: number, end: number): unknown {
  return new ValueReader(bytes, at, end).value()
}

/** The number at `at`; NaN for an integer beyond 2^53 and for what is no number. */
export function readNumber(bytes: Uint8Array, at: number): number {
  const byte = bytes[at] as number
  if (byte < 0x80) return byte
  if (byte >= 0xe0) return byte - 0x100
  switch (byte) {
    case 0xcc:
      return bytes[at + 1] as number
    case 0xcd:
      return twoBytes(bytes, at + 1)
    case 0xce:
      return fourBytes(bytes, at + 1)
    case 0xcf:
      return safe(fourBytes(bytes, at + 1) * 0x1_0000_0000 + fourBytes(bytes, at + 5))
    case 0xd0:
      return ((bytes[at + 1] as number) << 24) >> 24
    case 0xd1:
      return (twoBytes(bytes, at + 1) << 16) >> 16
    case 0xd2:
      return fourBytes(bytes, at + 1) | 0
    case 0xd3:
      return safe((fourBytes(bytes, at + 1) | 0) * 0x1_0000_0000 + fourBytes(bytes, at + 5))
    case 0xca:
      return copied(bytes, at + 1, 4).getFloat32(0)
    case 0xcb:
      return copied(bytes, at + 1, 8).getFloat64(0)
    default:
      return NaN
  }
}

function twoBytes(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number)
}

function fourBytes(bytes: Uint8Array, at: number): number {
  return (twoBytes(bytes, at) * 0x1_0000 + twoBytes(bytes, at + 2)) >>> 0
}

function safe(integer: number): number {
  return Number.isSafeInteger(integer) ? integer : NaN
}

function copied(bytes: Uint8Array, at: number, width: number): DataView {
  for (let i = 0; i < width; i++) scratch.setUint8(i, bytes[at + i] as number)
  return scratch
}

/** Sets a key of its own, whatever it is called: a plain assignment to `__proto__` would be lost. */
export function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') target[key] = value
  else Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true })
}

class ValueReader {
  readonly #bytes: Uint8Array
  readonly #end: number
  #at: number

  constructor(bytes: Uint8Array, at: number, end: number) {
    this.#bytes = bytes
    this.#at = at
    this.#end = end
  }

  value(): unknown {
    const byte = this.#bytes[this.#at] as number
    if (isStringByte(byte)) return this.#string()
    if (byte >= 0x80 && byte < 0x90) return this.#map(1, byte & 0x0f)
    if (byte >= 0x90 && byte < 0xa0) return this.#array(1, byte & 0x0f)
    switch (byte) {
      case 0xc0:
      case 0xc2:
      case 0xc3:
        this.#at++
        return byte === 0xc0 ? null : byte === 0xc3
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#binary()
      case 0xdc:
      case 0xdd:
        return this.#array(1 + lengthWidth(byte), this.#length())
      case 0xde:
      case 0xdf:
        return this.#map(1 + lengthWidth(byte), this.#length())
      default:
        return this.#number(byte)
    }
  }

  #length(): number {
    return readLength(this.#bytes, this.#at + 1, lengthWidth(this.#bytes[this.#at] as number))
  }

  #string(): string {
    const byte = this.#bytes[this.#at] as number
    const start = this.#at + 1 + lengthWidth(byte)
    this.#at = start + (byte < 0xc0 ? byte & 0x1f : this.#length())
    return decodeUtf8(this.#bytes, start, this.#at)
  }

  #binary(): Uint8Array {
    const start = this.#at + 1 + lengthWidth(this.#bytes[this.#at] as number)
    this.#at = start + this.#length()
    return new Uint8Array(this.#bytes.subarray(start, this.#at))
  }

  #number(byte: number): number | bigint {
    const at = this.#at
    this.#at += 1 + numberWidth(byte)
    const number = readNumber(this.#bytes, at)
    if (Number.isNaN(number) && (byte === 0xcf || byte === 0xd3)) {
      const view = copied(this.#bytes, at + 1, 8)
      return byte === 0xcf ? view.getBigUint64(0) : view.getBigInt64(0)
    }
    return number
  }

  #array(header: number, count: number): unknown[] {
    this.#at += header
    const array: unknown[] = []
    for (let i = 0; i < count && this.#at < this.#end; i++) array.push(this.value())
    return array
  }

  #map(header: number, count: number): Record<string, unknown> {
    this.#at += header
    const map: Record<string, unknown> = {}
    for (let i = 0; i < count && this.#at < this.#end; i++) {
      const key = this.#string()
      setOwn(map, key, this.value())
    }
    return map
  }
}

/** Bytes that follow the first byte of a number; 0 as well for what is no number. */
export function numberWidth(byte: number): number {
  switch (byte) {
    case 0xcc:
    case 0xd0:
      return 1
    case 0xcd:
    case 0xd1:
      return 2
    case 0xca:
    case 0xce:
    case 0xd2:
      return 4
    case 0xcb:
    case 0xcf:
    case 0xd3:
      return 8
    default:
      return 0
  }
}

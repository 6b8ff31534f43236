/**
 * Reads the header of a MessagePack frame where it lies: numbers, names, options, without building the array that it is.
 *
 * Malformed bytes do not throw and need no test after each step: the reader then stands beyond every end, where all further
 * reading fails too, and `failed` is looked at once per frame. A well-formed value of an unwanted type is no failure: it is
 * passed over, and the answer says that it was not what was asked for (NaN, '', null).
 */
import { checkOptions, checkValue, isMapByte, isStringByte, lengthWidth, readLength } from './check.ts'
import { internAscii } from './intern.ts'
import { MAX_DEPTH } from './limits.ts'
import { numberWidth, readNumber, readValue } from './read-value.ts'
import { decodeUtf8, isUtf8 } from './utf8.ts'

/** A place beyond every end. */
const FAILED = 0x3fffffff

const nothing = new Uint8Array(0)

export class Reader {
  bytes: Uint8Array = nothing
  at = 0
  end = 0

  open(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes
    this.at = start
    this.end = end
  }

  /** Lets go of the bytes. */
  close(): void {
    this.open(nothing, 0, 0)
  }

  get failed(): boolean {
    return this.at === FAILED
  }

  fail(): void {
    this.at = FAILED
  }

  /** The number of elements of the array that begins here; -1 if there is none. */
  arrayHeader(): number {
    if (this.at >= this.end) return -1
    const byte = this.bytes[this.at] as number
    if (byte >= 0x90 && byte < 0xa0) {
      this.at++
      return byte & 0x0f
    }
    if (byte !== 0xdc && byte !== 0xdd) return -1
    const width = lengthWidth(byte)
    const first = this.at + 1 + width
    if (first > this.end) return -1
    const count = readLength(this.bytes, this.at + 1, width)
    if (count > this.end - first) return -1
    this.at = first
    return count
  }

  /** Steps over these very bytes if they come next. */
  accept(literal: Uint8Array): boolean {
    const { bytes, at } = this
    const { length } = literal
    if (at + length > this.end) return false
    for (let i = 0; i < length; i++) {
      if (bytes[at + i] !== literal[i]) return false
    }
    this.at = at + length
    return true
  }

  acceptNil(): boolean {
    if (this.at >= this.end || this.bytes[this.at] !== 0xc0) return false
    this.at++
    return true
  }

  /** A number; NaN for an integer beyond 2^53 and for what is no number. */
  number(): number {
    const { at, bytes } = this
    if (at < this.end) {
      const byte = bytes[at] as number
      const next = at + 1 + (byte < 0x80 ? 0 : numberWidth(byte))
      if (next <= this.end && (byte < 0x80 || next > at + 1)) {
        this.at = next
        return readNumber(bytes, at)
      }
    }
    this.skip(1)
    return this.failed ? NaN : readNumber(bytes, at)
  }

  /** A short string, the same object for the same bytes; '' for what is no string. Not for secrets. */
  name(): string {
    const { bytes, at } = this
    if (at >= this.end || !isStringByte(bytes[at] as number)) {
      this.skip(1)
      return ''
    }
    const byte = bytes[at] as number
    let start = at + 1
    let length = byte & 0x1f
    if (byte >= 0xc0) {
      const width = lengthWidth(byte)
      start += width
      length = start > this.end ? this.end : readLength(bytes, at + 1, width)
    }
    const end = start + length
    if (end > this.end) {
      this.fail()
      return ''
    }
    this.at = end
    return internAscii(bytes, start, end) ?? this.#longName(start, end)
  }

  #longName(start: number, end: number): string {
    if (isUtf8(this.bytes, start, end)) return decodeUtf8(this.bytes, start, end)
    this.fail()
    return ''
  }

  /** Checks that many values, of so many levels at most, and steps over them. */
  skip(count: number, levels = MAX_DEPTH): void {
    let { at } = this
    for (let i = 0; i < count && at >= 0; i++) at = checkValue(this.bytes, at, this.end, levels)
    this.at = at < 0 ? FAILED : at
  }

  /** Like `skip` for one value, and if it is a map, its keys must be right for options. The answer is what is wrong with them, or null. */
  skipOptions(): string | null {
    const { at } = this
    this.skip(1)
    if (this.failed || !isMapByte(this.bytes[at] as number)) return null
    return checkOptions(this.bytes, at, this.at)
  }

  /** The value at `at`, which was stepped over before. */
  valueAt(at: number): unknown {
    return readValue(this.bytes, at, this.end)
  }
}

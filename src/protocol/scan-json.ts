/**
 * Walks the JSON array of a text frame and notes where its elements lie, so that the body can be cut out as it is.
 *
 * `JSON.parse` alone would not do: it gives no places, collapses doubled keys, knows no depth, and makes everything before
 * anything can be refused. The scanner is as strict as it (RFC 8259), and stricter in two things that MessagePack could not say:
 * half a surrogate pair, and a number beyond all numbers.
 */
import { decodeUtf8, sequenceEnd } from './utf8.ts'

/** An element of the frame. */
export interface Element {
  readonly start: number
  readonly end: number
  /** Levels of nesting as written; `{"$bin": …}` is two here and one in truth. */
  readonly levels: number
  /** Keys as written, doubled ones included, if it is an object. */
  readonly keys: number
}

/** Elements that are noted; further ones are only checked. More than any frame has. */
const MAX_NOTED = 16

/** The elements of the one array that the bytes must be, or null if they are not valid JSON or have more than `levels` in truth. */
export function scanFrame(bytes: Uint8Array, start: number, end: number, levels: number): readonly Element[] | null {
  return new Scan(bytes, start, end, levels).frame()
}

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const BACKSLASH = 0x5c

class Scan {
  readonly #bytes: Uint8Array
  readonly #end: number
  readonly #maxWritten: number
  #at: number
  #levels = 0
  #keys = 0

  constructor(bytes: Uint8Array, start: number, end: number, levels: number) {
    this.#bytes = bytes
    this.#at = start
    this.#end = end
    // Levels as written may be one more than levels in truth.
    this.#maxWritten = levels + 1
  }

  frame(): Element[] | null {
    const elements: Element[] = []
    if (!this.#take(0x5b)) return null
    if (this.#take(0x5d)) return this.#ended() ? elements : null
    do {
      this.#space()
      const start = this.#at
      this.#levels = 0
      this.#keys = 0
      if (!this.#value(1)) return null
      if (elements.length < MAX_NOTED) {
        elements.push({ start, end: this.#at, levels: this.#levels, keys: this.#keys })
      }
    } while (this.#take(COMMA))
    return this.#take(0x5d) && this.#ended() ? elements : null
  }

  #ended(): boolean {
    this.#space()
    return this.#at === this.#end
  }

  /** The next byte, or -1 at the end. */
  #peek(): number {
    return this.#at < this.#end ? (this.#bytes[this.#at] as number) : -1
  }

  #space(): void {
    for (;;) {
      const byte = this.#peek()
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return
      this.#at++
    }
  }

  /** Steps over this byte, and the white space before it, if it comes next. */
  #take(byte: number): boolean {
    this.#space()
    if (this.#peek() !== byte) return false
    this.#at++
    return true
  }

  #value(level: number): boolean {
    if (level > this.#maxWritten) return false
    if (level > this.#levels) this.#levels = level
    this.#space()
    const byte = this.#peek()
    switch (byte) {
      case QUOTE:
        return this.#string()
      case 0x7b:
        return this.#object(level)
      case 0x5b:
        return this.#array(level)
      case 0x74:
        return this.#literal('true')
      case 0x66:
        return this.#literal('false')
      case 0x6e:
        return this.#literal('null')
      default:
        return this.#number()
    }
  }

  #array(level: number): boolean {
    this.#at++
    if (this.#take(0x5d)) return true
    do {
      if (!this.#value(level + 1)) return false
    } while (this.#take(COMMA))
    return this.#take(0x5d)
  }

  #object(level: number): boolean {
    this.#at++
    let keys = 0
    if (!this.#take(0x7d)) {
      do {
        this.#space()
        if (this.#peek() !== QUOTE || !this.#string() || !this.#take(COLON) || !this.#value(level + 1)) return false
        keys++
      } while (this.#take(COMMA))
      if (!this.#take(0x7d)) return false
    }
    // The outermost object ends last, so its number is the one that stays.
    this.#keys = keys
    return true
  }

  #literal(word: string): boolean {
    for (let i = 0; i < word.length; i++) {
      if (this.#peek() !== word.charCodeAt(i)) return false
      this.#at++
    }
    return true
  }

  #string(): boolean {
    this.#at++
    while (this.#at < this.#end) {
      const byte = this.#bytes[this.#at] as number
      if (byte === QUOTE) {
        this.#at++
        return true
      }
      if (byte < 0x20) return false
      if (byte === BACKSLASH) {
        if (!this.#escape()) return false
      } else if (byte < 0x80) {
        this.#at++
      } else {
        this.#at = sequenceEnd(this.#bytes, this.#at, this.#end)
        if (this.#at < 0) return false
      }
    }
    return false
  }

  #escape(): boolean {
    this.#at++
    const byte = this.#peek()
    this.#at++
    if (byte !== 0x75) return isEscape(byte)
    const unit = this.#hex()
    if (unit < 0xd800 || unit > 0xdfff) return unit >= 0
    // Half of a pair is no character: the other half must follow at once.
    return unit < 0xdc00 && this.#literal('\\u') && (this.#hex() & 0xfc00) === 0xdc00
  }

  /** The number that four hexadecimal digits make, or -1. */
  #hex(): number {
    let unit = 0
    for (let i = 0; i < 4; i++) {
      const digit = hexDigit(this.#peek())
      if (digit < 0) return -1
      unit = unit * 16 + digit
      this.#at++
    }
    return unit
  }

  #number(): boolean {
    const start = this.#at
    if (this.#peek() === 0x2d) this.#at++
    const zero = this.#peek() === 0x30
    const whole = this.#digits()
    if (whole === 0 || (zero && whole > 1)) return false
    if (this.#peek() === 0x2e) {
      this.#at++
      if (this.#digits() === 0) return false
    }
    const exponent = (this.#peek() | 0x20) === 0x65
    if (exponent) {
      this.#at++
      if (this.#peek() === 0x2b || this.#peek() === 0x2d) this.#at++
      if (this.#digits() === 0) return false
    }
    return (!exponent && whole < 300) || Number.isFinite(Number(decodeUtf8(this.#bytes, start, this.#at)))
  }

  #digits(): number {
    const start = this.#at
    for (let byte = this.#peek(); byte >= 0x30 && byte <= 0x39; byte = this.#peek()) this.#at++
    return this.#at - start
  }
}

/** One of `"\/bfnrt`. */
function isEscape(byte: number): boolean {
  switch (byte) {
    case QUOTE:
    case BACKSLASH:
    case 0x2f:
    case 0x62:
    case 0x66:
    case 0x6e:
    case 0x72:
    case 0x74:
      return true
    default:
      return false
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

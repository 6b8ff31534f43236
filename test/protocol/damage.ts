/** Frames that are damaged at random, by a seed: changed, cut, and put together with others, with bytes that mean much where they stand. */
import { utf8 } from './recorder.ts'

/** Bytes that mean much where they stand. */
const telling = [
  0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc4, 0xc9, 0xd3, 0xd6, 0xd9, 0xdb, 0xdd, 0xdf, 0xff,
]
const tellingText = utf8(String.raw`[]{}",:\u0129eE+-.$`)

export class Damage {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  /** A number below `limit`; mulberry32. */
  random(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }

  /** A byte of a binary packet. */
  byte(): number {
    return this.random(3) === 0 ? this.random(256) : (telling[this.random(telling.length)] as number)
  }

  /** The bytes with one to four faults. */
  do(bytes: Uint8Array, other: Uint8Array, text: boolean): Uint8Array {
    let made = bytes.slice()
    for (let times = 1 + this.random(4); times > 0; times--) {
      const at = this.random(made.length + 1)
      const alphabet = text ? tellingText : telling
      const byte = this.random(4) === 0 ? this.random(256) : (alphabet[this.random(alphabet.length)] as number)
      switch (this.random(6)) {
        case 0:
        case 1:
          if (at < made.length) made[at] = byte
          break
        case 2:
          made = Uint8Array.of(...made.subarray(0, at), byte, ...made.subarray(at))
          break
        case 3:
          made = Uint8Array.of(...made.subarray(0, at), ...made.subarray(at + 1 + this.random(4)))
          break
        case 4:
          made = made.slice(0, at)
          break
        default:
          made = Uint8Array.of(...made.subarray(0, at), ...other.subarray(this.random(other.length)))
      }
    }
    return made
  }
}

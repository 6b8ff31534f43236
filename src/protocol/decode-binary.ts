/**
 * Decodes binary packets: frames back to back, each a MessagePack array, §1.
 *
 * Every byte is checked once before anything is made of it. The frequent frames are read where they lie, by their dialect; the others
 * become a header of plain values, of as many elements as any frame has.
 */
import { type Dialect } from './dialect.ts'
import { isStringByte } from './check.ts'
import type { Body } from './frames.ts'
import { Reader } from './reader.ts'

/** Elements of a frame that are read; what follows is only checked. */
const MAX_READ = 8

const MALFORMED =
  'the bytes are not plain MessagePack: cut off, nested too deep, of an extension type, or with a count above what is left'

export class BinaryDecoder<F> {
  readonly #frames: F
  readonly #dialect: Dialect<F>
  readonly #reader = new Reader()
  #stopped = false

  constructor(frames: F, dialect: Dialect<F>) {
    this.#frames = frames
    this.#dialect = dialect
  }

  stop(): void {
    this.#stopped = true
  }

  /** See `PacketDecoder`. */
  decode(bytes: Uint8Array, start: number, end: number): string | null {
    const reader = this.#reader
    reader.open(bytes, start, end)
    let wrong: string | null = start < end ? null : 'the packet is empty'
    try {
      while (wrong === null && reader.at < end && !this.#stopped) wrong = this.#frame(reader)
    } finally {
      reader.close()
    }
    return wrong
  }

  #frame(reader: Reader): string | null {
    const count = reader.arrayHeader()
    if (count <= 0)
      return count === 0 ? 'a frame is empty' : 'a frame is not an array, or its count is above what is left'
    let wrong = this.#dialect.readFrequent(reader, this.#frames, count)
    if (wrong === undefined) wrong = this.#anyFrame(reader, count)
    return reader.failed ? MALFORMED : wrong
  }

  #anyFrame(reader: Reader, count: number): string | null {
    if (reader.at >= reader.end || !isStringByte(reader.bytes[reader.at] as number)) return 'an op is not a string'
    const op = reader.name()
    const bodyAt = this.#dialect.bodyAt(op)
    const optionsAt = this.#dialect.optionsAt(op)
    const places: number[] = [reader.at]
    for (let i = 1; i < count && !reader.failed; i++) {
      if (i <= MAX_READ) places.push(reader.at)
      const wrong = i === optionsAt ? reader.skipOptions() : null
      if (wrong !== null) return wrong
      if (i !== optionsAt) reader.skip(1)
    }
    if (reader.failed) return null
    places.push(reader.at)
    const header: unknown[] = [op]
    let body: Body | null = null
    for (let i = 1; i < count && i < MAX_READ; i++) {
      const start = places[i] as number
      if (i !== bodyAt) header.push(reader.valueAt(start))
      else body = { bytes: reader.bytes, start, end: places[i + 1] as number, text: false }
      if (body !== null) break
    }
    return this.#dialect.read(this.#frames, op, header, body)
  }
}

/**
 * Decodes binary packets: frames back to back, each a MessagePack array, §1.
 *
 * Every byte is checked once before anything is made of it. The frequent frames are read where they lie, by their dialect; the others
 * become a header of plain values, of as many elements as any frame has.
 */
import type { Dialect } from './dialect.ts'
import { isStringByte } from './check.ts'
import type { Body } from './frames.ts'
import { Reader } from './reader.ts'

/** Elements of a frame that are read; what follows is only checked. */
const MAX_READ = 8

const MALFORMED =
  'the bytes are not plain MessagePack: cut off, nested too deep, of an extension type, or with a count above what is left'

export class BinaryDecoder<F> {
  readonly #dialect: Dialect<F>
  readonly #reader = new Reader()
  #stopped = false

  constructor(dialect: Dialect<F>) {
    this.#dialect = dialect
  }

  /** No further frame of the packet that is being decoded is handed on. */
  stop(): void {
    this.#stopped = true
  }

  /** See `PacketDecoder`. */
  decode(frames: F, bytes: Uint8Array, start: number, end: number): string | null {
    const reader = this.#reader
    reader.open(bytes, start, end)
    this.#stopped = false
    let wrong: string | null = start < end ? null : 'the packet is empty'
    try {
      while (wrong === null && reader.at < end && !this.#isStopped()) wrong = this.#frame(reader, frames)
    } finally {
      reader.close()
    }
    return wrong
  }

  #isStopped(): boolean {
    return this.#stopped
  }

  #frame(reader: Reader, frames: F): string | null {
    const count = reader.arrayHeader()
    if (count <= 0)
      return count === 0 ? 'a frame is empty' : 'a frame is not an array, or its count is above what is left'
    let wrong = this.#dialect.readFrequent(reader, frames, count)
    if (wrong === undefined) wrong = this.#anyFrame(reader, frames, count)
    return reader.failed ? MALFORMED : wrong
  }

  #anyFrame(reader: Reader, frames: F, count: number): string | null {
    if (reader.at >= reader.end || !isStringByte(reader.bytes[reader.at] as number)) return 'an op is not a string'
    const op = reader.name()
    const starts: number[] = []
    const wrong = this.#checkElements(reader, count, op, starts)
    if (wrong !== null || reader.failed) return wrong
    const bodyAt = this.#dialect.bodyAt(op)
    const hasBody = bodyAt > 0 && bodyAt < count
    const header: unknown[] = [op]
    for (let i = 1; i < Math.min(count, MAX_READ, hasBody ? bodyAt : count); i++) {
      header.push(reader.valueAt(starts[i - 1] as number))
    }
    return this.#dialect.read(frames, op, header, hasBody ? bodyOf(reader.bytes, starts, bodyAt) : null)
  }

  /** Steps over the elements after the op and notes where each begins, and where the last one noted ends. */
  #checkElements(reader: Reader, count: number, op: string, starts: number[]): string | null {
    const optionsAt = this.#dialect.optionsAt(op)
    const levels = this.#dialect.levelsOf(op)
    let wrong: string | null = null
    for (let i = 1; i < count && wrong === null && !reader.failed; i++) {
      if (i <= MAX_READ) starts.push(reader.at)
      if (i === optionsAt) wrong = reader.skipOptions()
      else reader.skip(1, levels)
    }
    if (starts.length < MAX_READ) starts.push(reader.at)
    return wrong
  }
}

/** The body that is element `at` of a frame; elements lie back to back, so it ends where the next one begins. */
function bodyOf(bytes: Uint8Array, starts: readonly number[], at: number): Body {
  return { bytes, start: starts[at - 1] as number, end: starts[at] as number, text: false }
}

/**
 * What the decoders must know of a direction: the shapes of its frames. The two dialects are `client-frames.ts` and `server-frames.ts`.
 *
 * A frame is first cut into a header of plain values and a body, the same from either encoding, and then read by one function,
 * so that a rule stands once. Only the frames that make up nearly all traffic are read from their MessagePack bytes at once.
 */
import type { Body, Ref } from './frames.ts'
import type { Reader } from './reader.ts'

export interface Dialect<F> {
  /** The place of the body in a frame; 0 for none. */
  bodyAt(op: string): number
  /** The place of the option map in a frame; 0 for none. */
  optionsAt(op: string): number
  /** Levels of nesting that an element of a frame may have; and the most that one of any frame may. */
  levelsOf(op: string): number
  readonly deepest: number
  /**
   * Reads one of the frequent frames, the reader standing after its array header. Null: done. A string: why it is a bad frame; the
   * reader may also have failed. Undefined: not a frequent frame; the reader stands where it stood.
   */
  readFrequent(reader: Reader, frames: F, count: number): string | null | undefined
  /** Reads any frame. `header[0]` is the op; the body is left out of the header. The answer is null or why it is a bad frame. */
  read(frames: F, op: string, header: readonly unknown[], body: Body | null): string | null
}

export function isInteger(value: unknown, least: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= least
}

export function isRef(value: unknown): value is Ref {
  return typeof value === 'string' || (typeof value === 'number' && Number.isSafeInteger(value))
}

export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
}

/** The start of a frame as it stands in MessagePack: words, each after its length. */
export function literal(...words: readonly string[]): Uint8Array {
  const bytes: number[] = []
  for (const word of words) {
    bytes.push(0xa0 | word.length)
    for (let i = 0; i < word.length; i++) bytes.push(word.charCodeAt(i))
  }
  return Uint8Array.from(bytes)
}

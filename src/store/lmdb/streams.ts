/**
 * The streams that one mailbox or room in LMDB remembers: read when they are needed, written down at each checkpoint of its,
 * and bounded in number, the least recently used ones going first.
 */
import type { Table } from './environment.ts'
import { boxRange, putStream, readStream, streamKey, Tag, type KeptStream } from './records.ts'
import { createStream } from '../streams.ts'

/** Streams that stay in memory once they are written down. */
const IDLE = 32

interface CachedStream extends KeptStream {
  /** Whether it is written down at all. */
  stored: boolean
}

/** What is written down of them with the mailbox or room that they belong to. */
export interface StreamCount {
  readonly number: number
  /** Streams written down. */
  streams: number
  /** Rises with each use of one. */
  uses: number
}

export class KeptStreams {
  readonly #table: Table
  readonly #most: number
  readonly #record: StreamCount
  /** Null until there is one. */
  #cached: Map<string, CachedStream> | null = null
  /** Those that changed since the last checkpoint. */
  #changed: Set<string> | null = null

  constructor(table: Table, most: number, record: StreamCount) {
    this.#table = table
    this.#most = most
    this.#record = record
  }

  /** What is known of a stream; zeros for one that is not remembered. */
  get(name: string): CachedStream {
    const cached = this.#cached?.get(name)
    if (cached !== undefined) return cached
    const key = streamKey(this.#record.number, name)
    const value = this.#table.get(key)
    if (value === undefined) return { ...createStream(), used: 0, stored: false }
    const stream = { ...readStream(key, value), stored: true }
    this.#cache(name, stream)
    return stream
  }

  /** Remembers a stream that has changed as the most recently used one. */
  use(name: string, stream: CachedStream): void {
    stream.used = ++this.#record.uses
    this.#cache(name, stream)
    this.#changed ??= new Set()
    this.#changed.add(name)
  }

  /** Writes down what has changed. */
  checkpoint(): void {
    if (this.#changed === null) return
    for (const name of this.#changed) {
      const stream = this.get(name)
      putStream(this.#record.number, name, stream, this.#table.put)
      if (!stream.stored) this.#record.streams++
      stream.stored = true
    }
    this.#changed.clear()
    if (this.#record.streams > this.#most * 1.25) this.#forget()
    if (this.#cached !== null && this.#cached.size > IDLE) this.#cached = null
  }

  #cache(name: string, stream: CachedStream): void {
    this.#cached ??= new Map()
    this.#cached.set(name, stream)
  }

  /** A quarter more than the limit may be there, so that this is rare. */
  #forget(): void {
    const { number } = this.#record
    const [start, end] = boxRange(Tag.stream, number)
    const streams = Array.from(this.#table.range(start, end), ({ key, value }) => ({
      name: Buffer.from(key).toString('latin1', start.length),
      used: readStream(key, value).used,
    }))
    streams.sort((a, b) => b.used - a.used)
    for (const { name } of streams.slice(this.#most)) {
      this.#table.remove(streamKey(number, name))
      this.#cached?.delete(name)
    }
    this.#record.streams = Math.min(streams.length, this.#most)
  }
}

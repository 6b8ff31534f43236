/**
 * All streams of an outbox together, and the accounts over them: what is held, and what of it is on its way.
 *
 * Every change of a stream that moves a message goes through here, so that the sums cannot drift from the parts.
 */
import type { OutboxSnapshot } from './outgoing.ts'
import { Held, Stream } from './stream.ts'

export class Streams {
  readonly #all = new Map<string, Stream>()
  /**
   * The name is that of an earlier outbox. What was kept of it may be older than what it sent (a copy, a backup, a disk that lost its last
   * writes), and a number that is given twice is a message lost; so the server is asked about each stream before anything is sent.
   */
  #inherited = false
  /** Those that hold something. */
  readonly active = new Set<Stream>()
  /** Messages and bytes held, shadows too. */
  count = 0
  bytes = 0
  /** Messages and bytes that were sent on this connection and of which nothing was heard. */
  sent = 0
  sentBytes = 0

  get size(): number {
    return this.#all.size
  }

  get(target: string): Stream | undefined {
    return this.#all.get(target)
  }

  create(target: string): Stream {
    const stream = new Stream(target)
    stream.gated = this.#inherited
    this.#all.set(target, stream)
    return stream
  }

  push(stream: Stream, message: Held): void {
    stream.push(message)
    this.active.add(stream)
    this.count++
    this.bytes += message.size
  }

  advance(stream: Stream, message: Held): void {
    this.#track(stream, () => stream.advance(message))
  }

  cut(stream: Stream, count: number): Held[] {
    const gone = this.#track(stream, () => stream.cut(count))
    for (const message of gone) this.#release(stream, message)
    return gone
  }

  remove(stream: Stream, at: number, message: Held): void {
    this.#track(stream, () => stream.remove(at))
    this.#release(stream, message)
  }

  store(stream: Stream, count: number): Held[] {
    return this.#track(stream, () => stream.store(count))
  }

  reopen(stream: Stream, at: number, doubtful: boolean): boolean {
    return this.#track(stream, () => stream.reopen(at, doubtful))
  }

  /** The stream with the oldest shadow, or null when there is none. */
  oldest(): Stream | null {
    let oldest: Stream | null = null
    for (const stream of this.active) {
      if (stream.stored > 0 && (stream.held[0]?.time ?? 0) < (oldest?.held[0]?.time ?? Infinity)) oldest = stream
    }
    return oldest
  }

  /** Numbers every stream from 1 again and forgets those that hold nothing. There must be no shadows. */
  restart(): void {
    this.#inherited = false
    const old = [...this.active]
    this.#all.clear()
    this.active.clear()
    this.count = this.bytes = this.sent = this.sentBytes = 0
    for (const { target, held } of old) {
      const stream = this.create(target)
      for (const message of held) {
        message.n = stream.next
        message.doubtful = false
        this.push(stream, message)
      }
    }
  }

  /** Takes over what an earlier outbox held. */
  restore(snapshot: OutboxSnapshot['streams']): void {
    this.#inherited = true
    for (const { target, next, messages } of snapshot) {
      const stream = this.create(target)
      for (const { id, n, body, ttl, time, stored, key } of messages) {
        const message = new Held(id, n, target, body, ttl, time, key)
        message.doubtful = true
        message.stored = stored
        if (stored && stream.stored === stream.held.length) stream.stored++
        this.push(stream, message)
      }
      stream.next = next
      stream.top = next - 1
    }
  }

  snapshot(): OutboxSnapshot['streams'] {
    return [...this.#all.values()].map(({ target, next, held }) => ({
      target,
      next,
      messages: held.map(({ id, key, n, body, ttl, time, stored }) => ({
        id,
        key,
        target,
        n,
        body,
        ttl,
        time,
        stored,
      })),
    }))
  }

  #release(stream: Stream, message: Held): void {
    this.count--
    this.bytes -= message.size
    if (stream.held.length === 0) this.active.delete(stream)
  }

  #track<Result>(stream: Stream, change: () => Result): Result {
    const { sent, sentBytes } = stream
    const result = change()
    this.sent += stream.sent - sent
    this.sentBytes += stream.sentBytes - sentBytes
    return result
  }
}

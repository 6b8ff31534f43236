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
  /** Targets to which nothing is sent for now. */
  readonly #shut = new Set<string>()
  /** Messages and bytes held, shadows too. */
  count = 0
  bytes = 0
  /** Messages and bytes that were sent on this connection and of which nothing was heard. */
  sent = 0
  sentBytes = 0

  get size(): number {
    return this.#all.size
  }

  /** Messages that are nobody else's yet. */
  get open(): number {
    let open = 0
    for (const { held, stored } of this.active) open += held.length - stored
    return open
  }

  /** ms; when something of them has to be looked at, those apart that are to be sent now, or Infinity. */
  due(ready: ReadonlySet<Stream>, ackTimeout: number): number {
    let due = Infinity
    for (const stream of this.active) {
      const maySend = stream.first !== undefined && !stream.gated && !stream.isShut && !ready.has(stream)
      if (maySend) due = Math.min(due, stream.pausedUntil)
      if (stream.wantsSync) due = Math.min(due, stream.askAt)
      due = Math.min(due, stream.stallAt(ackTimeout))
    }
    return due
  }

  get(target: string): Stream | undefined {
    return this.#all.get(target)
  }

  create(target: string): Stream {
    const stream = new Stream(target)
    stream.gated = this.#inherited
    stream.isShut = this.#shut.has(target)
    this.#all.set(target, stream)
    return stream
  }

  /** Whether anything may be sent to that target. Returns its stream, if there is one. */
  shut(target: string, isShut: boolean): Stream | undefined {
    if (isShut) this.#shut.add(target)
    else this.#shut.delete(target)
    const stream = this.#all.get(target)
    if (stream !== undefined) stream.isShut = isShut
    return stream
  }

  /** The connection is gone: what was asked for on it has no answer any more. */
  closed(): void {
    this.#shut.clear()
    for (const stream of this.#all.values()) stream.isShut = stream.asking = false
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

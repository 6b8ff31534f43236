/**
 * What one tab has been shown: brings what an office shows to the handler of this tab, one message at a time and each of them once,
 * though offices come and go and show again what was not acked.
 *
 * The office does not wait for a tab that is slower than the others, so messages queue here. A tab that falls too far behind skips
 * what waits, and is told that it missed something.
 */
import type { Incoming } from '../inbox.ts'

export interface ShownEvents {
  show(message: Incoming): void
  /** This tab is done with it, or refused it. */
  dealt(message: Incoming, refused: string | null): void
  missed(): void
}

/** Messages that may wait for the handler. */
const MAX_WAITING = 1_000
const MAX_STREAMS = 10_000
const MAX_REFUSED = 100

export class Shown {
  readonly #events: ShownEvents
  /** The highest number that was queued of each stream; the least recently used stream first. */
  readonly #tops = new Map<string, number>()
  readonly #refused = new Map<string, string>()
  #waiting: Incoming[] = []
  #current: Incoming | null = null

  constructor(events: ShownEvents) {
    this.#events = events
  }

  /** An office shows a message. */
  take(message: Incoming): void {
    const stream = streamOf(message)
    if (message.n <= (this.#tops.get(stream) ?? 0)) return this.#repeat(message)
    if (this.#waiting.length >= MAX_WAITING) {
      this.#waiting = []
      this.#events.missed()
    }
    this.#tops.delete(stream)
    this.#tops.set(stream, message.n)
    forgetOldest(this.#tops, MAX_STREAMS)
    this.#waiting.push(message)
    this.#next()
  }

  /** The handler is done with the message that it was shown. */
  dealt(message: Incoming, refused: string | null): void {
    if (message !== this.#current) return
    this.#current = null
    if (refused !== null) {
      this.#refused.set(nameOf(message), refused)
      forgetOldest(this.#refused, MAX_REFUSED)
    }
    this.#events.dealt(message, refused)
    this.#next()
  }

  /** The client has an address that did not exist before, to which every stream begins anew. */
  forget(): void {
    this.#tops.clear()
    this.#refused.clear()
  }

  /** There is no handler any more. */
  clear(): void {
    this.#waiting = []
  }

  #repeat(message: Incoming): void {
    const name = nameOf(message)
    const isOpen = [this.#current, ...this.#waiting].some(open => open !== null && nameOf(open) === name)
    if (!isOpen) this.#events.dealt(message, this.#refused.get(name) ?? null)
  }

  #next(): void {
    if (this.#current !== null) return
    this.#current = this.#waiting.shift() ?? null
    if (this.#current !== null) this.#events.show(this.#current)
  }
}

function forgetOldest(map: Map<string, unknown>, max: number): void {
  const first = map.keys().next()
  if (map.size > max && first.done !== true) map.delete(first.value)
}

function streamOf({ from, outbox }: Incoming): string {
  return `${from} ${outbox}`
}

function nameOf(message: Incoming): string {
  return `${streamOf(message)} ${message.n}`
}

/**
 * The sent, un-acked messages of a session, in the order in which they were sent: a ring that grows by doubling, so that an
 * idle session holds no memory for it. Position and sequence number go together: the oldest has `first`, the next one to be
 * sent gets `next`.
 */
import { assert } from './assert.ts'
import type { Message } from './message.ts'

const SMALLEST = 8
/** The ring of every window that holds nothing; nothing is ever put into it. */
const empty: (Message | undefined)[] = []

export class Window {
  #ring = empty
  #first = 1
  #next = 1
  #bytes = 0

  /** Sequence of the oldest un-acked message; equal to `next` when there is none. */
  get first(): number {
    return this.#first
  }

  /** Sequence that the next message will get. */
  get next(): number {
    return this.#next
  }

  get size(): number {
    return this.#next - this.#first
  }

  /** Bytes of the bodies in it. */
  get bytes(): number {
    return this.#bytes
  }

  /** Makes room for that many more at once, where they would else make it step by step. */
  reserve(more: number): void {
    if (this.size + more > this.#ring.length) this.#grow(this.size + more)
  }

  push(message: Message): number {
    if (this.size === this.#ring.length) this.#grow(this.size + 1)
    const seq = this.#next++
    this.#ring[seq & (this.#ring.length - 1)] = message
    this.#bytes += message.size
    return seq
  }

  /** Takes out the oldest. */
  shift(): Message {
    const slot = this.#first & (this.#ring.length - 1)
    const message = this.#ring[slot]
    assert(message !== undefined && this.#first < this.#next, 'a window is shifted only when it holds something')
    this.#ring[slot] = undefined
    this.#first++
    this.#bytes -= message.size
    if (this.#first === this.#next && this.#ring.length > 64) this.#ring = empty
    return message
  }

  /** The oldest, or undefined. */
  peek(): Message | undefined {
    return this.size === 0 ? undefined : this.#ring[this.#first & (this.#ring.length - 1)]
  }

  *[Symbol.iterator](): Generator<Message> {
    for (let seq = this.#first; seq < this.#next; seq++) {
      const message = this.#ring[seq & (this.#ring.length - 1)]
      if (message !== undefined) yield message
    }
  }

  #grow(size: number): void {
    const old = this.#ring
    let length = Math.max(SMALLEST, old.length)
    while (length < size) length *= 2
    const ring = new Array<Message | undefined>(length).fill(undefined)
    for (let seq = this.#first; seq < this.#next; seq++) ring[seq & (length - 1)] = old[seq & (old.length - 1)]
    this.#ring = ring
  }
}

/**
 * The streams that one session receives, and which of them wait. Bounded: idle ones make room, oldest first, and the next message of a
 * forgotten stream goes through the mailbox, which knows it.
 */
import { Downstream } from './downstream.ts'
import type { Message } from './message.ts'

/** Streams remembered by one session, and how many are forgotten at once when there are more. */
const STREAMS = 1_000
const FORGOTTEN = 100

export class Lanes {
  readonly #lanes = new Map<string, Downstream>()
  #waiting: Downstream[] = []

  /** Those that hold something, in the order of their turn. */
  get waiting(): readonly Downstream[] {
    return this.#waiting
  }

  find(stream: string): Downstream | undefined {
    return this.#lanes.get(stream)
  }

  get(stream: string): Downstream {
    const known = this.#lanes.get(stream)
    if (known !== undefined) return known
    if (this.#lanes.size >= STREAMS) this.#forgetIdle()
    const lane = new Downstream(stream)
    this.#lanes.set(stream, lane)
    return lane
  }

  /** Has a message wait at the end of its lane. */
  hold(message: Message, lane: Downstream): void {
    if (lane.held.length === 0 && !this.#waiting.includes(lane)) this.#waiting.push(lane)
    message.lane = lane
    lane.tail = message.n
    lane.held.push(message)
  }

  /** Keeps of what a lane holds only that which `stays`, and returns the rest. */
  keep(lane: Downstream | undefined, stays: (message: Message) => boolean): Message[] {
    if (lane === undefined || lane.held.length === 0) return []
    const gone: Message[] = []
    for (const message of lane.held.splice(0)) (stays(message) ? lane.held : gone).push(message)
    this.settle()
    return gone
  }

  /** Forgets the lanes that hold nothing any more. */
  settle(): void {
    this.#waiting = this.#waiting.filter(lane => lane.held.length > 0)
  }

  /** The lane whose turn it was goes to the end, so that none starves. */
  rotate(): void {
    const first = this.#waiting.shift()
    if (first !== undefined) this.#waiting.push(first)
  }

  clear(): void {
    this.#lanes.clear()
    this.#waiting = []
  }

  #forgetIdle(): void {
    let left = FORGOTTEN
    for (const [stream, lane] of this.#lanes) {
      if (!lane.idle) continue
      this.#lanes.delete(stream)
      if (--left === 0) return
    }
  }
}

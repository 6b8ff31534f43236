/**
 * The streams that one session receives, and which of them wait. Bounded: idle ones make room, oldest first, for those of the session and
 * for those of the node. The next message of a forgotten stream goes through the mailbox, which knows it.
 */
import { Downstream } from './downstream.ts'
import type { Message } from './message.ts'
import { originOf, type Origin } from './origin.ts'
import type { Remembered } from './remembered.ts'

/** Streams remembered by one session, and how many are forgotten at once when there are more. */
const STREAMS = 1_000
const FORGOTTEN = 100

export class Lanes {
  readonly #remembered: Remembered
  readonly #lanes = new Map<string, Downstream>()
  #waiting: Downstream[] = []

  constructor(remembered: Remembered) {
    this.#remembered = remembered
  }

  /** Those that hold something, in the order of their turn. */
  get waiting(): readonly Downstream[] {
    return this.#waiting
  }

  find(stream: string): Downstream | undefined {
    return this.#lanes.get(stream)
  }

  /** `origin`: of that stream, where somebody has it. */
  get(stream: string, origin?: Origin): Downstream {
    const known = this.#lanes.get(stream)
    if (known !== undefined) return known
    if (this.#lanes.size >= STREAMS) this.#forgetIdle()
    const lane = new Downstream(this, origin ?? originOf(stream))
    this.#lanes.set(stream, lane)
    this.#remembered.add(lane)
    return lane
  }

  forget(lane: Downstream): void {
    this.#lanes.delete(lane.stream)
    this.#remembered.remove(lane)
  }

  /** Has a message wait at the end of its lane. */
  hold(message: Message, lane: Downstream): void {
    if (lane.held.length === 0 && !this.#waiting.includes(lane)) this.#waiting.push(lane)
    lane.hold(message)
  }

  /** Keeps of what a lane holds only that which `stays`, and returns the rest. */
  keep(lane: Downstream | undefined, stays: (message: Message) => boolean): Message[] {
    if (lane === undefined || lane.held.length === 0) return []
    const gone = lane.keep(stays)
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
    for (const lane of this.#lanes.values()) this.#remembered.remove(lane)
    this.#lanes.clear()
    this.#waiting = []
  }

  #forgetIdle(): void {
    let left = FORGOTTEN
    for (const lane of this.#lanes.values()) if (lane.forget() && --left === 0) return
    if (left < FORGOTTEN) return
    for (const lane of this.#lanes.values()) {
      if (!lane.isSettled) continue
      this.forget(lane)
      if (--left === 0) return
    }
  }
}

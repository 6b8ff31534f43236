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
/** Most sessions receive nothing most of the time. */
const none: readonly Downstream[] = []

export class Lanes {
  readonly #remembered: Remembered
  /** Null until the first one comes. */
  #lanes: Map<string, Downstream> | null = null
  #waiting: readonly Downstream[] = none

  constructor(remembered: Remembered) {
    this.#remembered = remembered
  }

  /** Those that hold something, in the order of their turn. */
  get waiting(): readonly Downstream[] {
    return this.#waiting
  }

  find(stream: string): Downstream | undefined {
    return this.#lanes?.get(stream)
  }

  /** `origin`: of that stream, where somebody has it. */
  get(stream: string, origin?: Origin): Downstream {
    const lanes = (this.#lanes ??= new Map<string, Downstream>())
    const known = lanes.get(stream)
    if (known !== undefined) return known
    if (lanes.size >= STREAMS) this.#forgetIdle(lanes.values())
    const lane = new Downstream(this, origin ?? originOf(stream))
    lanes.set(stream, lane)
    this.#remembered.add(lane)
    return lane
  }

  forget(lane: Downstream): void {
    this.#lanes?.delete(lane.stream)
    this.#remembered.remove(lane)
  }

  /** Has a message wait at the end of its lane. */
  hold(message: Message, lane: Downstream): void {
    if (lane.held.length === 0 && !this.#waiting.includes(lane)) this.#waiting = [...this.#waiting, lane]
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
    const waiting = this.#waiting.filter(lane => lane.held.length > 0)
    this.#waiting = waiting.length > 0 ? waiting : none
  }

  /** The lane whose turn it was goes to the end, so that none starves. */
  rotate(): void {
    const [first, ...others] = this.#waiting
    if (first !== undefined && others.length > 0) this.#waiting = [...others, first]
  }

  clear(): void {
    for (const lane of this.#lanes?.values() ?? none) this.#remembered.remove(lane)
    this.#lanes = null
    this.#waiting = none
  }

  #forgetIdle(lanes: Iterable<Downstream>): void {
    const all = [...lanes]
    let left = FORGOTTEN
    for (const lane of all) if (lane.forget() && --left === 0) return
    if (left < FORGOTTEN) return
    for (const lane of all) {
      if (!lane.isSettled) continue
      this.forget(lane)
      if (--left === 0) return
    }
  }
}

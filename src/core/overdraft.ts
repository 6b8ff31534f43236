/**
 * What one connection sends beyond its credit: how long each of its streams has to wait then, and whether that is a flood.
 *
 * To be turned away is no fault. Who is told to go back counts what is on its way as not sent, while the node may have taken some of it; until
 * that has ended the two disagree, and whatever else the client has to send, to any number of others, finds the credit used up. It is a fault to
 * come again before the pause is over: nobody does who heeds what he is told.
 */

/** Times within this span that a client may come again too early; the next one is a flood. */
const UNHEEDED = 8
const SPAN_MS = 10_000
const PAUSE_MS = 100
const LONGEST_PAUSE_MS = 8_000

interface Turned {
  times: number
  /** Monotonic ms: before that it is too early for sure, whatever the clocks and the network do. */
  early: number
}

export class Overdraft {
  #since = 0
  #unheeded = 0
  /** By target, within the span: no more than a connection may have streams, and find new recipients. */
  readonly #turned = new Map<string, Turned>()

  /** Whether the pauses that it was told were ignored so often that its connection has to end. */
  get isFlood(): boolean {
    return this.#unheeded > UNHEEDED
  }

  /** A message to that target is turned away: ms until it may come again, twice as many as the time before. */
  turnAway(target: string, now: number): number {
    if (now - this.#since > SPAN_MS) {
      this.#since = now
      this.#unheeded = 0
      this.#turned.clear()
    }
    const turned = this.#turned.get(target) ?? { times: 0, early: 0 }
    if (now < turned.early) this.#unheeded++
    const pauseMs = Math.min(PAUSE_MS * 2 ** ++turned.times, LONGEST_PAUSE_MS)
    turned.early = now + pauseMs / 2
    this.#turned.set(target, turned)
    return pauseMs
  }
}

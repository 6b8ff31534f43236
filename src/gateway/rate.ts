/**
 * How many frames one connection may send: a bucket that is filled once per packet and emptied by one per frame, so that a frame
 * costs a subtraction and no look at a clock.
 *
 * A strike is a second in which something was refused, or another burst refused within it. The third within a minute is one too
 * many: a client that obeys `afterMs` never gets there, and one that does not cannot make the server write refusals for ever.
 */
const STRIKES = 3
const STRIKE_SPAN_MS = 1_000
const FORGIVEN_MS = 60_000

export class FrameRate {
  readonly #perSecond: number
  readonly #burst: number
  #left: number
  #filledAt: number
  #refused = 0
  #strikes = 0
  #struckAt = -FORGIVEN_MS

  constructor(perSecond: number, now: number) {
    this.#perSecond = perSecond
    this.#burst = perSecond * 2
    this.#left = this.#burst
    this.#filledAt = now
  }

  /** Once per packet. */
  fill(now: number): void {
    const earned = Math.trunc(((now - this.#filledAt) * this.#perSecond) / 1_000)
    if (earned === 0) return
    this.#left = Math.min(this.#burst, this.#left + earned)
    this.#filledAt = now
  }

  /** Once per frame. False: refuse it. */
  take(): boolean {
    if (this.#left === 0) return false
    this.#left--
    return true
  }

  /** A frame was refused. True: the connection must be closed. */
  struck(now: number): boolean {
    const since = now - this.#struckAt
    if (since >= FORGIVEN_MS) this.#strikes = 0
    if (since < STRIKE_SPAN_MS && ++this.#refused < this.#burst) return false
    this.#refused = 0
    this.#struckAt = now
    return ++this.#strikes >= STRIKES
  }
}

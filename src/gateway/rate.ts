/**
 * How many frames one connection may send: a bucket that is filled once per packet and emptied by one per frame, so that a frame
 * costs a subtraction and no look at a clock.
 *
 * Who is refused is told to wait for a second. What comes within the first half of it may have been on its way; what is refused
 * in the second half, or a burst that is refused within the second, is a strike. The third within a minute is one too many: a client
 * that obeys never gets there, however much it has to send, and one that does not cannot make the server write refusals for ever.
 */
const STRIKES = 3
/** ms that a client who was refused is told to wait. */
export const PAUSE_MS = 1_000
const ON_ITS_WAY_MS = PAUSE_MS / 2
const FORGIVEN_MS = 60_000

export class FrameRate {
  readonly #perSecond: number
  #left: number
  #filledAt: number
  /** Null until something was refused, which to most never happens. */
  #refusals: Refusals | null = null

  constructor(perSecond: number, now: number) {
    this.#perSecond = perSecond
    this.#left = this.#burst
    this.#filledAt = now
  }

  get #burst(): number {
    return this.#perSecond * 2
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
    this.#refusals ??= new Refusals()
    return this.#refusals.another(now, this.#burst)
  }
}

/** What was refused to a connection. */
class Refusals {
  /** Of the pause that was asked for last: when it began, what was refused within it, and whether it was ignored. */
  #pausedAt = -FORGIVEN_MS
  #refused = 0
  #ignored = false
  #strikes = 0
  #struckAt = -FORGIVEN_MS

  /** True: one too many. */
  another(now: number, burst: number): boolean {
    if (now - this.#pausedAt >= PAUSE_MS) {
      this.#pausedAt = now
      this.#refused = 0
      this.#ignored = false
    }
    const late = now - this.#pausedAt >= ON_ITS_WAY_MS && !this.#ignored
    if (late) this.#ignored = true
    const another = ++this.#refused % burst === 0
    if (!late && !another) return false
    if (now - this.#struckAt >= FORGIVEN_MS) this.#strikes = 0
    this.#struckAt = now
    return ++this.#strikes >= STRIKES
  }
}

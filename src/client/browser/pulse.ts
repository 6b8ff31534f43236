/**
 * Feels the pulse of the tab that leads: a page can hang (a dialog, a breakpoint, a loop) and keep its lock, and then nothing moves.
 *
 * Only a tab that somebody looks at asks, since timers of others come late and nobody waits there. A timer that comes late says that this
 * very tab was asleep or busy, so what was not heard until then counts for nothing.
 */
export interface PulseEvents {
  /** Ask whether it is there. */
  ask(): void
  /** It did not answer, twice; and each time that it does not answer then. */
  silent(): void
  /** Whether somebody looks at this tab. */
  isSeen(): boolean
}

const MISSES = 2

export class Pulse {
  readonly #events: PulseEvents
  readonly #askMs: number
  #timer: ReturnType<typeof setTimeout> | undefined
  #misses = 0
  #heard = true

  /** `askMs`: between two questions. */
  constructor(events: PulseEvents, askMs: number) {
    this.#events = events
    this.#askMs = askMs
  }

  get isSilent(): boolean {
    return this.#misses >= MISSES
  }

  /** There is somebody to ask, from now on. */
  start(): void {
    this.heard()
    this.#wait()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  /** The tab that leads has said something. */
  heard(): void {
    this.#heard = true
    this.#misses = 0
  }

  #wait(): void {
    clearTimeout(this.#timer)
    // Late is half a pause later than it should be.
    const lateAt = performance.now() + 1.5 * this.#askMs
    this.#timer = setTimeout(() => this.#feel(performance.now() > lateAt), this.#askMs)
  }

  #feel(isLate: boolean): void {
    const isSeen = this.#events.isSeen()
    this.#misses = isSeen && !isLate && !this.#heard ? this.#misses + 1 : 0
    this.#heard = !isSeen
    this.#wait()
    if (isSeen) this.#events.ask()
    if (this.isSilent) this.#events.silent()
  }
}

/**
 * When tokens of live connections expire: a ring of nothing but the seconds in which something does, so that no connection needs a timer.
 *
 * Times are monotonic ms: a wall clock that jumps ends nobody. Something that is put in again is moved.
 */
const SECOND_MS = 1_000

export class Expiries<Bearer> {
  readonly #seconds = new Map<number, Set<Bearer>>()
  readonly #secondOf = new Map<Bearer, number>()
  #passed: number

  constructor(now: number) {
    this.#passed = Math.floor(now / SECOND_MS)
  }

  set(bearer: Bearer, at: number): void {
    this.delete(bearer)
    // Never in a second that has been looked at.
    const second = Math.max(Math.ceil(at / SECOND_MS), this.#passed + 1)
    const bearers = this.#seconds.get(second) ?? new Set()
    this.#seconds.set(second, bearers.add(bearer))
    this.#secondOf.set(bearer, second)
  }

  delete(bearer: Bearer): void {
    const second = this.#secondOf.get(bearer)
    if (second === undefined) return
    this.#secondOf.delete(bearer)
    const bearers = this.#seconds.get(second)
    bearers?.delete(bearer)
    if (bearers?.size === 0) this.#seconds.delete(second)
  }

  /** Calls `expired` for each whose time has come, within a second after it. */
  tick(now: number, expired: (bearer: Bearer) => void): void {
    const second = Math.floor(now / SECOND_MS)
    for (; this.#passed < second; this.#passed++) {
      for (const bearer of this.#seconds.get(this.#passed + 1) ?? []) {
        this.delete(bearer)
        expired(bearer)
      }
    }
  }

  all(): Iterable<Bearer> {
    return this.#secondOf.keys()
  }
}

/**
 * Who must be looked at when: a wheel of slots, each a list of sessions.
 *
 * A session is in it at most once, for the earliest deadline it had when it was put in. When its slot comes up, the session looks at
 * what it holds and is put in again for the earliest deadline that is left. So a busy session costs one look per time-out,
 * and a message costs nothing.
 */
export interface Due {
  /** Set while it is in the wheel. */
  armed: boolean
  /** Looks at its deadlines; returns the earliest one left, monotonic ms, or 0 for none. */
  check(now: number): number
}

const SLOT_MS = 250

export class Deadlines {
  #slots: Due[][]
  /** Number of the slot that comes up next, counted from the origin of the clock. */
  #next = 0

  /** `spanMs`: the longest time ahead that anything is put in for. */
  constructor(spanMs: number) {
    this.#slots = Array.from({ length: Math.ceil(spanMs / SLOT_MS) + 2 }, () => [])
  }

  arm(due: Due, at: number, now: number): void {
    if (due.armed) return
    due.armed = true
    if (this.#next === 0) this.#next = Math.floor(now / SLOT_MS)
    const furthest = this.#next + this.#slots.length - 1
    this.#slot(Math.min(Math.max(Math.ceil(at / SLOT_MS), this.#next), furthest)).push(due)
  }

  tick(now: number): void {
    const last = Math.floor(now / SLOT_MS)
    if (this.#next === 0) this.#next = last
    // After a pause longer than the wheel every slot is due once; going round again would find nothing.
    if (last - this.#next >= this.#slots.length) this.#next = last - this.#slots.length + 1
    for (; this.#next <= last; this.#next++) this.#visit(now)
  }

  #visit(now: number): void {
    const due = this.#slot(this.#next)
    if (due.length === 0) return
    this.#slots[this.#next % this.#slots.length] = []
    for (const one of due) {
      one.armed = false
      const at = one.check(now)
      if (at > 0) this.arm(one, Math.max(at, now + SLOT_MS), now)
    }
  }

  #slot(number: number): Due[] {
    const slot = this.#slots[number % this.#slots.length]
    if (slot === undefined) throw new RangeError('a slot number is a whole number')
    return slot
  }
}

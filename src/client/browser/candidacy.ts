/**
 * How a tab comes to lead: by a lock that all tabs wait for in a row, and one of its own by which the others know that it lives.
 */
import { hold, type Hold, type LocksLike } from './locks.ts'

export class Candidacy {
  readonly #locks: LocksLike | null
  readonly #name: string
  #held: Hold[] = []

  constructor(locks: LocksLike | null, name: string) {
    this.#locks = locks
    this.#name = name
  }

  /** Whether locks say who leads; else the tab that was opened last does. */
  get locked(): boolean {
    return this.#held.length > 0
  }

  /** Takes the own lock of a tab. False when there are no locks. */
  stand(tab: string): Promise<boolean> {
    return this.#hold(this.#lockOf(tab))
  }

  /** Waits until a tab is gone; null when that cannot be known. */
  watch(tab: string): Hold | null {
    return this.#locks && hold(this.#locks, this.#lockOf(tab))
  }

  /** Waits until it is this tab's turn to lead. False when it has resigned before. */
  win(): Promise<boolean> {
    return this.#hold(this.#name)
  }

  /** Gives up all locks, and the waiting for them. */
  resign(): void {
    for (const held of this.#held.splice(0)) held.release()
  }

  #lockOf(tab: string): string {
    return `${this.#name} tab ${tab}`
  }

  async #hold(name: string): Promise<boolean> {
    if (this.#locks === null) return false
    const lock = hold(this.#locks, name)
    this.#held.push(lock)
    if ((await lock.held) && this.#held.includes(lock)) return true
    lock.release()
    this.#held = this.#held.filter(other => other !== lock)
    return false
  }
}

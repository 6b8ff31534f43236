/**
 * How a tab comes to lead: by a lock that all tabs wait for in a row, and one of its own by which the others know that it lives.
 */
import { hold, type Hold, type HoldOptions, type LocksLike } from './locks.ts'

export class Candidacy {
  readonly #locks: LocksLike | null
  readonly #name: string
  readonly #stolen: () => void
  #held: Hold[] = []
  /** What waits for the turn to lead, or has it. */
  #turn: Hold | null = null

  /** `stolen` is called when another tab has taken the lead because this one did not answer. */
  constructor(locks: LocksLike | null, name: string, stolen: () => void) {
    this.#locks = locks
    this.#name = name
    this.#stolen = stolen
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
    return this.#lead({})
  }

  /**
   * Takes the turn from a tab that is silent, and leads. False when it is not silent any more, and when another tab is about to do the same: else
   * they would go on to take it from each other.
   */
  async seize(isSilent: () => boolean, lead: () => Promise<void>): Promise<boolean> {
    const claim = this.#locks && hold(this.#locks, `${this.#name} seize`, { ifFree: true })
    const mayTry = (await claim?.held) === true && isSilent()
    if (mayTry) {
      const waiting = this.#turn
      if (await this.#lead({ steal: true })) {
        waiting?.release()
        await lead()
      } else {
        // It may have come meanwhile.
        this.#turn = waiting
        if (await Promise.race([waiting?.held ?? Promise.resolve(false), Promise.resolve(false)])) await lead()
      }
    }
    claim?.release()
    return mayTry
  }

  /** Gives up all locks, and the waiting for them. */
  resign(): void {
    this.#turn = null
    for (const held of this.#held.splice(0)) held.release()
  }

  #lockOf(tab: string): string {
    return `${this.#name} tab ${tab}`
  }

  /** False also when another attempt of this tab has begun since. */
  async #lead(options: HoldOptions): Promise<boolean> {
    const stolen = (): void => {
      if (this.#turn === turn) this.#stolen()
    }
    const won = this.#hold(this.#name, { ...options, stolen })
    const turn = (this.#turn = this.#held.at(-1) ?? null)
    return (await won) && this.#turn === turn
  }

  async #hold(name: string, options: HoldOptions = {}): Promise<boolean> {
    if (this.#locks === null) return false
    const lock = hold(this.#locks, name, options)
    this.#held.push(lock)
    if ((await lock.held) && this.#held.includes(lock)) return true
    lock.release()
    this.#held = this.#held.filter(other => other !== lock)
    return false
  }
}

/**
 * The tabs that follow this one: whether each of them listens to messages, and when it is gone.
 *
 * A tab says goodbye when it sleeps or closes. One that crashes cannot; but it holds a lock of its own for as long as it lives, and
 * whoever gets that lock knows.
 */
import type { Candidacy } from './candidacy.ts'
import type { Hold } from './locks.ts'

interface Follower {
  listening: boolean
  /** Waits for its lock. */
  readonly watch: Hold | null
}

/** Tabs that are known at a time; more than anybody has open. Others still hear everything, but nobody waits for them. */
const MAX_FOLLOWERS = 1_000

export class Followers {
  readonly #candidacy: Candidacy
  readonly #gone: (tab: string) => void
  readonly #tabs = new Map<string, Follower>()

  /** `gone` is called when a tab has died. */
  constructor(candidacy: Candidacy, gone: (tab: string) => void) {
    this.#candidacy = candidacy
    this.#gone = gone
  }

  /** Whether one of them listens. */
  get listening(): boolean {
    return [...this.#tabs.values()].some(({ listening }) => listening)
  }

  set(tab: string, listening: boolean): void {
    const known = this.#tabs.get(tab)
    if (known) known.listening = listening
    else if (this.#tabs.size < MAX_FOLLOWERS) {
      const watch = this.#candidacy.watch(tab)
      this.#tabs.set(tab, { listening, watch })
      void watch?.held.then(dead => {
        watch.release()
        if (dead && this.#tabs.get(tab)?.watch === watch) {
          this.delete(tab)
          this.#gone(tab)
        }
      })
    }
  }

  delete(tab: string): void {
    this.#tabs.get(tab)?.watch?.release()
    this.#tabs.delete(tab)
  }

  clear(): void {
    for (const tab of [...this.#tabs.keys()]) this.delete(tab)
  }
}

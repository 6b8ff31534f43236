/** What is to be done once, as a plain map, in the order of its ends as long as all lives are alike. */
import type { OnceStore } from '../once-store.ts'

interface Decided {
  readonly value: string
  /** ms since the epoch. */
  readonly expires: number
}

export class MemoryOnce implements OnceStore {
  readonly #clock: () => number
  readonly #decided = new Map<string, Decided>()

  /** `clock` tells ms since the epoch. */
  constructor(clock: () => number) {
    this.#clock = clock
  }

  decide(target: string, name: string, value: string, lifeMs: number): Promise<string> {
    const now = this.#clock()
    for (const [key, { expires }] of this.#decided) {
      if (expires > now) break
      this.#decided.delete(key)
    }
    // No target holds a space.
    const key = `${target} ${name}`
    const known = this.#decided.get(key)
    if (known !== undefined && known.expires > now) return Promise.resolve(known.value)
    this.#decided.delete(key)
    this.#decided.set(key, { value, expires: now + lifeMs })
    return Promise.resolve(value)
  }
}

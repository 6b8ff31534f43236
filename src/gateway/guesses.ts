/**
 * Slows the guessing of secrets: a wrong one is answered later and later, per address and per id, while a right one is neither
 * refused nor delayed, whatever others did before (§7).
 *
 * The table is bounded; when it is full the oldest entries leave, which only forgives.
 */
import { networkOf } from './network.ts'

const FREE = 5
const SPAN_MS = 60_000
const FIRST_DELAY_MS = 250
const LONGEST_DELAY_MS = 5_000
const ENTRIES = 10_000

interface Guessed {
  count: number
  since: number
}

export class Guesses {
  readonly #guessed = new Map<string, Guessed>()

  /** Notes a wrong secret and returns for how many ms its answer shall be held back. */
  wrong(address: string, id: string, now: number): number {
    // Neither an address nor an id holds a space.
    const count = Math.max(this.#count(`from ${networkOf(address)}`, now), this.#count(`of ${id}`, now))
    return count <= FREE ? 0 : Math.min(FIRST_DELAY_MS * 2 ** (count - FREE - 1), LONGEST_DELAY_MS)
  }

  #count(key: string, now: number): number {
    const known = this.#guessed.get(key)
    if (known !== undefined && now - known.since < SPAN_MS) return ++known.count
    this.#guessed.delete(key)
    for (const oldest of this.#guessed.keys()) {
      if (this.#guessed.size < ENTRIES) break
      this.#guessed.delete(oldest)
    }
    this.#guessed.set(key, { count: 1, since: now })
    return 1
  }
}

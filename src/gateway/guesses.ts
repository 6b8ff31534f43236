/**
 * Slows the guessing of secrets: a wrong one is answered later and later, per address and per id, while a right one is neither
 * refused nor delayed, whatever others did before (§7).
 */
import { networkOf } from './network.ts'
import { Tally } from './tally.ts'

const FREE = 5
const SPAN_MS = 60_000
const FIRST_DELAY_MS = 250
const LONGEST_DELAY_MS = 5_000

export class Guesses {
  readonly #tally = new Tally(SPAN_MS)

  /** Notes a wrong secret and returns for how many ms its answer shall be held back. */
  wrong(address: string, id: string, now: number): number {
    // Neither an address nor an id holds a space.
    const count = Math.max(this.#tally.add(`from ${networkOf(address)}`, now), this.#tally.add(`of ${id}`, now))
    return count <= FREE ? 0 : Math.min(FIRST_DELAY_MS * 2 ** (count - FREE - 1), LONGEST_DELAY_MS)
  }
}

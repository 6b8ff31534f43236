/**
 * How often something happened to a name within a span of time: the bounded memory behind everything that may be tried only so often.
 *
 * The span of a name begins with its first time and ends whole. So many names are remembered; beyond that the oldest leave, which only
 * forgives.
 */
const NAMES = 10_000

interface Counted {
  count: number
  readonly since: number
}

export class Tally {
  readonly #spanMs: number
  readonly #names: number
  readonly #counted = new Map<string, Counted>()

  constructor(spanMs: number, names = NAMES) {
    this.#spanMs = spanMs
    this.#names = names
  }

  /** How often it happened to the name, this time included. */
  add(name: string, now: number): number {
    const known = this.#known(name, now)
    if (known !== undefined) return ++known.count
    this.#counted.delete(name)
    for (const oldest of this.#counted.keys()) {
      if (this.#counted.size < this.#names) break
      this.#counted.delete(oldest)
    }
    this.#counted.set(name, { count: 1, since: now })
    return 1
  }

  /** It did not happen after all. */
  takeBack(name: string, now: number): void {
    const known = this.#known(name, now)
    if (known !== undefined && known.count > 0) known.count--
  }

  /** ms until the name is forgotten. */
  leftMs(name: string, now: number): number {
    const known = this.#known(name, now)
    return known === undefined ? 0 : known.since + this.#spanMs - now
  }

  #known(name: string, now: number): Counted | undefined {
    const known = this.#counted.get(name)
    return known !== undefined && now - known.since < this.#spanMs ? known : undefined
  }
}

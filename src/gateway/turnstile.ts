/**
 * Lets so much work through at a time, and so much more wait: for what takes a thread, such as hashing a password or checking a signature.
 *
 * Who finds the queue full is told at once instead of late.
 */
export class Turnstile {
  readonly #atOnce: number
  readonly #most: number
  #running = 0
  readonly #waiting: (() => void)[] = []

  constructor(atOnce: number, waiting: number) {
    this.#atOnce = atOnce
    this.#most = waiting
  }

  /** Whether no more may even wait. */
  get full(): boolean {
    return this.#running >= this.#atOnce && this.#waiting.length >= this.#most
  }

  /** Does the work in its turn; null when too much is waiting. */
  async pass<Result>(work: () => Promise<Result>): Promise<Result | null> {
    if (this.full) return null
    if (this.#running < this.#atOnce) this.#running++
    else await new Promise<void>(resolve => this.#waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      // The place is handed on, so that nobody who comes in between takes it.
      if (next === undefined) this.#running--
      else next()
    }
  }
}

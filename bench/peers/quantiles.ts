/** How long things took: counts by whole µs, so that noting one costs an addition. What took longer than a second counts as a second. */
const MOST_US = 1_000_000

export interface Quantiles {
  /** µs. */
  readonly p50: number
  readonly p99: number
  readonly p999: number
}

export class Times {
  readonly #counts = new Uint32Array(MOST_US + 1)
  #total = 0

  /** ms. */
  note(ms: number): void {
    const us = Math.min(MOST_US, Math.max(0, Math.round(ms * 1000)))
    this.#counts[us] = this.#counts[us]! + 1
    this.#total++
  }

  clear(): void {
    this.#counts.fill(0)
    this.#total = 0
  }

  quantiles(): Quantiles {
    return { p50: this.#at(0.5), p99: this.#at(0.99), p999: this.#at(0.999) }
  }

  #at(share: number): number {
    let left = this.#total * share
    for (let us = 0; us <= MOST_US; us++) {
      left -= this.#counts[us]!
      if (left <= 0) return us
    }
    return MOST_US
  }
}

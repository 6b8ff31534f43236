/**
 * How many signals a node hands to the others: so many in a second, and so many bytes. What is beyond is dropped, as signals are under
 * pressure; at its own node a signal does not count.
 */
import type { Clock } from './clock.ts'

export const SIGNALS = 1_000
export const SIGNAL_BYTES = 1024 * 1024
const SECOND_MS = 1_000

export class SignalRate {
  readonly #clock: Clock
  #since = 0
  #signals = 0
  #bytes = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether one more may go, of that many bytes. */
  takes(bytes: number): boolean {
    const { now } = this.#clock
    if (now - this.#since >= SECOND_MS) {
      this.#since = now
      this.#signals = this.#bytes = 0
    }
    if (this.#signals >= SIGNALS || this.#bytes + bytes > SIGNAL_BYTES) return false
    this.#signals++
    this.#bytes += bytes
    return true
  }
}

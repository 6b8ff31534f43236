/**
 * Says at most one thing a second, and how many it left out: a store that is away fails a thousand calls with one reason.
 */
const PAUSE_MS = 1_000

export class Sparing {
  #saidAt = -PAUSE_MS
  #unsaid = 0

  /** Calls `write` with the number of things left out since the last one, or leaves this one out. */
  say(now: number, write: (unsaid: number) => void): void {
    if (now - this.#saidAt < PAUSE_MS) {
      this.#unsaid++
      return
    }
    write(this.#unsaid)
    this.#saidAt = now
    this.#unsaid = 0
  }
}

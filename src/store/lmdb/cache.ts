/**
 * What is cached of the file, by name: the mailboxes, or the rooms, that were used most recently. It holds only what the file says, so
 * forgetting any of it is free at any time.
 *
 * What changes the file changes what is cached before it is known whether it was committed. So `change` says when that is under way and
 * `settle` how it went: after a failure nothing is believed any more.
 */

/** Kept in each half, at most. */
const HALF = 5_000

export class Cache<Kept> {
  /**
   * What was used lately, and what was used before that. When the first is full it becomes the second, and what was the second is forgotten:
   * so using what is there changes nothing, where keeping all of it in order would take it out and put it in again.
   */
  #lately = new Map<string, Kept>()
  #before = new Map<string, Kept>()
  #inTransaction = false
  #unsettled = false

  /** Whether it is asked from inside a transaction. */
  get inTransaction(): boolean {
    return this.#inTransaction
  }

  /** Runs what changes something; to be followed by `settle` when it is known whether it was committed. */
  change<T>(run: () => T): T {
    this.#unsettled = true
    this.#inTransaction = true
    try {
      return run()
    } finally {
      this.#inTransaction = false
    }
  }

  settle(committed: boolean): void {
    this.#unsettled = false
    if (committed) return
    this.#lately.clear()
    this.#before.clear()
  }

  /** What is cached, without counting it as used. */
  peek(name: string): Kept | undefined {
    return this.#lately.get(name) ?? this.#before.get(name)
  }

  /** What is cached, or what `load` finds in the file. */
  get(name: string, load: () => Kept | null): Kept | null {
    const lately = this.#lately.get(name)
    if (lately !== undefined) return lately
    const found = this.#before.get(name) ?? load()
    // What is read beside a transaction does not show what that changes, so it must not outlive it.
    if (found !== null && (this.#inTransaction || !this.#unsettled)) this.add(name, found)
    return found
  }

  add(name: string, kept: Kept): void {
    if (this.#lately.size >= HALF) {
      this.#before = this.#lately
      this.#lately = new Map()
    }
    this.#lately.set(name, kept)
  }

  delete(name: string): void {
    this.#lately.delete(name)
    this.#before.delete(name)
  }
}

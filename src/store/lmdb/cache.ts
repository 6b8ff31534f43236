/**
 * What is cached of the file, by name: the mailboxes, or the rooms, that were used most recently. It holds only what the file says, so
 * forgetting any of it is free at any time.
 *
 * What changes the file changes what is cached before it is known whether it was committed. So `change` says when that is under way and
 * `settle` how it went: after a failure nothing is believed any more.
 */

/** Kept at once, at most. */
const CACHED = 10_000

export class Cache<Kept> {
  /** The least recently used first. */
  readonly #kept = new Map<string, Kept>()
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
    if (!committed) this.#kept.clear()
  }

  /** What is cached, without counting it as used. */
  peek(name: string): Kept | undefined {
    return this.#kept.get(name)
  }

  /** What is cached, or what `load` finds in the file. */
  get(name: string, load: () => Kept | null): Kept | null {
    const found = this.#kept.get(name) ?? load()
    // What is read beside a transaction does not show what that changes, so it must not outlive it.
    if (found !== null && (this.#inTransaction || !this.#unsettled)) this.add(name, found)
    return found
  }

  add(name: string, kept: Kept): void {
    this.#kept.delete(name)
    this.#kept.set(name, kept)
    if (this.#kept.size <= CACHED) return
    for (const oldest of this.#kept.keys()) {
      this.#kept.delete(oldest)
      return
    }
  }

  delete(name: string): void {
    this.#kept.delete(name)
  }
}

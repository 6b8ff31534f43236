/**
 * Members of a room whose connection was replaced by a newer one, and who have not left: whoever joins again in time was there all along,
 * and nobody is told anything.
 */

/** ms that a member has to come back on the newer connection. */
const RETURN_MS = 5_000

export class Replaced {
  /** By id: until when. */
  readonly #until = new Map<string, number>()

  get size(): number {
    return this.#until.size
  }

  has(id: string): boolean {
    return this.#until.has(id)
  }

  add(id: string, now: number): void {
    this.#until.set(id, now + RETURN_MS)
  }

  /** Somebody is there again. */
  return(id: string): void {
    this.#until.delete(id)
  }

  /** Takes those out whose time is over, unless they are on their way. */
  overdue(now: number, isComing: (id: string) => boolean): readonly string[] {
    const over = [...this.#until].filter(([id, until]) => now >= until && !isComing(id)).map(([id]) => id)
    for (const id of over) this.#until.delete(id)
    return over
  }

  clear(): void {
    this.#until.clear()
  }
}

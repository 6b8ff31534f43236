/**
 * Members of a room whose connection was replaced by a newer one, and who have not left: whoever joins again in time was there all along,
 * and nobody is told anything.
 */

/** ms that a member has to come back on the newer connection. */
const RETURN_MS = 5_000

export class Replaced {
  readonly #names = new Map<string, { readonly name: string; readonly until: number }>()

  get size(): number {
    return this.#names.size
  }

  add(id: string, name: string, now: number): void {
    this.#names.set(id, { name, until: now + RETURN_MS })
  }

  /** Somebody is there again. False: he was not here. */
  return(id: string): boolean {
    return this.#names.delete(id)
  }

  /** Takes those out whose time is over, unless they are on their way. */
  *overdue(now: number, isComing: (id: string) => boolean): Generator<readonly [id: string, name: string]> {
    for (const [id, { name, until }] of this.#names) {
      if (now < until || isComing(id)) continue
      this.#names.delete(id)
      yield [id, name]
    }
  }

  *all(): Generator<readonly [id: string, name: string]> {
    for (const [id, { name }] of this.#names) yield [id, name]
  }

  clear(): void {
    this.#names.clear()
  }
}

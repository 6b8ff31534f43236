/**
 * What all connections of a node together have written to them and do not read: memory that no peer needs to give back.
 *
 * Each of them may be a little behind, and a thousand of those are a lot. So where all together leave more than the node may hold, whoever leaves
 * more than an equal share of that has to go; what is counted is what was found when each was last looked at.
 */
export class Unread {
  #bytes = 0
  #readers = 0

  /** By all, when they were last looked at. */
  get bytes(): number {
    return this.#bytes
  }

  /** One of them has left `before` unread, and now leaves `now`. */
  change(before: number, now: number): void {
    this.#bytes += now - before
    this.#readers += Number(now > 0) - Number(before > 0)
  }

  /** Whether one that leaves `own` has to go, where all may leave `most`. */
  exceeds(own: number, most: number): boolean {
    return this.#bytes > most && own * this.#readers > most
  }
}

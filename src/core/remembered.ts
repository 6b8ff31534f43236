/**
 * The ends of streams that a node remembers, of all its sessions: at a sender's connection what was told, at a recipient's what was sent.
 *
 * A client writes to many over the hours, and a node has many clients, so what they wrote to whom would grow without end. Here
 * it has one: beyond `most` the ends that have not moved for longest are forgotten, whoever they belong to. That is safe at any time, and
 * costs whoever goes on with such a stream a look into the mailbox. An end that something is still open of is not forgotten;
 * how many of those there can be, the bytes held by a node say.
 *
 * In order of age each is looked at once: one that moved since gets a second life. So a message costs nothing here, only a
 * stream does.
 */
export interface StreamEnd {
  /** Its neighbours in this order, which nobody else touches. */
  older: StreamEnd | null
  newer: StreamEnd | null
  /** Whether it moved on since it was asked last. */
  moved(): boolean
  /** Has its session forget it. False: something of it is open. */
  forget(): boolean
}

/** How many are looked at for each one too many, and at a time. */
const LOOKS = 4
const MOST_LOOKS = 1_000

export class Remembered {
  readonly #most: number
  #oldest: StreamEnd | null = null
  #newest: StreamEnd | null = null
  #size = 0

  constructor(most: number) {
    this.#most = most
  }

  get size(): number {
    return this.#size
  }

  add(end: StreamEnd): void {
    end.older = this.#newest
    if (this.#newest === null) this.#oldest = end
    else this.#newest.newer = end
    this.#newest = end
    this.#size++
  }

  /** Its session has forgotten it. */
  remove(end: StreamEnd): void {
    const { older, newer } = end
    if (older === null) this.#oldest = newer
    else older.newer = newer
    if (newer === null) this.#newest = older
    else newer.older = older
    end.older = end.newer = null
    this.#size--
  }

  /** At the end of a turn, when nobody is in the middle of anything: forgets what is too much. */
  turn(): void {
    const excess = this.#size - this.#most
    if (excess <= 0) return
    for (let looks = Math.min(excess * LOOKS, MOST_LOOKS); looks > 0 && this.#size > this.#most; looks--) {
      const end = this.#oldest
      if (end === null) return
      if (!end.moved() && end.forget()) continue
      this.remove(end)
      this.add(end)
    }
  }
}

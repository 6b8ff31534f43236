/**
 * Visits every connection once in a while, a part of them on every tick, so that no connection needs a timer of its own.
 *
 * Connections are dealt out over a ring of slots; each tick visits one slot, and a round takes as many ticks as there are slots. Each knows
 * its own seat, so that finding it takes no map.
 */
export interface Seated {
  /** Where it sits; only for the rounds. */
  seat: number
}

export class Rounds<Visited extends Seated> {
  readonly #slots: Visited[][]
  #size = 0
  #dealt = 0
  #ticks = 0

  constructor(slots: number) {
    this.#slots = Array.from({ length: Math.max(1, slots) }, () => [])
  }

  get size(): number {
    return this.#size
  }

  add(visited: Visited): void {
    const number = this.#dealt++ % this.#slots.length
    this.#size++
    this.#sit(visited, number, this.#slots[number]?.push(visited) ?? 0)
  }

  /** Does nothing for one that is not there. */
  delete(visited: Visited): void {
    const count = this.#slots.length
    const number = visited.seat % count
    const place = Math.trunc(visited.seat / count)
    const slot = this.#slots[number]
    if (slot?.[place] !== visited) return
    this.#size--
    const last = slot.pop()
    if (last === undefined || last === visited) return
    slot[place] = last
    this.#sit(last, number, place + 1)
  }

  /** Visits the next slot, from its end, since the last one takes the place of one that is deleted meanwhile. */
  tick(visit: (visited: Visited) => void): void {
    const slot = this.#slots[this.#ticks++ % this.#slots.length] ?? []
    for (let place = slot.length - 1; place >= 0; place--) {
      const visited = slot[place]
      if (visited !== undefined) visit(visited)
    }
  }

  all(): Visited[] {
    return this.#slots.flat()
  }

  #sit(visited: Visited, slot: number, filled: number): void {
    visited.seat = (filled - 1) * this.#slots.length + slot
  }
}

/**
 * Visits every connection once in a while, a part of them on every tick, so that no connection needs a timer of its own.
 *
 * Connections are dealt out over a ring of slots; each tick visits one slot, and a round takes as many ticks as there are slots.
 */
export class Rounds<Visited> {
  readonly #slots: Set<Visited>[]
  readonly #slotOf = new Map<Visited, Set<Visited>>()
  #dealt = 0
  #ticks = 0

  constructor(slots: number) {
    this.#slots = Array.from({ length: Math.max(1, slots) }, () => new Set<Visited>())
  }

  get size(): number {
    return this.#slotOf.size
  }

  add(visited: Visited): void {
    const slot = this.#slots[this.#dealt++ % this.#slots.length]
    slot?.add(visited)
    if (slot !== undefined) this.#slotOf.set(visited, slot)
  }

  delete(visited: Visited): void {
    this.#slotOf.get(visited)?.delete(visited)
    this.#slotOf.delete(visited)
  }

  /** Visits the next slot. A visited one may be deleted meanwhile. */
  tick(visit: (visited: Visited) => void): void {
    const slot = this.#slots[this.#ticks++ % this.#slots.length]
    for (const visited of slot ?? []) visit(visited)
  }

  all(): Iterable<Visited> {
    return this.#slotOf.keys()
  }
}

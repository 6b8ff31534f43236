/** Virtual time: what happens next, in a heap by time; what falls on the same time happens in the order in which it was planned. */
interface Planned {
  readonly at: number
  readonly order: number
  readonly act: () => void
}

function before(left: Planned, right: Planned): boolean {
  return left.at < right.at || (left.at === right.at && left.order < right.order)
}

export class Schedule {
  /** ms since the world began; starts high enough that 0 can mean "never". */
  now = 1_000
  events = 0
  readonly #heap: Planned[] = []
  #order = 0

  after(ms: number, act: () => void): void {
    this.at(this.now + ms, act)
  }

  at(time: number, act: () => void): void {
    const heap = this.#heap
    const planned = { at: Math.max(time, this.now), order: this.#order++, act }
    let slot = heap.push(planned) - 1
    while (slot > 0) {
      const parent = (slot - 1) >> 1
      if (!before(planned, heap[parent]!)) break
      heap[slot] = heap[parent]!
      slot = parent
    }
    heap[slot] = planned
  }

  /** Lets the next thing happen; false when nothing is planned any more. */
  step(): boolean {
    const heap = this.#heap
    const next = heap[0]
    const last = heap.pop()
    if (next === undefined || last === undefined) return false
    if (heap.length > 0) this.#sink(last)
    this.now = next.at
    this.events++
    next.act()
    return true
  }

  #sink(planned: Planned): void {
    const heap = this.#heap
    let slot = 0
    for (;;) {
      let child = slot * 2 + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
      if (!before(heap[child]!, planned)) break
      heap[slot] = heap[child]!
      slot = child
    }
    heap[slot] = planned
  }
}

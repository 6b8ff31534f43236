/**
 * What happened in a simulated world, and the judge over it. Each message carries (sender, recipient, k), where k counts what one
 * sender wrote to one recipient, so the judge needs nothing of what it judges.
 */
import type { MemoryTables } from '../../src/store/memory-tables.ts'
import type { Person } from './person.ts'

export class History {
  failovers = 0
  gaps = 0
  readonly #wrong: string[] = []
  readonly #pauses: (readonly [from: number, to: number])[] = []
  /** By `sender>recipient`: the k that were shown, in that order. */
  readonly #shown = new Map<string, number[]>()
  /** `sender>recipient k` of what its sender was told will not arrive. */
  readonly #ended = new Set<string>()
  readonly #delivered = new Set<string>()

  wrong(what: string): void {
    this.#wrong.push(what)
  }

  get isWrong(): boolean {
    return this.#wrong.length > 0
  }

  paused(from: number, to: number): void {
    this.#pauses.push([from, to])
  }

  wasPaused(from: number, to: number): boolean {
    return this.#pauses.some(([start, end]) => start <= to && end >= from - 250)
  }

  shown(pair: string, k: number): void {
    let list = this.#shown.get(pair)
    if (list === undefined) this.#shown.set(pair, (list = []))
    if (list.includes(k)) this.wrong(`repeat: ${pair} ${k} was shown twice`)
    if (k < (list.at(-1) ?? 0)) this.wrong(`order: ${pair} ${k} was shown after ${list.at(-1)}`)
    list.push(k)
  }

  wasShown(pair: string, k: number): boolean {
    return this.#shown.get(pair)?.includes(k) === true
  }

  ended(pair: string, k: number): void {
    this.#ended.add(`${pair} ${k}`)
  }

  delivered(pair: string, k: number): void {
    this.#delivered.add(`${pair} ${k}`)
    if (!this.wasShown(pair, k)) this.wrong(`C6: ${pair} ${k} was told delivered and not shown`)
  }

  /** What was written, and neither shown nor told to have ended. */
  *missing(people: readonly Person[]): Generator<string> {
    for (const { written } of people) {
      for (const [pair, count] of written) {
        for (let k = 1; k <= count; k++) {
          if (!this.wasShown(pair, k) && !this.#ended.has(`${pair} ${k}`)) yield `${pair} ${k}`
        }
      }
    }
  }

  judge(people: readonly Person[], tables: MemoryTables): string[] {
    for (const letter of this.missing(people)) this.wrong(`loss: ${letter} was never shown`)
    for (const { id, parked } of tables.mailboxes('', 100)) this.wrong(`I12: ${parked} left in the mailbox of ${id}`)
    // What a failover took back from the store may be told as a gap, and is offered again; without one there is no hole.
    if (this.gaps > 0 && this.failovers === 0) this.wrong(`I9: ${this.gaps} gaps without a failover`)
    return this.#wrong
  }
}

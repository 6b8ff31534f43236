/**
 * The numbers that take the place of names in keys: of mailboxes and of rooms, which share them.
 *
 * Which was given last is written down once for each transaction that gives any, however many: when many clients register, it is one record
 * for all of them.
 */
import type { Table } from './environment.ts'
import { LAST_NUMBER_KEY, putLastNumber, readLastNumber } from './records.ts'

export class Numbers {
  readonly #table: Table
  /** Null: what the file says. */
  #last: number | null = null
  #written: number | null = null

  constructor(table: Table) {
    this.#table = table
  }

  /** One that none has had; inside a transaction. */
  next(): number {
    this.#last ??= this.#written = readLastNumber(this.#table.get(LAST_NUMBER_KEY))
    this.#last += 1
    return this.#last
  }

  /** Runs what may ask for numbers, in a transaction; to be followed by `settle` when it is known whether it was committed. */
  change<T>(run: () => T): T {
    const result = run()
    if (this.#last !== null && this.#last !== this.#written) putLastNumber(this.#last, this.#table.put)
    this.#written = this.#last
    return result
  }

  /** What was not committed is not in the file, so that is asked again. */
  settle(committed: boolean): void {
    if (!committed) this.#last = this.#written = null
  }
}

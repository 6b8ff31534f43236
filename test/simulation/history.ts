/**
 * What happened in a simulated world, and the judge over it. Each message carries (sender, recipient, k), where k counts what one
 * sender wrote to one recipient, so the judge needs nothing of what it judges.
 */
import type { Outcome } from '../../src/client/outgoing.ts'
import type { ClientRecord } from '../../src/store/store.ts'
import type { Person } from './person.ts'

export class History {
  failovers = 0
  gaps = 0
  /** Numbers that need not come: their senders have given them up, in doubt whether they had arrived. */
  passedOver = 0
  readonly #wrong: string[] = []
  readonly #pauses: (readonly [from: number, to: number])[] = []
  /** By `sender>recipient`: the k that were shown, in that order. */
  readonly #shown = new Map<string, number[]>()
  /** `sender>recipient k` of what its sender was told will not arrive. */
  readonly #ended = new Set<string>()
  readonly #failed = new Set<string>()
  /** What its recipient refused for good. */
  readonly #refused = new Set<string>()
  readonly #forgotten = new Set<string>()
  /** When those that were given a short life may expire. */
  readonly #expiries = new Map<string, number>()

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
    if (this.#failed.has(`${pair} ${k}`)) this.wrong(`C6: ${pair} ${k} was told failed and is shown`)
    let list = this.#shown.get(pair)
    if (list === undefined) this.#shown.set(pair, (list = []))
    if (list.includes(k)) this.wrong(`repeat: ${pair} ${k} was shown twice`)
    if (k < (list.at(-1) ?? 0)) this.wrong(`order: ${pair} ${k} was shown after ${list.at(-1)}`)
    list.push(k)
  }

  wasShown(pair: string, k: number): boolean {
    return this.#shown.get(pair)?.includes(k) === true
  }

  /** A message that the store may give up from then on. */
  written(pair: string, k: number, expiresAt: number): void {
    this.#expiries.set(`${pair} ${k}`, expiresAt)
  }

  refused(pair: string, k: number): void {
    this.#refused.add(`${pair} ${k}`)
  }

  /** A recipient forgets with its process what it has refused: when that comes again it is a repeat like any other. */
  restarted(name: string): void {
    for (const letter of this.#refused) if (letter.includes(`>${name} `)) this.#forgotten.add(letter)
  }

  /** A message that will not arrive, as its sender is told. */
  ended(pair: string, k: number, outcome: Outcome, now: number): void {
    const { kind } = outcome
    const letter = `${pair} ${k}`
    this.#ended.add(letter)
    // Who loses a right is told so of what he sends again, too: an earlier copy may have arrived, and if not its number is passed over.
    if (kind === 'failed' && outcome.code === 'forbidden') {
      this.passedOver++
      return
    }
    if (kind === 'failed') this.#failed.add(letter)
    if (kind === 'failed' && this.wasShown(pair, k)) this.wrong(`C6: ${letter} was told failed and was shown`)
    if (kind === 'expired' && now < (this.#expiries.get(letter) ?? Infinity)) this.wrong(`${letter} expired too early`)
    if (kind === 'rejected' && !this.#refused.has(letter)) this.wrong(`${letter} was told rejected, and nobody did`)
  }

  delivered(pair: string, k: number): void {
    const letter = `${pair} ${k}`
    if (!this.wasShown(pair, k)) this.wrong(`C6: ${letter} was told delivered and not shown`)
    // A failover takes back refusals as well.
    const refused = this.#refused.has(letter) && !this.#forgotten.has(letter) && this.failovers === 0
    if (refused) this.wrong(`C6: ${letter} was told delivered and was refused`)
  }

  /** What was written, and neither shown nor told to have ended. */
  *missing(people: readonly Person[]): Generator<string> {
    for (const { written } of people) {
      for (const [pair, count] of written) {
        if (pair.includes('#')) continue
        for (let k = 1; k <= count; k++) {
          if (!this.wasShown(pair, k) && !this.#ended.has(`${pair} ${k}`)) yield `${pair} ${k}`
        }
      }
    }
  }

  judge(people: readonly Person[], left: readonly ClientRecord[]): string[] {
    for (const letter of this.missing(people)) this.wrong(`loss: ${letter} was never shown`)
    for (const { id, parked } of left) this.wrong(`I12: ${parked} left in the mailbox of ${id}`)
    // What a failover took back from the store may be told as a gap, and is offered again; without one there is no hole.
    if (this.gaps > this.passedOver && this.failovers === 0) this.wrong(`I9: ${this.gaps} gaps without a failover`)
    return this.#wrong
  }
}

/**
 * The letters of one tab, on their way into the database and from there into the outbox of the tab that leads.
 *
 * They are written in the order in which they were sent, and taken in that order; as long as one of this tab's is on its way, those that
 * follow it go the same way, even if this tab leads by now.
 */
import type { Letter } from '../courier.ts'
import type { Database, Filed } from './database.ts'
import type { DatabaseKeeper } from './database-keeper.ts'
import { AckdError } from '../errors.ts'
import type { Office } from './office.ts'

export interface LettersEvents {
  /** Some are in the database now. */
  written(): void
  /** A letter could not be written. */
  refused(key: string, error: AckdError): void
}

/** Letters of one transaction, letters that wait for one, and letters that wait in the database; of each of the latter also the bytes. */
const MAX_BATCH = 100
const MAX_QUEUE = 1_000
const MAX_FILED = 1_000
const MAX_BYTES = 5_000_000
/** ms that the last letters of a page may take. */
const LATE_MS = 1_000

export class Letters {
  readonly #database: Database
  readonly #events: LettersEvents
  #queue: Letter[] = []
  #writing: Promise<void> | null = null
  #asleep = false
  #office: Office | null = null
  #keeper: DatabaseKeeper | null = null
  #collecting = false
  /** There may be letters that were not seen yet. */
  #unseen = false
  /** There are letters for which the outbox had no room. */
  #backlog = false

  constructor(database: Database, events: LettersEvents) {
    this.#database = database
    this.#events = events
  }

  /** Whether a letter may go into the outbox of this tab directly. */
  get idle(): boolean {
    return this.#writing === null && !this.#collecting && !this.#backlog && this.#queue.length === 0
  }

  add(letter: Letter): void {
    const bytes = bytesOf(this.#queue)
    if (this.#queue.length >= MAX_QUEUE || (bytes > 0 && bytes + bytesOf([letter]) > MAX_BYTES)) {
      return this.#events.refused(letter.key, new AckdError('outbox_full'))
    }
    this.#queue.push(letter)
    this.#write()
  }

  /** Resolves when all that was added is written, or after that many ms. */
  async written(ms: number): Promise<void> {
    if (this.#writing === null) return
    let timer: ReturnType<typeof setTimeout> | undefined
    await Promise.race([this.#writing, new Promise<void>(resolve => (timer = setTimeout(resolve, ms)))])
    clearTimeout(timer)
  }

  /** This tab leads: the letters in the database are for this office. */
  lead(office: Office, keeper: DatabaseKeeper): void {
    this.#office = office
    this.#keeper = keeper
    this.look()
  }

  /** There is no database, but an office. */
  alone(office: Office): void {
    this.#office = office
    this.wake()
  }

  /** Something has left the outbox. */
  settled(): void {
    if (this.#backlog) this.collect()
  }

  /** A tab is gone, and may have left letters: they may also be there a moment later than the news of it. */
  look(): void {
    this.collect()
    setTimeout(() => this.collect(), LATE_MS)
  }

  /** Takes the letters that are in the database into the outbox, if this tab leads. */
  collect(): void {
    if (this.#keeper === null) return
    this.#unseen = true
    if (!this.#collecting) void this.#collect()
  }

  /** The office is gone. `hurry`: so will be the page, and what is not asked for now does not happen. */
  leave(hurry: boolean): void {
    this.#asleep = true
    this.#office = this.#keeper = null
    this.#backlog = false
    const last = hurry ? this.#queue.splice(0) : []
    if (last.length > 0) this.#database.file(last, Date.now()).catch((error: unknown) => this.#refuse(last, error))
  }

  wake(): void {
    this.#asleep = false
    this.#write()
  }

  #write(): void {
    this.#writing ??= this.#writeAll().finally(() => (this.#writing = null))
  }

  async #writeAll(): Promise<void> {
    while (this.#queue.length > 0 && this.#isAwake()) {
      // What this tab has put into the outbox itself comes first.
      await this.#keeper?.commit()?.catch(() => {})
      const filed = await this.#database.waiting().catch(() => ({ count: 0, bytes: 0 }))
      // What is in the queue when the page goes to sleep is written then.
      if (!this.#isAwake()) return
      const batch = this.#queue.splice(0, countFitting(this.#queue, filed))
      if (batch.length === 0) {
        this.#refuse(this.#queue.splice(0, 1), new AckdError('outbox_full'))
        continue
      }
      try {
        if (!this.#sendAlone(batch)) await this.#database.file(batch, Date.now())
        this.#events.written()
      } catch (error) {
        if (!this.#sendAlone(batch)) this.#refuse(batch, error)
      }
    }
  }

  #isAwake(): boolean {
    return !this.#asleep
  }

  #sendAlone(letters: readonly Letter[]): boolean {
    if (this.#office === null || this.#keeper !== null) return false
    for (const letter of letters) this.#office.send(letter)
    return true
  }

  #refuse(letters: readonly Letter[], error: unknown): void {
    const reason = error instanceof AckdError ? error : new AckdError('not_kept', String(error), error)
    for (const { key } of letters) this.#events.refused(key, reason)
  }

  async #collect(): Promise<void> {
    this.#collecting = true
    while (this.#unseen && this.#office !== null && this.#keeper !== null) {
      this.#unseen = false
      const [office, keeper] = [this.#office, this.#keeper]
      const letters = await this.#database.letters().catch(() => [])
      if (office !== this.#office) continue
      const untaken = letters.filter(letter => !keeper.has(letter))
      const fitting = untaken.findIndex(letter => !take(letter, office, keeper))
      this.#backlog = fitting !== -1
    }
    this.#collecting = false
  }
}

interface Filled {
  readonly count: number
  readonly bytes: number
}

/** How many of these, from the first on, the database may hold as well. One of any size may be alone. */
function countFitting(letters: readonly Letter[], filed: Filled): number {
  let { count, bytes } = filed
  const past = letters.findIndex(letter => {
    bytes += bytesOf([letter])
    return ++count > MAX_FILED || (count > 1 && bytes > MAX_BYTES)
  })
  return Math.min(MAX_BATCH, past === -1 ? letters.length : past)
}

function bytesOf(letters: readonly Letter[]): number {
  return letters.reduce((sum, { body }) => sum + body.end - body.start, 0)
}

/** False when the outbox has no room for it. */
function take(letter: Filed, office: Office, keeper: DatabaseKeeper): boolean {
  const waited = Math.floor((Date.now() - letter.time) / 1_000)
  const ttl = letter.ttl === 0 ? 0 : Math.max(1, letter.ttl - Math.max(0, waited))
  if (!office.take({ ...letter, ttl })) return false
  keeper.took(letter)
  return true
}

/**
 * A keeper that keeps everything in the database of the origin, for the tab that leads.
 *
 * One write is under way at a time, and the next takes all that was told meanwhile. After a write that failed the next one is the
 * whole, since that may need less room. When there is no room even for that, what is kept is given up, because it would tell a later tab
 * what is no longer true; the client then goes on in memory, says so, and tries again now and then.
 *
 * A page that goes has no time to write, and whether its last write is done before the next tab leads is not for it to say. So
 * messages that are not in the journal by then, and have not left either, become letters again, which any tab takes at any time.
 */
import type { Letter } from '../courier.ts'
import type { Database, Filed, Lead } from './database.ts'
import { AckdError } from '../errors.ts'
import type { Identity, IdentityStore } from '../identity.ts'
import type { Keeper } from '../keeper.ts'
import {
  encodeChange,
  encodeCursor,
  encodeRoomCursor,
  encodeSnapshot,
  isDurable,
  kindOf,
  replay,
  type Kept,
} from '../records.ts'

export interface DatabaseKeeperEvents {
  /** Another tab leads now. */
  fenced(): void
  failed(error: AckdError): void
}

/** What goes into one write. */
class Batch {
  readonly records: Uint8Array[] = []
  /** Of the records, those that make sense without the others: how far was read. */
  readonly read: Uint8Array[] = []
  /** Messages that are new. */
  readonly added: Letter[] = []
  readonly taken: number[] = []
  identity: Identity | null = null
  durable = false

  get isEmpty(): boolean {
    return this.records.length + this.taken.length === 0 && this.identity === null
  }

  /** Adds what comes after it. */
  append(later: Batch): this {
    this.records.push(...later.records)
    this.read.push(...later.read)
    this.added.push(...later.added)
    this.taken.push(...later.taken)
    this.identity = later.identity ?? this.identity
    this.durable ||= later.durable
    return this
  }

  /** What is left of it to be done with the whole, which has all its records. */
  get rest(): Batch {
    const rest = new Batch().append(this)
    rest.records.length = rest.read.length = 0
    return rest
  }
}

/** ms between the tries to keep something again. */
const RETRY_MS = 10_000
/** Records, and bytes of them, after which the journal is written anew. */
const MAX_RECORDS = 2_000
const MAX_BYTES = 1_048_576

export class DatabaseKeeper implements Keeper {
  readonly identity: IdentityStore
  readonly outbox: Kept['outbox'] | null
  readonly cursors: Kept['cursors']
  readonly rooms: Kept['rooms']
  readonly #database: Database
  readonly #events: DatabaseKeeperEvents
  /** Letters that the outbox has taken and that are in the database still. */
  readonly #taken = new Map<number, string>()
  #snapshot: (() => Uint8Array) | null = null
  #told = new Batch()
  /** What is being written. */
  #batch: Batch | null = null
  #writing: Promise<void> | null = null
  #next: Promise<void> | null = null
  /** The next write is the whole; so is the first, which overwrites what came too late from a tab that led before. */
  #whole = true
  #hasBegun: boolean
  #records = 0
  #bytes = 0
  /** Something was told that could neither be kept nor given up, so the whole is to be written though nothing more was told. */
  #isOwing = false
  /** ms; nothing is kept until then. */
  #forgetfulUntil = 0

  constructor(
    database: Database,
    { records, identity }: Pick<Lead, 'records' | 'identity'>,
    store: IdentityStore,
    events: DatabaseKeeperEvents,
  ) {
    this.#database = database
    this.#events = events
    const kept = this.#replay(records)
    this.#hasBegun = kept !== null
    this.outbox = kept?.outbox ?? null
    this.cursors = kept?.cursors ?? []
    this.rooms = kept?.rooms ?? []
    this.identity = {
      load: () => attempt(() => store.load()) ?? identity,
      // When both places fail it is told once, by the other one.
      save: next => {
        this.#told.identity = next
        attempt(() => store.save(next))
      },
    }
  }

  attach(outbox: () => Kept['outbox'], cursors: () => Kept['cursors'], rooms: () => Kept['rooms']): void {
    this.#snapshot = () => encodeSnapshot({ outbox: outbox(), cursors: cursors(), rooms: rooms() })
  }

  changed(change: Parameters<Keeper['changed']>[0]): void {
    this.#told.records.push(encodeChange(change))
    this.#told.durable ||= isDurable(change.kind)
    if (change.kind === 'added') this.#told.added.push(change.message)
  }

  recorded(cursor: Parameters<Keeper['recorded']>[0]): void {
    this.#readTo(encodeCursor(cursor))
  }

  roomRecorded(cursor: Parameters<Keeper['roomRecorded']>[0]): void {
    this.#readTo(encodeRoomCursor(cursor))
  }

  /** Whether the outbox has that letter already. */
  has({ at }: Filed): boolean {
    return this.#taken.has(at)
  }

  /** The outbox has taken the letter: the next commit takes it out of the letters. */
  took({ at, key }: Filed): void {
    this.#taken.set(at, key)
    this.#told.taken.push(at)
  }

  commit(): Promise<void> | undefined {
    if (this.#told.isEmpty && !this.#isOwing) return this.#next ?? this.#writing ?? undefined
    if (performance.now() < this.#forgetfulUntil && this.#told.taken.length === 0 && !this.#isOwing) {
      this.#told = new Batch()
      return undefined
    }
    if (this.#writing === null) return this.#start()
    this.#next ??= this.#writing.then(ignore, ignore).then(() => this.#start())
    return this.#next
  }

  close(): void {
    if (this.#snapshot === null) return
    const isForgetful = performance.now() < this.#forgetfulUntil
    const undone = this.#batch !== null && this.#database.cancel() ? this.#batch : new Batch()
    const { added, read, identity } = undone.append(this.#told)
    const letters = [...this.#taken.values()]
    const own = added.filter(({ key }) => !letters.includes(key))
    if (own.length > 0 && !isForgetful) this.#database.file(own, Date.now()).catch(ignore)
    if ((read.length > 0 || identity) && this.#hasBegun && !isForgetful) {
      const last = { records: read, whole: false, taken: [], identity, durable: false, hurry: true }
      this.#database.write(last).catch(ignore)
    }
    this.#snapshot = null
    this.#told = new Batch()
  }

  #readTo(record: Uint8Array): void {
    this.#told.records.push(record)
    this.#told.read.push(record)
  }

  #take(): Batch {
    const batch = this.#told
    this.#told = new Batch()
    return batch
  }

  #start(): Promise<void> {
    this.#next = null
    const writing = this.#write().finally(() => {
      if (this.#writing === writing) this.#writing = null
    })
    this.#writing = writing
    return writing
  }

  async #write(): Promise<void> {
    const batch = this.#take()
    this.#isOwing = false
    const isWhole = this.#whole || this.#records > MAX_RECORDS || this.#bytes > MAX_BYTES
    try {
      await this.#enter(batch, isWhole)
    } catch (error) {
      if (error instanceof AckdError || this.#snapshot === null) throw error
      // What is told from here on is in the whole.
      batch.append(this.#take())
      await this.#enter(batch, true).catch((reason: unknown) => this.#forget(batch, reason))
    }
  }

  async #enter(batch: Batch, whole: boolean): Promise<void> {
    if (this.#snapshot === null) throw new Error('The keeper is closed.')
    const records = whole ? [this.#snapshot()] : batch.records
    this.#batch = batch
    this.#whole = true
    const { taken, identity, durable } = batch
    const written = await this.#database.write({ records, whole, taken, identity, durable, hurry: false })
    this.#batch = null
    if (written === 'fenced') {
      // Nothing of it is written. What is new in it becomes letters when the keeper is closed, which is now.
      this.#told = batch.append(this.#take())
      this.#events.fenced()
      throw new AckdError('replaced')
    }
    if (written === 'wiped') throw new Error('The database was emptied.')
    this.#whole = false
    this.#hasBegun = true
    this.#forgetfulUntil = 0
    this.#records = whole ? 0 : this.#records + records.length
    this.#bytes = whole ? 0 : this.#bytes + bytesOf(records)
    for (const at of taken) this.#taken.delete(at)
  }

  async #forget(batch: Batch, error: unknown): Promise<void> {
    if (error instanceof AckdError || this.#snapshot === null) throw error
    const known = this.#forgetfulUntil > 0
    try {
      await this.#database.forget(batch.taken)
    } catch (reason) {
      this.#isOwing = true
      this.#told = batch.rest.append(this.#take())
      throw reason
    }
    for (const at of batch.taken) this.#taken.delete(at)
    this.#forgetfulUntil = performance.now() + RETRY_MS
    if (!known) this.#events.failed(new AckdError('not_kept', 'messages live only as long as this tab', error))
  }

  #replay(records: readonly Uint8Array[]): Kept | null {
    const [first] = records
    if (first === undefined) return null
    try {
      if (kindOf(first) !== 'snapshot') throw new TypeError('The journal does not begin with a snapshot.')
      return replay(records)
    } catch (error) {
      this.#events.failed(new AckdError('unreadable', 'what was kept in this browser', error))
      return null
    }
  }
}

function bytesOf(records: readonly Uint8Array[]): number {
  return records.reduce((sum, { length }) => sum + length, 0)
}

function attempt<Result>(work: () => Result): Result | null {
  try {
    return work()
  } catch {
    return null
  }
}

function ignore(): void {}

/**
 * A keeper that keeps everything in the database of the origin, for the tab that leads.
 *
 * One write is under way at a time, and the next takes all that was told meanwhile. After a write that failed the next one is the
 * whole, since that may need less room. When there is no room even for that, what is kept is given up, because it would tell a later tab
 * what is no longer true; the client then goes on in memory, says so, and tries again now and then.
 */
import type { Database, Entry, Filed, Lead } from './database.ts'
import { AckdError } from './errors.ts'
import type { Identity, IdentityStore } from './identity.ts'
import type { Keeper } from './keeper.ts'
import {
  encodeChange,
  encodeCursor,
  encodeRoomCursor,
  encodeSnapshot,
  isDurable,
  kindOf,
  replay,
  type Kept,
} from './records.ts'

export interface DatabaseKeeperEvents {
  /** Another tab leads now. */
  fenced(): void
  failed(error: AckdError): void
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
  /** The page can be relied on to lead alone. */
  readonly #locked: boolean
  readonly #taken = new Set<number>()
  #snapshot: (() => Uint8Array) | null = null
  #pending: Uint8Array[] = []
  #durable = false
  #newTaken: number[] = []
  #newIdentity: Identity | null = null
  #writing: Promise<void> | null = null
  #next: Promise<void> | null = null
  /** The next write is the whole; so is the first, which overwrites what came too late from a tab that led before. */
  #whole = true
  #records = 0
  #bytes = 0
  /** ms; nothing is kept until then. */
  #forgetfulUntil = 0

  constructor(
    database: Database,
    { records, identity }: Pick<Lead, 'records' | 'identity'>,
    store: IdentityStore,
    locked: boolean,
    events: DatabaseKeeperEvents,
  ) {
    this.#database = database
    this.#events = events
    this.#locked = locked
    const kept = this.#replay(records)
    this.outbox = kept?.outbox ?? null
    this.cursors = kept?.cursors ?? []
    this.rooms = kept?.rooms ?? []
    this.identity = {
      load: () => attempt(() => store.load()) ?? identity,
      // When both places fail it is told once, by the other one.
      save: next => {
        this.#newIdentity = next
        attempt(() => store.save(next))
      },
    }
  }

  attach(outbox: () => Kept['outbox'], cursors: () => Kept['cursors'], rooms: () => Kept['rooms']): void {
    this.#snapshot = () => encodeSnapshot({ outbox: outbox(), cursors: cursors(), rooms: rooms() })
  }

  changed(change: Parameters<Keeper['changed']>[0]): void {
    this.#pending.push(encodeChange(change))
    this.#durable ||= isDurable(change.kind)
  }

  recorded(cursor: Parameters<Keeper['recorded']>[0]): void {
    this.#pending.push(encodeCursor(cursor))
  }

  roomRecorded(cursor: Parameters<Keeper['roomRecorded']>[0]): void {
    this.#pending.push(encodeRoomCursor(cursor))
  }

  /** Whether the outbox has that letter already. */
  has({ at }: Filed): boolean {
    return this.#taken.has(at)
  }

  /** The outbox has taken the letter: the next commit takes it out of the letters. */
  took({ at }: Filed): void {
    this.#taken.add(at)
    this.#newTaken.push(at)
  }

  commit(): Promise<void> | undefined {
    if (!this.#isNew) return this.#next ?? this.#writing ?? undefined
    if (performance.now() < this.#forgetfulUntil && this.#newTaken.length === 0) {
      this.#pending = []
      return undefined
    }
    if (this.#writing === null) return this.#start()
    this.#next ??= this.#writing.then(ignore, ignore).then(() => this.#start())
    return this.#next
  }

  /** Writes what was told within the call, as far as that can be done by a page that is about to go. */
  close(): void {
    if (this.#isNew && this.#locked && performance.now() >= this.#forgetfulUntil) {
      this.#database.write({ ...this.#take(), hurry: true }).catch(ignore)
    }
    this.#snapshot = null
  }

  get #isNew(): boolean {
    return this.#pending.length + this.#newTaken.length > 0 || this.#newIdentity !== null
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
    if (this.#snapshot === null) throw new Error('The keeper is closed.')
    const entry = this.#take()
    try {
      await this.#enter(entry)
    } catch (error) {
      if (error instanceof AckdError) throw error
      // What is told from here on is in the whole.
      this.#whole = true
      await this.#enterWhole(entry).catch((reason: unknown) => this.#forget(entry, reason))
    }
    for (const at of entry.taken) this.#taken.delete(at)
  }

  async #enter(entry: Entry): Promise<void> {
    const written = await this.#database.write(entry)
    if (written === 'wiped') return this.#enterWhole(entry)
    if (written === 'fenced') {
      this.#events.fenced()
      throw new AckdError('replaced')
    }
    this.#forgetfulUntil = 0
  }

  async #enterWhole({ taken, identity }: Entry): Promise<void> {
    if (this.#snapshot === null) throw new Error('The keeper is closed.')
    this.#whole = true
    const whole = this.#take()
    await this.#enter({ ...whole, taken: [...taken, ...whole.taken], identity: whole.identity ?? identity })
  }

  async #forget({ taken }: Entry, error: unknown): Promise<void> {
    if (error instanceof AckdError) throw error
    const known = this.#forgetfulUntil > 0
    await this.#database.forget(taken)
    this.#whole = true
    this.#forgetfulUntil = performance.now() + RETRY_MS
    if (!known) this.#events.failed(new AckdError('not_kept', 'messages live only as long as this tab', error))
  }

  /** All that is to be written now. */
  #take(): Entry {
    const whole = this.#whole || this.#records > MAX_RECORDS || this.#bytes > MAX_BYTES
    const records = whole && this.#snapshot ? [this.#snapshot()] : this.#pending
    const entry: Entry = {
      records,
      whole,
      taken: this.#newTaken,
      identity: this.#newIdentity,
      durable: this.#durable,
      hurry: false,
    }
    this.#records = (whole ? 0 : this.#records) + records.length
    this.#bytes = (whole ? -bytesOf(records) : this.#bytes) + bytesOf(records)
    this.#pending = []
    this.#newTaken = []
    this.#newIdentity = null
    this.#durable = this.#whole = false
    return entry
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

/**
 * What the tabs of an origin keep together in IndexedDB: a journal that one tab at a time writes, and letters that any tab may add.
 *
 *   journal   number → record     epoch, and what `records.ts` says, in the order of writing
 *   letters   number → letter     messages that no outbox has taken yet
 *   facts     epoch, identity     who writes the journal now
 *
 * A tab that begins to lead begins an epoch, and every write of it is undone, as a whole, when another epoch has begun since. So two
 * writers cannot mix even if both take themselves for the only one: the later one is never disturbed, and the earlier one is told. A record
 * also names its epoch, and is passed over after one of a later epoch: it was written by a page in its last moments, too late.
 */
import type { Letter } from '../courier.ts'
import { readIdentity, type Identity } from '../identity.ts'
import { IndexedDb, type IndexedDbLike } from './indexed-db.ts'

/** A letter in the database. */
export interface Filed extends Letter {
  readonly at: number
  /** ms since the epoch; when it was written. */
  readonly time: number
}

/** What a tab finds when it begins to lead. */
export interface Lead {
  readonly epoch: number
  readonly records: readonly Uint8Array[]
  readonly identity: Identity | null
}

/** What is written at once. */
export interface Entry {
  readonly records: readonly Uint8Array[]
  /** The records are all there is: those before go. */
  readonly whole: boolean
  /** Letters that the records have taken over. */
  readonly taken: readonly number[]
  readonly identity: Identity | null
  readonly durable: boolean
  readonly hurry: boolean
}

/** `fenced`: another tab leads now. `wiped`: the database was emptied, so only the whole can be written. */
export type Written = 'kept' | 'fenced' | 'wiped'

export class Database {
  readonly #db: IndexedDb
  #epoch = 0
  /** Undoes what is being written, and tells whether it still could be. */
  #undo: (() => boolean) | null = null

  /** `outdated`: see `IndexedDb`. */
  constructor(factory: IndexedDbLike, name: string, outdated: () => void = () => {}) {
    const layout = {
      journal: { autoIncrement: true },
      letters: { autoIncrement: true, keyPath: 'at' },
      facts: {},
    }
    this.#db = new IndexedDb(factory, name, layout, outdated)
  }

  open(): Promise<void> {
    return this.#db.open()
  }

  close(): void {
    this.#db.close()
  }

  /** Resolves when no other tab is in the midst of writing the journal. */
  rest(): Promise<void> {
    return this.#db.run({ mode: 'readonly', stores: ['journal'] }, stores => {
      stores.store('journal').count()
      return () => {}
    })
  }

  /** Begins an epoch, and reads what those before have left. When the epoch cannot be written it is begun in memory only. */
  async lead(): Promise<Lead> {
    const lead = await this.#lead(true).catch(() => this.#lead(false))
    this.#epoch = lead.epoch
    return lead
  }

  #lead(begin: boolean): Promise<Lead> {
    return this.#db.run({ mode: begin ? 'readwrite' : 'readonly', stores: ['journal', 'facts'] }, stores => {
      const [journal, facts] = [stores.store('journal'), stores.store('facts')]
      const records = journal.getAll()
      const identity = facts.get('identity')
      const current = facts.get('epoch')
      if (begin) current.onsuccess = () => facts.put(epochOf(current.result) + 1, 'epoch')
      return () => ({
        epoch: epochOf(current.result) + 1,
        records: inOrder(records.result),
        identity: readIdentity(typeof identity.result === 'string' ? identity.result : null),
      })
    })
  }

  /**
   * Writes to the journal, all of it or nothing. Rejects when it could not, for want of room for example. One at a time. In a hurry
   * nobody looks whether another epoch has begun, so nothing may be taken or cleared.
   */
  async write({ records, whole, taken, identity, durable, hurry }: Entry): Promise<Written> {
    const epoch = this.#epoch
    let written: Written = 'kept'
    let isCancelled = false
    this.#undo = () => (isCancelled = true)
    const scope = ['journal', 'facts', ...(taken.length > 0 ? ['letters'] : [])]
    const work = this.#db.run({ mode: 'readwrite', stores: scope, durable, hurry }, stores => {
      const [journal, facts] = [stores.store('journal'), stores.store('facts')]
      const current = facts.get('epoch')
      const abort = (reason: string): true => {
        stores.abort(new Error(reason))
        return true
      }
      this.#undo = () => abort('cancelled')
      if (isCancelled) abort('cancelled')
      if (!hurry) {
        current.onsuccess = () => {
          const found = epochOf(current.result)
          if (found > epoch) written = 'fenced'
          else if (found < epoch && !whole) written = 'wiped'
          if (written !== 'kept') abort(written)
        }
      }
      if (whole) {
        journal.clear()
        facts.put(epoch, 'epoch')
      }
      for (const bytes of records) journal.put({ epoch, bytes })
      for (const at of taken) stores.store('letters').delete(at)
      if (identity) facts.put(JSON.stringify(identity), 'identity')
      return () => {}
    })
    await work
      .catch((error: unknown) => {
        if (written === 'kept') throw error
      })
      .finally(() => (this.#undo = null))
    return written
  }

  /** Undoes what is being written. False when nothing is, or when it is too late. */
  cancel(): boolean {
    try {
      return this.#undo?.() === true
    } catch {
      // A transaction that is being committed cannot be undone.
      return false
    }
  }

  /** Empties the journal, and removes letters. */
  forget(taken: readonly number[]): Promise<void> {
    return this.#db.run({ mode: 'readwrite', stores: ['journal', 'letters'] }, stores => {
      stores.store('journal').clear()
      for (const at of taken) stores.store('letters').delete(at)
      return () => {}
    })
  }

  /** Adds letters, even if the page goes at once. Rejects when they could not be written. */
  file(letters: readonly Letter[], time: number): Promise<void> {
    return this.#db.run({ mode: 'readwrite', stores: ['letters'], durable: true, hurry: true }, stores => {
      for (const { key, target, body, ttl } of letters) {
        const bytes = body.bytes.slice(body.start, body.end)
        stores.store('letters').put({ key, target, ttl, time, bytes })
      }
      return () => {}
    })
  }

  /** How many letters wait, and the bytes of their bodies. */
  async waiting(): Promise<{ readonly count: number; readonly bytes: number }> {
    const letters = await this.letters()
    return { count: letters.length, bytes: letters.reduce((sum, { body }) => sum + body.end - body.start, 0) }
  }

  /** The letters that wait, the oldest first. */
  letters(): Promise<readonly Filed[]> {
    return this.#db.run({ mode: 'readonly', stores: ['letters'] }, stores => {
      const all = stores.store('letters').getAll()
      return () => all.result.flatMap(readLetter)
    })
  }
}

function inOrder(entries: readonly unknown[]): Uint8Array[] {
  let latest = 0
  return entries.flatMap(entry => {
    if (typeof entry !== 'object' || entry === null || !('epoch' in entry) || !('bytes' in entry)) return []
    const epoch = epochOf(entry.epoch)
    if (epoch < latest || !(entry.bytes instanceof Uint8Array)) return []
    latest = epoch
    return [entry.bytes]
  })
}

function readLetter(value: unknown): Filed[] {
  if (typeof value !== 'object' || value === null) return []
  const { at, key, target, ttl, time, bytes } = value as Readonly<Record<string, unknown>>
  if (!isCount(at) || !isCount(ttl) || typeof time !== 'number' || !(bytes instanceof Uint8Array)) return []
  if (typeof key !== 'string' || typeof target !== 'string') return []
  return [{ at, key, target, ttl, time, body: { bytes, start: 0, end: bytes.length, text: false } }]
}

function epochOf(value: unknown): number {
  return isCount(value) ? value : 0
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

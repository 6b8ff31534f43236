/**
 * What this browser keeps of conversations, in IndexedDB: all direct messages, one's own messages that have no place in the log of a
 * room yet, and where one was. What rooms say is the server's to keep.
 *
 * All tabs write the same, under the same keys, so it does not matter which of them is first. What is kept is bounded: of each person the
 * latest 500 messages, of all of them 2,000. Where the browser keeps nothing, conversations live as long as the page, which is told once.
 */
import { IndexedDb, type Stores } from '../../client/browser/indexed-db.ts'
import { keptOf, type Entry, type KeptEntry, type Tick, type Visit } from './conversation.ts'

export interface Contents {
  readonly visits: readonly Visit[]
  readonly entries: readonly KeptEntry[]
}

/** Of the layout and of what is kept in it. */
const VERSION = 1
const layout = { visits: { keyPath: 'target' }, entries: { keyPath: 'key' } }

export class Archive {
  readonly #database: IndexedDb | null = databaseHere()
  #failed = (): void => {}
  #hasFailed = false

  /** Hears that this browser keeps nothing, now or as soon as it is so. */
  onFailed(failed: () => void): void {
    this.#failed = failed
    if (this.#hasFailed) failed()
  }

  /** All that is kept. What there is too much of is taken away first. */
  async read(): Promise<Contents> {
    const read = await this.#run('readonly', stores => {
      const visits = stores.store('visits').getAll()
      const entries = stores.store('entries').getAll()
      return () => ({ visits: visits.result.flatMap(readVisit), entries: entries.result.flatMap(readEntry) })
    })
    const { visits, entries } = read ?? { visits: [], entries: [] }
    const kept = keptOf(entries)
    const excess = entries.filter(entry => !kept.has(entry))
    if (excess.length > 0) await this.remove(excess.map(({ key }) => key))
    return { visits, entries: [...kept] }
  }

  async keep(target: string, entries: readonly Entry[]): Promise<void> {
    await this.#run('readwrite', stores => {
      for (const entry of entries) stores.store('entries').put({ ...entry, target })
      return () => {}
    })
  }

  /** What became of a message that this page does not show. */
  async tick(key: string, tick: Tick, trouble: string): Promise<void> {
    const found = await this.#run('readonly', stores => {
      const entry = stores.store('entries').get(key)
      return () => readEntry(entry.result)
    })
    const [entry] = found ?? []
    if (entry && entry.tick !== 'delivered') await this.keep(entry.target, [{ ...entry, tick, trouble }])
  }

  async remove(keys: readonly string[]): Promise<void> {
    await this.#run('readwrite', stores => {
      for (const key of keys) stores.store('entries').delete(key)
      return () => {}
    })
  }

  async visit({ target, mark, readTo, epoch, password }: Visit): Promise<void> {
    await this.#run('readwrite', stores => {
      stores.store('visits').put({ target, mark, readTo, epoch, password })
      return () => {}
    })
  }

  /** Forgets a conversation, with what is kept of it. */
  async forget(target: string, keys: readonly string[]): Promise<void> {
    await this.#run('readwrite', stores => {
      stores.store('visits').delete(target)
      return () => {}
    })
    await this.remove(keys)
  }

  /** Never rejects: what cannot be kept is said once, and the page goes on. */
  async #run<Result>(mode: 'readonly' | 'readwrite', work: (stores: Stores) => () => Result): Promise<Result | null> {
    try {
      if (this.#database === null) throw new Error('There is no IndexedDB here.')
      const result = await this.#database.run(
        // What is written is written even if the page goes at once.
        { mode, stores: Object.keys(layout), hurry: mode === 'readwrite' },
        work,
      )
      this.#hasFailed = false
      return result
    } catch {
      const isFirst = !this.#hasFailed
      this.#hasFailed = true
      if (isFirst) this.#failed()
      return null
    }
  }
}

function databaseHere(): IndexedDb | null {
  try {
    return new IndexedDb(indexedDB, 'ackd chat', layout, () => {}, VERSION)
  } catch {
    return null
  }
}

function readVisit(value: unknown): Visit[] {
  const { target, mark, readTo = '', epoch = '', password = '' } = value as Partial<Visit>
  if (typeof target !== 'string') return []
  return [{ target, mark: typeof mark === 'number' ? mark : null, readTo, epoch, password }]
}

function readEntry(value: unknown): KeptEntry[] {
  // Only this file writes there.
  const entry = value as KeptEntry | undefined
  return entry !== undefined && typeof entry.key === 'string' && typeof entry.text === 'string' ? [entry] : []
}

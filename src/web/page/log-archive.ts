/**
 * What this browser keeps of rooms, so that they can be read without a network: of each room that one is in the latest messages of its log.
 * The server has them as well, so nothing is lost with them, and who is in a room again is shown what it says.
 *
 * Written a second after something was said, and when the page is hidden or left; every tab writes the same. A database of its own: what is in
 * the archive is nowhere else, and does not wait for this.
 */
import { IndexedDb } from '../../client/browser/indexed-db.ts'
import { endOfLog, type KeptLog } from './conversation.ts'
import type { State } from './state.ts'
import type { Store } from './store.ts'

const VERSION = 1
const layout = { logs: { keyPath: 'target' } }
const PAUSE_MS = 1_000

export class LogArchive {
  readonly #database: IndexedDb | null = databaseHere()
  readonly #changed = new Set<string>()
  #found: readonly string[] = []
  #store: Store<State> | null = null
  #timer: ReturnType<typeof setTimeout> | undefined
  readonly #onHidden = (): void => {
    if (document.visibilityState === 'hidden') this.#write()
  }

  /** All that is kept; nothing where the browser keeps nothing, which the archive says. */
  async read(): Promise<readonly KeptLog[]> {
    try {
      const rows = await this.#database?.run({ mode: 'readonly', stores: ['logs'] }, stores => {
        const logs = stores.store('logs').getAll()
        return () => logs.result
      })
      // Only this file writes there.
      const logs = (rows ?? []) as KeptLog[]
      this.#found = logs.map(({ target }) => target)
      return logs
    } catch {
      return []
    }
  }

  /**
   * From now on what is said is kept. What was found of rooms that one is not in is given up: a tab that was closed while another one left the room,
   * or put aside, had written it down once more.
   */
  begin(store: Store<State>): void {
    this.#store = store
    for (const target of this.#found) if (!store.value.conversations.has(target)) this.forget(target)
    document.addEventListener('visibilitychange', this.#onHidden)
  }

  stop(): void {
    this.#write()
    document.removeEventListener('visibilitychange', this.#onHidden)
  }

  /** Something was said in a room. */
  said(target: string): void {
    this.#changed.add(target)
    this.#timer ??= setTimeout(() => this.#write(), PAUSE_MS)
  }

  forget(target: string): void {
    this.#changed.delete(target)
    this.#run(store => void store.delete(target))
  }

  #write(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const conversations = this.#store?.value.conversations
    const logs = [...this.#changed].flatMap(target => endOfLog(conversations?.get(target)) ?? [])
    this.#changed.clear()
    if (logs.length > 0) this.#run(store => logs.forEach(log => store.put(log)))
  }

  /** What cannot be kept is not: the server has it. */
  #run(work: (store: { put(value: unknown): unknown; delete(key: string): unknown }) => void): void {
    const written = this.#database?.run({ mode: 'readwrite', stores: ['logs'], hurry: true }, stores => {
      work(stores.store('logs'))
      return () => {}
    })
    written?.catch(() => {})
  }
}

function databaseHere(): IndexedDb | null {
  try {
    return new IndexedDb(indexedDB, 'ackd chat rooms', layout, () => {}, VERSION)
  } catch {
    return null
  }
}

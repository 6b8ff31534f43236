/**
 * A browser's origin, played in one process: a real IndexedDB implementation, and locks and channels that behave as the standards say.
 * A tab can sleep, come back, hang, be killed without a word, and find that there is no room.
 */
import type { Browser } from '../../src/client/browser/browser.ts'
import type { ChannelLike } from '../../src/client/browser/channel.ts'
import type { LocksLike } from '../../src/client/browser/locks.ts'
import { databasesOf, newDatabases, type Process, type Step } from './databases.ts'

interface Waiting {
  readonly tab: Tab
  grant(): void
  rob(): void
}

/** Web Locks: exclusive, first come, first served; those of a tab that is gone are freed. */
class Locks {
  permitsStealing = true
  readonly #queues = new Map<string, Waiting[]>()

  of(tab: Tab): LocksLike {
    return {
      request: (name, options, hold) => {
        const queue = this.#queues.get(name) ?? []
        this.#queues.set(name, queue)
        return new Promise((resolve, reject) => {
          if (tab.dead) return
          const remove = (): void => {
            const at = queue.indexOf(waiting)
            if (at !== -1) queue.splice(at, 1)
            if (at === 0) queue[0]?.grant()
          }
          let granted = false
          const waiting: Waiting = {
            tab,
            grant: () => {
              granted = true
              tab.hear(() => void hold({}).then(remove).then(resolve))
            },
            rob: () => tab.hear(() => reject(new Error('stolen'))),
          }
          if ('ifAvailable' in options) {
            if (queue.length > 0) return tab.hear(() => void hold(null).then(resolve))
            queue.push(waiting)
            return waiting.grant()
          }
          if ('steal' in options) {
            if (!this.permitsStealing) return reject(new Error('not here'))
            queue.shift()?.rob()
            queue.unshift(waiting)
            return waiting.grant()
          }
          queue.push(waiting)
          options.signal.addEventListener('abort', () => {
            if (granted) return
            remove()
            reject(new Error('aborted'))
          })
          if (queue.length === 1) waiting.grant()
        })
      },
    }
  }

  free(tab: Tab): void {
    for (const queue of this.#queues.values()) {
      const head = queue[0]
      const rest = queue.filter(waiting => waiting.tab !== tab)
      queue.splice(0, queue.length, ...rest)
      if (head?.tab === tab) queue[0]?.grant()
    }
  }
}

class Pipe implements ChannelLike {
  onmessage: ((event: never) => void) | null = null
  readonly #tab: Tab
  readonly #others: Set<Pipe>

  constructor(tab: Tab, others: Set<Pipe>) {
    this.#tab = tab
    this.#others = others
    others.add(this)
  }

  postMessage(message: unknown): void {
    if (this.#tab.dead) return
    for (const other of this.#others) {
      if (other === this) continue
      const data: unknown = structuredClone(message)
      other.#tab.hear(() => {
        const hear = other.onmessage as ((event: { data: unknown }) => void) | null
        if (this.#others.has(other)) hear?.({ data })
      })
    }
  }

  close(): void {
    this.#others.delete(this)
  }
}

/** One tab, as far as the client uses it. */
export class Tab implements Process {
  dead = false
  /** Ends it. Whoever is in it says how. */
  die: () => void = () => {}
  #doom: { left: number; readonly step: Step } | null = null
  #hangs = false
  #unheard: (() => void)[] = []
  /** Of the page and of its document alike. */
  readonly page = Object.assign(new EventTarget(), {
    document: Object.assign(new EventTarget(), { visibilityState: 'visible' }),
  })

  /** Something comes from outside; a tab that hangs hears it later. */
  hear(event: () => void): void {
    if (this.#hangs) this.#unheard.push(event)
    else
      queueMicrotask(() => {
        if (this.#hangs) this.#unheard.push(event)
        else if (!this.dead) event()
      })
  }

  /** Nothing from outside gets through to it: no words, locks or packets. It knows nothing of that. */
  hang(): void {
    this.#hangs = true
  }

  /** It hears everything that it has not heard, in order. */
  unhang(): void {
    this.#hangs = false
    for (const event of this.#unheard.splice(0)) this.hear(event)
  }

  /** It dies in that step of a transaction, after so many others. */
  doom(step: Step, left: number): void {
    this.#doom = { step, left }
  }

  fate(): Step | null {
    if (this.#doom === null || this.#doom.left-- > 0) return null
    const { step } = this.#doom
    this.#doom = null
    return step
  }

  sleep(): void {
    this.page.dispatchEvent(new Event('pagehide'))
  }

  wake(): void {
    this.page.dispatchEvent(new Event('pageshow'))
  }

  freeze(): void {
    this.page.document.dispatchEvent(new Event('freeze'))
  }

  resume(): void {
    this.page.document.dispatchEvent(new Event('resume'))
  }

  online(): void {
    this.page.dispatchEvent(new Event('online'))
  }

  offline(): void {
    this.page.dispatchEvent(new Event('offline'))
  }
}

export class Origin {
  indexedDB = newDatabases()
  readonly #locks = new Locks()
  readonly #channels = new Map<string, Set<Pipe>>()

  /** Whether a lock can be taken from a tab that lives. */
  set permitsStealing(permitted: boolean) {
    this.#locks.permitsStealing = permitted
  }

  /** `locks`: false for a page without https. */
  browser(tab: Tab, locks = true): Browser {
    return {
      indexedDB: databasesOf(this.indexedDB, tab),
      locks: locks ? this.#locks.of(tab) : null,
      page: tab.page,
      openChannel: name => {
        const others = this.#channels.get(name) ?? new Set()
        this.#channels.set(name, others)
        return new Pipe(tab, others)
      },
    }
  }

  /** Begins to write the journal, as a page that then hangs; the function that is returned ends it. */
  stuckWrite(): Promise<() => void> {
    return new Promise(resolve => {
      const request = this.indexedDB.open('ackd test', 1)
      request.onsuccess = () => {
        const transaction = request.result.transaction(['journal'], 'readwrite', { durability: 'relaxed' })
        let isOver = false
        const ask = (): void => {
          const count = transaction.objectStore('journal').count()
          count.onsuccess = () => (isOver ? request.result.close() : ask())
        }
        ask()
        resolve(() => (isOver = true))
      }
    })
  }

  /** Ends a tab without a word: nothing of it is heard or run any more, as far as others can tell. */
  kill(tab: Tab): void {
    tab.dead = true
    this.#locks.free(tab)
  }
}

/** What the client uses of a browser. */
import type { ChannelLike } from './channel.ts'
import type { IndexedDbLike } from './indexed-db.ts'
import type { LocksLike } from './locks.ts'
import { thisPage, type PageLike } from './page.ts'

export interface Browser {
  readonly indexedDB: IndexedDbLike
  /** Null where there are none: without https, for example. */
  readonly locks: LocksLike | null
  readonly page: PageLike | null
  openChannel(name: string): ChannelLike
}

/** The browser that this program runs in; null without one, or when it has no place where tabs could keep something. */
export function thisBrowser(): Browser | null {
  try {
    const { indexedDB, navigator, BroadcastChannel } = globalThis as unknown as Partial<Globals>
    const page = thisPage()
    if (page === null || !indexedDB || !BroadcastChannel) return null
    return { indexedDB, locks: navigator?.locks ?? null, page, openChannel: name => new BroadcastChannel(name) }
  } catch {
    // Where storage is forbidden, looking at it may be, too.
    return null
  }
}

/** The types of Node know only some of these. */
interface Globals {
  readonly indexedDB: IndexedDbLike
  readonly navigator: { readonly locks?: LocksLike }
  readonly BroadcastChannel: new (name: string) => ChannelLike
}

/** Whether those whom one writes to are online: asked now and then, while somebody looks and there is a connection. */
import { isRoom } from './route.ts'
import type { State } from './state.ts'
import type { Store } from './store.ts'

const AGAIN_MS = 15_000
/** People who are asked about at a time, the first of the list. */
const MAX_ASKED = 200

export class Presence {
  readonly #store: Store<State>
  readonly #query: (ids: readonly string[]) => Promise<Record<string, boolean>>
  readonly #timer: ReturnType<typeof setInterval>
  #isAsking = false

  constructor(store: Store<State>, query: (ids: readonly string[]) => Promise<Record<string, boolean>>) {
    this.#store = store
    this.#query = query
    this.#timer = setInterval(() => this.ask(), AGAIN_MS)
  }

  ask(): void {
    void this.#ask()
  }

  /** Without a connection nobody knows. */
  closed(): void {
    if (this.#store.value.online.size > 0) this.#store.change(state => ({ ...state, online: new Map() }))
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  async #ask(): Promise<void> {
    const { conversations, status } = this.#store.value
    const ids = [...conversations.keys()].filter(target => !isRoom(target)).slice(0, MAX_ASKED)
    if (ids.length === 0 || this.#isAsking || status.state !== 'connected' || document.visibilityState !== 'visible')
      return
    this.#isAsking = true
    try {
      const online = await this.#query(ids)
      this.#store.change(state => ({ ...state, online: new Map(Object.entries(online)) }))
    } catch {
      // Asked again soon.
    } finally {
      this.#isAsking = false
    }
  }
}

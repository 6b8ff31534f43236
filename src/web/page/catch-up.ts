/** Counts what waited while this client was away, down to nothing, and says for a while that it has come. */
import type { State } from './state.ts'
import type { Store } from './store.ts'

/** ms without any of them after which what was counted is no longer waited for: as long as a message waits for its ack. */
const PATIENCE_MS = 30_000
/** ms for which it is said that all has come. */
const SAID_MS = 6_000

export class CatchUps {
  readonly #store: Store<State>
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(store: Store<State>) {
    this.#store = store
  }

  /** So many messages are on their way here. */
  missed(count: number): void {
    if (count <= 0) return
    const { catchUp } = this.#store.value
    const { total, left } = catchUp !== null && catchUp.left > 0 ? catchUp : { total: 0, left: 0 }
    this.#set({ total: total + count, left: left + count })
  }

  /** So many have come. */
  came(count: number): void {
    const { catchUp } = this.#store.value
    if (catchUp !== null && catchUp.left > 0) this.#set({ ...catchUp, left: Math.max(0, catchUp.left - count) })
  }

  #set(catchUp: State['catchUp']): void {
    this.#store.change(state => ({ ...state, catchUp }))
    clearTimeout(this.#timer)
    if (catchUp === null) return
    this.#timer = setTimeout(() => this.#set(null), catchUp.left > 0 ? PATIENCE_MS : SAID_MS)
  }
}

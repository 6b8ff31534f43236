/** Counts what waited while this client was away, down to nothing, and says for a while that it has come. */
import type { State } from './state.ts'
import type { Store } from './store.ts'

/** ms after which nobody waits any more for what was counted, and how long it is said that all has come. */
const LAST_MS = 6_000

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
    if (catchUp !== null) this.#timer = setTimeout(() => this.#set(null), LAST_MS)
  }
}

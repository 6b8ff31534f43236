/** Who is typing: says it of oneself, now and then while it is so, and believes it of others for a while. */
import { isRoom } from './route.ts'
import type { State } from './state.ts'
import type { Store } from './store.ts'

/** ms between two signals while somebody goes on typing, and until one is not believed any more. */
const AGAIN_MS = 3_000
const BELIEVED_MS = 7_000
/** People who are typing at once; more are not noted. */
const MAX_TYPING = 100

export class Typing {
  readonly #store: Store<State>
  readonly #signal: (target: string, body: { readonly typing: boolean }) => void
  #target = ''
  #saidAt = -Infinity
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(store: Store<State>, signal: (target: string, body: { readonly typing: boolean }) => void) {
    this.#store = store
    this.#signal = signal
  }

  /** Somebody types into the field of this conversation, or has emptied it. */
  typed(target: string, isEmpty: boolean): void {
    const now = Date.now()
    if (isEmpty) return this.done(target)
    if (target === this.#target && now - this.#saidAt < AGAIN_MS) return
    this.#target = target
    this.#saidAt = now
    this.#signal(target, { typing: true })
  }

  /** It was sent, or given up. */
  done(target: string): void {
    if (target !== this.#target) return
    this.#target = ''
    this.#saidAt = -Infinity
    this.#signal(target, { typing: false })
  }

  /** A signal has come. `to` is a room, or oneself. */
  heard(from: string, to: string, isTyping: boolean): void {
    this.#note(`${isRoom(to) ? to : from} ${from}`, isTyping)
    this.#sweepLater()
  }

  /** A message of theirs has come, which is what they were typing. */
  came(target: string, from: string): void {
    this.#note(`${target} ${from}`, false)
  }

  #note(key: string, isTyping: boolean): void {
    const { typing } = this.#store.value
    if (isTyping ? typing.size >= MAX_TYPING : !typing.has(key)) return
    const next = new Map(typing)
    if (isTyping) next.set(key, Date.now() + BELIEVED_MS)
    else next.delete(key)
    this.#store.change(state => ({ ...state, typing: next }))
  }

  #sweepLater(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      const now = Date.now()
      const typing = new Map([...this.#store.value.typing].filter(([, until]) => until > now))
      this.#store.change(state => ({ ...state, typing }))
      if (typing.size > 0) this.#sweepLater()
    }, BELIEVED_MS / 4)
  }
}

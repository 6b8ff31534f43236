/**
 * What a store needs done now and then: a step of its sweep each second, the ids that stay connected for long kept from lapsing, and what this
 * node says of itself to the others on it.
 *
 * One job of a kind is under way at a time; when the store does not answer, the next one waits for it, and nothing piles up.
 */
import type { Hub } from '../core/hub.ts'
import type { Store } from '../store/store.ts'
import type { Turn } from './turn.ts'

const SWEEP_MS = 1_000
const SAY_MS = 5_000
const TOUCH_MS = 3_600_000
const TOUCHED_AT_ONCE = 1_000

export class Housekeeping {
  readonly #store: Store
  readonly #hub: Hub
  readonly #turn: Turn
  readonly #figures: () => string
  readonly #failed: (error: unknown) => void
  #saidAt = -Infinity
  #sweptAt = 0
  #touchedAt: number | null = null
  #sweeping = false
  #touching = false

  /** `figures`: what is said of this node. */
  constructor(store: Store, hub: Hub, turn: Turn, figures: () => string, failed: (error: unknown) => void) {
    this.#store = store
    this.#hub = hub
    this.#turn = turn
    this.#figures = figures
    this.#failed = failed
  }

  tick(now: number): void {
    this.#touchedAt ??= now
    const { neighbours } = this.#store
    if (neighbours !== null && now - this.#saidAt >= SAY_MS) {
      this.#saidAt = now
      neighbours.say(this.#figures())
    }
    if (!this.#sweeping && now - this.#sweptAt >= SWEEP_MS) {
      this.#sweptAt = now
      void this.#sweep()
    }
    if (!this.#touching && now - this.#touchedAt >= TOUCH_MS) {
      this.#touchedAt = now
      void this.#touch()
    }
  }

  async #sweep(): Promise<void> {
    this.#sweeping = true
    try {
      const lost = await this.#store.sweep()
      this.#turn.begin()
      this.#hub.news.told(lost)
    } catch (error) {
      this.#failed(error)
    }
    this.#sweeping = false
  }

  async #touch(): Promise<void> {
    this.#touching = true
    const ids = [...this.#hub.ids()]
    try {
      for (let i = 0; i < ids.length; i += TOUCHED_AT_ONCE) await this.#store.touch(ids.slice(i, i + TOUCHED_AT_ONCE))
    } catch (error) {
      this.#failed(error)
    }
    this.#touching = false
  }
}

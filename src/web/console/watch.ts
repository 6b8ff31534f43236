/**
 * Watches a server: reads its figures every two seconds, and its node and mailboxes every thirty. While it does not answer, the last figures
 * stay, marked as old, and it is tried again after 1, 2, 4, 8 and then every 15 seconds, or at once when somebody asks for it.
 */
import { Store } from '../page/store.ts'
import { Refusal, troubleOf, type Api, type Client, type Node } from './api.ts'
import { readMetrics, withReading, type Figures } from './figures.ts'

const EVERY_MS = 2_000
const SELDOM_MS = 30_000
const LONGEST_MS = 15_000
/** Mailboxes that are summed up, as many as the API lists at once. */
const MAX_MAILBOXES = 1_000

export interface Watched {
  readonly figures: Figures | null
  readonly node: Node | null
  /** ms since the epoch: when it was started; 0: not known. */
  readonly startedAt: number
  readonly waiting: Waiting | null
  /** Why there are no newer figures; '' while there are. */
  readonly trouble: string
  /** ms since the epoch: when it is tried again. */
  readonly retryAt: number
}

/** What is parked on this server. */
export interface Waiting {
  readonly messages: number
  readonly bytes: number
  readonly mailboxes: number
  readonly oldest: number
  /** There are more mailboxes than were summed up. */
  readonly isMore: boolean
}

export class Watch {
  readonly store = new Store<Watched>({
    figures: null,
    node: null,
    startedAt: 0,
    waiting: null,
    trouble: '',
    retryAt: 0,
  })
  readonly #api: Api
  readonly #refused: (error: Refusal) => void
  #timer: ReturnType<typeof setTimeout> | undefined
  #failures = 0
  #seldomAt = 0
  #isOver = false

  /** `refused`: the token is no good, so that there is nothing more to watch. */
  constructor(api: Api, refused: (error: Refusal) => void) {
    this.#api = api
    this.#refused = refused
    void this.look()
  }

  stop(): void {
    this.#isOver = true
    clearTimeout(this.#timer)
  }

  /** Now, instead of when it is due. Never rejects. */
  async look(): Promise<void> {
    clearTimeout(this.#timer)
    try {
      if (Date.now() >= this.#seldomAt) await this.#lookAround()
      const text = await this.#api.text('/metrics')
      const reading = { at: Date.now(), values: readMetrics(text) }
      this.#failures = 0
      this.store.change(state => ({ ...state, figures: withReading(state.figures, reading), trouble: '' }))
      this.#again(EVERY_MS)
    } catch (error) {
      this.#failed(error)
    }
  }

  async #lookAround(): Promise<void> {
    const { nodes } = await this.#api.ask<{ nodes: readonly Node[] }>('/api/nodes')
    const { clients, next } = await this.#api.ask<{ clients: readonly Client[]; next: string | null }>(
      `/api/clients?parked=true&limit=${MAX_MAILBOXES}`,
    )
    this.#seldomAt = Date.now() + SELDOM_MS
    const [node = null] = nodes
    const startedAt = node === null ? 0 : Date.now() - node.uptime * 1_000
    this.store.change(state => ({ ...state, node, startedAt, waiting: waitingIn(clients, next !== null) }))
  }

  #failed(error: unknown): void {
    if (error instanceof Refusal && [401, 403].includes(error.status)) return this.#refused(error)
    const ms = Math.min(LONGEST_MS, 1_000 * 2 ** this.#failures++)
    // Who comes back may be another one.
    this.#seldomAt = 0
    this.store.change(state => ({ ...state, trouble: troubleOf(error), retryAt: Date.now() + ms }))
    this.#again(ms)
  }

  #again(ms: number): void {
    clearTimeout(this.#timer)
    if (!this.#isOver) this.#timer = setTimeout(() => void this.look(), ms)
  }
}

export function waitingIn(clients: readonly Client[], isMore: boolean): Waiting {
  const holders = clients.filter(({ parked }) => parked > 0)
  return {
    messages: holders.reduce((sum, { parked }) => sum + parked, 0),
    bytes: holders.reduce((sum, { bytes }) => sum + bytes, 0),
    mailboxes: holders.length,
    oldest: Math.min(...holders.map(({ oldest }) => oldest)),
    isMore,
  }
}

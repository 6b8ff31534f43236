/**
 * Watches a server: reads its figures every two seconds, and its node and mailboxes every thirty; the nodes every ten where there are several, and the
 * mailboxes as soon when the store has gone away or come back. While it does not answer, the last figures stay, marked as old, and it is tried again after
 * 1, 2, 4, 8 and then every 15 seconds, or at once when somebody asks for it. A store that is away is no reason not to read the figures: they tell of it.
 */
import { Store } from '../page/store.ts'
import { Refusal, troubleOf, type Api, type Client, type Nodes } from './api.ts'
import { readMetrics, sumOf, withReading, type Figures } from './figures.ts'
import { seenNodes, type NodeSeen } from './nodes.ts'

const EVERY_MS = 2_000
const NODES_MS = 10_000
const SELDOM_MS = 30_000
const LONGEST_MS = 15_000
/** Mailboxes that are summed up, as many as the API lists at once. */
const MAX_MAILBOXES = 1_000

export interface Watched {
  readonly figures: Figures | null
  /** The one that is asked first. */
  readonly nodes: readonly NodeSeen[]
  /** Nodes that live, and of which nothing is known; null: the store is away. */
  readonly unheard: number | null
  /** ms since the epoch: when it was started; 0: not known. */
  readonly startedAt: number
  readonly waiting: Waiting | null
  /** Why there are no newer figures; '' while there are. */
  readonly trouble: string
  /** Why nothing is known of mailboxes; '' while it is. */
  readonly storeTrouble: string
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
    nodes: [],
    unheard: 0,
    startedAt: 0,
    waiting: null,
    trouble: '',
    storeTrouble: '',
    retryAt: 0,
  })
  /** When it has looked once, whatever came of it. */
  readonly begun: Promise<void>
  readonly #api: Api
  readonly #refused: (error: Refusal) => void
  #timer: ReturnType<typeof setTimeout> | undefined
  #failures = 0
  #nodesAt = 0
  #mailboxesAt = 0
  #isOver = false

  /** `refused`: the token is no good, so that there is nothing more to watch. */
  constructor(api: Api, refused: (error: Refusal) => void) {
    this.#api = api
    this.#refused = refused
    this.begun = this.look()
  }

  stop(): void {
    this.#isOver = true
    clearTimeout(this.#timer)
  }

  /** Now, instead of when it is due. Never rejects. */
  async look(): Promise<void> {
    clearTimeout(this.#timer)
    try {
      if (Date.now() >= this.#nodesAt) await this.#lookAtNodes()
      const text = await this.#api.text('/metrics')
      const reading = { at: Date.now(), values: readMetrics(text) }
      this.#failures = 0
      this.store.change(state => ({ ...state, figures: withReading(state.figures, reading), trouble: '' }))
      // A store that goes away, or comes back, is noticed by the figures first.
      const isStoreUp = sumOf(reading, 'ackd_store_up') === 1
      const isNews = isStoreUp === (this.store.value.storeTrouble !== '')
      if (Date.now() >= this.#mailboxesAt - (isNews ? SELDOM_MS - NODES_MS : 0)) await this.#lookIntoMailboxes()
      this.#again(EVERY_MS)
    } catch (error) {
      this.#failed(error)
    }
  }

  async #lookAtNodes(): Promise<void> {
    const { nodes, unheard } = await this.#api.ask<Nodes>('/api/nodes')
    this.#nodesAt = Date.now() + (nodes.length > 1 || unheard !== 0 ? NODES_MS : SELDOM_MS)
    const startedAt = Date.now() - (nodes[0]?.uptime ?? 0) * 1_000
    this.store.change(state => ({ ...state, nodes: seenNodes(nodes, state.nodes), unheard, startedAt }))
  }

  async #lookIntoMailboxes(): Promise<void> {
    this.#mailboxesAt = Date.now() + SELDOM_MS
    try {
      const { clients, next } = await this.#api.ask<{ clients: readonly Client[]; next: string | null }>(
        `/api/clients?parked=true&limit=${MAX_MAILBOXES}`,
      )
      this.store.change(state => ({ ...state, waiting: waitingIn(clients, next !== null), storeTrouble: '' }))
    } catch (error) {
      if (!(error instanceof Refusal) || error.status !== 503) throw error
      this.store.change(state => ({ ...state, waiting: null, storeTrouble: error.message }))
    }
  }

  #failed(error: unknown): void {
    const isFirst = this.store.value.figures === null
    // Of who has shown a right token it is a limit of requests, else one of wrong tokens.
    if (error instanceof Refusal && [401, 403, ...(isFirst ? [429] : [])].includes(error.status)) {
      this.stop()
      return this.#refused(error)
    }
    const ms = Math.min(LONGEST_MS, 1_000 * 2 ** this.#failures++)
    // Who comes back may be another one.
    this.#nodesAt = this.#mailboxesAt = 0
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

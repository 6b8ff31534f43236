/**
 * The HTTP API as the console uses it (docs/api.md): the token goes along with each request, an answer is read as what it is documented to be,
 * and a refusal is an error whose text says what to do.
 */

/** ms that a server has for an answer. */
const PATIENCE_MS = 10_000

export interface Client {
  readonly id: string
  readonly node: string | null
  readonly parked: number
  readonly bytes: number
  /** ms since the epoch; 0 for none. */
  readonly oldest: number
  readonly expires: number
  readonly deadLetters: number
  readonly connection?: Connection | null
}

export interface Connection {
  readonly transport: string
  readonly address: string
  readonly sinceMs: number
  readonly outbox: string
  readonly windowMessages: number
}

export interface Parked {
  readonly place: number
  readonly from: string
  readonly outbox: string
  readonly n: number
  readonly time: number
  readonly bytes: number
  readonly reason: string | null
  readonly repeated: boolean
}

export interface Room {
  readonly room: string
  readonly owner: string
  readonly private: boolean
  readonly locked: boolean
  readonly history: number
  readonly first: number
  readonly last: number
  readonly created: number
  readonly members?: number
}

export interface Node {
  readonly node: string
  readonly version: string
  readonly host: string
  /** Seconds. */
  readonly uptime: number
  readonly store: string
  readonly storeUp: boolean
  readonly draining: boolean
  readonly sessions: number
  readonly connections: Readonly<Record<string, number>>
  readonly windowMessages: number
  readonly acceptedTotal: number
  readonly sentTotal: number
  readonly lagMs: number
  readonly memoryBytes: number
  /** It is the one that was asked. */
  readonly here: boolean
  /** How old all this is. */
  readonly ageMs: number
}

export interface Nodes {
  readonly nodes: readonly Node[]
  /** Nodes that live, and of which nothing is known; null: the store is away. */
  readonly unheard: number | null
}

export interface Member {
  readonly id: string
  readonly name: string
  readonly node: string | null
}

export interface TracedMessage {
  readonly to: string
  readonly state: 'held' | 'waiting' | 'delivered' | 'rejected' | 'expired' | 'dead' | 'unknown'
  readonly steps: readonly { readonly time: number; readonly step: string; readonly detail: string }[]
}

/** Why there is no answer. `status` 0: the server was not reached. */
export class Refusal extends Error {
  readonly status: number

  constructor(status: number, text: string) {
    super(text)
    this.name = 'Refusal'
    this.status = status
  }
}

export class Api {
  readonly #token: string

  constructor(token: string) {
    this.#token = token
  }

  /** Rejects with `Refusal`. */
  async text(path: string, method = 'GET'): Promise<string> {
    const response = await this.#fetch(path, method)
    const text = await response.text().catch(() => '')
    if (response.ok) return text
    throw new Refusal(response.status, refusalWords(response.status, text, response.headers.get('retry-after')))
  }

  async ask<Answer>(path: string, method = 'GET'): Promise<Answer> {
    const text = await this.text(path, method)
    // The API answers what docs/api.md says, and a page comes from the very server that it asks.
    return (text === '' ? null : JSON.parse(text)) as Answer
  }

  client(id: string): Promise<Client> {
    return this.ask(`/api/clients/${encodeURIComponent(id)}`)
  }

  mailbox(id: string, after: number, limit: number): Promise<{ messages: readonly Parked[]; next: number | null }> {
    return this.ask(`/api/clients/${encodeURIComponent(id)}/mailbox?after=${after}&limit=${limit}`)
  }

  async #fetch(path: string, method: string): Promise<Response> {
    try {
      return await fetch(path, {
        method,
        headers: { authorization: `Bearer ${this.#token}` },
        cache: 'no-store',
        credentials: 'omit',
        signal: AbortSignal.timeout(PATIENCE_MS),
      })
    } catch {
      throw new Refusal(0, 'The server does not answer. Check that it runs and that this machine reaches it.')
    }
  }
}

/** What a refusal means to an operator, and what to do. */
export function refusalWords(status: number, body: string, retryAfter: string | null): string {
  if (status === 401)
    return 'This admin token is not the one of the server. Give what it was started with as ACKD_ADMIN_TOKEN.'
  if (status === 403)
    return 'This server has no admin token, so that nobody can look into it. Start it with ACKD_ADMIN_TOKEN set to 32 or more random characters.'
  if (status === 429) return `Too many wrong tokens or requests came from here. Try again in ${retryAfter ?? 60} s.`
  return textIn(body) || `The server answered ${status}; its log may say why.`
}

function textIn(body: string): string {
  try {
    const { error } = JSON.parse(body) as { error?: { text?: unknown } }
    return typeof error?.text === 'string' ? error.text : ''
  } catch {
    return ''
  }
}

export function troubleOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

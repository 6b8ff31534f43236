/**
 * Keeps a client connected: opens one link after another, waits between them, and knows when not to.
 *
 * It comes back for ever, with full jitter, and obeys what the server says about it: `retryAfterMs` is waited for, and after a
 * close that means "do not come back" only the application connects again.
 *
 * A token that a function gave may have expired on its way: so a server that takes none of it is asked a few times more, with another one.
 */
import type { HelloOptions, WelcomeOptions } from '../protocol/frames.ts'
import { DEFAULT_WINDOW, PROTOCOL_VERSION } from '../protocol/limits.ts'
import { backoff, defaultBackoff, type BackoffOptions } from './backoff.ts'
import { AckdError, closeError } from './errors.ts'
import type { Identity, IdentityStore } from './identity.ts'
import { Link, type LinkEnd, type LinkFrames } from './link.ts'
import type { OpenSocket } from './sockets.ts'
import { freshToken, Renewal, type Token } from './token.ts'
import { LONGEST_MS } from './turn.ts'

export interface ConnectorOptions {
  readonly openSocket: OpenSocket
  /** Proves who this client is, instead of an identity of the server's making. A function is asked at each connection, and before its token expires. */
  readonly token?: Token
  /** For people. */
  readonly name?: string
  /** What this program is, for the operator's logs. */
  readonly agent?: string
  /** Most un-acked messages wanted at a time. */
  readonly window?: number
  readonly backoff?: BackoffOptions
  /** ms from opening a socket until the server must have welcomed. */
  readonly welcomeTimeoutMs?: number
}

export interface Connected {
  readonly state: 'connected'
  readonly id: string
  /** The id is the one from before. */
  readonly resumed: boolean
  /** Messages that waited for this client when it connected. */
  readonly parked: number
  /** The server ends a connection on which nothing is said for so long. */
  readonly idleTimeoutMs?: number
}

export type Status =
  | { readonly state: 'connecting' }
  | Connected
  /** `retryAt`: ms since the epoch. */
  | { readonly state: 'waiting'; readonly reason: string; readonly text: string; readonly retryAt: number }
  /** Until `reconnect()`, or for good when the application closed it. */
  | { readonly state: 'closed'; readonly reason: string; readonly error: AckdError }

export interface ConnectorEvents {
  readonly frames: LinkFrames
  /** What only the client can say in the next hello. */
  hello(): Pick<HelloOptions, 'outbox' | 'attempt'>
  /** Keeps what that hello follows from. It may leave when it is kept, or when that failed, which is told elsewhere. */
  kept(): boolean | Promise<boolean>
  /** There is something to flush. */
  turn(): void
  /** The link is gone; comes before the status that says so. */
  lost(): void
  status(status: Status): void
  failed(error: AckdError): void
}

/** ms; a connection that lived longer was a good one, and the next failure starts counting again. */
const GOOD_AFTER_MS = 5_000
const WELCOME_TIMEOUT_MS = 10_000
/** ms between two connections that are opened because there was a sign that it may work now. */
const SIGN_PAUSE_MS = 1_000
/** ms after which such a sign makes the pauses short again: a network that comes and goes must not lead to a storm. */
const CALM_MS = 10_000
/** Tokens of a function that a server may refuse, one after the other. */
const MAX_REFUSED = 3

export class Connector {
  readonly #url: string
  readonly #options: ConnectorOptions
  readonly #store: IdentityStore
  readonly #events: ConnectorEvents
  #status: Status = { state: 'connecting' }
  #identity: Identity | null
  #id: string | null
  /** Welcomed or on its way there. */
  #link: Link | null = null
  #attempts = 0
  #refused = 0
  #welcomedAt = 0
  readonly #renewal: Renewal
  #timer: ReturnType<typeof setTimeout> | undefined
  /** Which start is the current one, since a token can come too late. */
  #start = 0
  /** Waits for a token, or until is kept what the next hello follows from. */
  #opening = false
  #over = false
  /** Nothing is opened until `resume`. */
  #suspended = false
  /** ms; the server wants to be left alone until then. */
  #notBefore = 0
  /** ms; when a connection is, or was last, opened because of a sign. */
  #signAt = -Infinity
  /** ms; when a sign made the pauses short again for the last time. */
  #calmAt = -Infinity
  /** ms; when the pause is over. */
  #startAt = Infinity

  constructor(url: string, options: ConnectorOptions, store: IdentityStore, events: ConnectorEvents) {
    this.#url = url
    this.#options = options
    this.#store = store
    this.#events = events
    this.#identity = options.token === undefined ? store.load() : null
    this.#id = this.#identity?.id ?? null
    this.#renewal = new Renewal(options.token, { turn: () => events.turn(), failed: error => events.failed(error) })
  }

  get id(): string | null {
    return this.#id
  }

  get status(): Status {
    return this.#status
  }

  /** The link, once it was welcomed. */
  get link(): Link | null {
    return this.#status.state === 'connected' ? this.#link : null
  }

  /** Connects now, unless it is connected or about to be. */
  start(): void {
    if (this.#over || this.#suspended || this.#opening || this.#link !== null) return
    clearTimeout(this.#timer)
    if (this.#status.state === 'closed') this.#refused = 0
    this.#opening = true
    const start = ++this.#start
    this.#set({ state: 'connecting' })
    const { token } = this.#options
    if (typeof token !== 'function') return this.#open(token)
    freshToken(token).then(
      value => start === this.#start && this.#open(value),
      (error: unknown) => {
        if (start === this.#start) this.#hasNoToken(error instanceof AckdError ? error : new AckdError('no_token'))
      },
    )
  }

  #forgetStart(): void {
    this.#start++
    this.#opening = false
    clearTimeout(this.#timer)
  }

  #hasNoToken(error: AckdError): void {
    this.#opening = false
    this.#events.failed(error)
    if (error.retryable) this.#wait(endOf(error.code, error.message))
    else this.#stop(error.code, error)
  }

  /**
   * There is a sign that the network, the machine or somebody's attention is back, or gone: asks whether the server is still there,
   * or connects soon instead of later, unless the server said when.
   */
  sign(): void {
    this.link?.probe()
    if (this.#status.state !== 'waiting' || this.#suspended) return
    const now = performance.now()
    const at = Math.max(now, this.#notBefore, this.#signAt + SIGN_PAUSE_MS)
    if (at >= this.#startAt) return
    this.#signAt = at
    if (now > this.#calmAt + CALM_MS) {
      this.#calmAt = now
      this.#attempts = 0
    }
    this.#startIn(at - now, this.#status)
  }

  /** Gives up the link, and opens none until `resume`. */
  suspend(): void {
    this.#suspended = true
    this.#forgetStart()
    this.#link?.end('suspended', 'The page sleeps.')
  }

  resume(): void {
    this.#suspended = false
    if (this.#status.state !== 'closed') this.start()
  }

  /** Gives up this link for a new one. */
  again(reason: string, text: string): void {
    this.#link?.end(reason, text)
  }

  keepSecret(secret: string): void {
    if (this.#id === null) return
    this.#identity = { id: this.#id, secret }
    try {
      this.#store.save(this.#identity)
    } catch (error) {
      this.#events.failed(new AckdError('not_kept', 'the identity', error))
    }
  }

  /** Ends it for good. */
  close(reason: string, error: AckdError): void {
    this.#over = true
    this.#link?.end(reason, error.message)
    this.#stop(reason, error)
  }

  #open(token: string | undefined): void {
    const { name, agent, window = DEFAULT_WINDOW } = this.#options
    const hello: HelloOptions = {
      v: PROTOCOL_VERSION,
      ...(token === undefined ? this.#identity : { token }),
      ...(name !== undefined && { name }),
      ...(agent !== undefined && { agent }),
      window,
      ...this.#events.hello(),
    }
    const kept = this.#events.kept()
    if (typeof kept === 'boolean') return this.#dial(hello)
    const start = this.#start
    void kept.then(() => {
      if (start === this.#start) this.#dial(hello)
    })
  }

  #dial(hello: HelloOptions): void {
    this.#opening = false
    const { openSocket, welcomeTimeoutMs = WELCOME_TIMEOUT_MS } = this.#options
    const { frames: events } = this.#events
    const frames: LinkFrames = {
      ...events,
      welcome: options => this.#welcomed(options, hello),
      reply: (ref, value) => this.#renewal.replied(ref) || events.reply(ref, value),
      error: (ref, code, text) => {
        if (ref === null || !this.#renewal.refused(ref, text)) events.error(ref, code, text)
      },
    }
    try {
      this.#link = new Link(
        { url: this.#url, openSocket, hello, welcomeTimeoutMs },
        frames,
        () => this.#events.turn(),
        end => this.#ended(end),
      )
    } catch (error) {
      this.#wait(endOf('lost', String(error)))
    }
  }

  #welcomed(welcome: WelcomeOptions, { token, window = DEFAULT_WINDOW }: HelloOptions): void {
    const { id, secret, resumed, time } = welcome
    this.#welcomedAt = performance.now()
    this.#id = id
    if (secret !== undefined) this.keepSecret(secret)
    const idle = welcome.idleTimeout === undefined ? {} : { idleTimeoutMs: welcome.idleTimeout }
    this.#status = { state: 'connected', id, resumed, parked: welcome.parked, ...idle }
    if (this.#link) this.#renewal.opened(this.#link.frames, token, time)
    // A server that gives more than it was asked for would have all of it kept here.
    this.#events.frames.welcome({ ...welcome, window: Math.min(welcome.window, window) })
    this.#events.status(this.#status)
  }

  #ended(end: LinkEnd): void {
    const good = this.#status.state === 'connected' && performance.now() - this.#welcomedAt > GOOD_AFTER_MS
    if (good) this.#attempts = this.#refused = 0
    this.#link = null
    this.#renewal.closed()
    this.#events.lost()
    if (this.#over) return
    if (end.again || this.#mayHaveAnother(end)) this.#wait(end)
    else this.#stop(end.reason, closeError(end.reason, end.text))
  }

  /** Whether a token was refused in whose place the application can give another. */
  #mayHaveAnother({ reason }: LinkEnd): boolean {
    return reason === 'unauthorized' && typeof this.#options.token === 'function' && ++this.#refused < MAX_REFUSED
  }

  #wait({ reason, text, retryAfterMs }: LinkEnd): void {
    const jitter = backoff(this.#attempts++, Math.random(), this.#options.backoff ?? defaultBackoff)
    this.#notBefore = performance.now() + Math.min(retryAfterMs, LONGEST_MS)
    this.#startIn(Math.min(Math.max(retryAfterMs, jitter), LONGEST_MS), { reason, text })
  }

  #startIn(ms: number, { reason, text }: Pick<LinkEnd, 'reason' | 'text'>): void {
    this.#set({ state: 'waiting', reason, text, retryAt: Date.now() + ms })
    clearTimeout(this.#timer)
    this.#startAt = performance.now() + ms
    this.#timer = setTimeout(() => this.start(), ms)
  }

  #stop(reason: string, error: AckdError): void {
    this.#forgetStart()
    this.#set({ state: 'closed', reason, error })
  }

  #set(status: Status): void {
    this.#status = status
    this.#events.status(status)
  }
}

function endOf(reason: string, text: string): LinkEnd {
  return { reason, text, again: true, retryAfterMs: 0 }
}

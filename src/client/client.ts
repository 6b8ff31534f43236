/**
 * The client: joins outbox, inbox, identity and one connection after another, and does all that they may not: waits, draws lots,
 * reads the clock.
 *
 *   application ── send ──> outbox ──┐           ┌──> inbox ── show ──> handler
 *                                    └── link ───┘
 *
 * A link lives from a socket to its end; the client outlives all of them. What is written within one turn of the event loop goes
 * out together at its end: first all is kept that must be, then acks and messages leave.
 */
import type { WelcomeOptions } from '../protocol/frames.ts'
import { DEFAULT_MAX_PACKET, MAX_PRESENCE_IDS } from '../protocol/limits.ts'
import { isTarget } from '../protocol/names.ts'
import { decodeBody, encodeBody } from '../protocol/values.ts'
import { Connector, type ConnectorOptions, type Status } from './connector.ts'
import { defaultPausesMs, deliver, type MessageHandler } from './deliveries.ts'
import { AckdError } from './errors.ts'
import { Emitter } from './events.ts'
import { Inbox, type Incoming } from './inbox.ts'
import { identityKeeper, type Keeper } from './keeper.ts'
import type { IdentityStore } from './identity.ts'
import type { LinkFrames } from './link.ts'
import { Outbox } from './outbox.ts'
import type { Outcome, Outgoing } from './outgoing.ts'
import { Requests } from './requests.ts'
import { Sends, type Sent } from './sends.ts'
import { readSync, syncTarget } from './sync.ts'
import { afterTurn } from './turn.ts'

export interface ClientOptions extends ConnectorOptions {
  /** Where the identity is kept. */
  readonly identity: IdentityStore
  /** Where everything is kept; instead of `identity`. */
  readonly keeper?: Keeper
  /** ms between the tries of a message whose handler failed; as many tries more as there are pauses. */
  readonly handlerPausesMs?: readonly number[]
  /** `none`: messages are shown once and never acked, so they stay the server's and come again. For tests and for looking. */
  readonly ack?: 'auto' | 'none'
}

/** Numbers of a stream to this client that will not come. */
export interface Gap {
  readonly from: string
  readonly outbox: string
  readonly first: number
  readonly last: number
  /** `expired` or `dead`; `missing` when nobody knows. */
  readonly reason: string
}

/** What became of a message of this outbox, also of one that an earlier process sent. */
export interface Receipt {
  readonly to: string
  readonly n: number
  readonly outbox: string
  readonly status: Outcome['kind']
}

export interface Signal {
  readonly from: string
  readonly to: string
  readonly body: unknown
}

export interface ClientEvents {
  status: Status
  gap: Gap
  receipt: Receipt
  signal: Signal
  /** What went wrong without anybody waiting for it: handlers, frames without a ref, places that cannot be written. */
  error: AckdError
}

/** Bytes that a frame needs besides its body, at most. */
const FRAME_BYTES = 512
const MAX_PENDING_SIGNALS = 1_048_576

export class Client<Payload = unknown> {
  readonly #events = new Emitter<ClientEvents>()
  readonly #keeper: Keeper
  readonly #connector: Connector
  readonly #outbox: Outbox
  readonly #inbox: Inbox
  readonly #sends = new Sends()
  readonly #requests = new Requests()
  readonly #pausesMs: readonly number[]
  #handler: MessageHandler<Payload> | null = null
  #maxPacket = DEFAULT_MAX_PACKET
  #closing: Promise<void> | null = null
  #whenIdle: (() => void) | null = null
  #turnDue = false
  #timer: ReturnType<typeof setTimeout> | undefined
  #timerAt = Infinity

  constructor(url: string, options: ClientOptions) {
    this.#keeper = options.keeper ?? identityKeeper(options.identity, error => this.#events.emit('error', error))
    const { outbox, cursors } = this.#keeper
    this.#pausesMs = options.handlerPausesMs ?? defaultPausesMs
    this.#outbox = new Outbox(
      {
        settled: (message, outcome) => this.#settled(message, outcome),
        changed: change => this.#keeper.changed(change),
        reconnect: reason => this.#connector.again('refresh', reason),
      },
      { newName: newOutboxName, ...(outbox && { restore: outbox }) },
    )
    this.#inbox = new Inbox(
      {
        show: message => void this.#show(message),
        gap: (from, name, first, last, reason) => this.#events.emit('gap', { from, outbox: name, first, last, reason }),
        recorded: cursor => this.#keeper.recorded(cursor),
        reconnect: reason => this.#connector.again('refresh', reason),
      },
      { restore: cursors, lookOnly: options.ack === 'none' },
    )
    this.#keeper.attach(
      () => this.#outbox.snapshot(),
      () => this.#inbox.snapshot(),
    )
    this.#connector = new Connector(url, options, this.#keeper.identity, {
      frames: this.#frames(),
      hello: () => ({ outbox: this.#outbox.name, attempt: this.#attempt() }),
      turn: () => this.#wake(),
      lost: () => this.#lost(),
      status: status => this.#events.emit('status', status),
      failed: error => this.#events.emit('error', error),
    })
    this.#connector.start()
  }

  /** The own address; null until the server has given one. */
  get id(): string | null {
    return this.#connector.id
  }

  get status(): Status {
    return this.#connector.status
  }

  /** Resolves with the own address as soon as the client is connected; rejects when it is closed. */
  ready(): Promise<string> {
    return this.#connector.ready()
  }

  /**
   * Sends a message. Resolves when the server keeps it or its recipient has acked it; rejects when it was refused, when the
   * outbox is full, and when the client is closed. Without a connection it waits. `ttl`: seconds that it may wait in the mailbox.
   */
  send(to: string, body: Payload, options: { readonly ttl?: number } = {}): Promise<Sent> {
    const { ttl = 0 } = options
    if (this.#closing) return Promise.reject(new AckdError('closed'))
    if (!isTarget(to)) return Promise.reject(new AckdError('bad_id', to.slice(0, 80)))
    if (!(ttl >= 0 && ttl < Infinity)) return Promise.reject(new AckdError('bad_number', `ttl ${ttl}`))
    try {
      const message = this.#outbox.add(to, this.#encode(body), Math.ceil(ttl), now())
      if (message === null) return Promise.reject(new AckdError('outbox_full'))
      this.#wake()
      return this.#sends.promise(message)
    } catch (error) {
      return Promise.reject(error instanceof AckdError ? error : new AckdError('bad_body', String(error), error))
    }
  }

  /**
   * Listens. The handler of `message` is the one that deals with messages, one at a time, in order: a message is acked when its
   * promise has resolved, so there is one handler, and until it is there nothing is acked. Returns what takes the listener away again.
   */
  on(name: 'message', handler: MessageHandler<Payload>): () => void
  on<Name extends keyof ClientEvents>(name: Name, listener: (event: ClientEvents[Name]) => void): () => void
  on(name: keyof ClientEvents | 'message', listener: (event: never) => void): () => void {
    if (name !== 'message') return this.#events.on(name, listener)
    if (this.#handler) throw new AckdError('busy', 'there is a message handler already; take it away first')
    // The first overload is the only way here.
    this.#handler = listener as MessageHandler<Payload>
    if (!this.#closing) this.#inbox.start(now())
    this.#wake()
    return () => {
      this.#handler = null
      this.#inbox.stop()
    }
  }

  /** Which of these clients are online. Asks in as many pieces as the server allows at a time. */
  async presence(ids: readonly string[]): Promise<Record<string, boolean>> {
    const online: Record<string, boolean> = {}
    for (let at = 0; at < ids.length; at += MAX_PRESENCE_IDS) {
      const reply = await this.#ask((frames, ref) => frames.presence(ref, ids.slice(at, at + MAX_PRESENCE_IDS)))
      if (typeof reply === 'object') for (const [id, is] of Object.entries(reply ?? {})) online[id] = is === true
    }
    return online
  }

  /** Tells somebody something that only matters now: never stored, never repeated. False when it was not even sent. */
  signal(to: string, body: unknown): boolean {
    const { link } = this.#connector
    if (link === null || link.pending > MAX_PENDING_SIGNALS) return false
    link.frames.signal(to, this.#encode(body))
    this.#wake()
    return true
  }

  /** Gets a new secret. The old one works until the new one is first used. */
  async rotateSecret(): Promise<void> {
    const reply = await this.#ask((frames, ref) => frames.rotate(ref))
    const secret = typeof reply === 'object' && reply !== null && 'secret' in reply ? reply.secret : null
    if (typeof secret !== 'string') throw new AckdError('internal', 'the server did not answer with a secret')
    this.#connector.keepSecret(secret)
  }

  /** Connects at once: while it waits, or after a close that the client does not come back from by itself. */
  reconnect(): void {
    if (this.#closing) throw new AckdError('closed')
    this.#connector.start()
  }

  /**
   * Ends it for good. Waits up to `flushMs` (1 s) for the receipts of what is open and for the handler at work, then says `bye` so
   * that what is un-acked is parked at once. What is still open then is rejected with `closed`; a directory keeps it for the next time.
   */
  close(options: { readonly bye?: boolean; readonly flushMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.bye ?? true, options.flushMs ?? 1_000)
    return this.#closing
  }

  async #close(bye: boolean, flushMs: number): Promise<void> {
    this.#inbox.stop()
    const mayFlush = flushMs > 0 && this.status.state !== 'closed'
    if (mayFlush && !this.#idle) await this.#idleWithin(flushMs)
    if (bye) this.#connector.link?.frames.bye()
    this.#turn()
    this.#connector.close('closed', new AckdError('closed'))
    clearTimeout(this.#timer)
    this.#sends.closed(new AckdError('closed'))
    this.#keeper.close()
  }

  get #idle(): boolean {
    return this.#outbox.open === 0 && !this.#inbox.busy
  }

  #idleWithin(ms: number): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(resolve, ms)
      this.#whenIdle = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #attempt(): number {
    const attempt = this.#outbox.nextAttempt()
    this.#commit()
    return attempt
  }

  #frames(): LinkFrames {
    const outbox = this.#outbox
    const inbox = this.#inbox
    return {
      welcome: options => this.#welcomed(options),
      message: (...message) => inbox.message(...message, now()),
      void: (...message) => inbox.void(...message, now()),
      delivered: (target, n) => outbox.delivered(target, n, now()),
      stored: (target, n) => outbox.stored(target, n, now()),
      ended: (kind, target, n, reason) => outbox.ended(kind, target, n, reason, now()),
      failed: (target, n, code) => outbox.failed(target, n, code, now()),
      retry: (target, n, code, afterMs) => outbox.retry(target, n, code, afterMs, now()),
      signal: (from, to, body) => this.#events.emit('signal', { from, to, body: decodeBody(body) }),
      reply: (ref, value) => {
        const target = syncTarget(ref)
        if (target === null) this.#requests.replied(ref, value)
        else outbox.synced(target, readSync(value), now())
      },
      error: (ref, code, text) => {
        const target = ref === null ? null : syncTarget(ref)
        if (ref === null) this.#events.emit('error', new AckdError(code, text))
        else if (target === null) this.#requests.refused(ref, new AckdError(code, text))
        else outbox.synced(target, null, now())
      },
    }
  }

  #welcomed(welcome: WelcomeOptions): void {
    const { link } = this.#connector
    if (link === null) return
    this.#maxPacket = welcome.maxPacket
    this.#inbox.opened(link.frames, welcome.window)
    this.#outbox.opened(link.frames, welcome, now())
  }

  #lost(): void {
    this.#outbox.closed()
    this.#inbox.closed()
    this.#requests.closed(new AckdError('not_connected'))
    this.#wake()
  }

  #settled(message: Outgoing, outcome: Outcome): void {
    const { target: to, n } = message
    this.#sends.settled(message, this.#outbox.name, outcome)
    this.#events.emit('receipt', { to, n, outbox: this.#outbox.name, status: outcome.kind })
  }

  async #show(incoming: Incoming): Promise<void> {
    if (this.#handler === null) return
    await deliver(incoming, this.#handler, this.#pausesMs, {
      handled: () => this.#inbox.handled(now()),
      refused: reason => this.#inbox.refused(reason, now()),
      failed: (error, message) => {
        const detail = `message ${message.n} from ${message.from}: ${String(error)}`
        this.#events.emit('error', new AckdError('handler_failed', detail, error))
      },
    })
    this.#wake()
  }

  #encode(body: unknown): ReturnType<typeof encodeBody> {
    const encoded = encodeBody(body, false)
    const size = encoded.end - encoded.start
    if (size > this.#maxPacket - FRAME_BYTES) throw new AckdError('too_large', `${size} bytes`)
    return encoded
  }

  #ask(write: Parameters<Connector['ask']>[1]): Promise<unknown> {
    return this.#connector.ask(this.#requests, write)
  }

  #wake(): void {
    if (this.#turnDue) return
    this.#turnDue = true
    afterTurn(() => this.#turn())
  }

  #turn(): void {
    this.#turnDue = false
    this.#inbox.flush()
    if (!this.#commit()) return this.#connector.again('not_kept', 'What must be kept could not be written.')
    this.#connector.link?.flush()
    this.#arm()
    if (this.#idle) this.#whenIdle?.()
  }

  #commit(): boolean {
    try {
      this.#keeper.commit()
      return true
    } catch (error) {
      this.#events.emit('error', new AckdError('not_kept', String(error), error))
      return false
    }
  }

  /** Lets the outbox know when its time has come. A timer that is early enough already stays. */
  #arm(): void {
    const { due } = this.#outbox
    if (due >= this.#timerAt || this.#closing) return
    clearTimeout(this.#timer)
    this.#timerAt = due
    this.#timer = setTimeout(
      () => {
        this.#timerAt = Infinity
        this.#outbox.tick(now())
        this.#inbox.tick(now())
        this.#turn()
      },
      Math.max(0, due - now()),
    )
  }
}

/** ms since the epoch, roughly; never runs back, whatever happens to the clock of the machine. */
function now(): number {
  return performance.timeOrigin + performance.now()
}

function newOutboxName(): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, byte => alphabet[byte & 63]).join('')
}

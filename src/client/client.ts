/**
 * The client, as an application holds it: handlers, promises and questions, over a courier that does the carrying.
 */
import type { Body, Ref } from '../protocol/frames.ts'
import { DEFAULT_MAX_PACKET, MAX_PRESENCE_IDS } from '../protocol/limits.ts'
import { isTarget } from '../protocol/names.ts'
import { decodeBinaryBody, encodeBinaryBody } from '../protocol/values.ts'
import type { Status } from './connector.ts'
import type { Asking, Courier, CourierEvents, Gap, Ticket } from './courier.ts'
import { defaultPausesMs, deliver, type MessageHandler } from './deliveries.ts'
import { AckdError } from './errors.ts'
import { Emitter } from './events.ts'
import type { Incoming } from './inbox.ts'
import type { OfficeOptions } from './browser/office.ts'
import type { Outcome } from './outgoing.ts'
import { randomName } from './random-name.ts'
import { Requests } from './requests.ts'
import { Rooms } from './rooms/rooms.ts'
import { Sends, type Sent } from './sends.ts'

export interface ClientOptions extends OfficeOptions {
  /** ms between the tries of a message whose handler failed; as many tries more as there are pauses. */
  readonly handlerPausesMs?: readonly number[]
}

export interface SendOptions {
  /** Seconds that it may wait in the mailbox. */
  readonly ttl?: number
  /** The application's own name for the message, which its receipts carry, also those of a later process. Made up when none is given. */
  readonly key?: string
}

/** What became of a message of this outbox, also of one that an earlier process or another tab sent. */
export interface Receipt {
  readonly to: string
  readonly n: number
  readonly outbox: string
  readonly key: string
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
  /** In a browser: while this tab slept or was too slow, other tabs may have been shown messages that this one was not. */
  missed: undefined
  /** What went wrong without anybody waiting for it: handlers, frames without a ref, places that cannot be written. */
  error: AckdError
}

/** Bytes that a frame needs besides its body, at most. */
const FRAME_BYTES = 512
const MAX_PENDING_SIGNALS = 1_048_576
const MAX_KEY = 64

export class Client<Payload = unknown> {
  readonly #events = new Emitter<ClientEvents>()
  readonly #courier: Courier
  readonly #sends = new Sends()
  readonly #requests: Requests
  readonly #rooms: Rooms
  readonly #pausesMs: readonly number[]
  readonly #name = randomName()
  #sent = 0
  #handler: MessageHandler<Payload> | null = null
  #status: Status = { state: 'connecting' }
  #maxPacket = DEFAULT_MAX_PACKET
  #closing: Promise<void> | null = null
  #ready: { resolve: (id: string) => void; reject: (error: AckdError) => void }[] = []

  constructor(hire: (events: CourierEvents) => Courier, options: Pick<ClientOptions, 'handlerPausesMs'> = {}) {
    this.#pausesMs = options.handlerPausesMs ?? defaultPausesMs
    this.#courier = hire(this.#hearing())
    this.#requests = new Requests(this.#courier.mark)
    this.#rooms = new Rooms(
      {
        pausesMs: this.#pausesMs,
        ask: write => this.#ask(write),
        send: (to, body) => this.#send(to, body, {}),
        signal: (to, body) => this.signal(to, body),
        enter: entrance => this.#courier.enter(entrance),
        leave: room => this.#courier.leave(room),
        recorded: cursor => this.#courier.roomRecorded(cursor),
        failed: error => this.#events.emit('error', error),
      },
      this.#courier.rooms,
    )
  }

  /** The own address; null until the server has given one. */
  get id(): string | null {
    return this.#courier.id
  }

  get status(): Status {
    return this.#status
  }

  /** Rooms to enter, to make, to look for. */
  get rooms(): Pick<Rooms, 'join' | 'create' | 'delete' | 'list'> {
    return this.#rooms
  }

  /** Resolves with the own address as soon as the client is connected; rejects when it is closed. */
  ready(): Promise<string> {
    const status = this.#status
    if (status.state === 'connected') return Promise.resolve(status.id)
    if (status.state === 'closed') return Promise.reject(status.error)
    return new Promise((resolve, reject) => this.#ready.push({ resolve, reject }))
  }

  /**
   * Sends a message. Resolves when the server keeps it or its recipient has acked it; rejects when it was refused, when the
   * outbox is full, and when the client is closed. Without a connection it waits.
   */
  send(to: string, body: Payload, options: SendOptions = {}): Promise<Sent> {
    return this.#send(to, body, options)
  }

  #send(to: string, body: unknown, { ttl = 0, key = `${this.#name}.${++this.#sent}` }: SendOptions): Promise<Sent> {
    if (this.#closing) return Promise.reject(new AckdError('closed'))
    if (!isTarget(to)) return Promise.reject(new AckdError('bad_id', to.slice(0, 80)))
    if (!(ttl >= 0 && ttl < Infinity)) return Promise.reject(new AckdError('bad_number', `ttl ${ttl}`))
    if (key === '' || key.length > MAX_KEY || this.#sends.has(key)) {
      return Promise.reject(new AckdError('bad_key', key.slice(0, 80)))
    }
    try {
      const letter = { key, target: to, body: this.#encode(body), ttl: Math.ceil(ttl) }
      const sent = this.#sends.promise(key)
      this.#courier.send(letter)
      return sent
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
    if (!this.#closing) this.#courier.listen(true)
    return () => {
      this.#handler = null
      this.#courier.listen(false)
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
    const { frames, pending } = this.#courier
    if (frames === null || pending > MAX_PENDING_SIGNALS) return false
    frames.signal(to, this.#encode(body))
    this.#courier.wake()
    return true
  }

  /** Gets a new secret. The old one works until the new one is first used. */
  async rotateSecret(): Promise<void> {
    const reply = await this.#ask((frames, ref) => frames.rotate(ref))
    const secret = typeof reply === 'object' && reply !== null && 'secret' in reply ? reply.secret : null
    if (typeof secret !== 'string') throw new AckdError('internal', 'the server did not answer with a secret')
    this.#courier.keepSecret(secret)
  }

  /** Connects at once: while it waits, or after a close that the client does not come back from by itself. */
  reconnect(): void {
    if (this.#closing) throw new AckdError('closed')
    this.#courier.reconnect()
  }

  /**
   * Ends it for good. Waits up to `flushMs` (1 s) for the receipts of what is open and for the handler at work, then says `bye` so
   * that what is un-acked is parked at once. What is still open then is rejected with `closed`; a place that is kept keeps it for the
   * next time.
   */
  close(options: { readonly bye?: boolean; readonly flushMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.bye ?? true, options.flushMs ?? 1_000)
    return this.#closing
  }

  async #close(bye: boolean, flushMs: number): Promise<void> {
    await this.#courier.close(bye, flushMs)
    this.#sends.closed(new AckdError('closed'))
    this.#rooms.stop(new AckdError('closed'))
  }

  #hearing(): CourierEvents {
    const events = this.#events
    return {
      status: status => this.#changed(status),
      welcomed: ({ maxPacket }) => (this.#maxPacket = maxPacket),
      lost: () => {
        this.#requests.closed(new AckdError('not_connected'))
        this.#rooms.closed()
      },
      show: message => void this.#show(message),
      settled: (ticket, outbox, outcome) => this.#settled(ticket, outbox, outcome),
      refused: (key, error) => this.#sends.refused(key, error),
      gap: gap => events.emit('gap', gap),
      entered: (room, reply) => this.#rooms.entered(room, reply),
      renamed: (room, epoch) => this.#rooms.renamed(room, epoch),
      left: (room, error) => this.#rooms.left(room, error),
      room: (...message) => this.#rooms.message(...message),
      members: (room, event, id, name) => this.#rooms.member(room, event, id, name, id === this.id),
      missed: () => events.emit('missed', undefined),
      signal: (from, to, body) => events.emit('signal', { from, to, body: decodeBinaryBody(body) }),
      reply: (ref, value) => this.#requests.replied(ref, value),
      error: (ref, code, text) => {
        const error = new AckdError(code, text)
        if (ref === null) events.emit('error', error)
        else this.#requests.refused(ref, error)
      },
      // What fails while the client is being made is told when somebody can listen.
      failed: error => queueMicrotask(() => events.emit('error', error)),
    }
  }

  #changed(status: Status): void {
    this.#status = status
    this.#events.emit('status', status)
    if (status.state === 'connected') for (const { resolve } of this.#ready.splice(0)) resolve(status.id)
    if (status.state === 'closed') for (const { reject } of this.#ready.splice(0)) reject(status.error)
  }

  #settled(ticket: Ticket, outbox: string, outcome: Outcome): void {
    const { target: to, n, key } = ticket
    this.#sends.settled(ticket, outbox, outcome)
    this.#events.emit('receipt', { to, n, outbox, key, status: outcome.kind })
  }

  async #show(incoming: Incoming): Promise<void> {
    if (this.#handler === null) return
    await deliver(incoming, this.#handler, this.#pausesMs, {
      handled: () => this.#courier.dealt(incoming, null),
      refused: reason => this.#courier.dealt(incoming, reason),
      failed: (error, message) => {
        const detail = `message ${message.n} from ${message.from}: ${String(error)}`
        this.#events.emit('error', new AckdError('handler_failed', detail, error))
      },
    })
  }

  #encode(body: unknown): Body {
    const encoded = encodeBinaryBody(body)
    const size = encoded.end - encoded.start
    if (size > this.#maxPacket - FRAME_BYTES) throw new AckdError('too_large', `${size} bytes`)
    return encoded
  }

  #ask(write: (frames: Asking, ref: Ref) => void): Promise<unknown> {
    const { frames } = this.#courier
    if (frames === null) return Promise.reject(new AckdError(this.#closing ? 'closed' : 'not_connected'))
    const answer = this.#requests.ask(ref => write(frames, ref))
    this.#courier.wake()
    return answer
  }
}

/**
 * A room that this client is in, as the application sees it.
 *
 * It outlives connections: it is joined again on each of them, behind the last message that was seen, so nothing is left out. Its
 * handler gets one message at a time, in order and once; when the handler's promise has resolved, the message counts as read, and a
 * later process with the same directory goes on behind it. A handler that fails is tried again, and then the message is passed over.
 */
import type { Body, HistoryOptions, ListOptions, MemberEvent } from '../../protocol/frames.ts'
import { decodeBinaryBody } from '../../protocol/values.ts'
import { handle } from '../deliveries.ts'
import { AckdError } from '../errors.ts'
import { Emitter } from '../events.ts'
import { Feed, type RoomCursor, type RoomMessage } from './feed.ts'
import { readHistory, readMembers, type HistoryReply, type JoinReply, type Member, type MemberPage } from './replies.ts'
import type { RoomHost } from './host.ts'
import type { Sent } from '../sends.ts'
import { now } from '../turn.ts'

/** Messages of a room that will not come. */
export interface RoomGap {
  readonly room: string
  readonly first: number
  readonly last: number
}

export interface RoomEvents {
  /** In the room, for the first time or again. */
  joined: JoinReply
  /** Somebody came or went. */
  member: Member & { readonly event: MemberEvent }
  /** The log does not reach back to these. */
  gap: RoomGap
  /** The server has another log for this room now; what was not seen of the old one will not come. */
  lost: { readonly room: string }
  /** Out of the room, and not coming back by itself: the room was deleted, say. */
  left: { readonly room: string; readonly error: AckdError }
}

export type RoomHandler<Payload> = (message: RoomMessage<Payload>) => Promise<void> | void

export class Room<Payload = unknown> {
  readonly name: string
  readonly #host: RoomHost
  readonly #feed: Feed
  readonly #events = new Emitter<RoomEvents>()
  #handler: RoomHandler<Payload> | null = null
  #present = false
  #over = false

  constructor(name: string, cursor: Pick<RoomCursor, 'epoch' | 'offset'> | null, host: RoomHost) {
    this.name = name
    this.#host = host
    this.#feed = new Feed(
      name,
      {
        show: message => void this.#show(message),
        gap: (first, last) => this.#events.emit('gap', { room: name, first, last }),
        lost: () => this.#events.emit('lost', { room: name }),
        recorded: to => {
          if (!this.#over) host.recorded(to)
        },
        rejoin: () => {
          if (!this.#over) host.enter({ room: name })
        },
        ask: (after, limit) => void this.#fill(after, limit),
      },
      cursor,
    )
  }

  /** Whether this client is in the room now. */
  get present(): boolean {
    return this.#present
  }

  /** The offset of the last message that was read; -1 before the first join. */
  get offset(): number {
    return this.#feed.offset
  }

  /** How many messages the room is ahead of what was read. */
  get behind(): number {
    return this.#feed.behind
  }

  /** Listens. There is one handler of `message`; until it is there, messages wait. Returns what takes the listener away again. */
  on(name: 'message', handler: RoomHandler<Payload>): () => void
  on<Name extends keyof RoomEvents>(name: Name, listener: (event: RoomEvents[Name]) => void): () => void
  on(name: keyof RoomEvents | 'message', listener: (event: never) => void): () => void {
    if (name !== 'message') return this.#events.on(name, listener)
    if (this.#handler) throw new AckdError('busy', `${this.name} has a message handler already; take it away first`)
    // The first overload is the only way here.
    this.#handler = listener as RoomHandler<Payload>
    this.#feed.start(now())
    return () => {
      this.#handler = null
      this.#feed.stop()
    }
  }

  /** Publishes; resolves when the log of the room has the message. See `Client.send`. */
  send(body: Payload): Promise<Sent> {
    return this.#host.send(this.name, body)
  }

  /** Tells those who are here something that only matters now. False when it was not even sent. */
  signal(body: unknown): boolean {
    return this.#host.signal(this.name, body)
  }

  /** Who is in the room, by id. */
  async members(options: ListOptions = {}): Promise<MemberPage> {
    return readMembers(await this.#host.ask((frames, ref) => frames.members(ref, this.name, options)))
  }

  /** A page of the log: after an offset, or before one, at most 200 messages, oldest first. */
  async history(options: HistoryOptions = {}): Promise<HistoryReply<Payload>> {
    const page = readHistory(this.name, await this.#host.ask((frames, ref) => frames.history(ref, this.name, options)))
    // What bodies are is a matter between the applications; the type that this one named is believed here, once.
    return page as HistoryReply<Payload>
  }

  /** Leaves the room, and forgets how far it was read. */
  leave(): void {
    if (!this.#over) this.#host.leave(this.name)
  }

  // ── told by Rooms ──────────────────────────────────────────────────────────────────────────────────────────────────

  get since(): Feed['since'] {
    return this.#feed.since
  }

  joined(reply: JoinReply): void {
    this.#present = true
    this.#feed.joined(reply.offset, reply.epoch, reply.recovered, now())
    this.#events.emit('joined', reply)
  }

  renamed(epoch: string): void {
    this.#feed.renamed(epoch, now())
  }

  /** The connection is gone. */
  closed(): void {
    this.#present = false
    this.#feed.closed()
  }

  /** For good. */
  left(error: AckdError): void {
    this.stop()
    this.#events.emit('left', { room: this.name, error })
  }

  /** Nothing more is shown or recorded. */
  stop(): void {
    this.#over = true
    this.closed()
    this.#feed.stop()
  }

  message(offset: number, from: string, outbox: string, n: number, time: number, body: Body): void {
    const message = { room: this.name, offset, from, outbox, n, time, body: decodeBinaryBody(body) }
    this.#feed.message(message, body.end - body.start, now())
  }

  member(event: MemberEvent, id: string, name: string): void {
    this.#events.emit('member', { event, id, name })
  }

  async #show(message: RoomMessage): Promise<void> {
    const handler = this.#handler
    if (handler === null) return
    // See `history` for the type.
    await handle(
      () => handler(message as RoomMessage<Payload>),
      this.#host.pausesMs,
      error => {
        this.#host.failed(
          new AckdError('handler_failed', `message ${message.offset} of ${this.name}: ${String(error)}`, error),
        )
      },
    )
    this.#feed.handled(now())
  }

  async #fill(after: number, limit: number): Promise<void> {
    try {
      const { messages, epoch } = await this.history({ after, limit })
      this.#feed.page(messages, epoch, now())
    } catch {
      this.#feed.page(null, '', now())
    }
  }
}

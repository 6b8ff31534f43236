/**
 * The office: joins outbox, inbox, identity and one connection after another, and does all that they may not: waits, draws lots,
 * reads the clock.
 *
 *   client ── send ──> outbox ──┐           ┌──> inbox ── show ──> client
 *                               └── link ───┘
 *
 * A link lives from a socket to its end; the office outlives all of them. What is written within one turn of the event loop goes
 * out together at its end: first all is kept that must be, then acks and messages leave. A keeper that needs time gets it: the packet
 * is set aside until what it follows from is kept, and what is written meanwhile belongs to the next one.
 */
import type { WelcomeOptions } from '../../protocol/frames.ts'
import { isRoom } from '../../protocol/names.ts'
import { Connector, type ConnectorOptions, type Status } from '../connector.ts'
import type { Asking, Courier, CourierEvents, Letter } from '../courier.ts'
import { AckdError } from '../errors.ts'
import type { RoomCursor } from '../rooms/feed.ts'
import { Inbox, type Incoming } from '../inbox.ts'
import { identityKeeper, type Keeper } from '../keeper.ts'
import type { IdentityStore } from '../identity.ts'
import type { Link, LinkFrames } from '../link.ts'
import { Circles } from '../rooms/circles.ts'
import { Memberships, type Entrance } from '../rooms/memberships.ts'
import { Outbox } from '../outbox.ts'
import { watchPage, type PageLike } from './page.ts'
import { randomName } from '../random-name.ts'
import { readSync, syncTarget } from '../sync.ts'
import { afterTurn, LONGEST_MS, now } from '../turn.ts'

export interface OfficeOptions extends ConnectorOptions {
  /** Where the identity is kept. */
  readonly identity: IdentityStore
  /** Where everything is kept; instead of `identity`. */
  readonly keeper?: Keeper
  /** `none`: messages are shown once and never acked, so they stay the server's and come again. For tests and for looking. */
  readonly ack?: 'auto' | 'none'
  /** The connection is given up while this page sleeps. */
  readonly page?: PageLike | null
}

export class Office implements Courier {
  readonly mark = ''
  readonly #events: CourierEvents
  readonly #keeper: Keeper
  readonly #connector: Connector
  readonly #outbox: Outbox
  readonly #inbox: Inbox
  readonly #memberships: Memberships
  /** By room, how far it was read. */
  readonly #read = new Map<string, RoomCursor>()
  readonly #unwatch: () => void
  #shown: Incoming | null = null
  #keeping: Promise<void> | null = null
  #closing = false
  #whenIdle: (() => void) | null = null
  #turnDue = false
  #timer: ReturnType<typeof setTimeout> | undefined
  #timerAt = Infinity

  constructor(url: string, options: OfficeOptions, events: CourierEvents) {
    this.#events = events
    this.#keeper = options.keeper ?? identityKeeper(options.identity, error => events.failed(error))
    const { outbox, cursors, rooms } = this.#keeper
    for (const cursor of rooms) this.#read.set(cursor.room, cursor)
    this.#outbox = new Outbox(
      {
        settled: (message, outcome) => events.settled(message, this.#outbox.name, outcome),
        changed: change => this.#keeper.changed(change),
        reconnect: reason => this.#connector.again('refresh', reason),
      },
      { newName: randomName, ...(outbox && { restore: outbox }) },
    )
    this.#inbox = new Inbox(
      {
        show: message => {
          this.#shown = message
          events.show(message)
        },
        gap: (from, name, first, last, reason) => events.gap({ from, outbox: name, first, last, reason }),
        recorded: cursor => this.#keeper.recorded(cursor),
        reconnect: reason => this.#connector.again('refresh', reason),
      },
      { restore: cursors, lookOnly: options.ack === 'none' },
    )
    this.#keeper.attach(
      () => this.#outbox.snapshot(),
      () => this.#inbox.snapshot(),
      () => this.rooms,
    )
    this.#memberships = new Memberships(
      {
        entered: (room, reply) => events.entered(room, reply),
        renamed: (room, epoch) => events.renamed(room, epoch),
        left: (room, error) => events.left(room, error),
        wake: () => this.wake(),
      },
      new Circles(this.#outbox),
    )
    this.#enterRoomsOf(outbox)
    this.#connector = new Connector(url, options, this.#keeper.identity, {
      frames: this.#frames(),
      hello: () => ({ outbox: this.#outbox.name, attempt: this.#outbox.nextAttempt() }),
      kept: () => this.#kept(),
      turn: () => this.wake(),
      lost: () => this.#lost(),
      status: status => events.status(status),
      failed: error => events.failed(error),
    })
    this.#unwatch = watchPage(options.page ?? null, {
      sleep: () => this.suspend(),
      wake: () => this.resume(),
      sign: () => this.sign(),
    })
    this.#connector.start()
  }

  /**
   * Rooms for which the outbox still holds something are entered again, whether or not somebody reads them: what is sent to a room
   * by who is not in it would be refused for good.
   */
  #enterRoomsOf(outbox: Keeper['outbox']): void {
    for (const { target: room, messages } of outbox?.streams ?? []) {
      if (!isRoom(room) || messages.length === 0) continue
      const since = this.#read.get(room)
      this.#memberships.enter({ room, ...(since && { since }) })
    }
  }

  get id(): string | null {
    return this.#connector.id
  }

  get status(): Status {
    return this.#connector.status
  }

  get frames(): Asking | null {
    return this.#connector.link?.frames ?? null
  }

  get pending(): number {
    return this.#connector.link?.pending ?? 0
  }

  send(letter: Letter): void {
    if (!this.take(letter)) this.#events.refused(letter.key, new AckdError(this.#closing ? 'closed' : 'outbox_full'))
  }

  /** The same, but who asks is told whether there was room. */
  take({ key, target, body, ttl }: Letter): boolean {
    if (this.#closing || this.#outbox.add(target, body, ttl, now(), key) === null) return false
    this.wake()
    return true
  }

  listen(listening: boolean): void {
    if (!listening) this.#inbox.stop()
    else if (!this.#closing) this.#inbox.start()
    this.wake()
  }

  /** Does nothing for any other message than the one that is shown. */
  dealt({ from, outbox, n }: Incoming, refused: string | null): void {
    const shown = this.#shown
    if (shown === null || shown.n !== n || shown.from !== from || shown.outbox !== outbox) return
    this.#shown = null
    if (refused === null) this.#inbox.handled()
    else this.#inbox.refused(refused)
    this.wake()
  }

  get rooms(): readonly RoomCursor[] {
    return [...this.#read.values()]
  }

  enter(entrance: Entrance): void {
    this.#memberships.enter(entrance)
  }

  leave(room: string): void {
    this.#memberships.leave(room)
  }

  roomRecorded(cursor: RoomCursor): void {
    if (cursor.offset < 0) this.#read.delete(cursor.room)
    else this.#read.set(cursor.room, cursor)
    this.#keeper.roomRecorded(cursor)
    this.wake()
  }

  wake(): void {
    if (this.#turnDue) return
    this.#turnDue = true
    afterTurn(() => this.#turn())
  }

  keepSecret(secret: string): void {
    this.#connector.keepSecret(secret)
  }

  reconnect(): void {
    this.#connector.start()
  }

  /** See `Connector`. */
  sign(): void {
    this.#connector.sign()
  }

  suspend(): void {
    this.#connector.suspend()
  }

  resume(): void {
    this.#connector.resume()
  }

  async close(bye: boolean, flushMs: number): Promise<void> {
    this.#closing = true
    this.#inbox.stop()
    const mayFlush = flushMs > 0 && this.status.state !== 'closed'
    if (mayFlush && !this.#idle) await within(flushMs, new Promise<void>(resolve => (this.#whenIdle = resolve)))
    if (bye) this.#connector.link?.frames.bye()
    if (this.#keeping) await within(flushMs, this.#keeping)
    this.#turn()
    if (this.#keeping) await within(flushMs, this.#keeping)
    this.#end()
  }

  /** Ends it at once, without a word. What is being kept is kept, and nothing more leaves. */
  abandon(): void {
    this.#closing = true
    this.#inbox.stop()
    this.#end()
  }

  #end(): void {
    this.#unwatch()
    this.#connector.close('closed', new AckdError('closed'))
    clearTimeout(this.#timer)
    this.#keeper.close()
  }

  get #idle(): boolean {
    return this.#outbox.open === 0 && !this.#inbox.busy
  }

  #frames(): LinkFrames {
    const outbox = this.#outbox
    const inbox = this.#inbox
    const events = this.#events
    return {
      welcome: options => this.#welcomed(options),
      message: (...message) => inbox.message(...message),
      void: (...message) => inbox.void(...message),
      delivered: (target, n) => outbox.delivered(target, n, now()),
      stored: (target, n) => outbox.stored(target, n, now()),
      ended: (kind, target, n, reason) => outbox.ended(kind, target, n, reason, now()),
      failed: (target, n, code) => outbox.failed(target, n, code, now()),
      retry: (target, n, code, afterMs) => outbox.retry(target, n, code, afterMs, now()),
      room: (room, offset, ...rest) => {
        this.#memberships.seen(room, offset)
        events.room(room, offset, ...rest)
      },
      members: (room, event, id, name) => {
        events.members(room, event, id, name)
        this.#memberships.member(room, event, id)
      },
      signal: (from, to, body) => events.signal(from, to, body),
      reply: (ref, value) => {
        const target = syncTarget(ref)
        if (target !== null) outbox.synced(target, readSync(value), now())
        else if (!this.#memberships.replied(ref, value)) events.reply(ref, value)
      },
      error: (ref, code, text) => {
        const target = ref === null ? null : syncTarget(ref)
        if (target !== null) outbox.synced(target, null, now())
        else if (ref === null || !this.#memberships.refused(ref, code, text)) events.error(ref, code, text)
      },
    }
  }

  #welcomed(welcome: WelcomeOptions): void {
    const { link } = this.#connector
    if (link === null) return
    this.#inbox.opened(link.frames, welcome.window, welcome.id)
    // What is sent to a room waits at the server for a join that came before.
    this.#memberships.opened(link.frames, welcome.id)
    this.#outbox.opened(link.frames, welcome, now())
    this.#events.welcomed({ maxPacket: welcome.maxPacket })
  }

  #lost(): void {
    this.#outbox.closed()
    this.#inbox.closed()
    this.#memberships.closed()
    this.#events.lost()
    this.wake()
  }

  #turn(): void {
    this.#turnDue = false
    // The end of what is being kept is the next turn.
    if (this.#keeping !== null) return
    this.#inbox.flush()
    const kept = this.#kept()
    if (kept === false) return this.#notKept()
    const { link } = this.#connector
    if (kept === true) link?.flush()
    else this.#keeping = this.#flushAfter(kept, link)
    this.#arm()
    if (this.#idle) this.#whenIdle?.()
  }

  /** Whether all that was told to the keeper is kept, or the promise that it will be. */
  #kept(): boolean | Promise<boolean> {
    try {
      const kept = this.#keeper.commit()
      return kept === undefined
        ? true
        : kept.then(
            () => true,
            (error: unknown) => this.#failedToKeep(error),
          )
    } catch (error) {
      return this.#failedToKeep(error)
    }
  }

  #failedToKeep(error: unknown): false {
    if (!this.#closing) this.#events.failed(new AckdError('not_kept', String(error), error))
    return false
  }

  #notKept(): void {
    this.#connector.again('not_kept', 'What must be kept could not be written.')
  }

  async #flushAfter(kept: Promise<boolean>, link: Link | null): Promise<void> {
    const release = link?.setAside()
    const done = await kept
    this.#keeping = null
    if (done) release?.()
    else this.#notKept()
    this.wake()
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
        this.#turn()
      },
      Math.min(Math.max(0, due - now()), LONGEST_MS),
    )
  }
}

/** Waits for it, but no longer than that. */
async function within(ms: number, event: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  await Promise.race([event, new Promise<void>(resolve => (timer = setTimeout(resolve, ms)))])
  clearTimeout(timer)
}

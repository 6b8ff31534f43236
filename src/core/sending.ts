/**
 * The sending half of a session: judges what its client hands over, gives it to the recipient's session or to the mailbox,
 * and tells the client how each message ended.
 *
 * The rule (`docs/architecture.md`): until a receipt is written the message is the sender's, so whatever is lost here was
 * not lost. Hence this half holds no bodies; it only counts what is open, for the credit of the connection.
 */
import { refusals, type EndReason, type ErrorCode } from '../protocol/errors.ts'
import type { Body, SyncReply } from '../protocol/frames.ts'
import { MAX_AHEAD, MAX_NUMBER } from '../protocol/limits.ts'
import { isClientId, isRoom, isTarget } from '../protocol/names.ts'
import type { Connection } from './effects.ts'
import type { Hub } from './hub.ts'
import { Message } from './message.ts'
import { createOrigin, type Origin } from './origin.ts'
import { Overdraft } from './overdraft.ts'
import { Publishing } from './publishing.ts'
import type { Receiving } from './receiving.ts'
import type { Session } from './session.ts'
import { Upstream } from './upstream.ts'

/** Streams of one connection, of either kind; idle ones make room, and come back when they are used again. */
const STREAMS = 1_024
const TURNED_AWAY = 64
const MINUTE_MS = 60_000
/** What a refused sender is told to wait at least, ms. */
const LEAST_PAUSE_MS = 1_000

export class Sending {
  readonly connection: Connection
  readonly #hub: Hub
  readonly #session: Session
  readonly #numbered: boolean
  /** Of what the client numbers, and of what it does not. Each null until it is needed, as are the streams. */
  #origin: Origin | null = null
  #unnumberedOrigin: Origin | null = null
  #streams: Map<string, Upstream> | null = null
  #unnumbered: Map<string, Upstream> | null = null
  /** Streams without numbers of the client that were forgotten, or more. */
  #forgotten = 0
  /**
   * Targets that have no stream, since they are no ids or since that was forgotten, and the number refused last, which is awaited; the oldest is
   * forgotten first. Null until there is one.
   */
  #turnedAway: Map<string, number> | null = null
  /** Whether the client numbers its messages; null until it has sent one. */
  #numbers: boolean | null = null
  #open = 0
  #openBytes = 0
  /** Null until something was sent beyond the credit. */
  #overdraft: Overdraft | null = null
  #newRecipients = 0
  #newRecipientsSince = 0
  #closed = false

  /** Whether no earlier connection can have sent anything under these names, and nothing of this one was forgotten. */
  isFirst: boolean

  constructor(hub: Hub, session: Session, resumed: boolean) {
    const { numbered, attempt } = session
    this.#hub = hub
    this.#session = session
    this.connection = session.connection
    this.#numbered = numbered
    this.isFirst = !resumed || !numbered || attempt === 1
  }

  /** True when the client must be closed with `flood`. */
  send(n: number, floor: number, target: string, ttl: number, body: Body): boolean {
    const known = (n === 0 ? this.#unnumbered : this.#streams)?.get(target)
    const code = this.#misaddressed(target, known) ?? this.#misnumbered(n, floor, ttl)
    this.#numbers ??= n !== 0
    if (code !== null) {
      this.#reject(code, n, floor, target)
      return false
    }
    const up = known ?? this.#meet(n !== 0, target)
    if (up === null) this.#refuseNew(n, target)
    else if (n === 0) return this.#take(up, up.next, up.open === 0 ? up.next : up.floor, ttl, body)
    else if (!up.skips(n, floor)) return this.#take(up, n, floor, ttl, body)
    return false
  }

  /** Refuses a message for a limit outside the core, such as the rate of frames. */
  refuse(n: number, target: string, code: ErrorCode, afterMs: number): void {
    if (!(n >= 1) || !isTarget(target)) return this.connection.error(null, code, refusals[code].text)
    const up = this.#streams?.get(target) ?? this.#meet(true, target)
    if (up === null) this.#refuseNew(n, target)
    else if (!up.skips(n, 0)) up.retry(n, code, afterMs)
  }

  /** A message that was parked before has been acked by its recipient. */
  drained(stream: string, target: string, n: number): void {
    this.#known(stream, target)?.drained(n)
  }

  /** A message that was parked before has ended otherwise. */
  lost(stream: string, target: string, n: number, kind: EndReason, reason: string): void {
    this.#known(stream, target)?.lost(kind, n, reason)
  }

  /** The streams of which this connection heard that a mailbox is to be rid of something. */
  *drainedStreams(): Generator<Upstream> {
    for (const up of this.#streams?.values() ?? []) if (up.wasParked) yield up
  }

  /** Another node says that something of that stream has ended in the mailbox. */
  settled(stream: string, target: string): void {
    this.#known(stream, target)?.settled()
  }

  /** The client is told by a `sync` that everything up to n was taken. */
  synced(target: string, n: number): void {
    this.#streams?.get(target)?.known(n)
  }

  /** A message of this connection met its end. */
  release(up: Upstream, bytes: number): void {
    up.open--
    this.#open--
    this.#openBytes -= bytes
  }

  /** A message that came over another connection is now waited for by this one. */
  adopt(up: Upstream, bytes: number): void {
    up.open++
    this.#open++
    this.#openBytes += bytes
  }

  /** Notes that a stream has something to tell at the end of the turn. */
  tell(up: Upstream): void {
    if (!this.#closed) this.#hub.hasReceipt(up)
  }

  /** One more of its streams waits for a store that does not answer: ms until it shall go on. */
  awaited(): number {
    return this.#hub.custody.awaited()
  }

  /** Whether what ends in a mailbox is told to this connection wherever its recipient is. */
  get hearsAll(): boolean {
    return this.#hub.options.soleOwner
  }

  /** Has the mailbox asked what became of a stream. */
  verify(up: Upstream): void {
    this.#hub.verify(up)
  }

  /** The mailbox has answered. */
  verified(up: Upstream, reply: SyncReply | null, heard: Receiving | null): void {
    if (!this.#closed && !up.verified(reply, heard)) this.#hub.verifyLater(up)
  }

  /** Nobody is left to be told. */
  close(): void {
    this.#closed = true
    for (const streams of [this.#streams, this.#unnumbered]) {
      for (const up of streams?.values() ?? []) this.#hub.remembered.remove(up)
    }
    this.#streams = this.#unnumbered = null
  }

  /**
   * Forgets an idle stream; false when it is not. What is forgotten is which receipts were told, and a numbered stream knows its numbers by
   * itself. That one was refused is not: what was sent above it before its sender heard so would be refused one by one. Of one that the server numbers nothing may be waiting in a mailbox, where what comes next would overtake it under another name.
   */
  forget(up: Upstream): boolean {
    const { isClean } = up
    if (!up.idle || !(up.numbered || isClean)) return false
    if (up.numbered) {
      this.#streams?.delete(up.target)
      if (up.refused !== 0) this.#noteRefused(up.target, up.refused)
    } else this.#rename(up)
    if (!isClean) this.isFirst = false
    this.#hub.remembered.remove(up)
    return true
  }

  #rename(up: Upstream): void {
    this.#unnumbered?.delete(up.target)
    if (up.origin !== this.#unnumberedOrigin) return
    this.#unnumberedOrigin = null
    this.#forgotten++
  }

  /**
   * The origin of what the client does not number: a name of its own when the client named an outbox, since its numbers are not ours to give; and
   * another one once a stream was forgotten, whose numbers would else be given twice.
   */
  #nameUnnumbered(): Origin {
    const { outbox, numbered, nonce } = this.#session
    const name = numbered ? nonce : outbox
    return createOrigin(this.#session.id, this.#forgotten === 0 ? name : `${name.slice(0, 24)}-${this.#forgotten}`)
  }

  #originOf(numbered: boolean): Origin {
    if (!numbered) return (this.#unnumberedOrigin ??= this.#nameUnnumbered())
    return (this.#origin ??= createOrigin(this.#session.id, this.#session.outbox))
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Why nothing can be sent to that target, or null. */
  #misaddressed(target: string, known: Upstream | undefined): ErrorCode | null {
    if (known === undefined && !isClientId(target) && !isRoom(target)) return 'bad_id'
    // Asked again for one that is known: rights may have become less since.
    return this.#session.mayReach(target) ? null : 'forbidden'
  }

  /** Why these cannot be the numbers of a message, or null (§2, §5.5). */
  #misnumbered(n: number, floor: number, ttl: number): ErrorCode | null {
    if (Number.isNaN(ttl)) return 'bad_number'
    // Receipts name a target and a number, so numbers of two makes would be mistaken for each other.
    if (this.#numbers !== null && this.#numbers !== (n !== 0)) return 'bad_number'
    if (n === 0) return floor === 0 ? null : 'bad_number'
    if (n > MAX_NUMBER) return 'bad_number'
    if (!this.#numbered || !(floor >= 1 && floor <= n) || n - floor > MAX_AHEAD) return 'bad_number'
    return null
  }

  #reject(code: ErrorCode, n: number, floor: number, target: string): void {
    // A receipt has to name a target.
    if (!(n >= 1) || target === '') return this.connection.error(null, code, refusals[code].text)
    if (!isClientId(target)) return this.#turnAway(code, n, floor, target)
    const up = this.#streams?.get(target) ?? this.#meet(true, target)
    if (up === null) this.#refuseNew(n, target)
    else if (!up.skips(n, floor)) up.failed(n, code)
  }

  /** Where there can be no stream, too, a refusal is told once, and silences what is above it until its number comes again (§4). */
  #turnAway(code: ErrorCode, n: number, floor: number, target: string): void {
    const refused = this.#turnedAway?.get(target)
    if (refused !== undefined && n > refused && floor <= refused) return
    this.#noteRefused(target, n)
    this.connection.failed(target, n, code)
  }

  #noteRefused(target: string, n: number): void {
    const turnedAway = (this.#turnedAway ??= new Map<string, number>())
    turnedAway.delete(target)
    turnedAway.set(target, n)
    for (const oldest of turnedAway.keys()) {
      if (turnedAway.size <= TURNED_AWAY) break
      turnedAway.delete(oldest)
    }
  }

  #refuseNew(n: number, target: string): void {
    const waited = this.#hub.now - this.#newRecipientsSince
    if (n >= 1) this.connection.retry(target, n, 'rate_limited', Math.max(LEAST_PAUSE_MS, MINUTE_MS - waited))
    else this.connection.error(null, 'rate_limited', refusals.rate_limited.text)
  }

  #take(up: Upstream, n: number, floor: number, ttl: number, body: Body): boolean {
    const size = body.end - body.start
    const { options, now, time } = this.#hub
    const open = this.#open
    if (open >= options.sendWindow || (open > 0 && this.#openBytes + size > options.sendWindowBytes)) {
      const overdraft = (this.#overdraft ??= new Overdraft())
      up.retry(n, 'window_exceeded', overdraft.turnAway(up.target, now))
      return overdraft.isFlood
    }
    if (!this.#hub.custody.admits(size)) {
      up.retry(n, 'overloaded', this.#hub.custody.turnAway())
      return false
    }
    if (!up.numbered) {
      up.floor = floor
      up.next = n + 1
    }
    const expires = ttl > 0 ? Math.ceil(time + ttl * 1_000) : 0
    const message = new Message(up.target, up.stream, n, floor, time, expires, body, 0, '', now + options.ackTimeoutMs)
    message.source = up
    this.adopt(up, size)
    this.#hub.custody.take(message, up)
    return false
  }

  #known(stream: string, target: string): Upstream | undefined {
    const up = this.#streams?.get(target) ?? this.#unnumbered?.get(target)
    if (up !== undefined) return up.stream === stream ? up : undefined
    // The receipt of what an earlier connection of this outbox had sent.
    if (stream !== this.#originOf(true).stream) return undefined
    return this.#create(this.#numbered, target)
  }

  /** The stream to a new recipient; null when the sender has found too many of them within a minute. */
  #meet(numbered: boolean, target: string): Upstream | null {
    const { now, options } = this.#hub
    if (now - this.#newRecipientsSince >= MINUTE_MS) {
      this.#newRecipientsSince = now
      this.#newRecipients = 0
    }
    if (this.#newRecipients >= options.newRecipients) return null
    if (!numbered && this.#unnumbered !== null && !this.#hasRoom(this.#unnumbered)) return null
    this.#newRecipients++
    return this.#create(numbered, target)
  }

  #create(numbered: boolean, target: string): Upstream {
    const streams = (numbered ? this.#streams : this.#unnumbered) ?? new Map<string, Upstream>()
    if (numbered) this.#streams = streams
    else this.#unnumbered = streams
    this.#hasRoom(streams)
    const origin = this.#originOf(numbered)
    const room = isRoom(target) ? new Publishing(this.#hub, this.#session, target) : null
    const up = new Upstream(this, origin, target, numbered, this.isFirst || !numbered, room)
    const refused = numbered ? this.#turnedAway?.get(target) : undefined
    if (refused !== undefined) {
      this.#turnedAway?.delete(target)
      up.refused = refused
    }
    streams.set(target, up)
    this.#hub.remembered.add(up)
    return up
  }

  /** Makes room for one more, if it can. Numbered streams of which something is open the credit of the connection bounds. */
  #hasRoom(streams: ReadonlyMap<string, Upstream>): boolean {
    if (streams.size < STREAMS) return true
    let left = STREAMS / 8
    for (const up of streams.values()) if (this.forget(up) && --left === 0) break
    return streams.size < STREAMS
  }
}

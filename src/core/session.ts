/**
 * What this node knows of one connected client: a token that fences its mailbox, and two halves, one for what it sends and one for
 * what it receives.
 *
 *   binding ── bind ok: token ──> ready ── any end ──> gone
 *
 * The first thing an end does is to make the session deaf: nothing is sent on its connection after that but the close frame.
 */
import { closeReasons, refusals, type CloseName } from '../protocol/errors.ts'
import type { Body, Ref } from '../protocol/frames.ts'
import { MAX_PRESENCE_IDS } from '../protocol/limits.ts'
import { isClientId, isRoom } from '../protocol/names.ts'
import type { Connection, Greeting } from './effects.ts'
import type { Hub } from './hub.ts'
import type { Attendance } from './member.ts'
import { Receiving } from './receiving.ts'
import { covers, type Rights } from './rights.ts'
import { Sending } from './sending.ts'

const none: ReadonlySet<string> = new Set()

export class Session {
  readonly connection: Connection
  /** Of its greeting, all but the hash of a secret, which nobody asks for again. */
  readonly claimedId: string | null
  readonly nonce: string
  readonly outbox: string
  readonly numbered: boolean
  readonly attempt: number
  /** What others call it; '' for nothing. */
  readonly name: string
  /** What it may do now: what its greeting said, or the token that has taken the place of that one. */
  rights: Rights
  /** Its rooms; null for one that has had none. */
  attendance: Attendance | null = null
  readonly #hub: Hub
  readonly #provedByToken: boolean
  readonly #wantedWindow: number
  #id = ''
  #token = ''
  #resumed = false
  #sending: Sending | null = null
  #receiving: Receiving | null = null
  #gone = false
  /** Ids that were made up for this connection and were taken. */
  registrations = 0

  constructor(hub: Hub, connection: Connection, greeting: Greeting) {
    this.#hub = hub
    this.connection = connection
    this.claimedId = greeting.id
    this.nonce = greeting.nonce
    this.outbox = greeting.outbox
    this.numbered = greeting.numbered
    this.attempt = greeting.attempt
    this.name = greeting.name
    this.rights = greeting.rights
    this.#provedByToken = greeting.id !== null && greeting.secretHash === null
    this.#wantedWindow = greeting.window
  }

  get ready(): boolean {
    return this.#receiving !== null && !this.#gone
  }

  get gone(): boolean {
    return this.#gone
  }

  /** '' until it is bound, as is its token. */
  get id(): string {
    return this.#id
  }

  get token(): string {
    return this.#token
  }

  /** Un-acked messages it may have: as many as it wants, and as the node allows. */
  get window(): number {
    return Math.min(this.#wantedWindow, this.#hub.options.window)
  }

  /** Made when it is first asked for, since many only listen. Null before the session is bound, and once it is gone without having sent. */
  get sending(): Sending | null {
    if (this.#sending === null && this.ready) this.#sending = new Sending(this.#hub, this, this.#resumed)
    return this.#sending
  }

  /** Null before it is bound. */
  get receiving(): Receiving | null {
    return this.#receiving
  }

  /** The store has made this node the owner of the client. `isFresh`: the id was made up for this very session. */
  bind(id: string, token: string, resumed: boolean, isFresh: boolean): void {
    this.#id = id
    this.#token = token
    this.#resumed = resumed
    this.#receiving = new Receiving(this.#hub, this, this.window, isFresh)
  }

  /** Another token has taken the place of the one that it came with. It leaves the rooms that the new one does not let it enter. */
  entitle(rights: Rights): void {
    this.rights = rights
    this.#hub.rooms.entitled(this)
  }

  /** Whether its rights let it send to that target. Of rooms they say who may enter. */
  mayReach(target: string): boolean {
    const { targets } = this.rights
    return targets === null || target.startsWith('#') || covers(targets, target)
  }

  /** Whether its rights let it enter that room, if the room lets it. */
  mayEnter(room: string): boolean {
    const { admin, rooms } = this.rights
    return rooms === null || admin || covers(rooms, room)
  }

  send(n: number, floor: number, target: string, ttl: number, body: Body): void {
    const flood = this.sending?.send(n, floor, target, ttl, body)
    if (flood === true) this.close('flood')
  }

  /** A send that the shell refuses, for a limit outside the core. */
  refuse(n: number, target: string, afterMs: number): void {
    this.sending?.refuse(n, target, 'rate_limited', afterMs)
  }

  ack(seq: number): void {
    const receiving = this.#receiving
    if (receiving?.open === true && !receiving.ack(seq)) this.close('bad_frame', `seq ${seq} was never sent`)
  }

  nack(seq: number, reason: string): void {
    const receiving = this.#receiving
    if (receiving?.open === true && !receiving.nack(seq, reason)) this.close('bad_frame', `seq ${seq} was never sent`)
  }

  sync(ref: Ref, target: string): void {
    if (isRoom(target)) this.#hub.rooms.sync(this, ref, target)
    else if (!isClientId(target)) this.connection.error(ref, 'bad_id', refusals.bad_id.text)
    else this.#hub.sync(this, ref, target)
  }

  /** Ephemeral: it reaches who is here now, or nobody. */
  signal(target: string, body: Body): void {
    if (isRoom(target)) return this.#hub.rooms.signal(this, target, body)
    if (!isClientId(target)) return this.connection.error(null, 'bad_id', refusals.bad_id.text)
    if (!this.mayReach(target)) return this.connection.error(null, 'forbidden', refusals.forbidden.text)
    const there = this.#hub.session(target)
    if (there !== undefined) there.connection.signal(this.id, target, body)
    else if (!this.#hub.options.soleOwner) this.#hub.effects.signal(target, this.id, body)
  }

  /** Somebody at another node signals to it. */
  signalled(from: string, body: Body): void {
    if (!this.#hub.overloaded) this.connection.signal(from, this.id, body)
  }

  presence(ref: Ref, ids: readonly string[]): void {
    if (ids.length > MAX_PRESENCE_IDS)
      return this.connection.error(ref, 'too_large', 'Ask for at most 200 ids at once.')
    // Whom it may not send to it is not told of either: to it they are not there.
    const away = ids.filter(id => this.mayReach(id) && this.#hub.session(id) === undefined)
    // They may be connected to another node.
    if (away.length > 0 && !this.#hub.options.soleOwner) this.#hub.effects.online(this, ref, ids)
    else this.online(ref, ids, none)
  }

  /** Which of these ids are connected to any node; null: the store does not say. */
  online(ref: Ref, ids: readonly string[], elsewhere: ReadonlySet<string> | null): void {
    if (this.#gone) return
    if (elsewhere === null) return this.connection.error(ref, 'unavailable', refusals.unavailable.text)
    const online: Record<string, boolean> = Object.create(null) as Record<string, boolean>
    for (const id of ids) {
      online[id] = this.mayReach(id) && (elsewhere.has(id) || this.#hub.session(id) !== undefined)
    }
    this.connection.reply(ref, online)
  }

  rotate(ref: Ref): void {
    if (this.#provedByToken) {
      this.connection.error(ref, 'forbidden', 'This id is proved by a token and has no secret.')
    } else this.#hub.effects.rotate(this, ref)
  }

  /** The client leaves cleanly. */
  bye(): void {
    if (this.leave(false, false)) this.connection.end()
  }

  /** Ends the session for a reason that the client is told. Safe to call at any time, and more than once. */
  close(name: CloseName, text: string = closeReasons[name].text, retryAfterMs: number | null = null): void {
    if (!this.leave(name === 'replaced', name === 'ack_timeout')) return
    if (name === 'ack_timeout') this.#hub.stats.ackTimeouts++
    this.connection.close(name, text, retryAfterMs)
  }

  /** Parks what is un-acked and forgets the session; false when that was done before. */
  leave(fenced: boolean, timedOut: boolean): boolean {
    if (this.#gone) return false
    this.#gone = true
    this.#hub.forget(this)
    this.#hub.rooms.gone(this, fenced)
    if (this.#sending !== null) this.#hub.news.left(this.#sending, fenced)
    this.#sending?.close()
    this.#receiving?.close(fenced, timedOut)
    return true
  }
}

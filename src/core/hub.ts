/**
 * The silent core of a node: it is told what happened, and says what to do.
 *
 * Inputs are in the past tense (`bound`, `enqueued`, `paged`, `closed`), or are frames of a client, given to its session; outputs are
 * calls on `Effects` and on the connections. Time is an input too: `clock` before the first input of a turn of the loop, `turn`
 * after the last one, `tick` every 250 ms. Nothing here waits, and nothing here knows what a socket or a database is.
 */
import { refusals } from '../protocol/errors.ts'
import type { Ref, SyncReply } from '../protocol/frames.ts'
import { PROTOCOL_VERSION } from '../protocol/limits.ts'
import {
  streamName,
  type BindResult,
  type EnqueueResult,
  type FencedResult,
  type PageResult,
} from '../protocol/mailbox.ts'
import { isServerId, SERVER_ID } from '../protocol/names.ts'
import type { AppendResult } from '../protocol/rooms.ts'
import { Custody } from './custody.ts'
import { Deadlines, type Due } from './deadlines.ts'
import type { Connection, CoreOptions, Effects, Greeting } from './effects.ts'
import { News } from './news.ts'
import type { Receiving } from './receiving.ts'
import { Remembered } from './remembered.ts'
import { Rooms } from './rooms.ts'
import { Session } from './session.ts'
import { Stats } from './stats.ts'
import { Trace } from './trace.ts'
import type { Upstream } from './upstream.ts'

/** Times that a fresh id may turn out to be taken; more means that the source of randomness is broken. */
const REGISTRATIONS = 3

export class Hub {
  readonly effects: Effects
  /** Limits in it may change while the node runs. */
  options: CoreOptions
  readonly stats = new Stats()
  readonly custody: Custody
  readonly news: News
  readonly rooms: Rooms
  readonly remembered: Remembered
  readonly trace: Trace
  /** Monotonic ms, and ms since the epoch. */
  now = 0
  time = 0
  /** Set while the process cannot keep up: nothing is taken from senders. */
  overloaded = false
  readonly #sessions = new Map<string, Session>()
  readonly #deadlines: Deadlines
  #receipts: Upstream[] = []
  #work: Receiving[] = []
  #later: Receiving[] = []
  #draining = false
  /** Receipts that wait for a mailbox to be asked. */
  readonly #verifying = new Set<Upstream>()
  #unverified: Upstream[] = []

  constructor(effects: Effects, options: CoreOptions) {
    this.effects = effects
    this.options = options
    this.custody = new Custody(this)
    this.news = new News(this)
    this.rooms = new Rooms(this)
    this.remembered = new Remembered(options.rememberedStreams)
    this.trace = new Trace(options.trace ?? 0)
    this.#deadlines = new Deadlines(options.ackTimeoutMs)
  }

  // ── time ────────────────────────────────────────────────────────────────────────────────────────────────────────────

  clock(now: number, time: number): void {
    this.now = now
    this.time = time
  }

  /** The end of a turn of the loop: what was gathered during it goes out, one call or one frame each. */
  turn(): void {
    const work = this.#work
    if (work.length > 0) this.#work = []
    for (const receiving of work) receiving.flush()
    this.rooms.turn()
    this.custody.turn(this.now)
    const receipts = this.#receipts
    if (receipts.length > 0) this.#receipts = []
    for (const up of receipts) up.flush()
    this.remembered.turn()
  }

  tick(): void {
    this.#deadlines.tick(this.now)
    this.custody.tick(this.now)
    this.rooms.tick(this.now)
    const later = this.#later
    this.#later = []
    for (const receiving of later) receiving.touch()
    for (const up of this.#verifying) up.check(this.now)
    for (const up of this.#unverified.splice(0)) up.note()
    if (this.options.pollMs === 0) return
    for (const session of this.#sessions.values()) session.receiving?.poll(this.now)
  }

  /** Has a session looked at when its earliest deadline comes. */
  arm(due: Due, at: number): void {
    this.#deadlines.arm(due, at, this.now)
  }

  /** Has receipts to write at the end of the turn. */
  hasReceipt(up: Upstream): void {
    this.#receipts.push(up)
  }

  /** Has something to ask of the store at the end of the turn. */
  hasWork(receiving: Receiving): void {
    this.#work.push(receiving)
  }

  /** Has something to ask of the store, but not before the next tick. */
  later(receiving: Receiving): void {
    this.#later.push(receiving)
  }

  // ── sessions ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A client said hello, and its token, if it has one, was checked. Its frames are taken once the session is `ready`. */
  hello(connection: Connection, greeting: Greeting): Session {
    const session = new Session(this, connection, greeting)
    const { id, secretHash, nonce, outbox, attempt } = greeting
    if (id === null) this.effects.register(session)
    else if (secretHash === null && isServerId(id)) {
      session.close('unauthorized', `An id that begins like ${SERVER_ID} is the server's own; use another subject.`)
    } else {
      const { node } = this.options
      const proof = secretHash === null ? ({ kind: 'token' } as const) : ({ kind: 'secret', hash: secretHash } as const)
      this.effects.bind(session, { id, proof, create: secretHash === null, node, nonce, outbox, attempt })
    }
    return session
  }

  /** The store has answered a bind; `fresh` is what was made up for a new client. */
  bound(
    session: Session,
    result: BindResult | null,
    fresh: { readonly id: string; readonly secret: string } | null,
  ): void {
    const id = fresh?.id ?? session.claimedId ?? ''
    if (session.gone) {
      if (result?.kind !== 'bound') return
      this.effects.unbind(id, result.token, 0)
      // Whoever is here was fenced for one who is not: he has to come again.
      return this.evicted(id, result.token, 'unavailable')
    }
    switch (result?.kind) {
      case undefined:
        return session.close('unavailable')
      case 'bound':
        return this.#welcome(session, id, result, fresh?.secret)
      case 'unknown':
      case 'taken':
        if (++session.registrations > REGISTRATIONS) session.close('unavailable')
        else this.effects.register(session)
        return
      case 'bad_secret':
        return session.close('bad_secret')
      case 'superseded':
        return session.close('replaced')
      case 'flood':
        return session.close('flood', 'This id changes hands too often; close one of its connections.')
    }
  }

  unbound(result: FencedResult | null): void {
    if (result?.kind === 'ok') this.news.told(result.lost)
  }

  /** The pipe of a session ended by itself. */
  closed(session: Session): void {
    session.leave(false, false)
  }

  /** Another node says that this client went there, and has that token now. */
  evicted(id: string, token: string, reason: 'replaced' | 'unavailable' = 'replaced'): void {
    const session = this.#sessions.get(id)
    if (session !== undefined && isNewer(token, session.token)) session.close(reason)
  }

  /** Another node has put something into this mailbox. */
  woken(id: string): void {
    this.receiving(id)?.arrived()
  }

  /** An operator sends a client away. False: it is not here. */
  kick(id: string): boolean {
    const session = this.#sessions.get(id)
    session?.close('kicked')
    return session !== undefined
  }

  /** The shell has put something into a mailbox, or may have; `owner` is the node that holds the client then, or null. */
  posted(id: string, owner: string | null): void {
    this.receiving(id)?.arrived()
    if (owner !== null && owner !== this.options.node) this.effects.wake(owner, id)
  }

  session(id: string): Session | undefined {
    return this.#sessions.get(id)
  }

  /** The receiving half of a connected client, while it may be given anything. */
  receiving(id: string): Receiving | null {
    const receiving = this.#sessions.get(id)?.receiving
    return receiving?.open === true ? receiving : null
  }

  ids(): IterableIterator<string> {
    return this.#sessions.keys()
  }

  sessions(): IterableIterator<Session> {
    return this.#sessions.values()
  }

  forget(session: Session): void {
    if (this.#sessions.get(session.id) === session) this.#sessions.delete(session.id)
    this.stats.sessions = this.#sessions.size
  }

  /** Stops the live path: every window is parked, and from now on everything is. */
  drain(): void {
    this.#draining = true
    for (const session of this.#sessions.values()) session.receiving?.close(false, false)
  }

  get draining(): boolean {
    return this.#draining
  }

  /** Un-acked messages of all sessions. */
  get windowMessages(): number {
    let sum = 0
    for (const { receiving } of this.#sessions.values()) sum += receiving?.windowSize ?? 0
    return sum
  }

  /** Whether nothing waits for an end, or to be told one. */
  get idle(): boolean {
    return this.custody.empty && this.#receipts.length === 0 && this.#verifying.size === 0
  }

  // ── answers of the store ────────────────────────────────────────────────────────────────────────────────────────────

  enqueued(id: string, result: EnqueueResult | null): void {
    this.custody.enqueued(id, result, this.now)
    const owner = result?.owner ?? null
    if (owner !== null && owner !== this.options.node) this.effects.wake(owner, id)
  }

  /** The answer to an append to a room. */
  appended(room: string, result: AppendResult | null): void {
    this.custody.appended(room, result, this.now)
  }

  paged(session: Session, result: PageResult | null): void {
    if (result?.kind === 'page') {
      for (const { kind } of result.lost) this.stats[kind]++
      this.news.noted(result.lost)
    }
    session.receiving?.paged(result)
  }

  /** What was refused was told when it was, so the store says nothing new here. */
  removed(session: Session, result: FencedResult | null): void {
    session.receiving?.removed(result)
  }

  recalled(session: Session, stream: string, reply: SyncReply | null): void {
    session.receiving?.recalled(stream, reply)
  }

  sync(session: Session, ref: Ref, target: string): void {
    this.effects.sync(session, ref, target, streamName(session.id, session.outbox))
  }

  /** What the mailbox knows of a stream, and what the session of its recipient knows besides (§5.6). */
  synced(session: Session, ref: Ref, target: string, reply: SyncReply | null): void {
    if (session.gone) return
    if (reply === null) return session.connection.error(ref, 'unavailable', refusals.unavailable.text)
    const stream = streamName(session.id, session.outbox)
    const known = this.#complete(target, stream, reply)
    this.custody.learned(target, stream, known)
    session.sending?.synced(target, Math.max(known.last, known.delivered))
    session.connection.reply(ref, known)
  }

  /** A receipt may only be written when the mailbox has said what else ended below it. */
  verify(up: Upstream): void {
    this.#verifying.add(up)
    this.effects.verify(up, this.receiving(up.target))
  }

  /** The store did not answer; it is asked again at the next tick. */
  verifyLater(up: Upstream): void {
    this.#unverified.push(up)
  }

  /** `heard`: the session that the recipient had here when the mailbox was asked. */
  verified(up: Upstream, heard: Receiving | null, reply: SyncReply | null): void {
    this.#verifying.delete(up)
    const known = reply && this.#complete(up.target, up.stream, reply)
    // What it says more than was asked for is told as well: what is still on its way into the mailbox ends with that.
    if (known !== null && up.isLooking && up.open > 0) this.custody.learned(up.target, up.stream, known)
    up.sending.verified(up, known, heard)
  }

  rotated(session: Session, ref: Ref, secret: string | null): void {
    if (session.gone) return
    if (secret === null) session.connection.error(ref, 'unavailable', refusals.unavailable.text)
    else session.connection.reply(ref, { secret })
  }

  /** What the session of a recipient knows besides its mailbox. */
  #complete(target: string, stream: string, reply: SyncReply): SyncReply {
    return this.receiving(target)?.complete(stream, reply) ?? reply
  }

  #welcome(
    session: Session,
    id: string,
    bound: Extract<BindResult, { kind: 'bound' }>,
    secret: string | undefined,
  ): void {
    if (this.#draining) {
      session.close('restart')
      return this.effects.unbind(id, bound.token, 0)
    }
    if (bound.previous !== null && bound.previous !== this.options.node)
      this.effects.evict(bound.previous, id, bound.token)
    const older = this.#sessions.get(id)
    if (older !== undefined && !isNewer(bound.token, older.token)) return session.close('replaced')
    if (older !== undefined) this.stats.takeovers++
    older?.close('replaced')
    session.bind(id, bound.token, bound.resumed, secret !== undefined)
    this.#sessions.set(id, session)
    this.stats.sessions = this.#sessions.size
    const { options, time } = this
    session.connection.welcome({
      v: PROTOCOL_VERSION,
      id,
      ...(secret === undefined ? {} : { secret }),
      resumed: bound.resumed,
      expires: bound.expires,
      parked: bound.parked,
      outbox: session.outbox,
      window: session.window,
      sendWindow: { messages: options.sendWindow, bytes: options.sendWindowBytes },
      maxPacket: options.maxPacket,
      pingInterval: options.pingIntervalMs,
      ackTimeout: options.ackTimeoutMs,
      time,
      node: options.node,
    })
  }
}

/** Tokens of one client count up: `counter:nonce`. */
function isNewer(token: string, than: string): boolean {
  return Number.parseInt(token, 10) > Number.parseInt(than, 10)
}

/**
 * The shell round the core, and the only place of a node that waits: it joins pipes, hub, store and clock.
 *
 * Everything enters the hub inside a turn (`turn.ts`). One timer of 250 ms drives whatever needs time: the hub's tick, calls of the
 * store that take too long, hellos that do not come, answers to guessers, and the rounds in which connections are pinged.
 * Exceptions are caught where the hub is entered, counted and logged; the process lives.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { CoreOptions } from '../core/effects.ts'
import { Hub } from '../core/hub.ts'
import type { Session } from '../core/session.ts'
import type { Store } from '../store/store.ts'
import type { Accept, ForeignPage, Pipe, PipeEvents } from '../transport/transport.ts'
import { SharedDecoder } from '../protocol/codec.ts'
import type { CloseName } from '../protocol/errors.ts'
import { Admission, type AdmissionLimits } from './admission.ts'
import type { Audit, AuditEvent } from './audit.ts'
import type { Pass } from './claims.ts'
import { Clock } from './clock.ts'
import { ClientConnection } from './connection.ts'
import { Counters } from './counters.ts'
import type { Credentials } from './credentials.ts'
import { StoreEffects } from './effects.ts'
import { Expiries } from './expiries.ts'
import { openDoor, type Guard } from './guard.ts'
import { figuresOf } from './api/figures.ts'
import { Guesses } from './guesses.ts'
import { Housekeeping } from './housekeeping.ts'
import { LoopLag } from './lag.ts'
import { errorFields, type Log } from './log.ts'
import type { Revocations } from './revocations.ts'
import { Quota, type Trier } from './quota.ts'
import { networkOf } from './network.ts'
import { Rounds } from './rounds.ts'
import { Slab } from './slab.ts'
import { Sparing } from './sparing.ts'
import { Tally } from './tally.ts'
import type { ConnectionLimits, Surroundings } from './surroundings.ts'
import { Turn } from './turn.ts'
import { Unread } from './unread.ts'
import { Voices } from './voices.ts'

const TICK_MS = 250
/** A tick so late means that the process stood still, and heard nothing through no fault of its peers. */
const STALL_MS = 2_000
/** How long a shutdown waits for the store to take what is held, before and after the clients are sent away, and for them to go. */
const DRAIN_MS = 8_000
const GOODBYE_MS = 3_000
const DRAIN_STEP_MS = 10

/** How many times what one client may do in a minute may come from one network. */
const PASSWORDS_OF_NETWORK = 3
const ROOMS_OF_NETWORK = 10

/** How long it is not said again that a page from there was not let in, ms: a flood must not flood the audit log, too. */
const FOREIGN_MS = 60_000

const EXPIRED = 'The token has expired; fetch a new one and connect again.'
const REVOKED = 'The token was revoked; fetch a new one and connect again.'

export interface GatewayOptions {
  readonly core: CoreOptions
  readonly connections: ConnectionLimits
  readonly admission: AdmissionLimits
  /** Rooms that one client may make in a minute. */
  readonly roomMakingRate: number
  /** Wrong passwords of rooms from one client in a minute. */
  readonly roomPasswordRate: number
  readonly helloTimeoutMs: number
  /** How late the event loop may be before messages go back to their senders, ms. */
  readonly overloadLagMs: number
  /** Whether an id that never connected gets a mailbox when something is sent to it. */
  readonly parksUnknown: boolean
}

/** Closes that concern guard. */
const noted: Partial<Record<CloseName, AuditEvent>> = {
  bad_secret: 'secret_wrong',
  flood: 'flood',
  kicked: 'kicked',
}

interface Delayed {
  readonly connection: ClientConnection
  readonly due: number
}

export class Gateway implements Surroundings {
  readonly hub: Hub
  readonly turn: Turn
  readonly clock = new Clock()
  readonly slab = new Slab()
  readonly decoder = new SharedDecoder()
  readonly voices = new Voices()
  readonly counters = new Counters()
  readonly unread = new Unread()
  limits: ConnectionLimits
  readonly effects: StoreEffects
  readonly credentials: Credentials
  readonly #revocations: Revocations | null
  readonly #audit: Audit
  readonly #log: Log
  #helloTimeoutMs: number
  #overloadLagMs: number
  readonly #admission: Admission
  readonly #guesses = new Guesses()
  readonly #roomGuesses: Quota
  readonly #roomsMade: Quota
  readonly #foreign = new Tally(FOREIGN_MS)
  readonly #faults = new Sparing()
  readonly #troubles = new Sparing()
  readonly #lag = new LoopLag()
  readonly #housekeeping: Housekeeping
  readonly #rounds: Rounds<ClientConnection>
  /** In the order of their coming, so the first to be late is the first here. */
  readonly #strangers = new Set<ClientConnection>()
  readonly #bearers: Expiries<ClientConnection>
  #delayed: Delayed[] = []
  #timer: NodeJS.Timeout | null = null
  #tickedAt = 0
  #awakeSince = 0
  #draining = false

  constructor(store: Store, options: GatewayOptions, log: Log, guard: Guard = openDoor) {
    this.credentials = guard.credentials
    this.#revocations = guard.revocations
    this.#audit = guard.audit
    this.#bearers = new Expiries(this.clock.now)
    this.#log = log
    this.#helloTimeoutMs = options.helloTimeoutMs
    this.#overloadLagMs = options.overloadLagMs
    this.#roomGuesses = new Quota(options.roomPasswordRate, PASSWORDS_OF_NETWORK)
    this.#roomsMade = new Quota(options.roomMakingRate, ROOMS_OF_NETWORK)
    this.limits = options.connections
    this.effects = new StoreEffects(store, this.clock, this)
    this.effects.parksUnknown = options.parksUnknown
    this.hub = new Hub(this.effects, options.core)
    this.turn = new Turn(this.hub, this.clock, this.counters, error => this.failed(error))
    this.effects.attach(this.hub, () => this.turn.begin())
    this.#admission = new Admission(options.admission)
    this.#housekeeping = new Housekeeping(
      store,
      this.hub,
      this.turn,
      () => JSON.stringify(figuresOf(this, store)),
      error => this.storeFailed('sweep', error),
    )
    // Four visits per ping interval, and often enough to see a slow reader in time.
    this.#rounds = new Rounds(Math.min(Math.floor(this.limits.pingIntervalMs / 4 / TICK_MS), 10))
  }

  get draining(): boolean {
    return this.#draining
  }

  /** ms that the event loop is late. */
  get lagMs(): number {
    return this.#admission.lagMs
  }

  /** ms that the event loop may be late before nobody new is let in. */
  get maxLagMs(): number {
    return this.#admission.limits.maxLagMs
  }

  get connections(): number {
    return this.#rounds.size
  }

  start(): void {
    this.#tickedAt = this.clock.now
    this.#lag.start()
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
    this.turn.begin()
    this.hub.rooms.open()
  }

  /** Takes other limits while it runs. What clients are told in their welcome must stay as it was. */
  change(options: GatewayOptions): void {
    this.limits = options.connections
    this.hub.options = options.core
    this.#admission.limits = options.admission
    this.#roomGuesses.perMinute = options.roomPasswordRate
    this.#roomsMade.perMinute = options.roomMakingRate
    this.#helloTimeoutMs = options.helloTimeoutMs
    this.#overloadLagMs = options.overloadLagMs
    this.effects.parksUnknown = options.parksUnknown
  }

  readonly accept: Accept = (pipe: Pipe): PipeEvents => {
    this.turn.begin()
    const connection = new ClientConnection(pipe, this)
    const { connections } = this.counters
    connections[pipe.transport] = (connections[pipe.transport] ?? 0) + 1
    const retryAfterMs = this.#admission.enter(pipe.address, this.clock.now)
    if (this.#draining) connection.close('restart', undefined, this.#admission.spread(1))
    else if (retryAfterMs !== null) connection.close('overloaded', undefined, retryAfterMs)
    else this.#strangers.add(connection)
    this.#rounds.add(connection)
    connection.admitted = retryAfterMs === null
    return connection
  }

  /** A web page was not let in. */
  foreign({ origin, address, transport }: ForeignPage): void {
    this.counters.originsRefused++
    if (this.#foreign.add(`${networkOf(address)} ${origin}`, this.clock.now) > 1) return
    this.#audit.note('origin_refused', { origin, address, transport })
  }

  /**
   * Ends every session so that nothing is lost and everybody is told: parks what is held, sends the receipts, then sends all
   * clients away, to come back spread over time. Resolves within 20 s, whatever the store does.
   */
  async drain(): Promise<void> {
    this.#draining = true
    this.turn.begin()
    this.hub.drain()
    await this.#until(() => this.hub.idle, DRAIN_MS)
    const crowd = this.connections
    for (const connection of this.#rounds.all()) {
      connection.hangUp('restart', undefined, this.#admission.spread(crowd))
    }
    await this.#until(() => this.connections === 0, GOODBYE_MS)
    await this.#until(() => this.hub.idle && this.effects.pending === 0, DRAIN_MS)
    if (!this.hub.idle) this.#log.warn({}, 'the store did not take everything in time; senders will send it again')
  }

  /** Stops all timers. */
  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
    this.#lag.stop()
  }

  // ── for the connections ─────────────────────────────────────────────────────────────────────────────────────────────────────

  greeted(connection: ClientConnection): void {
    this.#strangers.delete(connection)
  }

  gone(connection: ClientConnection): void {
    const { transport, address } = connection.pipe
    this.#strangers.delete(connection)
    this.#rounds.delete(connection)
    this.#bearers.delete(connection)
    this.counters.connections[transport] = (this.counters.connections[transport] ?? 1) - 1
    if (connection.admitted) this.#admission.left(address)
  }

  bears(connection: ClientConnection, pass: Pass): void {
    // The time that is left by the wall clock now; what that one does later ends nobody.
    const left = pass.expires + this.credentials.leewayMs - this.clock.time
    this.#bearers.set(connection, this.clock.now + left)
  }

  closes(connection: ClientConnection, name: CloseName): void {
    this.counters.closes[name]++
    const event = noted[name]
    if (event === undefined) return
    const { id, pipe } = connection
    this.#audit.note(event, { id, address: pipe.address, transport: pipe.transport })
  }

  rotated(id: string): void {
    this.#audit.note('secret_rotated', { id })
  }

  roomMade(room: string, id: string): void {
    this.#audit.note('room_created', { room, id })
  }

  roomDeleted(room: string, id: string): void {
    this.#audit.note('room_deleted', { room, id })
  }

  roomWanted(room: string, session: Session): number | null {
    return this.#attempt(this.#roomsMade, room, session)
  }

  passwordOffered(room: string, session: Session): number | null {
    return this.#attempt(this.#roomGuesses, room, session)
  }

  passwordChecked(room: string, session: Session, right: boolean | null): void {
    const trier = trierOf(session)
    if (right === false) this.#audit.note('room_refused', { ...trier, room, why: 'wrong password' })
    else this.#roomGuesses.takeBack(trier, this.clock.now)
  }

  delays(connection: ClientConnection): boolean {
    const delay = this.#guesses.wrong(connection.pipe.address, connection.id, this.clock.now)
    // At most one for each live connection.
    if (delay > 0) this.#delayed.push({ connection, due: this.clock.now + delay })
    return delay > 0
  }

  failed(error: unknown): void {
    this.counters.exceptions++
    this.#faults.say(this.clock.now, unsaid =>
      this.#log.error({ unsaid, ...errorFields(error) }, 'a fault of this program; please report it'),
    )
  }

  storeFailed(op: string, error: unknown): void {
    this.#troubles.say(this.clock.now, unsaid =>
      this.#log.warn({ op, unsaid, ...errorFields(error) }, 'the store did not do what it was asked'),
    )
  }

  // ── time ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  #tick(): void {
    this.turn.begin()
    const { now } = this.clock
    if (now - this.#tickedAt > STALL_MS) this.#awakeSince = now
    this.#tickedAt = now
    this.#admission.lagMs = this.#lag.read(now)
    this.hub.overloaded = this.lagMs > this.#overloadLagMs
    try {
      this.hub.tick()
      this.effects.tick()
    } catch (error) {
      this.failed(error)
    }
    this.#answerGuessers(now)
    for (const stranger of this.#strangers) {
      if (now - stranger.acceptedAt < this.#helloTimeoutMs) break
      stranger.hangUp('timeout', 'Say hello first, and soon.')
    }
    this.#rounds.tick(connection => connection.visit(now, this.#awakeSince))
    this.#bearers.tick(now, connection => this.#expel(connection, EXPIRED))
    this.#revocations?.tick(now, this.clock.time, this.#expelRevoked)
    this.#housekeeping.tick(now)
  }

  readonly #expelRevoked = (): void => {
    this.turn.begin()
    for (const connection of this.#bearers.all()) {
      const { pass } = connection.bearer
      if (pass !== null && this.credentials.revoked(pass)) this.#expel(connection, REVOKED)
    }
  }

  /** Its token is no longer good. */
  #expel(connection: ClientConnection, why: string): void {
    const { id, pipe } = connection
    this.#audit.note('token_refused', { id, address: pipe.address, transport: pipe.transport, why })
    connection.hangUp('unauthorized', why)
  }

  #attempt(quota: Quota, room: string, session: Session): number | null {
    const trier = trierOf(session)
    const refusal = quota.attempt(trier, this.clock.now)
    if (refusal?.first === true) this.#audit.note('throttled', { ...trier, room })
    return refusal?.waitMs ?? null
  }

  #answerGuessers(now: number): void {
    if (this.#delayed.length === 0) return
    const due = this.#delayed.filter(delayed => delayed.due <= now)
    this.#delayed = this.#delayed.filter(delayed => delayed.due > now)
    for (const { connection } of due) connection.finish()
  }

  async #until(done: () => boolean, limitMs: number): Promise<void> {
    const end = performance.now() + limitMs
    while (!done() && performance.now() < end) await sleep(DRAIN_STEP_MS)
  }
}

function trierOf({ id, connection }: Session): Trier {
  return { id, address: connection instanceof ClientConnection ? connection.pipe.address : '' }
}

/**
 * The effects of the core, over a store: a promise goes out, and its answer comes back as an input of the hub.
 *
 * Every call has one answer. It is null when the store rejects, throws or takes longer than the time limit; what comes after that is
 * dropped. All calls have the same limit, so the order of calling is the order of deadlines: one queue, looked at on every tick, stands
 * for a timer per call. Calls go to the store at once and in order; the store keeps the order per client. The hub bounds how
 * many calls are under way: one of each kind per client.
 */
import type { Effects } from '../core/effects.ts'
import type { Hub } from '../core/hub.ts'
import type { Receiving } from '../core/receiving.ts'
import type { Session } from '../core/session.ts'
import { Histogram } from '../core/stats.ts'
import type { Upstream } from '../core/upstream.ts'
import type { Body, Ref } from '../protocol/frames.ts'
import type { BindRequest, EnqueueResult, Parcel } from '../protocol/mailbox.ts'
import { isClientId } from '../protocol/names.ts'
import type { Store } from '../store/store.ts'
import type { Clock } from './clock.ts'
import { makeId, makeSecret, sha256 } from './fresh.ts'
import { Neighbourhood } from './neighbourhood.ts'
import { Passwords } from './passwords.ts'
import { StoreRoomEffects, type RoomReport } from './room-effects.ts'

/** ms after which a call counts as not answered. */
export const STORE_LIMIT_MS = 2_000

const WRITES: ReadonlySet<string> = new Set([
  ...['register', 'enqueue', 'remove', 'refuse', 'rotate'],
  ...['append', 'create_room', 'delete_room'],
])

/** The calls of one kind that have ended. */
export class CallStats {
  readonly ms = new Histogram()
  failures = 0
}

/** What an answer is given to. */
type Input<Result> = (hub: Hub, result: Result | null) => void

/** A call that is under way. It stays in the queue until the next tick, and keeps nothing alive there once it was answered. */
class Call<Result> {
  readonly op: string
  readonly startedAt = performance.now()
  readonly deadline: number
  /** Null once it was answered. */
  answer: Input<Result> | null

  constructor(op: string, deadline: number, answer: Input<Result>) {
    this.op = op
    this.deadline = deadline
    this.answer = answer
  }
}

/** Told of what goes wrong: the store does not answer, or an input of the hub throws. */
export interface EffectsReport extends RoomReport {
  storeFailed(op: string, error: unknown): void
  failed(error: unknown): void
  /** A client has a new secret. */
  rotated(id: string): void
}

export class StoreEffects implements Effects {
  readonly #store: Store
  readonly #clock: Clock
  readonly #report: EffectsReport
  readonly #calls: Call<never>[] = []
  readonly #neighbourhood: Neighbourhood
  #hub: Hub | null = null
  #begin: () => void = () => undefined
  readonly rooms: StoreRoomEffects
  readonly stats: Record<string, CallStats> = {}
  /** False from a call that was not answered until a write is. */
  up = true
  /** Whether an id that never connected gets a mailbox when something is sent to it. */
  parksUnknown = false

  /** Passwords of rooms are checked one at a time, so that who knocks at rooms keeps nobody waiting who logs in. */
  constructor(store: Store, clock: Clock, report: EffectsReport, passwords = new Passwords(1)) {
    this.#store = store
    this.#clock = clock
    this.#report = report
    this.#neighbourhood = new Neighbourhood(store.neighbours, clock, input => this.#answer(input))
    this.rooms = new StoreRoomEffects(store, this.#neighbourhood, passwords, report, {
      call: (op, start, answer) => this.#call(op, start, answer),
      work: (start, answer) => this.#work(start, answer),
    })
  }

  /** Names the hub that is answered; before any call. `begin` opens a turn of the loop. */
  attach(hub: Hub, begin: () => void): void {
    this.#hub = hub
    this.#begin = begin
    this.#neighbourhood.listen(hub.options.node)
  }

  bind(session: Session, request: BindRequest): void {
    this.#call(
      'bind',
      () => this.#store.bind(request),
      (hub, result) => hub.bound(session, result, null),
    )
  }

  register(session: Session): void {
    const fresh = { id: makeId(), secret: makeSecret() }
    const { nonce, outbox, attempt } = session
    const proof = { kind: 'secret', hash: sha256(fresh.secret) } as const
    const node = this.#attached().options.node
    this.#call(
      'register',
      () => this.#store.bind({ id: fresh.id, proof, create: true, node, nonce, outbox, attempt }),
      (hub, result) => hub.bound(session, result, fresh),
    )
  }

  unbind(id: string, token: string, suspect: number): void {
    this.#call(
      'unbind',
      () => this.#store.unbind(id, token, suspect),
      (hub, result) => hub.unbound(result),
    )
  }

  enqueue(id: string, batch: readonly Parcel[]): void {
    this.#call(
      'enqueue',
      () => (this.parksUnknown ? this.#parkAnyway(id, batch) : this.#store.enqueue(id, batch)),
      (hub, result) => hub.enqueued(id, result),
    )
  }

  page(session: Session, after: number, limit: number, maxBytes: number): void {
    this.#call(
      'page',
      () => this.#store.page(session.id, session.token, after, limit, maxBytes),
      (hub, result) => hub.paged(session, result),
    )
  }

  remove(session: Session, upTo: number): void {
    this.#call(
      'remove',
      () => this.#store.remove(session.id, session.token, upTo),
      (hub, result) => hub.removed(session, result),
    )
  }

  refuse(session: Session, s: number, reason: string): void {
    this.#call(
      'refuse',
      () => this.#store.refuse(session.id, session.token, s, reason),
      (hub, result) => hub.removed(session, result),
    )
  }

  recall(session: Session, stream: string): void {
    this.#call(
      'recall',
      () => this.#store.sync(session.id, stream),
      (hub, reply) => hub.recalled(session, stream, reply),
    )
  }

  sync(session: Session, ref: Ref, target: string, stream: string): void {
    this.#call(
      'sync',
      () => this.#store.sync(target, stream),
      (hub, reply) => hub.synced(session, ref, target, reply),
    )
  }

  verify(up: Upstream, heard: Receiving | null): void {
    this.#call(
      'verify',
      () => this.#store.sync(up.target, up.stream),
      (hub, reply) => hub.verified(up, heard, reply),
    )
  }

  online(session: Session, ref: Ref, ids: readonly string[]): void {
    this.#call(
      'online',
      // Anything may be asked about, but only ids belong into a key.
      () => this.#store.online(ids.filter(isClientId)),
      (_hub, result) => session.online(ref, ids, result),
    )
  }

  rotate(session: Session, ref: Ref): void {
    const secret = makeSecret()
    this.#call(
      'rotate',
      () => this.#store.rotate(session.id, session.token, sha256(secret)),
      (hub, result) => {
        if (result?.kind === 'ok') this.#report.rotated(session.id)
        hub.rotated(session, ref, result?.kind === 'ok' ? secret : null)
      },
    )
  }

  wake(node: string, id: string): void {
    this.#neighbourhood.wake(node, id)
  }

  settled(stream: string, recipient: string): void {
    this.#neighbourhood.settled(stream, recipient)
  }

  evict(node: string, id: string, token: string): void {
    this.#neighbourhood.evict(node, id, token)
  }

  signal(to: string, from: string, body: Body): void {
    this.#neighbourhood.signal(to, from, body, '')
  }

  /** Answers null to what took too long. On every tick. */
  tick(): void {
    const { now } = this.#clock
    const calls = this.#calls
    let passed = 0
    for (const call of calls) {
      if (call.answer !== null) {
        if (call.deadline > now) break
        this.#settle(call, null, new Error(`The store took longer than ${STORE_LIMIT_MS} ms.`))
      }
      passed++
    }
    if (passed > 0) calls.splice(0, passed)
  }

  /** Calls without an answer yet. */
  get pending(): number {
    return this.#calls.reduce((open, { answer }) => (answer === null ? open : open + 1), 0)
  }

  async #parkAnyway(id: string, batch: readonly Parcel[]): Promise<EnqueueResult> {
    const result = await this.#store.enqueue(id, batch)
    if (!result.outcomes.includes('unknown')) return result
    // By a secret that nobody knows: `create` then takes only an id that is fresh, so nobody who came meanwhile is disturbed.
    const proof = { kind: 'secret', hash: sha256(makeSecret()) } as const
    const names = { node: this.#attached().options.node, nonce: makeId(), outbox: makeId() }
    const bound = await this.#store.bind({ id, proof, create: true, attempt: 0, ...names })
    if (bound.kind === 'bound') await this.#store.unbind(id, bound.token, 0)
    return this.#store.enqueue(id, batch)
  }

  #call<Result>(op: string, start: () => Promise<Result>, answer: Input<Result>): void {
    const call = new Call(op, this.#clock.now + STORE_LIMIT_MS, answer)
    this.#calls.push(call)
    begun(start).then(
      result => this.#settle(call, result, null),
      (error: unknown) => this.#settle(call, null, error),
    )
  }

  #settle<Result>(call: Call<Result>, result: Result | null, error: unknown): void {
    const { op, startedAt, answer } = call
    if (answer === null) return
    call.answer = null
    const stats = (this.stats[op] ??= new CallStats())
    stats.ms.add(performance.now() - startedAt)
    // A full disk can still be read, so only a write shows that the store is there again.
    if (result === null || WRITES.has(op)) this.up = result !== null
    if (result === null) {
      stats.failures++
      this.#report.storeFailed(op, error)
    }
    this.#answer(hub => answer(hub, result))
  }

  /** Something that the store has no part in. */
  #work<Result>(start: () => Promise<Result>, answer: (hub: Hub, result: Result | Error) => void): void {
    begun(start).then(
      result => this.#answer(hub => answer(hub, result)),
      (error: unknown) => {
        const failure = error instanceof Error ? error : new Error(String(error))
        this.#answer(hub => answer(hub, failure))
      },
    )
  }

  #answer(input: (hub: Hub) => void): void {
    this.#begin()
    try {
      input(this.#attached())
    } catch (fault) {
      this.#report.failed(fault)
    }
  }

  #attached(): Hub {
    if (this.#hub === null) throw new Error('StoreEffects: attach was not called.')
    return this.#hub
  }
}

/** A store that throws at once is answered like one that rejects: later, since the hub is not to be entered twice. */
function begun<Result>(start: () => Promise<Result>): Promise<Result> {
  try {
    return start()
  } catch (error) {
    return Promise.reject(error instanceof Error ? error : new Error(String(error)))
  }
}

/** One server process of the simulated world: the production hub, with effects that take their time and sometimes fail. */
import { Hub } from '../../src/core/hub.ts'
import type { Effects } from '../../src/core/effects.ts'
import type { RoomEffects } from '../../src/core/room-effects.ts'
import type { Ref } from '../../src/protocol/frames.ts'
import { splitStream, type BindRequest, type Parcel } from '../../src/protocol/mailbox.ts'
import type { Receiving } from '../../src/core/receiving.ts'
import type { Session } from '../../src/core/session.ts'
import type { Upstream } from '../../src/core/upstream.ts'
import { TableRooms } from '../support/room-tables.ts'
import type { Kept } from './kept.ts'
import type { Wire } from './wire.ts'
import { STORE_PATIENCE_MS, type World } from './world.ts'

const TICK_MS = 250
/** ms that a process waits for the store when it is told to end. */
const DRAIN_MS = 2_000

export class Node implements Effects {
  readonly name: string
  readonly world: World
  readonly wires = new Set<Wire>()
  up = true
  /** Counts its lives; what was meant for an earlier one does not reach it. */
  life = 0
  hub: Hub
  /** Over tables, or, where the world stands on a real store, as in production. */
  rooms: RoomEffects
  #pausedUntil = 0
  /** ms by which its clock is ahead. */
  #ahead = 0
  /** The life that is being ended by a signal. */
  #leaving = -1
  /** What reached the process and was not taken yet; it fills while the process is stopped. */
  #heard: ((hub: Hub) => void)[] = []
  #turnPlanned = false
  /** Calls of this life without an answer. */
  #calls = 0
  /** Calls leave in order. */
  #lastCallAt = 0

  constructor(world: World, name: string) {
    this.world = world
    this.name = name
    this.rooms = new TableRooms((operation, answer) => this.#call(() => operation(world.rooms), answer), {
      appended: room => this.#appended(room),
      epoch: () => world.random.word(8),
      time: () => world.time,
      paged: world.scenario.roomPage,
      report: (room, report) => {
        const { lease } = this
        return () => world.rolls.report(room, lease, report)
      },
    })
    this.hub = new Hub(this, { node: name, ...world.coreOptions })
    this.#tick(this.life)
  }

  /** Of this life. */
  get lease(): string {
    return `${this.name}:${this.life}`
  }

  /** Hears of what happened to a room at any node, or does not; or of a process that has died. */
  overhear(input: (hub: Hub) => void): void {
    this.#gossip(this.name, input)
  }

  /** A call to a real store. */
  ask<Result>(start: () => Promise<Result>, answer: (hub: Hub, result: Result | null) => void): void {
    this.#call(start, answer)
  }

  /** Lets something reach the hub, unless the process has died since; a stopped one hears it when it goes on. */
  tell(life: number, input: (hub: Hub) => void): void {
    if (!this.up || this.life !== life) return
    this.#heard.push(input)
    if (this.world.now >= this.#pausedUntil) this.#listen()
  }

  /** Takes what has come, in the order in which it came. */
  #listen(): void {
    this.hub.clock(this.world.now, this.world.time + this.#ahead)
    for (const input of this.#heard.splice(0)) input(this.hub)
    this.#planTurn(this.life)
  }

  /** kill -9, and a new process after a while. */
  kill(ms: number): void {
    if (!this.up) return
    this.up = false
    this.world.died(this.lease)
    this.life++
    this.#heard = []
    for (const wire of [...this.wires]) wire.serverDied()
    this.wires.clear()
    this.world.schedule.after(ms, () => this.heal())
  }

  heal(): void {
    if (this.up) return
    this.up = true
    this.#calls = this.#lastCallAt = 0
    this.#turnPlanned = false
    this.world.started()
    this.hub = new Hub(this, { node: this.name, ...this.world.coreOptions })
    this.#tick(this.life)
  }

  /** SIGTERM: parks what is held, tells what became of it, sends everybody away, and is another process soon after. */
  shutDown(): void {
    const { life } = this
    if (!this.up || this.#leaving === life) return
    this.#leaving = life
    this.tell(life, hub => hub.drain())
    this.#whenIdle(life, DRAIN_MS, () => {
      this.tell(life, hub => {
        for (const session of [...hub.sessions()]) session.close('restart', undefined, 100)
      })
      this.#whenIdle(life, DRAIN_MS, () => this.kill(this.world.random.between(100, 500)))
    })
  }

  /** It cannot keep up for a while, and takes nothing. */
  overload(ms: number): void {
    const { life } = this
    this.tell(life, hub => (hub.overloaded = true))
    this.world.schedule.after(ms, () => this.tell(life, hub => (hub.overloaded = false)))
  }

  /** Somebody sets the clock of its machine. */
  setClock(ahead: number): void {
    this.#ahead = ahead
  }

  /** SIGSTOP, and SIGCONT after a while. */
  pause(ms: number): void {
    const { now, schedule, history } = this.world
    const { life } = this
    this.#pausedUntil = Math.max(this.#pausedUntil, now + ms)
    history.paused(now, this.#pausedUntil)
    schedule.at(this.#pausedUntil, () => {
      if (this.life === life && this.world.now >= this.#pausedUntil) this.#listen()
    })
  }

  bind(session: Session, request: BindRequest): void {
    this.#call(
      kept => kept.bind(request),
      (hub, result) => hub.bound(session, result, null),
    )
  }

  register(session: Session): void {
    const { random } = this.world
    const { nonce, outbox, attempt } = session
    const fresh = { id: random.word(16), secret: random.word(32) }
    const proof = { kind: 'secret', hash: new TextEncoder().encode(fresh.secret) } as const
    const request = { id: fresh.id, proof, create: true, node: this.name, nonce, outbox, attempt }
    this.#call(
      kept => kept.bind(request),
      (hub, result) => hub.bound(session, result, fresh),
    )
  }

  unbind(id: string, token: string, suspect: number): void {
    this.#call(
      kept => kept.unbind(id, token, suspect),
      (hub, result) => hub.unbound(result),
    )
  }

  enqueue(id: string, batch: readonly Parcel[]): void {
    // What is handed to a store is read when the call is made, not when it arrives.
    const parcels = batch.map(({ stream, n, floor, time, expires, body, repeated }) => {
      return { stream, n, floor, time, expires, body, repeated }
    })
    this.#call(
      kept => kept.enqueue(id, parcels),
      (hub, result) => hub.enqueued(id, result),
    )
  }

  page(session: Session, after: number, limit: number, maxBytes: number): void {
    const { id, token } = session
    this.#call(
      kept => kept.page(id, token, after, limit, maxBytes),
      (hub, result) => hub.paged(session, result),
    )
  }

  remove(session: Session, upTo: number): void {
    const { id, token } = session
    this.#call(
      kept => kept.remove(id, token, upTo),
      (hub, result) => hub.removed(session, result),
    )
  }

  refuse(session: Session, s: number, reason: string): void {
    const { id, token } = session
    this.#call(
      kept => kept.refuse(id, token, s, reason),
      (hub, result) => hub.removed(session, result),
    )
  }

  sync(session: Session, ref: Ref, target: string, stream: string): void {
    this.#call(
      kept => kept.sync(target, stream),
      (hub, result) => hub.synced(session, ref, target, result),
    )
  }

  online(): void {}

  signal(): void {}

  rotate(): void {}

  recall(session: Session, stream: string): void {
    this.#call(
      kept => kept.sync(session.id, stream),
      (hub, result) => hub.recalled(session, stream, result),
    )
  }

  verify(up: Upstream, heard: Receiving | null): void {
    this.#call(
      kept => kept.sync(up.target, up.stream),
      (hub, reply) => hub.verified(up, heard, reply),
    )
  }

  wake(node: string, id: string): void {
    this.#gossip(node, hub => hub.woken(id))
  }

  settled(stream: string, recipient: string): void {
    const [from] = splitStream(stream)
    const told = (hub: Hub): void => hub.news.heard(stream, recipient)
    this.#call(
      kept => kept.client(from),
      (_hub, sender) => {
        if (!sender?.node || sender.node === this.name) return
        this.#gossip(sender.node, told)
        if (!this.world.faulty) return
        // It may also come twice, and from another time.
        const { random, schedule } = this.world
        const { node } = sender
        if (random.chance(0.3)) schedule.after(random.between(0, 6_000), () => this.#gossip(node, told))
      },
    )
  }

  evict(node: string, id: string, token: string): void {
    this.#gossip(node, hub => hub.evicted(id, token))
  }

  /** Nodes hear of what others append, or do not. */
  #appended(room: string): void {
    for (const { name } of this.world.nodes) {
      if (name !== this.name) this.#gossip(name, hub => hub.rooms.woken(room))
    }
  }

  #gossip(name: string, input: (hub: Hub) => void): void {
    const { random, schedule, nodes, faulty } = this.world
    const other = nodes.find(node => node.name === name)
    if (other === undefined || (faulty && !this.world.scenario.fair && random.chance(0.25))) return
    const { life } = other
    schedule.after(random.between(1, 20), () => other.tell(life, input))
  }

  #whenIdle(life: number, patienceMs: number, act: () => void): void {
    if (this.life !== life) return
    if (patienceMs <= 0 || (this.hub.idle && this.#calls === 0 && !this.#turnPlanned)) return act()
    this.world.schedule.after(20, () => this.#whenIdle(life, patienceMs - 20, act))
  }

  #planTurn(life: number): void {
    if (this.#turnPlanned) return
    this.#turnPlanned = true
    this.world.schedule.after(this.world.random.between(0, 1), () => this.#turn(life))
  }

  #turn(life: number): void {
    if (this.life !== life) return
    if (this.world.now < this.#pausedUntil) return this.world.schedule.at(this.#pausedUntil, () => this.#turn(life))
    this.#turnPlanned = false
    this.hub.clock(this.world.now, this.world.time + this.#ahead)
    this.hub.turn()
  }

  #tick(life: number): void {
    if (this.life !== life) return
    this.world.schedule.after(TICK_MS, () => {
      this.tell(life, hub => hub.tick())
      this.#tick(life)
    })
  }

  /** A call to the store: it may never arrive, take effect and lose its answer, or be answered too late to be heard. */
  #call<Result>(
    operation: (kept: Kept) => Result | Promise<Result>,
    answer: (hub: Hub, result: Result | null) => void,
  ): void {
    const { world, life } = this
    const { random, schedule } = world
    const faulty = world.faulty && !world.scenario.fair
    let isOver = false
    this.#calls++
    const reply = (result: Result | null): void => {
      if (isOver) return
      isOver = true
      if (this.life === life) this.#calls--
      this.tell(life, hub => answer(hub, result))
    }
    const answered = (result: Result | null): void => {
      if (faulty && random.chance(0.05)) return
      schedule.after(random.between(1, 10), () => reply(result))
    }
    const slow = world.now < world.storeSlowUntil ? random.between(0, world.scenario.fair ? 500 : 2_500) : 0
    this.#lastCallAt = Math.max(this.#lastCallAt + 0.001, world.now + random.between(1, 12) + slow)
    schedule.after(STORE_PATIENCE_MS, () => reply(null))
    schedule.at(this.#lastCallAt, () => {
      // What a process wrote just before it was killed may be on its way still, unless the store died with it.
      if (this.life !== life && (world.scenario.pollMs === 0 || random.chance(0.5))) return
      if (!world.storeUp) return schedule.after(5, () => reply(null))
      if (faulty && random.chance(0.04)) return
      world.told(operation(world.keptBy(this)), answered)
    })
  }
}

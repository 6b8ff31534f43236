/**
 * A connection of the simulated world: in order both ways, with latency; each end learns by itself, and perhaps late, that the other
 * is gone.
 */
import type { Connection, Greeting } from '../../src/core/effects.ts'
import type { Session } from '../../src/core/session.ts'
import type { CloseName, EndReason, ErrorCode } from '../../src/protocol/errors.ts'
import type {
  Body,
  Broadcast,
  HistoryPage,
  JoinOptions,
  MemberEvent,
  Ref,
  ServerVoice,
  WelcomeOptions,
} from '../../src/protocol/frames.ts'
import { streamName } from '../../src/protocol/mailbox.ts'
import { isRoom } from '../../src/protocol/names.ts'
import type { Node } from './node.ts'
import { Promises } from './promises.ts'
import type { World } from './world.ts'

/** What the client end is told besides frames. */
export interface WireEvents extends Omit<ServerVoice, 'broadcast'> {
  gone(): void
}

/** What is not read yet counts as that many bytes: two frames are as much as one who joins a room may leave unread. */
const FRAME_BYTES = 150_000

export class Wire implements Connection {
  readonly #world: World
  readonly #node: Node
  readonly #life: number
  readonly #client: WireEvents
  readonly #promises: Promises
  #session: Session | null = null
  /** What is on its way when the network drops the connection does not arrive. */
  #linkUp = true
  #clientUp = true
  #serverUp = true
  #toClientAt = 0
  #toServerAt = 0
  #unreadFrames = 0

  constructor(world: World, node: Node, client: WireEvents, greeting: Greeting) {
    this.#world = world
    this.#node = node
    this.#life = node.life
    this.#client = client
    this.#promises = new Promises(world)
    node.wires.add(this)
    this.#toServer(hub => {
      this.#session = hub.hello(this, greeting)
    })
  }

  // ── what the client does ────────────────────────────────────────────────────────────────────────────────────────────

  send(n: number, floor: number, target: string, ttl: number, body: Body): void {
    this.#toServer(() => {
      if (this.#session?.ready !== true) return
      if (n > 0) this.#promises.made(target, n, floor)
      this.#session.send(n, floor, target, ttl, body)
    })
  }

  ack(seq: number): void {
    this.#toServer(() => this.#session?.ack(seq))
  }

  nack(seq: number, reason: string): void {
    this.#toServer(() => this.#session?.nack(seq, reason))
  }

  sync(ref: Ref, target: string): void {
    this.#toServer(() => this.#session?.sync(ref, target))
  }

  join(ref: Ref, room: string, options: JoinOptions): void {
    this.#toServer(hub => {
      if (this.#session?.ready === true) hub.rooms.join(this.#session, ref, room, options)
    })
  }

  askMembers(ref: Ref, room: string): void {
    this.#toServer(hub => {
      if (this.#session?.ready === true) hub.rooms.members(this.#session, ref, room, {})
    })
  }

  /** The client closes its end; the server hears of it soon, or much later. */
  hangUp(silently: boolean): void {
    this.#clientUp = false
    this.#serverLearns(silently ? this.#world.random.between(500, 8_000) : this.#latency())
  }

  /** The client takes its leave, and its end closes. */
  bye(): void {
    this.#clientUp = false
    this.#toServer(() => this.#session?.bye())
    this.#serverLearns(this.#latency())
  }

  get node(): Node {
    return this.#node
  }

  /** Lets something happen at the server, if that lives. */
  tell(input: (hub: Node['hub']) => void): void {
    this.#node.tell(this.#life, input)
  }

  /** Whether one of its ends is gone, as nobody who waits may know. */
  get isCut(): boolean {
    return !this.#linkUp || !this.#serverUp
  }

  get unread(): number {
    return this.#unreadFrames * FRAME_BYTES
  }

  // ── what happens to it ──────────────────────────────────────────────────────────────────────────────────────────────

  /** The network drops it; each end learns of that on its own. */
  cut(): void {
    const { random } = this.#world
    this.#linkUp = false
    this.#clientLearns(random.between(0, 50))
    this.#serverLearns(random.chance(0.4) ? random.between(500, 8_000) : random.between(0, 100))
  }

  /** Its client reads nothing for so long, and then everything. A server does not wait for ever. */
  deafen(ms: number, patienceMs: number): void {
    this.#toClientAt = Math.max(this.#toClientAt, this.#world.now) + ms
    this.#world.schedule.after(patienceMs, () => {
      this.tell(() => {
        if (this.#unreadFrames > 0) this.#session?.close('slow')
      })
    })
  }

  /** The process at its other end was killed. */
  serverDied(): void {
    this.#serverUp = false
    this.#promises.void()
    this.#clientLearns(this.#world.random.between(0, 200))
  }

  // ── what the server says ────────────────────────────────────────────────────────────────────────────────────────────

  welcome(options: WelcomeOptions): void {
    this.#toClient(client => client.welcome(options))
  }

  message(seq: number, from: string, outbox: string, n: number, time: number, flags: number, body: Body): void {
    this.#toClient(client => client.message(seq, from, outbox, n, time, flags, body))
  }

  void(seq: number, from: string, outbox: string, n: number, reason: string): void {
    this.#toClient(client => client.void(seq, from, outbox, n, reason))
  }

  delivered(target: string, n: number): void {
    this.#promises.keptUpTo(target, n)
    this.#toClient(client => client.delivered(target, n))
  }

  stored(target: string, n: number): void {
    this.#checkStored(target, n)
    this.#promises.keptUpTo(target, n)
    this.#toClient(client => client.stored(target, n))
  }

  ended(kind: EndReason, target: string, n: number, reason: string): void {
    this.#promises.kept(target, n)
    this.#toClient(client => client.ended(kind, target, n, reason))
  }

  failed(target: string, n: number, code: ErrorCode): void {
    this.#promises.refused(target, n)
    this.#toClient(client => client.failed(target, n, code))
  }

  retry(target: string, n: number, code: ErrorCode, afterMs: number): void {
    this.#promises.refused(target, n)
    this.#toClient(client => client.retry(target, n, code, afterMs))
  }

  reply(ref: Ref, value: unknown): void {
    this.#toClient(client => client.reply(ref, value))
  }

  error(ref: Ref | null, code: ErrorCode, text: string): void {
    this.#toClient(client => client.error(ref, code, text))
  }

  close(name: CloseName, text: string, retryAfterMs: number | null): void {
    this.#toClient(client => client.close(name, text, retryAfterMs))
    this.end()
  }

  end(): void {
    this.#clientLearns(this.#latency())
    this.#serverUp = false
    this.#promises.void()
    this.#node.wires.delete(this)
  }

  room(room: string, offset: number, from: string, outbox: string, n: number, time: number, body: Body): void {
    this.#toClient(client => client.room(room, offset, from, outbox, n, time, body))
  }

  members(room: string, event: MemberEvent, id: string, name: string): void {
    this.#toClient(client => client.members(room, event, id, name))
  }

  broadcast(frames: Broadcast): void {
    frames.say(this)
  }

  history(ref: Ref, page: HistoryPage, maxBytes: number, newest: boolean): void {
    this.#toClient(client => client.history(ref, page, maxBytes, newest))
  }

  signal(): void {}
  ping(): void {}
  pong(): void {}
  unknown(): void {}

  /** I2: the store has what it is said to have, unless a failover has taken it back, or its room was deleted. */
  #checkStored(target: string, n: number): void {
    if (this.#session === null || this.#world.history.failovers > 0 || this.#world.isRemade) return
    const { id, outbox } = this.#session
    const world = this.#world
    const stream = streamName(id, outbox)
    if (isRoom(target)) {
      return world.told(world.takenBy(target, stream), taken => {
        if (taken !== null && taken < n)
          world.history.wrong(`I2: message ${n} to ${target} was told stored and is not in the log`)
      })
    }
    world.told(world.keptBy(this.#node).sync(target, stream), known => {
      if (known !== null && Math.max(known.last, known.delivered) < n)
        world.history.wrong(`I2: message ${n} to ${target} was told stored and is not`)
    })
  }

  #latency(): number {
    return this.#world.random.between(1, 30)
  }

  #toServer(input: (hub: Node['hub']) => void): void {
    this.#toServerAt = Math.max(this.#toServerAt + 0.001, this.#world.now + this.#latency())
    this.#world.schedule.at(this.#toServerAt, () => {
      this.#node.tell(this.#life, hub => {
        if (this.#serverUp && this.#linkUp) input(hub)
      })
    })
  }

  #toClient(frame: (client: WireEvents) => void): void {
    if (!this.#serverUp) return
    this.#toClientAt = Math.max(this.#toClientAt + 0.001, this.#world.now + this.#latency())
    this.#unreadFrames++
    this.#world.schedule.at(this.#toClientAt, () => {
      this.#unreadFrames--
      if (this.#clientUp && this.#linkUp) frame(this.#client)
    })
  }

  #clientLearns(ms: number): void {
    const soon = this.#world.now + ms
    this.#world.schedule.at(this.#linkUp ? Math.max(soon, this.#toClientAt + 0.001) : soon, () => {
      if (!this.#clientUp) return
      this.#clientUp = false
      this.#client.gone()
    })
  }

  #serverLearns(ms: number): void {
    this.#world.schedule.after(ms, () => {
      this.#node.tell(this.#life, hub => {
        if (!this.#serverUp) return
        this.#serverUp = false
        this.#promises.void()
        this.#node.wires.delete(this)
        if (this.#session !== null) hub.closed(this.#session)
      })
    })
  }
}

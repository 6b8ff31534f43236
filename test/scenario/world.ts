/**
 * The world of a story: people, nodes, one store, a clock that only the story moves, and an ear that notes what happens.
 *
 * The nodes run `Hub` and the store runs `MemoryTables`, as they are. Answers of the store come between two lines of the story,
 * unless the story says otherwise.
 */
import type { CoreOptions } from '../../src/core/effects.ts'
import { splitStream } from '../../src/protocol/mailbox.ts'
import { RoomTables, type RoomSnapshot } from '../../src/store/memory/rooms.ts'
import { MemoryTables, type Snapshot } from '../../src/store/memory/tables.ts'
import { defaultStoreLimits, type StoreLimits } from '../../src/store/store.ts'
import { defaultRoomLimits, type RoomLimits } from '../../src/store/room-store.ts'
import { areOfOneRoom } from '../../src/protocol/rooms.ts'
import type { Body } from '../../src/protocol/frames.ts'
import { RollTables } from '../support/roll-tables.ts'
import { Node } from './node.ts'
import { Person } from './person.ts'
import { fromMs } from './units.ts'

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] }
export type StoreMood = 'prompt' | 'slow' | 'away' | 'deaf'

const TICK_MS = 250
/** ms of a pause that go by tick by tick; what is left of a longer one is one leap. */
const CLOSELY_MS = 300_000
/** Calls that one line may cause; more of them are a circle. */
const MOST_CALLS = 10_000
const EPOCH = Date.UTC(2026, 0, 1)
/** ms for which a process that was killed counts as living. */
const LEASE_MS = 15_000

/** A call on its way to the store. */
export interface Call {
  readonly node: Node
  /** Takes effect, and answers unless `deaf`. */
  run(deaf: boolean): void
  /** Takes no effect, and is answered with null. */
  fail(): void
}

export class World {
  readonly limits: Mutable<StoreLimits> = { ...defaultStoreLimits }
  readonly roomLimits: Mutable<RoomLimits> = { ...defaultRoomLimits }
  readonly options: Mutable<Omit<CoreOptions, 'node'>> = {
    ackTimeoutMs: 30_000,
    window: 256,
    windowBytes: 1024 * 1024,
    sendWindow: 64,
    sendWindowBytes: 256 * 1024,
    heldBytes: 64 * 1024 * 1024,
    newRecipients: 200,
    rememberedStreams: 1_000,
    soleOwner: false,
    pollMs: 0,
    roomsPerConnection: 128,
    roomMessages: 1_000,
    maxPacket: 1024 * 1024,
    pingIntervalMs: 15_000,
  }
  readonly tables: MemoryTables
  readonly rooms: RoomTables
  readonly rolls: RollTables
  /** Counts the rooms that were made, and the nodes. */
  made = 0
  lives = 0
  /** Whether a word from one node reaches another. */
  hearing = true
  mood: StoreMood = 'prompt'
  now = 1_000_000
  #copy: { readonly mail: Snapshot; readonly rooms: RoomSnapshot } | null = null
  #events: string[] = []
  #passingSince = 0
  /** By lease: when its node was killed. */
  readonly #killed = new Map<string, number>()
  readonly #people = new Map<string, Person>()
  readonly #nodes = new Map<string, Node>()
  readonly #calls: Call[] = []

  constructor() {
    this.tables = new MemoryTables(this.limits, () => this.time)
    this.rooms = new RoomTables(this.roomLimits, () => this.time)
    this.rolls = new RollTables({
      clock: () => this.time * 1_000,
      knows: (name, epoch) =>
        this.rooms.list('', Infinity, true).some(one => one.room === name && areOfOneRoom(one.epoch, epoch)),
      lives: lease => this.now < (this.#killed.get(lease) ?? Infinity) + LEASE_MS,
      changed: (room, news) => this.#tellAll(({ hub }) => hub.rooms.heard(room, news)),
    })
  }

  /** ms since the epoch. */
  get time(): number {
    return EPOCH + this.now
  }

  /** Whether limits may still be set. */
  get untouched(): boolean {
    return this.#nodes.size === 0
  }

  // ── who there is ────────────────────────────────────────────────────────────────────────────────────────────────────

  person(name: string): Person {
    const known = this.#people.get(name)
    if (known !== undefined) return known
    const person = new Person(this, name)
    this.#people.set(name, person)
    return person
  }

  node(name: string): Node {
    const known = this.#nodes.get(name)
    if (known !== undefined) return known
    const node = new Node(this, name)
    node.hub.clock(this.now, this.time)
    this.#nodes.set(name, node)
    return node
  }

  /** What a story calls the owner of an id. */
  nameOf(id: string): string {
    for (const person of this.#people.values()) if (person.ids.includes(id)) return person.name
    return id
  }

  /** `m3 from Alice's phone`, to whoever gets it. */
  letter(stream: string, n: number): string {
    const [from, outbox] = splitStream(stream)
    const device = /^(?!usual)(\w+)-outbox$/.exec(outbox)?.[1]
    return `m${n} from ${this.nameOf(from)}${device === undefined ? '' : `'s ${device}`}`
  }

  // ── what happens ────────────────────────────────────────────────────────────────────────────────────────────────────

  say(event: string): void {
    this.#events.push(this.#passingSince === 0 ? event : `after ${fromMs(this.now - this.#passingSince)}: ${event}`)
  }

  /** What was said since the last time. */
  heard(): readonly string[] {
    return this.#events.splice(0)
  }

  /** On its way to the store, behind what was asked before. */
  call(call: Call): void {
    this.#calls.push(call)
  }

  /** Lets everything come to rest that needs no time. */
  settle(): void {
    this.#turn()
    if (this.mood !== 'slow') this.answer()
  }

  /** The store takes what waits for it, and whatever comes of that, up to that many calls. */
  answer(most = Infinity): void {
    for (let count = 0; this.#calls.length > 0 && count < most; count++) {
      if (count > MOST_CALLS) throw new Error('the nodes and the store keep each other busy without end')
      const call = this.#calls.shift()
      if (call === undefined || !call.node.up) continue
      if (this.mood === 'away') call.fail()
      else call.run(this.mood === 'deaf')
      this.#turn()
    }
  }

  pass(ms: number): void {
    const since = this.now
    const end = since + ms
    this.#passingSince = since
    while (this.now < end) {
      const step = this.now - since < CLOSELY_MS ? TICK_MS : end - this.now
      this.now = Math.min(end, this.now + step)
      const lapsed = [...this.#killed].filter(([, at]) => at + LEASE_MS > since && at + LEASE_MS <= this.now)
      for (const { hub } of this.#nodes.values()) {
        hub.clock(this.now, this.time)
        if (lapsed.length > 0) hub.rooms.missed(null)
        hub.tick()
      }
      for (const [lease] of lapsed) this.#killed.set(lease, -Infinity)
      this.settle()
    }
    this.#passingSince = 0
  }

  /** kill -9; a new process of the same name is there at once. */
  kill(name: string): void {
    const killed = this.node(name)
    killed.up = false
    this.#killed.set(killed.lease, this.now)
    this.#nodes.delete(name)
    for (const person of this.#people.values()) person.lose(killed)
  }

  sweep(): void {
    this.rooms.sweep()
    const lost = this.tables.sweep()
    for (const { recipient, stream, n, kind } of lost)
      this.say(`${this.letter(stream, n)} becomes ${kind} in the mailbox of ${this.nameOf(recipient)}`)
    for (const { hub } of this.#nodes.values()) hub.news.told(lost)
  }

  /** Something was appended by one node; the others hear of it. */
  appended(by: Node, room: string): void {
    if (!this.hearing) return
    for (const node of this.#nodes.values()) if (node !== by) node.hub.rooms.woken(room)
  }

  /** Somebody at one node signals; the others hear of it. */
  signalled(by: Node, room: string, from: string, body: Body, epoch: string): void {
    this.#tellAll(node => node !== by && node.hub.rooms.signalled(room, from, body, epoch))
  }

  copy(): void {
    this.#copy = { mail: this.tables.snapshot(), rooms: this.rooms.snapshot() }
  }

  fallBack(): void {
    if (this.#copy === null) throw new Error('there is no copy to fall back to; say that the store is copied first')
    this.tables.restore(this.#copy.mail)
    this.rooms.restore(this.#copy.rooms)
  }

  #tellAll(input: (node: Node) => unknown): void {
    if (this.hearing) for (const node of this.#nodes.values()) input(node)
  }

  #turn(): void {
    for (const { hub } of this.#nodes.values()) hub.turn()
  }
}

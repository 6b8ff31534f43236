/**
 * A seeded world around the production core: nodes, one store, clients, and everything that goes wrong between them.
 *
 * The nodes run `Hub`, the store runs `MemoryTables`, the clients run `Outbox` and `Inbox`, all as they are in production. The world
 * supplies what they are without: time, latency, a network that cuts and keeps half-open, calls that get lost on either way.
 *
 * It can also stand on a real store: then its time stands still while that answers.
 */
import type { CoreOptions } from '../../src/core/effects.ts'
import type { Body } from '../../src/protocol/frames.ts'
import { areOfOneRoom, type RoomPage, type RoomSettings } from '../../src/protocol/rooms.ts'
import { RoomTables, type RoomSnapshot } from '../../src/store/memory/rooms.ts'
import { MemoryTables, type Snapshot } from '../../src/store/memory/tables.ts'
import type { RoomStore } from '../../src/store/room-store.ts'
import { defaultStoreLimits, type StoreLimits } from '../../src/store/store.ts'
import { RollTables, type RollSnapshot } from '../support/roll-tables.ts'
import { disturb, judgeCircle, judgeTold } from './disturb.ts'
import { enliven } from './enliven.ts'
import { History } from './history.ts'
import type { Kept, OpenStore } from './kept.ts'
import { Node } from './node.ts'
import { Person } from './person.ts'
import { Random } from './random.ts'
import { ROOM } from './reader.ts'
import type { Scenario } from './scenarios.ts'
import { Schedule } from './schedule.ts'
import { Speaker } from './speaker.ts'

/** ms for which a process that was killed counts as living. */
const LEASE_MS = 5_000
/** ms that a node waits for an answer of the store. */
export const STORE_PATIENCE_MS = 1_500
const decoder = new TextDecoder()
/** A page with everything. */
const WHOLE = { after: 0, limit: 1e6, maxBytes: 1e9 } as const
/** The first epoch of the room that is made anew. */
const SECOND = 'second'
const EPOCH = Date.UTC(2026, 0, 1)

export class World {
  readonly scenario: Scenario
  readonly random: Random
  readonly schedule = new Schedule()
  readonly history = new History()
  readonly tables: MemoryTables
  readonly rooms: RoomTables
  readonly rolls: RollTables
  readonly nodes: Node[]
  readonly people: Person[]
  readonly speakers: Speaker[]
  readonly healAt: number
  storeUp = true
  storeSlowUntil = 0
  /** The room is another one than it was. */
  isRemade = false
  /** ms by which the clock of the store is ahead: that of a new master is another one. */
  #storeAhead = 0
  #snapshot: { readonly mail: Snapshot; readonly rooms: RoomSnapshot; readonly rolls: RollSnapshot } | null = null
  /** Leases that have lapsed. */
  readonly #lapsed = new Set<string>()
  #kept: readonly Kept[] = []
  #realLogs: RoomStore | null = null
  /** The log of the room, as a real store had it when it was looked at last. */
  #read: RoomPage | null = null
  /** What has to be answered before time goes on. */
  #asked: Promise<void>[] = []

  constructor(seed: number, scenario: Scenario) {
    this.scenario = scenario
    this.random = new Random(seed)
    this.healAt = this.schedule.now + scenario.faultyMs
    this.tables = new MemoryTables(this.#limits, () => this.time + this.#storeAhead)
    this.rooms = new RoomTables(defaultStoreLimits.rooms, () => this.time)
    this.rolls = new RollTables({
      clock: () => (this.time + this.#storeAhead) * 1_000,
      knows: (name, epoch) =>
        this.rooms.list('', 1, true).some(one => one.room === name && areOfOneRoom(one.epoch, epoch)),
      lives: lease => !this.#lapsed.has(lease),
      changed: (room, news) => {
        for (const node of this.nodes) node.overhear(hub => hub.rooms.heard(room, news))
      },
    })
    this.nodes = Array.from({ length: scenario.nodes }, (_, index) => new Node(this, `node${index}`))
    this.people = Array.from({ length: scenario.clients }, (_, index) => new Person(this, index))
    this.speakers = Array.from({ length: scenario.speakers }, (_, index) => new Speaker(this, index))
  }

  get now(): number {
    return this.schedule.now
  }

  get #limits(): StoreLimits {
    const { mailboxMessages, headAttempts } = this.scenario
    return { ...defaultStoreLimits, replacementsPerMinute: 1_000, mailboxMessages, headAttempts }
  }

  /** ms since the epoch. */
  get time(): number {
    return EPOCH + this.schedule.now
  }

  get faulty(): boolean {
    return this.now < this.healAt
  }

  get coreOptions(): Omit<CoreOptions, 'node'> {
    const { ackTimeoutMs, window, sendWindow, pollMs, rememberedStreams } = this.scenario
    const { heldBytes, windowBytes, sendWindowBytes, newRecipients } = this.scenario
    return {
      ackTimeoutMs,
      window,
      windowBytes,
      sendWindow,
      sendWindowBytes,
      heldBytes,
      newRecipients,
      rememberedStreams,
      roomsPerConnection: 128,
      roomMessages: 1_000,
      soleOwner: pollMs === 0,
      pollMs,
      maxPacket: 1024 * 1024,
      pingIntervalMs: 15_000,
    }
  }

  /** Runs until every message has arrived and everything is at rest, or the time is up; then says what is wrong. */
  run(): string[] {
    this.#begin()
    while (this.now < this.#end && this.schedule.step()) {
      if (this.#isDone() && this.tables.mailboxes('', 1).length === 0) break
    }
    if (this.scenario.room) this.#judgeRoom()
    if (this.scenario.fair) judgeTold(this)
    for (const speaker of this.speakers) speaker.judge()
    return this.history.judge(this.people, this.tables.mailboxes('', 100))
  }

  /** The same on real stores. No failovers: they would be those of a real Redis. */
  async runOn(open: OpenStore): Promise<string[]> {
    const stores = await Promise.all(this.nodes.map((_, index) => open(index, this.#limits, () => this.time)))
    this.#kept = stores.map(({ kept }) => kept)
    for (const [index, node] of this.nodes.entries()) node.rooms = stores[index]?.effects(node) ?? node.rooms
    const mailboxes = this.#kept[0]?.mailboxes ?? (() => [])
    const log = stores[0]?.rooms
    this.#realLogs = log ?? null
    if (this.scenario.room) await log?.create(ROOM, this.#roomSettings)
    this.#begin()
    while (this.now < this.#end && this.schedule.step()) {
      for (const asked of this.#asked.splice(0)) await asked
      const isLooked = this.#isLooked()
      if (isLooked && this.scenario.room) this.#read = (await log?.page(ROOM, WHOLE).catch(() => null)) ?? this.#read
      if (isLooked && this.#isDone() && (await mailboxes('', 1)).length === 0) break
    }
    if (this.scenario.room) this.#judgeRoom()
    return this.history.judge(this.people, await mailboxes('', 100))
  }

  /** What a node keeps things in. */
  keptBy(node: Node): Kept {
    return this.#kept[this.nodes.indexOf(node)] ?? this.tables
  }

  /** The highest number of a stream that the log of a room has taken. */
  takenBy(room: string, stream: string): number | Promise<number> {
    return this.#realLogs?.taken(room, stream) ?? this.rooms.taken(room, stream)
  }

  /** Hands on what a store answers: at once, or while time stands still. Null: it did not. */
  told<Value>(answer: Value | Promise<Value>, then: (value: Value | null) => void): void {
    if (!(answer instanceof Promise)) return then(answer)
    this.#asked.push(answer.then(then, () => then(null)))
  }

  /** A process was killed; for a while nobody knows. */
  died(lease: string): void {
    this.schedule.after(LEASE_MS, () => {
      this.#lapsed.add(lease)
      for (const node of this.nodes) node.overhear(hub => hub.rooms.missed(null))
    })
  }

  get #end(): number {
    return this.healAt + this.scenario.quietMs
  }

  /** What the log of the room holds, by offset. */
  get #log(): ReadonlyMap<number, string> {
    const page = this.#kept.length > 0 ? this.#read : this.rooms.page(ROOM, WHOLE)
    return new Map(page?.entries.map(({ offset, body }) => [offset, textOf(body)]))
  }

  /** Whether the log of the room has whatever that person has written to it. */
  hasAllOf(person: Person): boolean {
    return this.#unpublished(this.#log, [person]).length === 0
  }

  /** What was published and is not in the log. */
  #unpublished(log: ReadonlyMap<number, string>, by: readonly Person[] = this.people): readonly string[] {
    const letters = new Set(log.values())
    return by
      .flatMap(({ saidIn }) => [...saidIn])
      .filter(([letter, epoch]) => !letters.has(letter) && (!this.isRemade || areOfOneRoom(epoch, SECOND)))
      .map(([letter]) => letter)
  }

  #roomIsDone(): boolean {
    if (this.scenario.remade !== false && !this.isRemade) return false
    if (this.scenario.remade === 'closed') return this.people.every(({ reader }) => reader?.isIn === false)
    const log = this.#log
    return (
      this.#unpublished(log).length === 0 &&
      this.#remaining.every(({ reader }) => reader?.isUpToDate(log.size) === true) &&
      this.#misjudged().length === 0
    )
  }

  get #remaining(): readonly Person[] {
    return this.people.filter(({ retired }) => !retired)
  }

  /** Whoever believes that others are in the room than everybody, who are. */
  #misjudged(): readonly string[] {
    const everybody = this.#remaining.flatMap(({ id }) => id ?? []).sort()
    return this.#remaining.flatMap(({ name, reader }) => {
      const present = reader?.present ?? []
      return present.join() === everybody.join()
        ? []
        : `${name} has ${present.join()} in ${ROOM}, of ${everybody.join()}`
    })
  }

  /** Everything that was published is in the log once, and everybody has read it. */
  #judgeRoom(): void {
    const log = this.#log
    if (this.scenario.remade === 'closed') {
      for (const letter of log.values()) this.history.wrong(`access: ${letter} is in a ${ROOM} that nobody may enter`)
      for (const { name, reader } of this.people)
        if (reader?.isIn === true) this.history.wrong(`access: ${name} is in a ${ROOM} that nobody may enter`)
      return
    }
    if (this.scenario.remade === 'open') judgeCircle(this, log.values(), SECOND)
    if (new Set(log.values()).size < log.size) this.history.wrong(`repeat: a message is in ${ROOM} twice`)
    for (const letter of this.#unpublished(log)) this.history.wrong(`loss: ${letter} is not in the log`)
    for (const misjudged of this.#misjudged()) this.history.wrong(misjudged)
    for (const { name, reader } of this.#remaining) {
      reader?.judge(log)
      if (reader?.isUpToDate(log.size) !== true) this.history.wrong(`loss: ${name} has not read all of ${ROOM}`)
    }
  }

  #begin(): void {
    if (this.scenario.room) this.rooms.create(ROOM, this.#roomSettings)
    for (const person of [...this.people, ...this.speakers]) person.start()
    if (this.scenario.remade !== false) this.schedule.at(this.random.between(2_000, this.healAt), () => this.#remake())
    this.#trouble()
    this.#remember()
  }

  get #roomSettings(): RoomSettings {
    return { owner: '', private: false, password: '', messages: 1_000, epoch: 'first', created: this.time }
  }

  /** Somebody deletes the room and makes another one, of which nodes hear or do not. */
  #remake(): void {
    this.isRemade = true
    this.rooms.delete(ROOM, this.#roomSettings.epoch)
    const isClosed = this.scenario.remade === 'closed'
    this.rooms.create(ROOM, { ...this.#roomSettings, owner: 'somebody else', private: isClosed, epoch: SECOND })
    for (const node of this.nodes) node.overhear(hub => hub.rooms.woken(ROOM))
  }

  /** A node starts: the store too, where it is part of that process. */
  started(): void {
    if (this.coreOptions.soleOwner) this.#startAgain()
  }

  /** The store is served by another server or process, which has lost nothing and cannot know it. */
  #startAgain(): void {
    this.rooms.restore(this.rooms.snapshot())
  }

  /** Now and then only. */
  #isLooked(): boolean {
    return this.schedule.events % 64 === 0
  }

  #isDone(): boolean {
    if (this.scenario.retires && this.#remaining.length === this.people.length) return false
    if (this.faulty || !this.#isLooked() || ![...this.people, ...this.speakers].every(({ done }) => done)) return false
    if (this.scenario.room && !this.#roomIsDone()) return false
    if (this.scenario.fair && this.people.some(({ untold }) => untold > 0)) return false
    return this.history.missing(this.people).next().done === true
  }

  /** Copies of the store are taken now and then; a failover goes back to one of them. */
  #remember(): void {
    if (!this.faulty) return
    // A failover that forgets who is registered changes addresses; that is another story than losing messages.
    if (this.people.every(({ id }) => id !== null)) {
      this.#snapshot = { mail: this.tables.snapshot(), rooms: this.rooms.snapshot(), rolls: this.rolls.snapshot() }
    }
    this.schedule.after(this.random.between(50, 600), () => this.#remember())
  }

  #trouble(): void {
    const { random, schedule } = this
    schedule.after(random.between(200, 1_400), () => {
      if (!this.faulty) return this.#heal()
      this.#strike()
      this.#trouble()
    })
  }

  #heal(): void {
    this.storeUp = true
    // Whoever leaves for good just after it must not be believed to be where the store had him before.
    if (this.scenario.retires && this.random.chance(0.5)) this.#failOver()
    if (this.scenario.retires) this.people.at(-1)?.retire()
    for (const node of this.nodes) node.heal()
  }

  /** The store falls back to an earlier state, or, where it does not, is only served anew. */
  #failOver(): void {
    if (!this.scenario.failover || this.#snapshot === null) return this.#startAgain()
    this.history.failovers++
    this.tables.restore(this.#snapshot.mail)
    this.rooms.restore(this.#snapshot.rooms)
    this.rolls.restore(this.#snapshot.rolls)
    this.#storeAhead = this.random.between(-5_000, 5_000)
  }

  #strike(): void {
    const { random, schedule } = this
    const node = random.pick(this.nodes)!
    const person = random.pick(this.people)!
    if (this.scenario.fair) return disturb(this, person, node)
    if (this.scenario.lively && random.chance(0.5)) return enliven(this, person)
    if (this.speakers.length > 0 && random.chance(0.3)) return random.pick(this.speakers)?.wire?.cut()
    switch (random.between(0, this.scenario.rough ? 17 : 14)) {
      case 0:
      case 1:
        return node.kill(random.between(200, 3_000))
      case 2:
      case 3:
      case 4:
        return person.wire?.cut()
      case 5:
        return person.abandon()
      case 6:
        return person.stall(random.between(100, 5_000))
      case 7:
        this.storeUp = false
        return schedule.after(random.between(200, 4_000), () => (this.storeUp = true))
      case 8:
        return this.#failOver()
      case 9:
        return node.pause(random.between(200, 4_000))
      case 12:
        return person.restart()
      case 13:
        return node.shutDown()
      case 14:
        return node.overload(random.between(100, 2_000))
      case 15:
        for (const one of this.nodes) if (one === node || random.chance(0.5)) one.kill(random.between(200, 3_000))
        return
      case 16:
        return node.setClock(random.between(-600_000, 600_000))
      case 17:
        this.#storeAhead = random.between(-600_000, 600_000)
        return
      case 10:
        this.storeSlowUntil = this.now + random.between(200, 3_000)
        return
      default:
        return person.stall(random.between(100, 1_000))
    }
  }
}

function textOf({ bytes, start, end }: Body): string {
  return decoder.decode(bytes.subarray(start, end))
}

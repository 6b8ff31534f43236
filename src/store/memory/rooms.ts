/**
 * The rooms as plain maps and arrays: every rule of `room-store.ts`, written to be read.
 *
 * As with mailboxes, `RoomTables` does at once what the method of the same name of `RoomStore` promises, so that a simulation can run
 * the rules without waiting and roll them back as a failover does; `MemoryRooms` puts promises around it.
 */
import type {
  Appended,
  AppendResult,
  Created,
  EndedEpoch,
  RoomEntry,
  RoomPage,
  RoomParcel,
  RoomQuery,
  RoomRecord,
  RoomSettings,
} from '../../protocol/rooms.ts'
import { splitStream } from '../../protocol/mailbox.ts'
import { RoomTally } from '../room-tally.ts'
import { ENDED_EPOCHS, epochUnder, isEpochOf, type RoomLimits, type RoomStore } from '../room-store.ts'

/** Rooms looked at by one sweep. */
const SWEEP_STEP = 1_000

interface Room {
  readonly name: string
  readonly settings: RoomSettings
  epoch: string
  ended: readonly EndedEpoch[]
  /** The term in which it was used last. */
  term: number
  last: number
  /** Oldest first, without holes, the newest at `last`. */
  log: RoomEntry[]
  /** The highest number taken of each stream, the least recently used one first. */
  streams: Map<string, number>
}

/** All there is, at one moment; only `restore` of the tables that made it can use it. */
export type RoomSnapshot = ReadonlyMap<string, Readonly<Room>>

/** Entries and bodies are never changed, so they are shared. */
function copyRooms(rooms: RoomSnapshot): Map<string, Room> {
  return new Map(
    Array.from(rooms, ([name, room]) => [name, { ...room, log: [...room.log], streams: new Map(room.streams) }]),
  )
}

function firstOf({ last, log }: Room): number {
  return last + 1 - log.length
}

function recordOf(room: Room): RoomRecord {
  const { name, settings, epoch, ended, last } = room
  return { ...settings, room: name, epoch, ended, first: firstOf(room), last }
}

/** As many of them, from the first one on, as fit; but always one. */
function fitting(entries: readonly RoomEntry[], { limit, maxBytes }: RoomQuery): RoomEntry[] {
  let bytes = 0
  const beyond = entries.findIndex(({ body }, index) => {
    bytes += body.end - body.start
    return index === limit || (index > 0 && bytes > maxBytes)
  })
  return entries.slice(0, beyond < 0 ? entries.length : beyond)
}

export class RoomTables {
  readonly #limits: RoomLimits
  readonly #clock: () => number
  #rooms = new Map<string, Room>()
  /** Counts the times that messages may have been lost. */
  #term = 0
  /** The room after which the next sweep goes on. */
  #swept = ''

  /** `clock` tells ms since the epoch. */
  constructor(limits: RoomLimits, clock: () => number) {
    this.#limits = limits
    this.#clock = clock
  }

  snapshot(): RoomSnapshot {
    return copyRooms(this.#rooms)
  }

  /** A snapshot can be restored any number of times; each time the logs may have lost their ends. */
  restore(snapshot: RoomSnapshot): void {
    this.#rooms = copyRooms(snapshot)
    this.#term++
  }

  create(name: string, settings: RoomSettings): Created {
    const known = this.#rooms.get(name)
    if (known !== undefined) return known.settings.epoch === settings.epoch ? 'created' : 'exists'
    const owners = Array.from(this.#rooms.values(), room => room.settings.owner)
    const refusal = new RoomTally(owners).refusal(settings.owner, this.#limits)
    if (refusal !== null) return refusal
    const { epoch } = settings
    this.#rooms.set(name, {
      name,
      settings,
      epoch,
      ended: [],
      term: this.#term,
      last: 0,
      log: [],
      streams: new Map(),
    })
    return 'created'
  }

  delete(name: string, epoch: string): boolean {
    const known = this.#rooms.get(name)
    return known !== undefined && isEpochOf(known.settings.epoch, epoch) && this.#rooms.delete(name)
  }

  find(name: string): RoomRecord | null {
    const room = this.#use(name)
    return room === null ? null : recordOf(room)
  }

  list(after: string, limit: number, hidden: boolean): readonly RoomRecord[] {
    const names = [...this.#rooms.keys()].sort().filter(name => name > after)
    return names
      .flatMap(name => this.#rooms.get(name) ?? [])
      .filter(({ settings }) => hidden || !settings.private)
      .slice(0, limit)
      .map(recordOf)
  }

  append(name: string, batch: readonly RoomParcel[], epoch?: string): AppendResult {
    const room = this.#use(name)
    if (room === null) return { kind: 'no_such_room' }
    if (epoch !== undefined && !isEpochOf(room.settings.epoch, epoch)) return { kind: 'another_room' }
    const outcomes = batch.map(parcel => this.#append(room, parcel))
    this.#retain(room)
    return { kind: 'appended', outcomes, epoch: room.epoch, last: room.last }
  }

  page(name: string, query: RoomQuery): RoomPage | null {
    const room = this.#use(name)
    if (room === null) return null
    const { after, before = Infinity, from } = query
    const wanted = room.log.filter(
      ({ offset, stream }) =>
        offset > (after ?? 0) && offset < before && (from === undefined || splitStream(stream)[0] === from),
    )
    const entries = after === undefined ? fitting(wanted.reverse(), query).reverse() : fitting(wanted, query)
    const { epoch, ended, last } = room
    return { entries, epoch, ended, first: firstOf(room), last }
  }

  taken(name: string, stream: string): number {
    return this.#rooms.get(name)?.streams.get(stream) ?? 0
  }

  sweep(): void {
    const names = [...this.#rooms.keys()].sort().filter(name => name > this.#swept)
    const step = names.slice(0, SWEEP_STEP)
    this.#swept = names.length > SWEEP_STEP ? (step.at(-1) ?? '') : ''
    for (const name of step) {
      const room = this.#rooms.get(name)
      if (room !== undefined) this.#retain(room)
    }
  }

  /** The room, with a new epoch if messages may have been lost since it was used last. */
  #use(name: string): Room | null {
    const room = this.#rooms.get(name)
    if (room === undefined) return null
    if (room.term !== this.#term) {
      room.ended = [...room.ended, { epoch: room.epoch, last: room.last }].slice(-ENDED_EPOCHS)
      room.epoch = epochUnder(room.settings.epoch, String(this.#term))
      room.term = this.#term
    }
    return room
  }

  #append(room: Room, { stream, n, floor, time, body }: RoomParcel): Appended {
    const last = room.streams.get(stream) ?? 0
    if (n <= last) return 'stored'
    const next = Math.max(last + 1, floor)
    if (n !== next) return { missing: next }
    const offset = ++room.last
    room.log.push({ offset, stream, n, time, body })
    room.streams.delete(stream)
    room.streams.set(stream, n)
    if (room.streams.size > this.#limits.streams) {
      const [oldest = ''] = room.streams.keys()
      room.streams.delete(oldest)
    }
    return { offset }
  }

  /** Lets the oldest messages go, one that is old enough only when all before it are gone. */
  #retain(room: Room): void {
    const most = Math.min(room.settings.messages, this.#limits.messages)
    const since = this.#clock() - this.#limits.lifeMs
    const beyond = Math.max(0, room.log.length - most)
    const young = room.log.findIndex(({ time }, index) => index >= beyond && time > since)
    room.log.splice(0, young < 0 ? room.log.length : young)
  }
}

export class MemoryRooms implements RoomStore {
  readonly #tables: RoomTables

  constructor(tables: RoomTables) {
    this.#tables = tables
  }

  create(room: string, settings: RoomSettings): Promise<Created> {
    return Promise.resolve(this.#tables.create(room, settings))
  }

  delete(room: string, epoch: string): Promise<boolean> {
    return Promise.resolve(this.#tables.delete(room, epoch))
  }

  find(room: string): Promise<RoomRecord | null> {
    return Promise.resolve(this.#tables.find(room))
  }

  list(after: string, limit: number, hidden: boolean): Promise<readonly RoomRecord[]> {
    return Promise.resolve(this.#tables.list(after, limit, hidden))
  }

  append(room: string, batch: readonly RoomParcel[], epoch?: string): Promise<AppendResult> {
    return Promise.resolve(this.#tables.append(room, batch, epoch))
  }

  page(room: string, query: RoomQuery): Promise<RoomPage | null> {
    return Promise.resolve(this.#tables.page(room, query))
  }

  taken(room: string, stream: string): Promise<number> {
    return Promise.resolve(this.#tables.taken(room, stream))
  }
}

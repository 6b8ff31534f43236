/**
 * All rooms of one LMDB file: the methods of `RoomStore`, done at once.
 *
 * Each start of the process is a term of its own: the file may be a copy that was put back, from before messages that somebody has
 * seen. So the first use of a room after a start begins an epoch, which is written down; from then on reading changes nothing. Methods that change something
 * must run inside a transaction, and `settle` must be told how it went: after a failure nothing that was cached is believed any more.
 */
import type { AppendResult, Created, RoomParcel, RoomQuery, RoomRecord, RoomSettings } from '../../protocol/rooms.ts'
import { Cache } from './cache.ts'
import type { Table } from './environment.ts'
import type { ParkedEntry } from './entries.ts'
import type { Numbers } from './numbers.ts'
import { boxRange, Tag } from './records.ts'
import { readPost, readRoom, roomKey, roomName } from './room-records.ts'
import { Room } from './room.ts'
import type { PageStep } from '../room-pages.ts'
import { isEpochOf, type RoomLimits } from '../room-store.ts'
import { RoomTally } from '../room-tally.ts'

/** Rooms looked at by one sweep. */
const SWEEP_STEP = 256

/** A message that was moved aside: its offset, and what can still be known of it. */
export interface MovedPost {
  readonly offset: number
  readonly header: ParkedEntry | null
}

export class LmdbRoomTables {
  readonly #table: Table
  readonly #numbers: Numbers
  readonly #limits: RoomLimits
  readonly #clock: () => number
  readonly #term: string
  /** By name. */
  readonly #rooms = new Cache<Room>()
  #swept = ''
  /** Made when it is needed. */
  #tally: RoomTally | null = null

  /** `term` is another word at each start. */
  constructor(table: Table, numbers: Numbers, limits: RoomLimits, clock: () => number, term: string) {
    this.#table = table
    this.#numbers = numbers
    this.#limits = limits
    this.#clock = clock
    this.#term = term
  }

  /** Runs what changes something; to be followed by `settle` when it is known whether it was committed. */
  change<T>(run: () => T): T {
    return this.#rooms.change(run)
  }

  settle(committed: boolean): void {
    this.#rooms.settle(committed)
    if (!committed) this.#tally = null
  }

  create(name: string, settings: RoomSettings): Created {
    const known = this.#load(name)
    if (known !== null) return known.record.settings.epoch === settings.epoch ? 'created' : 'exists'
    const tally = (this.#tally ??= new RoomTally(this.#owners()))
    const refusal = tally.refusal(settings.owner, this.#limits)
    if (refusal !== null) return refusal
    tally.add(settings.owner)
    const number = this.#numbers.next()
    this.#rooms.add(name, Room.create(this.#table, this.#limits, name, number, settings, this.#term))
    return 'created'
  }

  delete(name: string, epoch: string): boolean {
    const room = this.#load(name)
    if (room === null || !isEpochOf(room.record.settings.epoch, epoch)) return false
    room.erase()
    this.#rooms.delete(name)
    this.#tally?.remove(room.record.settings.owner)
    return true
  }

  /** Whether the next use of the room changes something and so needs a transaction. */
  begins(name: string): boolean {
    const room = this.#load(name)
    return room !== null && room.record.term !== this.#term
  }

  find(name: string): RoomRecord | null {
    return this.#use(name)?.toRecord() ?? null
  }

  list(after: string, limit: number, hidden: boolean): readonly RoomRecord[] {
    const records: RoomRecord[] = []
    for (let from = after; records.length < limit;) {
      const found = this.#after(from, SWEEP_STEP)
      for (const { name, hides } of found) {
        from = name
        if (hides && !hidden) continue
        const room = records.length < limit ? this.#load(name) : null
        if (room !== null) records.push(room.toRecord())
      }
      if (found.length < SWEEP_STEP) break
    }
    return records
  }

  append(name: string, batch: readonly RoomParcel[], meant?: string): AppendResult {
    const room = this.#use(name)
    if (room === null) return { kind: 'no_such_room' }
    if (meant !== undefined && !isEpochOf(room.record.settings.epoch, meant)) return { kind: 'another_room' }
    const outcomes = batch.map(parcel => room.append(parcel))
    room.retain(this.#clock())
    room.checkpointIfDue()
    const { epoch, last } = room.log
    return { kind: 'appended', outcomes, epoch, last }
  }

  page(name: string, query: RoomQuery): PageStep | null {
    return this.#use(name)?.page(query) ?? null
  }

  taken(name: string, stream: string): number {
    return this.#load(name)?.taken(stream) ?? 0
  }

  /** The rooms whose oldest message has to leave: a step on the way round all of them. */
  due(): string[] {
    const found = this.#after(this.#swept, SWEEP_STEP)
    const end = this.#clock() - this.#limits.lifeMs
    const due = found.filter(({ name, number }) => this.#oldest(name, number) <= end).map(({ name }) => name)
    this.#swept = found.length < SWEEP_STEP ? '' : (found.at(-1)?.name ?? '')
    return due
  }

  sweep(due: readonly string[]): void {
    for (const name of due) this.#load(name)?.retain(this.#clock())
  }

  /** Takes note that messages of the room with that number were moved aside; answers its name, or null. */
  recount(number: number, moved: readonly MovedPost[]): string | null {
    for (const { key, value } of this.#table.range(roomKey(''), Uint8Array.of(Tag.room + 1))) {
      if (readRoom(key, value).number !== number) continue
      const name = roomName(key)
      this.#rooms.delete(name)
      const room = this.#load(name)
      for (const { offset, header } of moved) room?.count(offset, header)
      room?.checkpoint()
      // Where it begins may be another place now.
      this.#rooms.delete(name)
      return name
    }
    return null
  }

  *#owners(): Generator<string> {
    for (const { key, value } of this.#table.range(roomKey(''), Uint8Array.of(Tag.room + 1)))
      yield readRoom(key, value).settings.owner
  }

  #oldest(name: string, number: number): number {
    const cached = this.#rooms.peek(name)
    if (cached !== undefined) return cached.oldest()
    const [head] = this.#table.range(...boxRange(Tag.post, number), 1)
    return head === undefined ? Infinity : readPost(head.key, head.value).time
  }

  /** The room, with a new epoch at its first use in this term. */
  #use(name: string): Room | null {
    const room = this.#load(name)
    if (room !== null && room.record.term !== this.#term) room.begin(this.#term)
    return room
  }

  #load(name: string): Room | null {
    return this.#rooms.get(name, () => Room.load(this.#table, this.#limits, name))
  }

  #after(name: string, limit: number): { name: string; number: number; hides: boolean }[] {
    const after = Buffer.concat([roomKey(name), Uint8Array.of(0)])
    return Array.from(this.#table.range(after, Uint8Array.of(Tag.room + 1), limit), ({ key, value }) => {
      const { number, settings } = readRoom(key, value)
      return { name: roomName(key), number, hides: settings.private }
    })
  }
}

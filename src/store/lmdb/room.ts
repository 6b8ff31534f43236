/**
 * One room in LMDB: what is cached of it, and how it is read and changed.
 *
 * As in a mailbox, the messages are the journal: each says which number of which stream it was. The record of the room and those of its
 * streams are checkpoints, true of everything up to `through`, and written after every 256 messages, and before one leaves that no
 * checkpoint knows of. So appending costs one put, and the highest offset is never lost with the message that had it.
 *
 * All that changes it must run inside a transaction. When the transaction fails, the object is no longer true and is dropped.
 */
import type {
  Appended,
  RoomEntry,
  RoomLog,
  RoomParcel,
  RoomQuery,
  RoomRecord,
  RoomSettings,
} from '../../protocol/rooms.ts'
import type { Table } from './environment.ts'
import { type ParkedEntry, putEntry, readEntry } from './entries.ts'
import { boxRange, entryPlace, Tag } from './records.ts'
import { postKey, putRoom, readPost, readRoom, roomKey, type KeptRoom } from './room-records.ts'
import { KeptStreams } from './streams.ts'
import type { PageStep } from '../room-pages.ts'
import { ENDED_EPOCHS, epochUnder, type RoomLimits } from '../room-store.ts'
import { untaken } from '../streams.ts'

/** Messages appended since the last checkpoint, at most. */
const TAIL = 256

/** Messages that leave with one call, at most; the others follow with the next ones. */
const LEAVING = 4_096

/** Messages looked at by one step of a page. */
const LOOKED_AT = 1_024

export class Room {
  readonly name: string
  readonly record: KeptRoom
  readonly #table: Table
  readonly #limits: RoomLimits
  readonly #streams: KeptStreams
  readonly #put = (key: Uint8Array, value: Uint8Array): void => this.#table.put(key, value)
  #first: number
  #last: number
  /** ms since the epoch: the time of the oldest message; null when it has to be looked up. */
  #oldest: number | null = null
  #tail = 0

  private constructor(table: Table, limits: RoomLimits, name: string, record: KeptRoom) {
    this.name = name
    this.record = record
    this.#table = table
    this.#limits = limits
    this.#streams = new KeptStreams(table, limits.streams, record)
    this.#last = record.through
    this.#first = record.through + 1
  }

  /** Null when there is no such room. */
  static load(table: Table, limits: RoomLimits, name: string): Room | null {
    const key = roomKey(name)
    const value = table.get(key)
    if (value === undefined) return null
    const room = new Room(table, limits, name, readRoom(key, value))
    room.#readTail()
    const [oldest] = table.range(...boxRange(Tag.post, room.record.number), 1)
    room.#first = oldest === undefined ? room.#last + 1 : entryPlace(oldest.key)
    return room
  }

  static create(
    table: Table,
    limits: RoomLimits,
    name: string,
    number: number,
    settings: RoomSettings,
    term: string,
  ): Room {
    const { epoch } = settings
    const record = { number, settings, epoch, ended: [], term, through: 0, streams: 0, uses: 0 }
    const room = new Room(table, limits, name, record)
    room.checkpoint()
    return room
  }

  get log(): RoomLog {
    const { epoch, ended } = this.record
    return { epoch, ended, first: this.#first, last: this.#last }
  }

  toRecord(): RoomRecord {
    return { ...this.record.settings, room: this.name, ...this.log }
  }

  /** Ends the epoch, because messages may have been lost before this term. */
  begin(term: string): void {
    const { record } = this
    record.ended = [...record.ended, { epoch: record.epoch, last: this.#last }].slice(-ENDED_EPOCHS)
    record.epoch = epochUnder(record.settings.epoch, term)
    record.term = term
    this.checkpoint()
  }

  append(parcel: RoomParcel): Appended {
    const { stream, n, time, body } = parcel
    const known = this.#streams.get(stream)
    const refused = untaken(known, parcel)
    if (refused !== null) return typeof refused === 'number' ? { missing: refused } : 'stored'
    const offset = ++this.#last
    const entry = { s: offset, stream, n, time, body, reason: '', repeated: false, expires: 0 } as const
    putEntry(this.record.number, entry, this.#put, Tag.post)
    if (offset === this.#first) this.#oldest = time
    this.#tail++
    known.last = n
    this.#streams.use(stream, known)
    return { offset }
  }

  /** Lets the oldest messages go, one that is old enough only when all before it are gone. */
  retain(now: number): void {
    const { number, settings, through } = this.record
    const most = Math.min(settings.messages, this.#limits.messages)
    const until = Math.min(this.#last + 1, this.#first + LEAVING)
    const start = this.#first
    const leave = (): void => {
      this.#table.remove(postKey(number, this.#first++))
      this.#oldest = null
    }
    while (this.#first < until && this.#first <= this.#last - most) leave()
    while (this.#first < until && this.oldest() <= now - this.#limits.lifeMs) leave()
    if (this.#first > start && this.#first - 1 > through) this.checkpoint()
  }

  /** Writes the checkpoint if appending alone makes one necessary. */
  checkpointIfDue(): void {
    if (this.#tail >= TAIL) this.checkpoint()
  }

  checkpoint(): void {
    this.#streams.checkpoint()
    this.record.through = this.#last
    this.#tail = 0
    putRoom(this.name, this.record, this.#put)
  }

  taken(stream: string): number {
    return this.#streams.get(stream).last
  }

  /** The time of the oldest message, in ms since the epoch; Infinity when there is none. One that was moved aside has 0. */
  oldest(): number {
    if (this.#first > this.#last) return Infinity
    if (this.#oldest === null) {
      const key = postKey(this.record.number, this.#first)
      const value = this.#table.get(key)
      this.#oldest = value === undefined ? 0 : readPost(key, value).time
    }
    return this.#oldest
  }

  /** One step of a page. */
  page(query: RoomQuery): PageStep {
    const { limit, maxBytes, from } = query
    const found: RoomEntry[] = []
    let bytes = 0
    let looked = 0
    for (const { key, value } of this.#posts(query)) {
      if (found.length >= limit) break
      const entry = readEntry(key, value)
      if (from === undefined || entry.stream.startsWith(`${from} `)) {
        const post = toRoomEntry(entry)
        bytes += post.body.end - post.body.start
        if (bytes > maxBytes && found.length > 0) break
        found.push(post)
      }
      if (++looked === LOOKED_AT) return { log: this.log, found, stopped: entry.s }
    }
    return { log: this.log, found, stopped: 0 }
  }

  /** Deletes the room and all that is its own. */
  erase(): void {
    const keys: Uint8Array[] = [roomKey(this.name)]
    for (const tag of [Tag.post, Tag.stream]) {
      for (const { key } of this.#table.range(...boxRange(tag, this.record.number))) keys.push(key)
    }
    for (const key of keys) this.#table.remove(key)
  }

  /** Counts what was moved aside as appended, so that neither its offset nor its number is taken again. */
  count(offset: number, header: ParkedEntry | null): void {
    this.#last = Math.max(this.#last, offset)
    if (header !== null) this.#count(header)
  }

  #posts({ after, before = Infinity }: RoomQuery): Iterable<{ key: Uint8Array; value: Buffer }> {
    const { number } = this.record
    const end = Math.min(before, this.#last + 1)
    const start = Math.max(after ?? 0, this.#first - 1) + 1
    if (start >= end) return []
    if (after !== undefined) return this.#table.range(postKey(number, start), postKey(number, end))
    return this.#table.back(postKey(number, end - 1), postKey(number, start - 1))
  }

  #readTail(): void {
    const { number, through } = this.record
    const [, end] = boxRange(Tag.post, number)
    for (const { key, value } of this.#table.range(postKey(number, through + 1), end)) {
      const post = readPost(key, value)
      this.#last = post.s
      this.#count(post)
      this.#tail++
    }
  }

  #count({ stream, n }: ParkedEntry): void {
    const known = this.#streams.get(stream)
    known.last = Math.max(known.last, n)
    this.#streams.use(stream, known)
  }
}

function toRoomEntry({ s, stream, n, time, body }: ParkedEntry): RoomEntry {
  if (body === null) throw new Error(`The message at ${s} has no body.`)
  return { offset: s, stream, n, time, body }
}

/**
 * One mailbox in LMDB: what is cached of it, and how it is read and changed.
 *
 * The entries are the journal of a mailbox: each says which number of which stream it took. The records of the box and of its
 * streams are checkpoints, true of everything up to `through`; they are written when something else than parking happens, and
 * after every 256 parked messages. So parking what one call brings costs one put, or few, and loading a mailbox reads at most some 512 entries
 * that came after its checkpoint. Forgetting a cached mailbox is free at any time: nothing is only in memory.
 *
 * All that changes it must run inside a transaction. When the transaction fails, the object is no longer true and is dropped.
 */
import type { EndReason } from '../../protocol/errors.ts'
import type { Entry, Lost, Outcome, Parcel } from '../../protocol/mailbox.ts'
import type { Table } from './environment.ts'
import { bodyBytes, Journal, type EntryPage } from './journal.ts'
import { type KeptEntry, type ParkedEntry, putEntry, readEntry } from './entries.ts'
import { boxKey, boxRange, type BoxRecord, createBox, entryKey, putBox, readBox, Tag } from './records.ts'
import { addToRuns, cutRuns, messagesOf, oldestOf, type Run } from './runs.ts'
import { KeptStreams } from './streams.ts'
import { DISCARDED, type StoreLimits } from '../store.ts'
import { recordDelivered, recordLost, untaken, type StreamRecord } from '../streams.ts'

/** Entries parked since the last checkpoint, at most. */
const TAIL = 256

/** Entries remembered between being read and being taken. */
const HANDED = 4_096

/** What is public of an entry. */
export function toEntry({ s, stream, n, time, body, reason, repeated }: ParkedEntry): Entry {
  return { s, stream, n, time, body, reason, repeated }
}

export class Mailbox {
  readonly id: string
  readonly record: BoxRecord
  readonly #table: Table
  readonly #limits: StoreLimits
  /** Null until one is asked for: most clients who connect have nothing in their mailbox. */
  #kept: KeptStreams | null = null
  #lastS: number
  /** The place of the oldest entry; null when it has to be looked up. */
  #head: number | null = null
  #tail = 0
  /** What was read from the head on and not taken yet, so that taking it needs no second look. */
  #handed: Run[] = []
  /**
   * The last entry that an earlier session was given, and that this one was. Not written down: what was there when the mailbox was
   * loaded counts as given, since it may have been.
   */
  #givenBefore = 0
  #given = 0
  /** What the checkpoint says. */
  #savedEarliest: number
  #savedExpires: number

  private constructor(table: Table, limits: StoreLimits, id: string, record: BoxRecord) {
    this.id = id
    this.record = record
    this.#table = table
    this.#limits = limits
    this.#lastS = record.through
    this.#savedEarliest = record.earliest
    this.#savedExpires = record.expires
  }

  /** Null when there is no such client. */
  static load(table: Table, limits: StoreLimits, id: string): Mailbox | null {
    const key = boxKey(id)
    const value = table.get(key)
    if (value === undefined) return null
    const mailbox = new Mailbox(table, limits, id, readBox(key, value))
    mailbox.#readTail()
    mailbox.#given = mailbox.#givenBefore = mailbox.#lastS
    return mailbox
  }

  static register(table: Table, limits: StoreLimits, id: string, number: number, secret: string | null): Mailbox {
    return new Mailbox(table, limits, id, createBox(number, secret))
  }

  get #streams(): KeptStreams {
    return (this.#kept ??= new KeptStreams(this.#table, this.#limits.streams, this.record))
  }

  get #journal(): Journal {
    return new Journal(this.#table, this.record)
  }

  get #put(): Table['put'] {
    return this.#table.put
  }

  /** Extends the life of the id; written down only when that is due. True if it is. */
  extend(expires: number): boolean {
    this.record.expires = expires
    return this.isDue(expires)
  }

  /** Whether such an extension is to be written down: it moves the end by more than a hundredth of a life. */
  isDue(expires: number): boolean {
    return Math.abs(expires - this.#savedExpires) > this.#limits.idLifeMs / 100
  }

  /** What is known of a stream; zeros for one that is not remembered. */
  stream(name: string): StreamRecord {
    return this.#streams.get(name)
  }

  /** The place of the oldest entry, or 0. */
  head(): number {
    if (this.record.count === 0) return 0
    this.#head ??= this.read(0, 1).entries[0]?.s ?? 0
    return this.#head
  }

  park(batch: readonly Parcel[], now: number): Outcome[] {
    const taken: ParkedEntry[] = []
    const outcomes = batch.map(parcel => this.#take(parcel, now, taken))
    this.#journal.add(taken)
    this.#tail += taken.length
    return outcomes
  }

  /** Writes the checkpoint if parking alone makes one necessary. */
  checkpointIfDue(): void {
    if (this.#tail >= TAIL || this.record.earliest < this.#savedEarliest) this.checkpoint()
  }

  checkpoint(): void {
    const { record } = this
    this.#kept?.checkpoint()
    record.through = this.#lastS
    this.#tail = 0
    this.#savedEarliest = record.earliest
    this.#savedExpires = record.expires
    putBox(this.id, record, this.#put)
  }

  /** The entries after `after`, oldest first: at most `limit`, and at most `maxBytes` of bodies, but always one. */
  read(after: number, limit: number, maxBytes = Infinity): EntryPage {
    const page = this.#journal.read(after, limit, maxBytes)
    if (after <= this.record.floor) this.#head = page.entries[0]?.s ?? null
    return page
  }

  /** Like `read`, for the recipient, who will soon take away what it gets. */
  hand(after: number, limit: number, maxBytes: number): EntryPage {
    // Most who come find nothing, and to hear so from the file costs as much as a message.
    if (this.record.count === 0) return { entries: [], more: false }
    const read = this.#mark(this.read(after, limit, maxBytes))
    const known = this.#handed.at(-1)?.s ?? 0
    if (after !== known) this.#handed = []
    if (after !== known && after >= this.head()) return read
    if (messagesOf(this.#handed) + read.entries.length > HANDED) this.#handed = []
    else for (const entry of read.entries) addToRuns(this.#handed, entry)
    return read
  }

  /** Whether a session was given that place, or one after it. */
  hasGiven(s: number): boolean {
    return s <= this.#given
  }

  /** Another session begins. */
  handOver(): void {
    this.#givenBefore = this.#given
  }

  /** Takes away every entry up to `upTo`, and the one at `refused` as rejected. */
  take(upTo: number, refused: number, reason: string): Lost[] {
    const { record } = this
    const lost: Lost[] = []
    const runs = this.#upTo(upTo)
    if (runs.length === 0) return lost
    for (const run of runs) {
      const { s, stream, n, sizes } = run
      this.#journal.take(run)
      record.count -= sizes.length
      for (const size of sizes) record.bytes -= size
      if (run.reason !== '') continue
      const isRefused = s === refused
      if (!isRefused || sizes.length > 1) this.#deliver(stream, isRefused ? n - 1 : n)
      if (isRefused) lost.push(this.#lose(run, 'rejected', reason))
    }
    this.#head = record.count === 0 ? 0 : oldestOf(this.#handed)
    // A later message lives as long as one that comes now, or its own bound is written down.
    if (record.count === 0) record.earliest = Math.max(record.earliest, this.#soonest())
    this.checkpoint()
    return lost
  }

  /** Turns what has expired after `after` into voids. */
  expire(now: number, after: number): Lost[] {
    const { record } = this
    return record.count === 0 || record.earliest > now ? [] : this.#end(after, now, now)
  }

  /** Turns everything into voids, but for what a connected client may have been sent. */
  discard(now: number, connected: boolean): Lost[] {
    if (this.record.count === 0) return []
    const lost = this.#end(connected ? this.#given : 0, Infinity, now)
    return lost.map(one => ({ ...one, reason: DISCARDED }))
  }

  /** Turns what comes after `after` and ends by `by` into voids. */
  #end(after: number, by: number, now: number): Lost[] {
    const { record } = this
    const { entries } = this.read(0, Infinity)
    const due = entries.filter(({ s, reason, expires }) => s > after && reason === '' && expires <= by)
    const lost = this.#void(due, 'expired')
    const gone = new Set(due)
    record.earliest = entries
      .filter(entry => entry.reason === '' && !gone.has(entry))
      .reduce((least, { expires }) => Math.min(least, expires), now + this.#limits.messageLifeMs)
    this.checkpoint()
    return lost
  }

  /** Counts a session that failed at the head; the last one allowed makes it a dead letter. */
  failAt(suspect: number, now: number): Lost[] {
    const { record } = this
    const head = suspect > 0 ? this.read(0, 1).entries[0] : undefined
    if (head === undefined || head.s !== suspect || head.reason !== '') return []
    record.headAttempts = record.headS === suspect ? record.headAttempts + 1 : 1
    record.headS = suspect
    const lost = record.headAttempts < this.#limits.headAttempts ? [] : this.#die(head, now)
    this.checkpoint()
    return lost
  }

  /** Oldest first; the time of death is in `expires`. */
  deadLetters(since: number): ParkedEntry[] {
    return this.#letters().filter(({ expires }) => expires > since)
  }

  /** Whether there is one that died by then. */
  hasDeadLetter(by: number): boolean {
    return this.#letters().some(({ expires }) => expires <= by)
  }

  dropDeadLetters(since: number): void {
    if (this.record.dead === 0) return
    const letters = this.#letters()
    const old = letters.filter(({ expires }) => expires <= since)
    if (old.length === 0) return
    for (const { s } of old) this.#table.remove(entryKey(this.record.number, s, Tag.dead))
    this.record.dead = letters.length - old.length
    this.checkpoint()
  }

  /** Deletes the client and all that is its own. */
  erase(): Lost[] {
    const { entries } = this.read(0, Infinity)
    const keys: Uint8Array[] = [boxKey(this.id)]
    for (const tag of [Tag.entry, Tag.stream, Tag.dead]) {
      const [start, end] = boxRange(tag, this.record.number)
      for (const { key } of this.#table.range(start, end)) keys.push(key)
    }
    for (const key of keys) this.#table.remove(key)
    return entries
      .filter(({ reason }) => reason === '')
      .map(({ stream, n }) => ({ recipient: this.id, stream, n, kind: 'expired', reason: 'expired' }))
  }

  /** Counts afresh after entries were moved aside; those that left a void have ended. */
  recount(ended: readonly Entry[]): Lost[] {
    const { record } = this
    const { entries } = this.read(0, Infinity)
    record.count = entries.length
    record.bytes = entries.reduce((sum, entry) => sum + bodyBytes(entry), 0)
    record.earliest = entries
      .filter(({ reason }) => reason === '')
      .reduce((least, { expires }) => Math.min(least, expires), this.#soonest())
    record.dead = this.deadLetters(-1).length
    const lost = ended.map(entry => this.#lose(entry, 'dead', 'damaged on the disk'))
    this.checkpoint()
    return lost
  }

  #letters(): ParkedEntry[] {
    const [start, end] = boxRange(Tag.dead, this.record.number)
    return Array.from(this.#table.range(start, end), ({ key, value }) => readEntry(key, value))
  }

  /** The oldest entries, up to that place. */
  #upTo(upTo: number): Run[] {
    if ((this.#handed.at(-1)?.s ?? 0) >= upTo) return cutRuns(this.#handed, upTo)
    this.#handed = []
    return this.#journal.upTo(upTo)
  }

  /** Notes what is given, and says which of it was given before. */
  #mark({ entries, more }: EntryPage): EntryPage {
    this.#given = Math.max(this.#given, entries.at(-1)?.s ?? 0)
    if ((entries[0]?.s ?? Infinity) > this.#givenBefore) return { entries, more }
    return {
      entries: entries.map(entry => ({ ...entry, repeated: entry.repeated || entry.s <= this.#givenBefore })),
      more,
    }
  }

  /** Takes a parcel, and adds what is to be written to `taken`. */
  #take(parcel: Parcel, now: number, taken: ParkedEntry[]): Outcome {
    const { stream, n, time, expires, body, repeated } = parcel
    const { record } = this
    const known = this.#streams.get(stream)
    const refused = untaken(known, parcel)
    if (refused !== null) return refused
    const size = body.end - body.start
    if (record.count >= this.#limits.mailboxMessages || record.bytes + size > this.#limits.mailboxBytes) return 'full'
    const longest = now + this.#limits.messageLifeMs
    const ends = expires === 0 ? longest : Math.min(expires, longest)
    const s = Math.max(this.#lastS + 1, now * 1000)
    taken.push({ s, stream, n, time, body, reason: '', repeated, expires: ends })
    this.#lastS = s
    if (record.count === 0) this.#head = s
    record.count++
    record.bytes += size
    record.earliest = Math.min(record.earliest, ends)
    known.last = n
    this.#streams.use(stream, known)
    return 'ok'
  }

  #readTail(): void {
    const { entries } = this.read(this.record.through, Infinity)
    for (const entry of entries) {
      const known = this.#streams.get(entry.stream)
      known.last = Math.max(known.last, entry.n)
      this.#streams.use(entry.stream, known)
      this.record.count++
      this.record.bytes += bodyBytes(entry)
      this.#lastS = entry.s
    }
    this.#tail = entries.length
  }

  /** No message that has the longest life and comes from now on expires before this. */
  #soonest(): number {
    return Math.floor(this.#lastS / 1000) + this.#limits.messageLifeMs
  }

  /** All of a stream up to n, but for what was lost. */
  #deliver(stream: string, n: number): void {
    const known = this.#streams.get(stream)
    recordDelivered(known, n)
    this.#streams.use(stream, known)
  }

  #lose({ stream, n }: Pick<Entry, 'stream' | 'n'>, kind: EndReason, reason: string): Lost {
    const known = this.#streams.get(stream)
    recordLost(known, n, kind, this.#limits.lost)
    this.#streams.use(stream, known)
    return { recipient: this.id, stream, n, kind, reason }
  }

  /** Leaves voids in the places of entries. */
  #void(entries: readonly KeptEntry[], reason: EndReason): Lost[] {
    this.#handed = []
    this.#journal.replace(entries.map(entry => ({ ...entry, body: null, reason })))
    return entries.map(entry => {
      this.record.bytes -= bodyBytes(entry)
      return this.#lose(entry, reason, reason)
    })
  }

  #die(head: KeptEntry, now: number): Lost[] {
    const { number } = this.record
    putEntry(number, { ...head, reason: 'dead', expires: now }, this.#put, Tag.dead)
    this.record.dead++
    if (this.record.dead > this.#limits.deadLetters) {
      const [start, end] = boxRange(Tag.dead, number)
      const [oldest] = [...this.#table.range(start, end, 1)]
      if (oldest !== undefined) this.#table.remove(oldest.key)
      this.record.dead--
    }
    return this.#void([head], 'dead')
  }
}

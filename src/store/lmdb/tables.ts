/**
 * All mailboxes of one LMDB file: the methods of `Store`, done at once.
 *
 * Owners are only in memory, because the process is the only one that writes: a bind of a known id writes nothing most of the
 * time, and a restart forgets who was connected, whose connections ended with it. Methods that change something must run inside
 * a transaction, and `settle` must be told how it went: after a failure nothing that was cached is believed any more.
 */
import type {
  BindRequest,
  BindResult,
  EnqueueResult,
  Entry,
  Fenced,
  FencedResult,
  Lost,
  PageResult,
  Parcel,
} from '../../protocol/mailbox.ts'
import type { SyncReply } from '../../protocol/frames.ts'
import { Cache } from './cache.ts'
import type { Table } from './environment.ts'
import { Mailbox, toEntry } from './mailbox.ts'
import type { Numbers } from './numbers.ts'
import { boxId, boxKey, readBox, Tag } from './records.ts'
import {
  contested,
  createOwnership,
  disown,
  disproved,
  fenced,
  forgettable,
  keptHash,
  own,
  useSecret,
} from '../ownership.ts'
import type { Owner, Ownership } from '../ownership.ts'
import type { ClientRecord, StoreLimits } from '../store.ts'
import { createStream, syncReply } from '../streams.ts'

/** Clients looked at by one sweep. */
const SWEEP_STEP = 1_000

/** Messages that one sweep ends, about; it stops after the mailbox in which it reaches that. */
const SWEEP_LOST = 10_000

/** What a sweep looks at. */
interface Looked {
  readonly id: string
  readonly dead: number
  readonly earliest: number
  readonly expires: number
}

export class LmdbTables {
  readonly #table: Table
  readonly #limits: StoreLimits
  readonly #clock: () => number
  readonly #numbers: Numbers
  /** By id. */
  readonly #mailboxes = new Cache<Mailbox>()
  /** Of connected clients, and for a minute of those that were. */
  readonly #ownerships = new Map<string, Ownership>()
  /** What the owners were before the transaction that is under way; null for unknown. */
  readonly #before = new Map<string, Ownership | null>()
  #swept = ''

  constructor(table: Table, numbers: Numbers, limits: StoreLimits, clock: () => number) {
    this.#table = table
    this.#numbers = numbers
    this.#limits = limits
    this.#clock = clock
  }

  /** Runs what changes something; to be followed by `settle` when it is known whether it was committed. */
  change<T>(run: () => T): T {
    return this.#mailboxes.change(run)
  }

  settle(committed: boolean): void {
    this.#mailboxes.settle(committed)
    if (!committed) {
      for (const [id, ownership] of this.#before) {
        if (ownership === null) this.#ownerships.delete(id)
        else this.#ownerships.set(id, ownership)
      }
    }
    this.#before.clear()
  }

  /** Counts a mailbox afresh after messages were moved aside; those that left a void have ended. */
  recount(id: string, ended: readonly Entry[]): readonly Lost[] {
    this.#mailboxes.delete(id)
    return this.#load(id)?.recount(ended) ?? []
  }

  /** Whether `bind` would write something down: most who come back are known, and owners are only in memory. */
  bindChanges({ id, create, proof }: BindRequest): boolean {
    // A client that is new, as good as always.
    if (create && proof.kind === 'secret') return true
    const mailbox = this.#find(id)
    return mailbox === null ? create : mailbox.record.nextSecret !== null || mailbox.isDue(this.#idExpires())
  }

  bind(request: BindRequest): BindResult {
    const { id, create } = request
    const mailbox = this.#load(id)
    if (mailbox === null || this.#lapsed(mailbox)) {
      if (!create) return { kind: 'unknown' }
      if (mailbox !== null) this.#erase(id)
      return this.#register(request)
    }
    const refused = disproved(mailbox.record, request)
    if (refused !== null) return refused
    const ownership = this.#changeOwnership(id)
    const { owner } = ownership
    if (owner !== null && owner.nonce === request.nonce) return bound(mailbox, owner)
    const kept = contested(ownership, request, this.#clock(), this.#limits.replacementsPerMinute)
    if (kept !== null) return kept
    // A client that has registered and did not hear of it registers again; that the id is its own is shown by the secret.
    const resumed = !(create && request.proof.kind === 'secret')
    const used = useSecret(mailbox.record, request)
    if (mailbox.extend(this.#idExpires()) || used) mailbox.checkpoint()
    mailbox.handOver()
    return bound(mailbox, own(ownership, request, resumed))
  }

  unbind(id: string, token: string, suspect: number): FencedResult {
    const mailbox = this.#find(id)
    if (mailbox === null || !this.#ownerships.has(id)) return { kind: 'forgotten' }
    const ended = disown(this.#changeOwnership(id), token)
    if (typeof ended === 'object') return ended
    return { kind: 'ok', lost: ended === 'ended' ? mailbox.failAt(suspect, this.#clock()) : [] }
  }

  enqueue(id: string, batch: readonly Parcel[]): EnqueueResult {
    const mailbox = this.#find(id)
    if (mailbox === null) return { outcomes: batch.map(() => 'unknown'), owner: null }
    const now = this.#clock()
    const outcomes = mailbox.park(batch, now)
    mailbox.checkpointIfDue()
    return { outcomes, owner: this.#node(id) }
  }

  /** Whether `page` would change something and so needs a transaction. */
  pageChanges(id: string, token: string): boolean {
    const mailbox = this.#owned(id, token)
    return !isFenced(mailbox) && mailbox.record.count > 0 && mailbox.record.earliest <= this.#clock()
  }

  page(id: string, token: string, after: number, limit: number, maxBytes: number): PageResult {
    const mailbox = this.#owned(id, token, after)
    if (isFenced(mailbox)) return mailbox
    // What came before `after` is with the recipient already, so its ack decides.
    const lost = mailbox.expire(this.#clock(), after)
    // Handed on as they were read, with more in them than is asked for: a copy of each would only be garbage.
    const { entries, more } = mailbox.hand(after, limit, maxBytes)
    return { kind: 'page', entries, more, oldest: mailbox.head(), lost }
  }

  remove(id: string, token: string, upTo: number): FencedResult {
    const mailbox = this.#owned(id, token, upTo)
    return isFenced(mailbox) ? mailbox : { kind: 'ok', lost: mailbox.take(upTo, 0, '') }
  }

  refuse(id: string, token: string, s: number, reason: string): FencedResult {
    const mailbox = this.#owned(id, token, s)
    return isFenced(mailbox) ? mailbox : { kind: 'ok', lost: mailbox.take(s, s, reason) }
  }

  discard(id: string): readonly Lost[] {
    const connected = (this.#ownerships.get(id)?.owner ?? null) !== null
    return this.#find(id)?.discard(this.#clock(), connected) ?? []
  }

  sync(id: string, stream: string): SyncReply {
    return syncReply(this.#find(id)?.stream(stream) ?? createStream())
  }

  rotate(id: string, token: string, hash: Uint8Array): FencedResult {
    const mailbox = this.#owned(id, token)
    if (isFenced(mailbox)) return mailbox
    mailbox.record.nextSecret = keptHash(hash)
    mailbox.checkpoint()
    return { kind: 'ok', lost: [] }
  }

  touch(ids: readonly string[]): void {
    for (const id of ids) {
      const mailbox = this.#find(id)
      if (mailbox?.extend(this.#idExpires()) === true) mailbox.checkpoint()
    }
  }

  /** Whom `sweep` has to do something about: a step on the way round all clients. What is done decides, since nothing is locked here. */
  due(): string[] {
    const now = this.#clock()
    const found = this.#boxesAfter(this.#swept, SWEEP_STEP)
    const due = found.filter(box => this.#isDue(box, now)).map(({ id }) => id)
    for (const { id } of found) {
      const ownership = this.#ownerships.get(id)
      if (ownership !== undefined && forgettable(ownership, now)) this.#ownerships.delete(id)
    }
    this.#swept = found.length < SWEEP_STEP ? '' : (found.at(-1)?.id ?? '')
    return due
  }

  sweep(due: readonly string[]): readonly Lost[] {
    const now = this.#clock()
    const lost: Lost[] = []
    for (const id of due) {
      const mailbox = this.#load(id)
      mailbox?.dropDeadLetters(now - this.#limits.deadLifeMs)
      if (mailbox === null || this.#node(id) !== null) continue
      lost.push(...(mailbox.record.expires <= now ? this.#erase(id) : mailbox.expire(now, 0)))
      if (lost.length < SWEEP_LOST) continue
      // The others are come upon again.
      this.#swept = id
      break
    }
    return lost
  }

  online(ids: readonly string[]): ReadonlySet<string> {
    return new Set(ids.filter(id => this.#node(id) !== null))
  }

  mailboxes(after: string, limit: number): readonly ClientRecord[] {
    const records: ClientRecord[] = []
    for (let from = after; records.length < limit;) {
      const found = this.#boxesAfter(from, SWEEP_STEP)
      for (const { id } of found) {
        const record = records.length < limit ? this.client(id) : null
        if (record !== null && record.parked > 0) records.push(record)
        from = id
      }
      if (found.length < SWEEP_STEP) break
    }
    return records
  }

  client(id: string): ClientRecord | null {
    const mailbox = this.#find(id)
    if (mailbox === null) return null
    const { count, bytes, expires, dead } = mailbox.record
    return {
      id,
      node: this.#node(id),
      parked: count,
      bytes,
      oldest: mailbox.read(0, 1).entries[0]?.time ?? 0,
      expires,
      deadLetters: dead === 0 ? 0 : this.deadLetters(id).length,
    }
  }

  view(id: string, after: number, limit: number): readonly Entry[] {
    return this.#find(id)?.read(after, limit).entries.map(toEntry) ?? []
  }

  deadLetters(id: string): readonly Entry[] {
    const since = this.#clock() - this.#limits.deadLifeMs
    return this.#find(id)?.deadLetters(since).map(toEntry) ?? []
  }

  /** The mailbox with that number, or null: its id, and the last place that was taken. Looks through all of them: for repairs. */
  boxOf(number: number): { readonly id: string; readonly floor: number } | null {
    for (const { key, value } of this.#table.range(boxKey(''), Uint8Array.of(Tag.box + 1))) {
      const box = readBox(key, value)
      if (box.number === number) return { id: boxId(key), floor: box.floor }
    }
    return null
  }

  /** Null for an id that was never registered or has lapsed. */
  #find(id: string): Mailbox | null {
    const mailbox = this.#load(id)
    return mailbox === null || this.#lapsed(mailbox) ? null : mailbox
  }

  #lapsed({ id, record }: Mailbox): boolean {
    return record.expires <= this.#clock() && (this.#ownerships.get(id)?.owner ?? null) === null
  }

  /** `given` is a place that the session was given, or 0. */
  #owned(id: string, token: string, given = 0): Mailbox | Fenced {
    const ownership = this.#ownerships.get(id)
    if (ownership === undefined) return { kind: 'forgotten' }
    const refusal = fenced(ownership, token)
    if (refusal !== null) return refusal
    const mailbox = this.#find(id)
    return mailbox?.hasGiven(given) === true ? mailbox : { kind: 'forgotten' }
  }

  #node(id: string): string | null {
    return this.#ownerships.get(id)?.owner?.node ?? null
  }

  #load(id: string): Mailbox | null {
    return this.#mailboxes.get(id, () => Mailbox.load(this.#table, this.#limits, id))
  }

  /** When an id lapses that is used now. */
  #idExpires(): number {
    return this.#clock() + this.#limits.idLifeMs
  }

  #register(request: BindRequest): BindResult {
    const { id, proof } = request
    const secret = proof.kind === 'secret' ? keptHash(proof.hash) : null
    const mailbox = Mailbox.register(this.#table, this.#limits, id, this.#numbers.next(), secret)
    mailbox.extend(this.#idExpires())
    mailbox.checkpoint()
    this.#mailboxes.add(id, mailbox)
    return bound(mailbox, own(this.#changeOwnership(id), request, false))
  }

  /** Deletes a lapsed client. */
  #erase(id: string): Lost[] {
    const lost = this.#load(id)?.erase() ?? []
    this.#mailboxes.delete(id)
    this.#changeOwnership(id)
    this.#ownerships.delete(id)
    return lost
  }

  /** The ownership of a client, to be changed: in the transaction that is under way, or at once and for good. */
  #changeOwnership(id: string): Ownership {
    const known = this.#ownerships.get(id)
    if (this.#mailboxes.inTransaction && !this.#before.has(id)) {
      this.#before.set(id, known === undefined ? null : { ...known })
    }
    const ownership = known ?? createOwnership()
    this.#ownerships.set(id, ownership)
    return ownership
  }

  #isDue({ id, dead, earliest, expires }: Looked, now: number): boolean {
    const since = now - this.#limits.deadLifeMs
    if (dead > 0 && this.#load(id)?.hasDeadLetter(since) === true) return true
    // A connected client may have been sent what is due; its pages decide.
    if (this.#node(id) !== null) return false
    return expires <= now || (earliest <= now && (this.#load(id)?.record.count ?? 0) > 0)
  }

  #boxesAfter(id: string, limit: number): Looked[] {
    const after = Buffer.concat([boxKey(id), Uint8Array.of(0)])
    return Array.from(this.#table.range(after, Uint8Array.of(Tag.box + 1), limit), ({ key, value }) => {
      const { dead, earliest, expires } = this.#mailboxes.peek(boxId(key))?.record ?? readBox(key, value)
      return { id: boxId(key), dead, earliest, expires }
    })
  }
}

function bound({ record }: Mailbox, { token, resumed, previous }: Owner): BindResult {
  return { kind: 'bound', token, resumed, parked: record.count, expires: record.expires, previous }
}

function isFenced(found: Mailbox | Fenced): found is Fenced {
  return 'kind' in found
}

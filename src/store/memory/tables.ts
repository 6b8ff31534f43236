/**
 * The mailboxes as plain maps and arrays: every rule of `store.ts`, written to be read.
 *
 * Each method does at once what the method of the same name of `Store` promises; `memory.ts` puts promises around it. The two
 * are apart so that a simulation can run the rules without waiting, share one table among several nodes, and roll it back as a
 * failover does. It is the model that the other stores are tested against, so nothing here is fast at the price of being plain.
 */
import type { EndReason } from '../../protocol/errors.ts'
import type { SyncReply } from '../../protocol/frames.ts'
import type {
  BindRequest,
  BindResult,
  EnqueueResult,
  Entry,
  Fenced,
  FencedResult,
  Lost,
  Outcome,
  PageResult,
  Parcel,
} from '../../protocol/mailbox.ts'
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
import type { Owner, Ownership, Secrets } from '../ownership.ts'
import { DISCARDED, type ClientRecord, type StoreLimits } from '../store.ts'
import { createStream, recordDelivered, recordLost, syncReply, untaken, type StreamRecord } from '../streams.ts'

/** Mailboxes looked at by one sweep. */
const SWEEP_STEP = 1_000

interface Parked extends Entry {
  /** ms since the epoch. */
  readonly expires: number
}

interface Box extends Secrets {
  expires: number
  ownership: Ownership
  entries: Parked[]
  bytes: number
  lastS: number
  /** The last entry that an earlier session was given, and that this one was. */
  givenBefore: number
  given: number
  /** The head that sessions failed at, and how many of them in a row. */
  headS: number
  headAttempts: number
  /** By name, the least recently used first. */
  streams: Map<string, StreamRecord>
  dead: { readonly entry: Entry; readonly at: number }[]
}

/** All there is, at one moment; only `restore` of the tables that made it can use it. */
export type Snapshot = ReadonlyMap<string, Readonly<Box>>

/** Entries and bodies are never changed, so they are shared. */
function copyBoxes(boxes: Snapshot): Map<string, Box> {
  const copy = new Map<string, Box>()
  for (const [id, box] of boxes) {
    copy.set(id, {
      ...box,
      ownership: { ...box.ownership, replacements: [...box.ownership.replacements] },
      entries: [...box.entries],
      streams: new Map(Array.from(box.streams, ([name, stream]) => [name, { ...stream, lost: [...stream.lost] }])),
      dead: [...box.dead],
    })
  }
  return copy
}

function bodyBytes({ body }: Entry): number {
  return body === null ? 0 : body.end - body.start
}

/** What is public of an entry. */
function toEntry({ s, stream, n, time, body, reason, repeated }: Parked, givenBefore = 0): Entry {
  return { s, stream, n, time, body, reason, repeated: repeated || s <= givenBefore }
}

export class MemoryTables {
  readonly #limits: StoreLimits
  readonly #clock: () => number
  #boxes = new Map<string, Box>()
  /** The id after which the next sweep goes on. */
  #swept = ''

  /** `clock` tells ms since the epoch. */
  constructor(limits: StoreLimits, clock: () => number) {
    this.#limits = limits
    this.#clock = clock
  }

  snapshot(): Snapshot {
    return copyBoxes(this.#boxes)
  }

  /** A snapshot can be restored any number of times. */
  restore(snapshot: Snapshot): void {
    this.#boxes = copyBoxes(snapshot)
  }

  bind(request: BindRequest): BindResult {
    const box = this.#find(request.id)
    if (box === null) return request.create ? this.#own(this.#register(request), request, false) : { kind: 'unknown' }
    const { owner } = box.ownership
    const refused = disproved(box, request)
    if (refused !== null) return refused
    if (owner !== null && owner.nonce === request.nonce) return this.#bound(box, owner)
    const { replacementsPerMinute } = this.#limits
    const kept = contested(box.ownership, request, this.#clock(), replacementsPerMinute)
    // A client that has registered and did not hear of it registers again; that the id is its own is shown by the secret.
    return kept ?? this.#own(box, request, !(request.create && request.proof.kind === 'secret'))
  }

  unbind(id: string, token: string, suspect: number): FencedResult {
    const box = this.#find(id)
    if (box === null) return { kind: 'forgotten' }
    const ended = disown(box.ownership, token)
    if (typeof ended === 'object') return ended
    return { kind: 'ok', lost: ended === 'ended' ? this.#failedAt(id, box, suspect) : [] }
  }

  enqueue(id: string, batch: readonly Parcel[]): EnqueueResult {
    const box = this.#find(id)
    if (box === null) return { outcomes: batch.map(() => 'unknown'), owner: null }
    return { outcomes: batch.map(parcel => this.#park(box, parcel)), owner: box.ownership.owner?.node ?? null }
  }

  page(id: string, token: string, after: number, limit: number, maxBytes: number): PageResult {
    const box = this.#owned(id, token, after)
    if ('kind' in box) return box
    // What came before `after` is with the recipient already, so its time-out is decided by the ack.
    const lost = this.#expire(id, box, after)
    const entries: Entry[] = []
    let bytes = 0
    let more = false
    for (const parked of box.entries) {
      if (parked.s <= after) continue
      bytes += bodyBytes(parked)
      more = entries.length === limit || (entries.length > 0 && bytes > maxBytes)
      if (more) break
      entries.push(toEntry(parked, box.givenBefore))
    }
    box.given = Math.max(box.given, entries.at(-1)?.s ?? 0)
    return { kind: 'page', entries, more, oldest: box.entries[0]?.s ?? 0, lost }
  }

  remove(id: string, token: string, upTo: number): FencedResult {
    const box = this.#owned(id, token, upTo)
    if ('kind' in box) return box
    for (const parked of this.#take(box, upTo)) this.#delivered(box, parked)
    return { kind: 'ok', lost: [] }
  }

  refuse(id: string, token: string, s: number, reason: string): FencedResult {
    const box = this.#owned(id, token, s)
    if ('kind' in box) return box
    const lost: Lost[] = []
    for (const parked of this.#take(box, s)) {
      if (parked.s === s && parked.reason === '') lost.push(this.#lose(id, box, parked, 'rejected', reason))
      else this.#delivered(box, parked)
    }
    return { kind: 'ok', lost }
  }

  discard(id: string): readonly Lost[] {
    const box = this.#find(id)
    if (box === null) return []
    const lost = this.#expire(id, box, box.ownership.owner === null ? 0 : box.given, Infinity)
    return lost.map(one => ({ ...one, reason: DISCARDED }))
  }

  sync(id: string, stream: string): SyncReply {
    const known = this.#find(id)?.streams.get(stream)
    return syncReply(known ?? createStream())
  }

  rotate(id: string, token: string, hash: Uint8Array): FencedResult {
    const box = this.#owned(id, token)
    if ('kind' in box) return box
    box.nextSecret = keptHash(hash)
    return { kind: 'ok', lost: [] }
  }

  touch(ids: readonly string[]): void {
    for (const id of ids) {
      const box = this.#find(id)
      if (box !== null) box.expires = this.#clock() + this.#limits.idLifeMs
    }
  }

  sweep(): readonly Lost[] {
    const after = this.#swept
    const ids = [...this.#boxes.keys()].sort().filter(id => id > after)
    const step = ids.slice(0, SWEEP_STEP)
    this.#swept = ids.length > SWEEP_STEP ? (step.at(-1) ?? '') : ''
    return step.flatMap(id => this.#sweepBox(id))
  }

  online(ids: readonly string[]): ReadonlySet<string> {
    return new Set(ids.filter(id => (this.#boxes.get(id)?.ownership.owner ?? null) !== null))
  }

  mailboxes(after: string, limit: number): readonly ClientRecord[] {
    const records: ClientRecord[] = []
    for (const id of [...this.#boxes.keys()].sort()) {
      if (records.length >= limit) break
      const record = id > after ? this.client(id) : null
      if (record !== null && record.parked > 0) records.push(record)
    }
    return records
  }

  client(id: string): ClientRecord | null {
    const box = this.#find(id)
    if (box === null) return null
    return {
      id,
      node: box.ownership.owner?.node ?? null,
      parked: box.entries.length,
      bytes: box.bytes,
      oldest: box.entries[0]?.time ?? 0,
      expires: box.expires,
      deadLetters: this.deadLetters(id).length,
    }
  }

  view(id: string, after: number, limit: number): readonly Entry[] {
    const entries = this.#find(id)?.entries ?? []
    return entries
      .filter(({ s }) => s > after)
      .slice(0, limit)
      .map(parked => toEntry(parked))
  }

  deadLetters(id: string): readonly Entry[] {
    const since = this.#clock() - this.#limits.deadLifeMs
    const dead = this.#find(id)?.dead ?? []
    return dead.filter(({ at }) => at > since).map(({ entry }) => entry)
  }

  /** Null for an id that was never registered or has lapsed. */
  #find(id: string): Box | null {
    const box = this.#boxes.get(id)
    return box === undefined || this.#lapsed(box) ? null : box
  }

  #lapsed(box: Box): boolean {
    return box.ownership.owner === null && box.expires <= this.#clock()
  }

  /** `given` is a place that the session was given, or 0; one that was not is of a history that was lost. */
  #owned(id: string, token: string, given = 0): Box | Fenced {
    const box = this.#find(id)
    if (box === null) return { kind: 'forgotten' }
    return fenced(box.ownership, token) ?? (given > box.given ? { kind: 'forgotten' } : box)
  }

  #register({ id, proof }: BindRequest): Box {
    const box: Box = {
      secret: proof.kind === 'secret' ? keptHash(proof.hash) : null,
      nextSecret: null,
      expires: 0,
      ownership: createOwnership(),
      entries: [],
      bytes: 0,
      lastS: 0,
      givenBefore: 0,
      given: 0,
      headS: 0,
      headAttempts: 0,
      streams: new Map(),
      dead: [],
    }
    this.#boxes.set(id, box)
    return box
  }

  #own(box: Box, request: BindRequest, resumed: boolean): BindResult {
    useSecret(box, request)
    box.givenBefore = box.given
    box.expires = this.#clock() + this.#limits.idLifeMs
    return this.#bound(box, own(box.ownership, request, resumed))
  }

  #bound(box: Box, { token, resumed, previous }: Owner): BindResult {
    return { kind: 'bound', token, resumed, parked: box.entries.length, expires: box.expires, previous }
  }

  #park(box: Box, parcel: Parcel): Outcome {
    const { stream, n, time, expires, body, repeated } = parcel
    const known = this.#stream(box, stream)
    const refused = untaken(known, parcel)
    if (refused !== null) return refused
    const size = body.end - body.start
    if (box.entries.length >= this.#limits.mailboxMessages) return 'full'
    if (box.bytes + size > this.#limits.mailboxBytes) return 'full'
    const now = this.#clock()
    const longest = now + this.#limits.messageLifeMs
    box.lastS = Math.max(box.lastS + 1, now * 1000)
    const ends = expires === 0 ? longest : Math.min(expires, longest)
    box.entries.push({ s: box.lastS, stream, n, time, body, reason: '', repeated, expires: ends })
    box.bytes += size
    known.last = n
    this.#use(box, stream, known)
    return 'ok'
  }

  /** The record of a stream, or a new one that is not remembered yet. */
  #stream(box: Box, name: string): StreamRecord {
    return box.streams.get(name) ?? createStream()
  }

  /** Remembers a stream as the most recently used one. */
  #use(box: Box, name: string, stream: StreamRecord): void {
    box.streams.delete(name)
    box.streams.set(name, stream)
    if (box.streams.size <= this.#limits.streams) return
    for (const oldest of box.streams.keys()) {
      box.streams.delete(oldest)
      return
    }
  }

  #take(box: Box, upTo: number): Parked[] {
    const kept = box.entries.findIndex(({ s }) => s > upTo)
    const taken = box.entries.splice(0, kept < 0 ? box.entries.length : kept)
    for (const parked of taken) box.bytes -= bodyBytes(parked)
    return taken
  }

  #delivered(box: Box, { stream, n, reason }: Parked): void {
    if (reason !== '') return
    const known = this.#stream(box, stream)
    recordDelivered(known, n)
    this.#use(box, stream, known)
  }

  /** Remembers that a message ended undelivered. */
  #lose(id: string, box: Box, { stream, n }: Entry, kind: EndReason, reason: string): Lost {
    const known = this.#stream(box, stream)
    recordLost(known, n, kind, this.#limits.lost)
    this.#use(box, stream, known)
    return { recipient: id, stream, n, kind, reason }
  }

  /** Leaves a void in the place of an entry. */
  #void(id: string, box: Box, index: number, parked: Parked, reason: EndReason): Lost {
    box.bytes -= bodyBytes(parked)
    box.entries[index] = { ...parked, body: null, reason }
    return this.#lose(id, box, parked, reason, reason)
  }

  /** Turns what is due by `due` into voids. */
  #expire(id: string, box: Box, after: number, due = this.#clock()): Lost[] {
    const lost: Lost[] = []
    for (const [index, parked] of box.entries.entries()) {
      if (parked.s <= after || parked.reason !== '' || parked.expires > due) continue
      lost.push(this.#void(id, box, index, parked, 'expired'))
    }
    return lost
  }

  /** Counts a session that failed at the head; the last one allowed makes it a dead letter. */
  #failedAt(id: string, box: Box, suspect: number): Lost[] {
    const head = box.entries[0]
    if (head === undefined || head.s !== suspect || head.reason !== '') return []
    box.headAttempts = box.headS === suspect ? box.headAttempts + 1 : 1
    box.headS = suspect
    if (box.headAttempts < this.#limits.headAttempts) return []
    box.dead.push({ entry: { ...toEntry(head), reason: 'dead' }, at: this.#clock() })
    if (box.dead.length > this.#limits.deadLetters) box.dead.shift()
    return [this.#void(id, box, 0, head, 'dead')]
  }

  #sweepBox(id: string): Lost[] {
    const box = this.#boxes.get(id)
    if (box === undefined) return []
    const since = this.#clock() - this.#limits.deadLifeMs
    box.dead = box.dead.filter(({ at }) => at > since)
    if (forgettable(box.ownership, this.#clock())) box.ownership = createOwnership()
    // A connected client may have been sent what is due; its pages decide.
    if (box.ownership.owner !== null) return []
    if (!this.#lapsed(box)) return this.#expire(id, box, 0)
    this.#boxes.delete(id)
    return box.entries
      .filter(({ reason }) => reason === '')
      .map(({ stream, n }) => ({ recipient: id, stream, n, kind: 'expired', reason: 'expired' }))
  }
}

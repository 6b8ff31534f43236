/**
 * What is kept, as one interface. Every implementation passes `test/store/contract.ts`.
 *
 * Order: calls for one id take effect in the order in which they were made. Atomicity: each call is all or nothing for one id.
 * Failure: a rejected promise means that the call may or may not have taken effect; every call can be made again, and then
 * answers as if made once. Answers come within the store's own time limit, or the promise is rejected with `StoreError`.
 *
 * Durability: `enqueue` and a `bind` that registers an id answer only when a loss of power can no longer undo them. The others
 * answer when a kill of the process can no longer undo them: what a loss of power takes back is then only repeated.
 *
 * A mailbox takes, of each stream, only n = max(last + 1, floor). It never forgets which n it took last, except for streams
 * beyond the 1,000 most recently used ones, which is safe: the sender's floor says where to go on.
 * Sequences `s` are max(last s + 1, now in µs), so that a store that lost its last writes does not hand out a used one.
 * A place that was never given out by `page` is not taken by `page`, `remove` and `refuse`: it is of a history that was lost, in which
 * other messages had the places before it, and its session is `forgotten`.
 * Nothing leaves a mailbox but by `remove` and `refuse` under the current token. Expiry and dead-lettering leave a void, which
 * is handed to the recipient like a message, so that the numbers of a stream stay whole.
 */
import type {
  BindRequest,
  BindResult,
  EnqueueResult,
  Entry,
  FencedResult,
  Lost,
  PageResult,
  Parcel,
} from '../protocol/mailbox.ts'
import type { SyncReply } from '../protocol/frames.ts'
import { MAX_AHEAD } from '../protocol/limits.ts'
import { MAX_REVOCATIONS, type AccountStore } from './account-store.ts'
import type { Neighbours } from './neighbours.ts'
import type { OnceStore } from './once-store.ts'
import { defaultRoomLimits, type RoomLimits, type RoomStore } from './room-store.ts'

export interface StoreLimits {
  /** Entries of one mailbox. */
  readonly mailboxMessages: number
  /** Bytes of bodies of one mailbox. */
  readonly mailboxBytes: number
  /** ms a message lives in a mailbox, at most. */
  readonly messageLifeMs: number
  /** ms an id lives unused. */
  readonly idLifeMs: number
  /** Streams remembered per mailbox, the most recently used ones. */
  readonly streams: number
  /** Undelivered ends remembered per stream, the newest; no sender holds shadows further back than `MAX_AHEAD`. */
  readonly lost: number
  /** Sessions that may fail at the head of a mailbox before it becomes a dead letter. */
  readonly headAttempts: number
  /** Dead letters kept per mailbox, the newest. */
  readonly deadLetters: number
  /** ms a dead letter is kept. */
  readonly deadLifeMs: number
  /** Replacements of a live connection by another outbox within a minute. */
  readonly replacementsPerMinute: number
  readonly rooms: RoomLimits
  /** Revoked tokens and clients that are listed. */
  readonly revocations: number
}

/** Limits of a store's own, which can be changed where they are used. */
export function ownLimits(limits: StoreLimits): StoreLimits {
  return { ...limits, rooms: { ...limits.rooms } }
}

/** What `own` says from now on. */
export function changeLimits(own: StoreLimits, limits: StoreLimits): void {
  const { rooms } = own
  Object.assign(own, limits, { rooms: Object.assign(rooms, limits.rooms) })
}

export const defaultStoreLimits: StoreLimits = {
  mailboxMessages: 10_000,
  mailboxBytes: 16 * 1024 * 1024,
  messageLifeMs: 30 * 86_400_000,
  idLifeMs: 90 * 86_400_000,
  streams: 1_000,
  lost: MAX_AHEAD,
  headAttempts: 5,
  deadLetters: 100,
  deadLifeMs: 7 * 86_400_000,
  replacementsPerMinute: 5,
  rooms: defaultRoomLimits,
  revocations: MAX_REVOCATIONS,
}

/** The reason of what was discarded. */
export const DISCARDED = 'discarded by an operator'

/** What an operator sees of one client. */
export interface ClientRecord {
  readonly id: string
  /** The node that holds it now, or null. */
  readonly node: string | null
  readonly parked: number
  /** Bytes of the bodies parked. */
  readonly bytes: number
  /** ms since the epoch; when the oldest parked message was accepted, or 0. */
  readonly oldest: number
  /** ms since the epoch; when the id lapses if unused. */
  readonly expires: number
  readonly deadLetters: number
}

export interface Store {
  readonly name: string
  /** True when other processes may write to it, so that a mailbox can fill without this process knowing. */
  readonly shared: boolean
  /** Accounts and revoked tokens. */
  readonly accounts: AccountStore
  readonly rooms: RoomStore
  readonly once: OnceStore
  /** What other processes do in rooms; null: nobody else has this store. */
  readonly neighbours: Neighbours | null

  /** Takes other limits, for what comes from now on; what was kept under the old ones stays. */
  limit(limits: StoreLimits): void

  /**
   * Makes a node the owner of a client. Checks the proof first, then `attempt`, then the rate of replacements. Two secrets can
   * be right after a rotation; the first use of the newer one ends the older. Extends the life of the id.
   */
  bind(request: BindRequest): Promise<BindResult>

  /**
   * Ends the ownership, if `token` is still the current one. `suspect` is the `s` of the head of the mailbox if the session
   * had it, did not ack it and ended by a time-out or after more than a second, else 0. The fifth in a row turns the head into a void and a dead letter.
   */
  unbind(id: string, token: string, suspect: number): Promise<FencedResult>

  /** Parks a batch, in order. Parcels are judged one by one, each after those before it. */
  enqueue(id: string, batch: readonly Parcel[]): Promise<EnqueueResult>

  /**
   * The entries after `after`, oldest first, at most `limit` of them and `maxBytes` of bodies (but always one). What has expired
   * is turned into voids first.
   */
  page(id: string, token: string, after: number, limit: number, maxBytes: number): Promise<PageResult>

  /** Removes every entry up to and with `upTo`; they count as delivered, voids apart. */
  remove(id: string, token: string, upTo: number): Promise<FencedResult>

  /** Like `remove`, but the entry at `s` itself counts as rejected for that reason. */
  refuse(id: string, token: string, s: number, reason: string): Promise<FencedResult>

  /**
   * Turns everything in a mailbox into voids, as if its life had ended, but for what its connected client may have been sent: an ack
   * decides on that. Nothing when the id is unknown.
   */
  discard(id: string): Promise<readonly Lost[]>

  /** What the mailbox knows of one stream; zeros when the id or the stream is unknown. */
  sync(id: string, stream: string): Promise<SyncReply>

  /** Adds a second right secret; `stale` when another session took over. */
  rotate(id: string, token: string, hash: Uint8Array): Promise<FencedResult>

  /** Extends the life of ids that stay connected for long. Unknown ones are passed over. */
  touch(ids: readonly string[]): Promise<void>

  /**
   * One bounded step of house-keeping: expires messages, lapses ids with their mailboxes, drops old dead letters. Goes round
   * all clients in many calls. Connected ids do not lapse.
   */
  sweep(): Promise<readonly Lost[]>

  /** Which of these ids are connected, on whatever node: bound by a process that lives, which is known some 15 s after it was killed. */
  online(ids: readonly string[]): Promise<ReadonlySet<string>>

  /** The clients with something in the mailbox, by id, after that id, at most `limit`. */
  mailboxes(after: string, limit: number): Promise<readonly ClientRecord[]>
  client(id: string): Promise<ClientRecord | null>
  /** Reads without owning: at most `limit` entries after `after`. */
  view(id: string, after: number, limit: number): Promise<readonly Entry[]>
  /** The dead letters of a client, oldest first. */
  deadLetters(id: string): Promise<readonly Entry[]>

  /** Resolves when the store answers; rejects with what is wrong. */
  check(): Promise<void>
  /** Waits for what is under way. No call may follow. */
  close(): Promise<void>
}

/** The store did not do, or may not have done, what it was asked. `fix` says what an operator can do about it. */
export class StoreError extends Error {
  readonly fix: string

  constructor(message: string, fix: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'StoreError'
    this.fix = fix
  }

  /** What is wrong, and what to do about it, as two sentences. */
  get words(): string {
    return `${this.message.replace(/[^.]$/, '$&.')} ${this.fix}`
  }
}

/**
 * The default store: LMDB, embedded, owned by one process.
 *
 * What changes nothing in the file is answered at once, from the last commit: reads, and most comings and goings of clients, whose
 * owners are only in memory. It waits only behind a call for the same id that is still to be written, which keeps the order, and while
 * a call for all ids is being written. Everything else goes through the group commit of `LmdbWriter`, and every answer
 * of that kind comes after the sync of the disk, also where the interface asks for less: one rule is easier to trust than two.
 */
import { randomBytes } from 'node:crypto'

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
import type { AccountStore } from './account-store.ts'
import { LmdbAccounts, LmdbAccountTables } from './lmdb/accounts.ts'
import type { LmdbCalls } from './lmdb/calls.ts'
import { openDirectory, type DataDirectory } from './lmdb/directory.ts'
import { Numbers } from './lmdb/numbers.ts'
import { LmdbOnce } from './lmdb/once.ts'
import { quarantine, quarantinePosts } from './lmdb/quarantine.ts'
import { DamagedRecord, Tag } from './lmdb/records.ts'
import { LmdbRoomTables } from './lmdb/room-tables.ts'
import { LmdbRooms } from './lmdb/rooms.ts'
import { LmdbTables } from './lmdb/tables.ts'
import { LmdbWriter, storeError, type Cached } from './lmdb/writer.ts'
import type { OnceStore } from './once-store.ts'
import type { RoomStore } from './room-store.ts'
import {
  changeLimits,
  defaultStoreLimits,
  ownLimits,
  StoreError,
  type ClientRecord,
  type Store,
  type StoreLimits,
} from './store.ts'

export interface LmdbOptions {
  /** Made when it is not there. */
  readonly directory: string
  readonly limits?: StoreLimits
  /** ms since the epoch. */
  readonly clock?: () => number
  /** Address space for the data file, at first; more is taken when it grows beyond. */
  readonly mapBytes?: number
  /** ms that a call may wait for its turn to be written, before it is refused; without it, for as long as it takes. */
  readonly patienceMs?: number
  /** ms to look for damage before starting. What is not looked at then is checked when it is read. */
  readonly verifyMs?: number
  /** Is told, in a sentence, what an operator should know. */
  readonly onNote?: (note: string) => void
}

const DEFAULT_MAP_BYTES = 64 * 1024 ** 3
const DEFAULT_VERIFY_MS = 5_000

/** Ended messages that wait to be told by `sweep`; beyond, senders learn of them by `sync`. */
const UNTOLD = 10_000

/** Bytes of a call besides bodies, about. */
const CALL_BYTES = 64

/** Rejects with `StoreError` when the directory is in use, damaged, or not to be written. */
export async function openLmdbStore(options: LmdbOptions): Promise<LmdbStore> {
  const { mapBytes = DEFAULT_MAP_BYTES, verifyMs = DEFAULT_VERIFY_MS, onNote = () => {} } = options
  const { limits = defaultStoreLimits, clock = Date.now, patienceMs = Infinity } = options
  const directory = await openDirectory(options.directory, { mapBytes, verifyMs, onNote })
  return new LmdbStore(directory, limits, clock, onNote, patienceMs)
}

export class LmdbStore implements Store {
  readonly name = 'lmdb'
  readonly shared = false
  readonly neighbours = null
  readonly accounts: AccountStore
  readonly rooms: RoomStore
  readonly once: OnceStore
  readonly #directory: DataDirectory
  readonly #limits: StoreLimits
  readonly #clock: () => number
  readonly #tables: LmdbTables
  readonly #rooms: LmdbRoomTables
  readonly #accounts: LmdbAccountTables
  readonly #writer: LmdbWriter
  readonly #onNote: (note: string) => void
  readonly #untold: Lost[] = []
  #quarantined: number
  /** The time by which a call goes that is being answered at once; null between calls. */
  #moment: number | null = null
  #closed: Promise<void> | null = null

  constructor(
    directory: DataDirectory,
    limits: StoreLimits,
    clock: () => number,
    onNote: (note: string) => void,
    patienceMs: number,
  ) {
    const { environment } = directory
    this.#directory = directory
    this.#onNote = onNote
    this.#limits = ownLimits(limits)
    this.#clock = clock
    const time = (): number => this.#moment ?? clock()
    const numbers = new Numbers(environment)
    this.#tables = new LmdbTables(environment, numbers, this.#limits, time)
    this.#rooms = new LmdbRoomTables(
      environment,
      numbers,
      this.#limits.rooms,
      time,
      randomBytes(6).toString('base64url'),
    )
    this.#accounts = new LmdbAccountTables(environment, limits.revocations, time)
    const cached = together(numbers, together(this.#tables, together(this.#rooms, this.#accounts)))
    this.#writer = new LmdbWriter(environment, cached, key => this.#quarantine(key), patienceMs)
    const calls: LmdbCalls = {
      write: (id, bytes, run) => this.#write(id, bytes, run),
      read: (id, run, changes) => this.#read(id, run, changes),
    }
    this.rooms = new LmdbRooms(this.#rooms, calls)
    this.once = new LmdbOnce(environment, calls, time)
    this.accounts = new LmdbAccounts(this.#accounts, calls)
    this.#quarantined = [
      ...environment.range(Uint8Array.of(Tag.quarantined), Uint8Array.of(Tag.quarantined + 1)),
    ].length
    for (const key of directory.damaged)
      void this.#writer.write('', 0, () => this.#quarantine(key), true).catch(() => {})
  }

  /** Messages that were moved aside because they were damaged on the disk, ever. */
  get quarantined(): number {
    return this.#quarantined
  }

  limit(limits: StoreLimits): void {
    changeLimits(this.#limits, limits)
  }

  /** Who comes back waits for no disk: owners are only in memory. */
  bind(request: BindRequest): Promise<BindResult> {
    return this.#read(
      request.id,
      () => this.#tables.bind(request),
      () => this.#tables.bindChanges(request),
    )
  }

  /** Never refused for being late: it is asked once, and who left would else count as connected until it comes again. */
  unbind(id: string, token: string, suspect: number): Promise<FencedResult> {
    return this.#read(
      id,
      () => this.#tables.unbind(id, token, suspect),
      () => suspect > 0,
      true,
    )
  }

  enqueue(id: string, batch: readonly Parcel[]): Promise<EnqueueResult> {
    const bytes = batch.reduce((sum, { body }) => sum + body.end - body.start, 0)
    return this.#write(id, bytes, () => this.#tables.enqueue(id, batch))
  }

  page(id: string, token: string, after: number, limit: number, maxBytes: number): Promise<PageResult> {
    return this.#read(
      id,
      () => this.#tables.page(id, token, after, limit, maxBytes),
      () => this.#tables.pageChanges(id, token),
    )
  }

  remove(id: string, token: string, upTo: number): Promise<FencedResult> {
    return this.#write(id, 0, () => this.#tables.remove(id, token, upTo))
  }

  refuse(id: string, token: string, s: number, reason: string): Promise<FencedResult> {
    return this.#write(id, 0, () => this.#tables.refuse(id, token, s, reason))
  }

  discard(id: string): Promise<readonly Lost[]> {
    return this.#write(id, 0, () => this.#tables.discard(id))
  }

  sync(id: string, stream: string): Promise<SyncReply> {
    return this.#read(id, () => this.#tables.sync(id, stream))
  }

  rotate(id: string, token: string, hash: Uint8Array): Promise<FencedResult> {
    return this.#write(id, 0, () => this.#tables.rotate(id, token, hash))
  }

  touch(ids: readonly string[]): Promise<void> {
    return this.#write('', 0, () => this.#tables.touch(ids))
  }

  /** Most often nothing has ended. Then nothing is written, which all calls for one client would wait for. */
  async sweep(): Promise<readonly Lost[]> {
    const { clients, rooms, revocations } = await this.#read('', () => ({
      clients: this.#tables.due(),
      rooms: this.#rooms.due(),
      revocations: this.#accounts.isDue(),
    }))
    const isNothing = clients.length + rooms.length === 0 && !revocations
    const lost = isNothing ? [] : await this.#write('', 0, () => this.#sweep(clients, rooms))
    return [...this.#untold.splice(0), ...lost]
  }

  /** Owners are only in memory; one whose bind is still to be written counts, too. */
  online(ids: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#read('', () => this.#tables.online(ids))
  }

  mailboxes(after: string, limit: number): Promise<readonly ClientRecord[]> {
    return this.#read('', () => this.#tables.mailboxes(after, limit))
  }

  client(id: string): Promise<ClientRecord | null> {
    return this.#read(id, () => this.#tables.client(id))
  }

  view(id: string, after: number, limit: number): Promise<readonly Entry[]> {
    return this.#read(id, () => this.#tables.view(id, after, limit))
  }

  deadLetters(id: string): Promise<readonly Entry[]> {
    return this.#read(id, () => this.#tables.deadLetters(id))
  }

  /** Writes, because a full disk still reads. */
  async check(): Promise<void> {
    await this.#write('', 0, () => this.#directory.touch())
  }

  close(): Promise<void> {
    this.#closed ??= this.#writer.drain().then(() => this.#directory.close())
    return this.#closed
  }

  /** The empty id stands for all of them. */
  #write<T>(id: string, bytes: number, run: () => T, mayBeLate = false): Promise<T> {
    if (this.#closed !== null) return Promise.reject(new StoreError('The store is closed.', 'Start ackd again.'))
    return this.#writer.write(id, bytes + CALL_BYTES, run, mayBeLate)
  }

  /**
   * Answers at once, unless it comes behind a call that is to be written, or `changes` the file itself. Both go by one time: what becomes due in
   * between would else be written beside any transaction, where a kill can part what belongs together.
   */
  #read<T>(id: string, run: () => T, changes: () => boolean = () => false, mayBeLate = false): Promise<T> {
    const late = this.#closed !== null || this.#writer.waits(id) || this.#writer.changesAll
    this.#moment = this.#clock()
    try {
      return late || changes() ? this.#write(id, 0, run, mayBeLate) : Promise.resolve(run())
    } catch (error) {
      // What is damaged is moved aside in a transaction.
      if (error instanceof DamagedRecord) return this.#write(id, 0, run, mayBeLate)
      return Promise.reject(storeError(error))
    } finally {
      this.#moment = null
    }
  }

  #sweep(clients: readonly string[], rooms: readonly string[]): readonly Lost[] {
    this.#rooms.sweep(rooms)
    this.#accounts.sweep()
    return this.#tables.sweep(clients)
  }

  #quarantine(key: Uint8Array): void {
    const { environment } = this.#directory
    if (key[0] === Tag.post) {
      const { moved, room } = quarantinePosts(environment, this.#rooms, key)
      this.#quarantined += moved
      if (moved > 0)
        this.#onNote(`${moved} damaged messages of ${room ?? 'a room'} were moved aside; its log has holes there.`)
      return
    }
    const { moved, lost } = quarantine(environment, this.#tables, key)
    this.#quarantined += moved
    this.#untold.push(...lost.slice(0, Math.max(0, UNTOLD - this.#untold.length)))
    if (moved > 0)
      this.#onNote(`${moved} damaged messages were moved aside, ${lost.length} of them told to their senders.`)
  }
}

function together(one: Cached, other: Cached): Cached {
  return {
    change: run => one.change(() => other.change(run)),
    settle: committed => {
      one.settle(committed)
      other.settle(committed)
    },
  }
}

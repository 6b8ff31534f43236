/**
 * The store that keeps nothing: `MemoryTables` behind promises. The readable reference, for tests and for trying things out.
 *
 * What it takes is gone with the process, so a server that runs on it has to say so.
 */
import type {
  BindRequest,
  BindResult,
  EnqueueResult,
  Entry,
  FencedResult,
  Lost,
  PageResult,
} from '../protocol/mailbox.ts'
import type { Parcel } from '../protocol/mailbox.ts'
import type { SyncReply } from '../protocol/frames.ts'
import type { AccountStore } from './account-store.ts'
import { MemoryAccounts } from './memory/accounts.ts'
import { MemoryOnce } from './memory/once.ts'
import { MemoryRooms, RoomTables } from './memory/rooms.ts'
import { MemoryTables } from './memory/tables.ts'
import type { OnceStore } from './once-store.ts'
import type { RoomStore } from './room-store.ts'
import {
  changeLimits,
  defaultStoreLimits,
  ownLimits,
  type ClientRecord,
  type Store,
  type StoreLimits,
} from './store.ts'

export class MemoryStore implements Store {
  readonly name = 'memory'
  readonly shared = false
  readonly neighbours = null
  readonly accounts: AccountStore
  readonly rooms: RoomStore
  readonly once: OnceStore
  readonly #limits: StoreLimits
  readonly #tables: MemoryTables
  readonly #rooms: RoomTables

  /** `clock` tells ms since the epoch. */
  constructor(limits: StoreLimits = defaultStoreLimits, clock: () => number = Date.now) {
    this.#limits = ownLimits(limits)
    this.#tables = new MemoryTables(this.#limits, clock)
    this.accounts = new MemoryAccounts(clock, limits.revocations)
    this.#rooms = new RoomTables(this.#limits.rooms, clock)
    this.once = new MemoryOnce(clock)
    this.rooms = new MemoryRooms(this.#rooms)
  }

  limit(limits: StoreLimits): void {
    changeLimits(this.#limits, limits)
  }

  bind(request: BindRequest): Promise<BindResult> {
    return Promise.resolve(this.#tables.bind(request))
  }

  unbind(id: string, token: string, suspect: number): Promise<FencedResult> {
    return Promise.resolve(this.#tables.unbind(id, token, suspect))
  }

  enqueue(id: string, batch: readonly Parcel[]): Promise<EnqueueResult> {
    return Promise.resolve(this.#tables.enqueue(id, batch))
  }

  page(id: string, token: string, after: number, limit: number, maxBytes: number): Promise<PageResult> {
    return Promise.resolve(this.#tables.page(id, token, after, limit, maxBytes))
  }

  remove(id: string, token: string, upTo: number): Promise<FencedResult> {
    return Promise.resolve(this.#tables.remove(id, token, upTo))
  }

  refuse(id: string, token: string, s: number, reason: string): Promise<FencedResult> {
    return Promise.resolve(this.#tables.refuse(id, token, s, reason))
  }

  discard(id: string): Promise<readonly Lost[]> {
    return Promise.resolve(this.#tables.discard(id))
  }

  sync(id: string, stream: string): Promise<SyncReply> {
    return Promise.resolve(this.#tables.sync(id, stream))
  }

  rotate(id: string, token: string, hash: Uint8Array): Promise<FencedResult> {
    return Promise.resolve(this.#tables.rotate(id, token, hash))
  }

  touch(ids: readonly string[]): Promise<void> {
    this.#tables.touch(ids)
    return Promise.resolve()
  }

  sweep(): Promise<readonly Lost[]> {
    this.#rooms.sweep()
    return Promise.resolve(this.#tables.sweep())
  }

  online(ids: readonly string[]): Promise<ReadonlySet<string>> {
    return Promise.resolve(this.#tables.online(ids))
  }

  mailboxes(after: string, limit: number): Promise<readonly ClientRecord[]> {
    return Promise.resolve(this.#tables.mailboxes(after, limit))
  }

  client(id: string): Promise<ClientRecord | null> {
    return Promise.resolve(this.#tables.client(id))
  }

  view(id: string, after: number, limit: number): Promise<readonly Entry[]> {
    return Promise.resolve(this.#tables.view(id, after, limit))
  }

  deadLetters(id: string): Promise<readonly Entry[]> {
    return Promise.resolve(this.#tables.deadLetters(id))
  }

  check(): Promise<void> {
    return Promise.resolve()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

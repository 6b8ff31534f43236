/**
 * The rooms of the default store: `LmdbRoomTables` in the group commit that the mailboxes have too. A long look through a log is
 * taken by steps, and others get their turn in between.
 */
import { setImmediate as turn } from 'node:timers/promises'
import type {
  AppendResult,
  Created,
  RoomPage,
  RoomParcel,
  RoomQuery,
  RoomRecord,
  RoomSettings,
} from '../../protocol/rooms.ts'
import type { LmdbCalls } from './calls.ts'
import type { LmdbRoomTables } from './room-tables.ts'
import { pageInSteps } from '../room-pages.ts'
import type { RoomStore } from '../room-store.ts'

export class LmdbRooms implements RoomStore {
  readonly #tables: LmdbRoomTables
  readonly #calls: LmdbCalls

  constructor(tables: LmdbRoomTables, calls: LmdbCalls) {
    this.#tables = tables
    this.#calls = calls
  }

  create(room: string, settings: RoomSettings): Promise<Created> {
    return this.#calls.write(room, 0, () => this.#tables.create(room, settings))
  }

  delete(room: string, epoch: string): Promise<boolean> {
    return this.#calls.write(room, 0, () => this.#tables.delete(room, epoch))
  }

  find(room: string): Promise<RoomRecord | null> {
    return this.#read(room, () => this.#tables.find(room))
  }

  list(after: string, limit: number, hidden: boolean): Promise<readonly RoomRecord[]> {
    return this.#calls.read('', () => this.#tables.list(after, limit, hidden))
  }

  append(room: string, batch: readonly RoomParcel[], epoch?: string): Promise<AppendResult> {
    const bytes = batch.reduce((sum, { body }) => sum + body.end - body.start, 0)
    return this.#calls.write(room, bytes, () => this.#tables.append(room, batch, epoch))
  }

  page(room: string, query: RoomQuery): Promise<RoomPage | null> {
    let steps = 0
    return pageInSteps(query, async rest => {
      if (steps++ > 0) await turn()
      return this.#read(room, () => this.#tables.page(room, rest))
    })
  }

  taken(room: string, stream: string): Promise<number> {
    return this.#calls.read(room, () => this.#tables.taken(room, stream))
  }

  /** The first use of a room after a start writes. */
  #read<T>(room: string, run: () => T): Promise<T> {
    return this.#calls.read(room, run, () => this.#tables.begins(room))
  }
}

/**
 * Rooms, as a store keeps them. Every implementation passes `test/store/contract-rooms.ts`.
 *
 * Order, atomicity and failure are those of `store.ts`, with the room in the place of the id. `create`, `delete` and `append` answer only
 * when a loss of power can no longer undo them. Retention is by count and age: the oldest messages leave at `append` and
 * at the sweep of the store. Streams are remembered per room, the most recently used.
 *
 * Offsets are never given out again while the epoch stays. A store that may have lost the end of a log without knowing, because
 * another server answers than before, or one that has started since, ends the epoch at the first call for that room, be it
 * `find`, `append` or `page`, and goes on under a new one (docs/decisions/rooms.md).
 */
import type {
  AppendResult,
  Created,
  RoomParcel,
  RoomPage,
  RoomQuery,
  RoomRecord,
  RoomSettings,
} from '../protocol/rooms.ts'

export interface RoomLimits {
  /** Messages that the log of a room keeps, at most. */
  readonly messages: number
  /** ms that a message stays in a log. */
  readonly lifeMs: number
  /** Streams remembered per room. */
  readonly streams: number
  /** Rooms in all, and of one client; the server may always make one. Where several make rooms at once there may be a few more in all. */
  readonly rooms: number
  readonly owned: number
}

export const defaultRoomLimits: RoomLimits = {
  messages: 1_000,
  lifeMs: 30 * 86_400_000,
  streams: 10_000,
  rooms: 10_000,
  owned: 100,
}

/** Ended epochs that a log remembers; beyond, the oldest are as unknown as those of another log. */
export const ENDED_EPOCHS = 32

/** The epoch of a log that began with `first` and is now served under `term`: another word for each server, and each start of one. */
export function epochUnder(first: string, term: string): string {
  return `${first}.${term}`
}

/** Whether that epoch is one of the log that began with `first`. */
export function isEpochOf(first: string, epoch: string): boolean {
  return epoch === first || epoch.startsWith(`${first}.`)
}

export interface RoomStore {
  /** The same epoch again is the same call again: `created`. */
  create(room: string, settings: RoomSettings): Promise<Created>

  /**
   * Deletes the room, its log and what it remembers of streams. False: there is none, or it is another room of that name than
   * the one with that epoch, whichever of its epochs that is. So a call that is made again cannot hit the room of somebody else.
   */
  delete(room: string, epoch: string): Promise<boolean>

  find(room: string): Promise<RoomRecord | null>

  /** The rooms after that name, in order, at most `limit`; private ones only when `hidden`. Begins no epoch. */
  list(after: string, limit: number, hidden: boolean): Promise<readonly RoomRecord[]>

  /**
   * Appends a batch, in order. Parcels are judged one by one, each after those before it. It is meant for the room with that epoch, whichever of its
   * epochs that is, and goes to no other one of that name; without an epoch, for whichever has the name.
   */
  append(room: string, batch: readonly RoomParcel[], epoch?: string): Promise<AppendResult>

  /** A page of the log; null: there is no such room. */
  page(room: string, query: RoomQuery): Promise<RoomPage | null>

  /** The highest number of a stream that the log has taken; 0 for none. */
  taken(room: string, stream: string): Promise<number>
}

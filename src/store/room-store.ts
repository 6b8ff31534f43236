/**
 * Rooms, as a store keeps them. Every implementation passes `test/store/contract-rooms.ts`.
 *
 * Order, atomicity and failure are those of `store.ts`, with the room in the place of the id. `create`, `delete` and `append` answer only
 * when a loss of power can no longer undo them. Retention is by count and age: the oldest messages leave at `append` and
 * at `sweep`, and offsets are never given out again while the epoch stays. Streams are remembered per room, the 10,000 most recently used.
 */
import type { AppendResult, RoomParcel, RoomPage, RoomQuery, RoomRecord, RoomSettings } from '../protocol/rooms.ts'

export interface RoomLimits {
  /** Messages that the log of a room keeps, at most. */
  readonly messages: number
  /** ms that a message stays in a log. */
  readonly lifeMs: number
  /** Streams remembered per room. */
  readonly streams: number
}

export const defaultRoomLimits: RoomLimits = { messages: 1_000, lifeMs: 30 * 86_400_000, streams: 10_000 }

export interface RoomStore {
  /** `exists`: another room has that name. The same epoch again is the same call again: `created`. */
  create(room: string, settings: RoomSettings): Promise<'created' | 'exists'>

  /** Deletes the room, its log and what it remembers of streams. False: there is none. */
  delete(room: string): Promise<boolean>

  find(room: string): Promise<RoomRecord | null>

  /** The rooms after that name, in order, at most `limit`; private ones only when `hidden`. */
  list(after: string, limit: number, hidden: boolean): Promise<readonly RoomRecord[]>

  /** Appends a batch, in order. Parcels are judged one by one, each after those before it. */
  append(room: string, batch: readonly RoomParcel[]): Promise<AppendResult>

  /** A page of the log; null: there is no such room. */
  page(room: string, query: RoomQuery): Promise<RoomPage | null>

  /** The highest number of a stream that the log has taken; 0 for none. */
  taken(room: string, stream: string): Promise<number>
}

/**
 * What rooms ask of the world, besides what everything else asks (`effects.ts`). The rules are the same: each call has one answer, which
 * comes back later as an input of `Rooms`, and calls for one room reach the store in the order in which they are made.
 */
import type { Body, Ref } from '../protocol/frames.ts'
import type { RollReport } from '../protocol/rolls.ts'
import type { RoomParcel, RoomQuery } from '../protocol/rooms.ts'
import type { Member } from './member.ts'
import type { Session } from './session.ts'

/** An answer of the store; null: there was none. */
export type Answer<Found> = Found | 'no_such_room' | null

/** Whether a password is right; or that nobody can say so now, that its client has to wait first, or that there was no answer. */
export type PasswordAnswer = boolean | 'busy' | Wait | null

/** It was tried too often; the client has to wait first. */
export interface Wait {
  readonly waitMs: number
}

/** A question of a client about a room, and under which ref it is answered. */
export interface Ask {
  readonly session: Session
  readonly ref: Ref
  readonly room: string
}

export interface NewRoom {
  /** '' for the server itself. */
  readonly owner: string
  readonly private: boolean
  /** As it was given, to be hashed; '' for none. */
  readonly password: string
  readonly messages: number
}

export interface RoomEffects {
  /** Hash the password, make up an epoch, and create it. Answer: `rooms.created(name, ask, result)`. `ask` null: the server wants it. */
  create(name: string, room: NewRoom, ask: Ask | null): void
  /** Answer: `rooms.deleted(ask, result)`. */
  delete(ask: Ask, epoch: string): void
  /** Answer: `rooms.found(room, result)`. At most one is under way for a room. */
  find(room: string): void
  /** The same for one client. Answer: `rooms.inspected(ask, result)`. */
  inspect(ask: Ask): void
  /** Answer: `rooms.listed(ask, limit, result)`. */
  list(ask: Ask, after: string, limit: number, hidden: boolean): void
  /** Whether that is the password of a room. Answer: `rooms.verified(member, result)`. */
  verify(member: Member, hash: string, password: string): void
  /** To the room with that epoch, whichever of its epochs that is. Answer: `hub.appended(room, result)`. At most one is under way for a room. */
  append(room: string, batch: readonly RoomParcel[], epoch: string): void
  /** What the log has beyond what this node has seen. Answer: `rooms.paged(room, result)`. At most one is under way for a room. */
  page(room: string, query: RoomQuery): void
  /** The same for one who joins. Answer: `rooms.fed(member, result)`. */
  feed(member: Member, query: RoomQuery): void
  /** Answer: `rooms.read(ask, query, result)`. */
  history(ask: Ask, query: RoomQuery): void
  /** Where nodes share a store: hear of that room from now on, and no longer. No answer; some of it may be lost. */
  follow(room: string): void
  unfollow(room: string): void
  /** Answer: `rooms.reported(room, result)`. At most one is under way for a room. */
  report(room: string, report: RollReport): void
  /** Tell the members at other nodes, those of the room with that epoch. No answer; may be lost. */
  signal(room: string, from: string, body: Body, epoch: string): void
  /** The highest number of a stream that the log has taken. Answer: `hub.synced(session, ref, room, {last, delivered: 0})`. */
  taken(ask: Ask, stream: string): void
}

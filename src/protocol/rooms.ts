/**
 * What the core asks of rooms and what the store answers: the shapes that both sides share, and nothing else.
 *
 * A room is a log of messages with offsets from 1, without holes, and an epoch: a name of this very log. It is another one when the
 * room was deleted and made again, and when the log may have lost its end, since then an offset that somebody has seen may be given
 * to another message. So the log remembers where its earlier epochs ended: up to there what was seen under them is still true.
 *
 * Publishing follows the rule of mailboxes: of each stream (sender, outbox, and here the room) the log takes only
 * n = max(last + 1, floor), so that a resend never appears twice.
 */
import type { Body, HistoryMessage } from './frames.ts'
import { splitStream } from './mailbox.ts'

/** What is set when a room is made. */
export interface RoomSettings {
  /** The client who made it, and may delete it; '' for a room that the server made. */
  readonly owner: string
  /** It is not listed. */
  readonly private: boolean
  /** Argon2id of its password, in the PHC form; '' for none. */
  readonly password: string
  /** Messages that its log keeps, at most. */
  readonly messages: number
  /** Random, of letters, digits, `-` and `_`: the first epoch of its log, and what tells a repeated call from a second room of that name. */
  readonly epoch: string
  /** ms since the epoch. */
  readonly created: number
}

/** An epoch of a log that is over, and the highest offset that the log had then. */
export interface EndedEpoch {
  readonly epoch: string
  readonly last: number
}

/**
 * What became of a room that was to be made. `exists`: another room has that name · `too_many`: the store keeps no more rooms · `owns_too_many`: its
 * owner may not have more.
 */
export type Created = 'created' | 'exists' | 'too_many' | 'owns_too_many'

/** Up to where a log goes. */
export interface LogEnd {
  readonly epoch: string
  /** The highest offset given out; 0 before the first message. */
  readonly last: number
}

/** Where a log stands. */
export interface RoomLog extends LogEnd {
  /** The epochs before, the latest ones, in their order. */
  readonly ended: readonly EndedEpoch[]
  /** The offset of the oldest message that is kept; `last + 1` when none is. */
  readonly first: number
}

/** The settings with the log as it stands; its `epoch` is that of now. */
export interface RoomRecord extends RoomSettings, RoomLog {
  readonly room: string
  /** Clients that are in it, as far as the store is told; absent: none. */
  readonly members?: number
}

/**
 * Up to which offset the log is the one that was seen under that epoch; -1 when it is another one altogether. Whoever has seen messages of
 * that epoch up to `since` misses none that he could still get if `since` is at most this, and at least `first - 1`.
 */
export function agreedUpTo({ epoch, ended, last }: RoomLog, seen: string): number {
  if (seen === epoch) return last
  return ended.find(one => one.epoch === seen)?.last ?? -1
}

/** Whether two epochs are of logs of the same room: the later ones of a room are named after its first, with a dot behind it. */
export function areOfOneRoom(epoch: string, other: string): boolean {
  return epoch.split('.', 1)[0] === other.split('.', 1)[0]
}

/** A message on its way into the log of a room. */
export interface RoomParcel {
  readonly stream: string
  readonly n: number
  readonly floor: number
  /** ms since the epoch: when the server accepted it. */
  readonly time: number
  readonly body: Body
}

/** What became of one parcel: its offset · `stored`: it was in the log before · an earlier message is missing, with its number. */
export type Appended = { readonly offset: number } | 'stored' | { readonly missing: number }

/** `another_room`: there is a room of that name, but not the one that was meant. Nothing was taken then. */
export type AppendResult =
  | { readonly kind: 'appended'; readonly outcomes: readonly Appended[]; readonly epoch: string; readonly last: number }
  | { readonly kind: 'no_such_room' }
  | { readonly kind: 'another_room' }

/** A message in the log of a room. */
export interface RoomEntry {
  readonly offset: number
  readonly stream: string
  readonly n: number
  readonly time: number
  readonly body: Body
}

/**
 * Which part of a log: the oldest ones after `after`, or else the newest ones before `before`; both may be given. `from`: only what this
 * client sent. At most `limit` messages and `maxBytes` of bodies, but always one.
 */
export interface RoomQuery {
  readonly after?: number
  readonly before?: number
  readonly from?: string
  readonly limit: number
  readonly maxBytes: number
}

/** Oldest first. A page without entries: there is no such message up to `last`. An offset that is left out was damaged on the disk. */
export interface RoomPage extends RoomLog {
  readonly entries: readonly RoomEntry[]
}

/** What the members of a room are told of a message that has that place in its log. */
export function asHistory(offset: number, { stream, n, time, body }: Omit<RoomEntry, 'offset'>): HistoryMessage {
  const [from, outbox] = splitStream(stream)
  return { offset, from, outbox, n, time, body }
}

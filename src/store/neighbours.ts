/**
 * What processes that share a store know of each other: who is in their rooms, and that something has happened, there or in a mailbox. Every implementation passes
 * `test/store/contract-neighbours.ts`. A store that one process has for itself has no such thing.
 *
 * Nothing that is heard is promised to be heard: who may have missed something is told so, and looks. The rolls are kept in
 * the store, so what was missed of them is read there; they are as durable as the processes of which they speak.
 */
import type { Body } from '../protocol/frames.ts'
import type { LogEnd } from '../protocol/rooms.ts'
import type { Present, RollAnswer, RollNews, RollReport } from '../protocol/rolls.ts'

/** Who hears it. Called at any time but within a call of `Neighbours`. */
export interface Hearing {
  /** Another process has put something into the mailbox of a client that is here. */
  woken(id: string): void
  /** Messages of that stream, whose sender is here, have ended in the mailbox of that recipient: which, and how, is to be read there. */
  settled(stream: string, recipient: string): void
  /** A client that was here has gone to another process, and has that token now. */
  evicted(id: string, token: string): void
  /** Another process has appended to that log, which now goes that far. Null: the room was deleted. */
  appended(room: string, end: LogEnd | null): void
  /** Any process, this one too, has reported something that has changed the roll. */
  reported(room: string, news: RollNews): void
  /** Somebody at another process signals to a room that is followed, or to a client that is here. `epoch`: one of the room that is meant; '' for a client, or when it is not known. */
  signalled(target: string, from: string, body: Body, epoch: string): void
  /** What happened in that room may not have been heard; null: in any that is followed. */
  missed(room: string | null): void
}

/** Names on a roll, at most. Who comes when it is full is in the room like everybody, but is not listed at other nodes. */
export const ROLL_NAMES = 10_000

/** Other processes of which is told what they say of themselves, at most. */
export const NODES_TOLD = 100

/** What a process says of itself. */
export interface Said {
  readonly text: string
  /** How long ago it was said. */
  readonly ageMs: number
}

export interface Neighbours {
  /** Before anything else, once. `node`: the name under which this process binds clients. */
  listen(node: string, hearing: Hearing): void
  /** Tells the process of that name that a mailbox has something new. What is said in one turn goes there at once. */
  wake(node: string, id: string): void
  /** Tells the process at which the sender of that stream is, if that is another one, that messages of it have ended in that mailbox. What is said in one turn goes at once. */
  settled(stream: string, recipient: string): void
  /** Tells it that a client has left it, and has that token now. */
  evict(node: string, id: string, token: string): void
  /** Hears of that room from now on; `missed` is called for it when that has begun. */
  follow(room: string): void
  unfollow(room: string): void
  /**
   * Takes a report into the roll of a room, and takes off who was at a process that has died. Can be made again. Null: there is no such room,
   * or it is another one than was meant.
   */
  report(room: string, report: RollReport): Promise<RollAnswer | null>
  /** Who is on the roll of that room, by id, after that id; also who was at a process that has died, until somebody reports. */
  roll(room: string, after: string, limit: number): Promise<readonly Present[]>
  /** Says something of this process, for as long as it lives, and 15 s at most. What is lost is not said again. */
  say(text: string): void
  /** What the other processes that live said last of themselves, and of how many of them nothing is told. */
  others(): Promise<{ readonly said: readonly Said[]; readonly unheard: number }>
  /** To whoever follows that room, which has had that epoch, or to the process at which that client is, if that is another one; unless the way there is not free. */
  signal(target: string, from: string, body: Body, epoch: string): void
}

/**
 * What stands between the application's side of a client and the wire: it takes letters, and tells what became of them and what came.
 *
 * `Client` is what an application holds; a courier is what works for it. In a process of its own that is an `Office`, with an outbox, an inbox
 * and a connection. Tabs of one browser share one office, and whatever crosses from one tab to another is named here.
 */
import type { Body, ClientFrames, ServerFrames } from '../protocol/frames.ts'
import type { Status } from './connector.ts'
import type { AckdError } from './errors.ts'
import type { RoomCursor } from './rooms/feed.ts'
import type { Incoming } from './inbox.ts'
import type { Entrance } from './rooms/memberships.ts'
import type { Outcome, Outgoing } from './outgoing.ts'
import type { JoinReply } from './rooms/replies.ts'

/** A message on its way into the outbox. */
export interface Letter {
  /** The application's name for it, or one that the client made up. */
  readonly key: string
  readonly target: string
  readonly body: Body
  /** Seconds; 0: as long as the server keeps messages. */
  readonly ttl: number
}

/** Of a message that the outbox holds, all but its body. */
export type Ticket = Pick<Outgoing, 'key' | 'target' | 'n'>

/** Numbers of a stream to this client that will not come. */
export interface Gap {
  readonly from: string
  readonly outbox: string
  readonly first: number
  readonly last: number
  /** `expired` or `dead`; `missing` when nobody knows. */
  readonly reason: string
}

/** Of a welcome, what an application's side must know. */
export interface Terms {
  /** Bytes. */
  readonly maxPacket: number
}

export interface Courier {
  /** The own address; null until it is known. */
  readonly id: string | null
  /** Begins every ref of a question, so that answers find back to who asked. */
  readonly mark: string
  /** To ask and to signal; null without a connection. `wake` sends what was written. */
  readonly frames: Asking | null
  /** Bytes that wait to be sent. */
  readonly pending: number
  /** There is something to flush. */
  wake(): void
  /** Takes a message; how it ends is told by `settled` or `refused`, possibly within the call. */
  send(letter: Letter): void
  /** Whether somebody is there to be shown messages. */
  listen(listening: boolean): void
  /** The message that was shown is dealt with, or refused for a reason. */
  dealt(message: Incoming, refused: string | null): void
  /** How far rooms were read by whoever worked here before. */
  readonly rooms: readonly RoomCursor[] | Promise<readonly RoomCursor[]>
  /** Enters a room and stays in it; answered by `entered` or `left`, and by `entered` again on each connection. */
  enter(entrance: Entrance): void
  leave(room: string): void
  /** A room was read up to there. */
  roomRecorded(cursor: RoomCursor): void
  /** A new secret for the own address. */
  keepSecret(secret: string): void
  reconnect(): void
  /** Ends it for good. Waits up to `flushMs` for what is open. */
  close(bye: boolean, flushMs: number): Promise<void>
}

/** What an application may say to the server apart from messages. */
export type Asking = Pick<
  ClientFrames,
  'signal' | 'presence' | 'rotate' | 'create' | 'delete' | 'rooms' | 'members' | 'history'
>

/** What the server says to an application apart from messages. */
export type Answers = Pick<ServerFrames, 'room' | 'members' | 'signal' | 'reply' | 'error'>

export interface CourierEvents extends Answers {
  status(status: Status): void
  /** A connection was welcomed; comes before the status that says so. */
  welcomed(terms: Terms): void
  /** The connection is gone, and with it the answers to what was asked; comes before the status that says so. */
  lost(): void
  /** Deal with this message, and then call `dealt`. Not called again before. */
  show(message: Incoming): void
  settled(ticket: Ticket, outbox: string, outcome: Outcome): void
  /** A letter was not taken. */
  refused(key: string, error: AckdError): void
  gap(gap: Gap): void
  /** In the room, for the first time or again. */
  entered(room: string, reply: JoinReply): void
  /** Not in yet; what comes now is of that epoch of the log, which holds all that was seen. */
  renamed(room: string, epoch: string): void
  /** Out of the room for good, or never in it. */
  left(room: string, error: AckdError): void
  /** Other tabs may have been shown messages that this one was not. */
  missed(): void
  /** What went wrong without anybody waiting for it. */
  failed(error: AckdError): void
}

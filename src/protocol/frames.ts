/**
 * What the two ends say to each other, as two interfaces: one method per frame.
 *
 * An encoder implements the interface by writing bytes; a decoder calls it for the frames that it finds. So the code that
 * speaks and the code that listens meet in one type, whatever the encoding and the transport between them, and a test may
 * join them directly. The wire form of each frame is in `docs/protocol.md`, §3 and §4.
 */
import type { CloseName, EndReason, ErrorCode } from './errors.ts'

/**
 * The payload of a message: the bytes of one value, never looked into on its way.
 *
 * `bytes` belongs to whoever made it and is never changed afterwards, so a body may be kept. `text` says which encoding the
 * bytes are in: false is MessagePack, true is JSON in UTF-8 without line breaks.
 */
export interface Body {
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
  readonly text: boolean
}

/** Chosen by the client to match a reply with its question. */
export type Ref = number | string

export interface HelloOptions {
  readonly v: number
  readonly id?: string
  readonly secret?: string
  readonly token?: string
  readonly name?: string
  readonly outbox?: string
  readonly attempt?: number
  readonly window?: number
  readonly agent?: string
}

export interface WelcomeOptions {
  readonly v: number
  readonly id: string
  readonly secret?: string
  readonly resumed: boolean
  /** ms since the epoch: when the id lapses if it is not used again. */
  readonly expires: number
  readonly parked: number
  readonly outbox: string
  readonly window: number
  readonly sendWindow: { readonly messages: number; readonly bytes: number }
  readonly maxPacket: number
  /** ms */
  readonly pingInterval: number
  /** ms */
  readonly ackTimeout: number
  /** ms without anything but keep-alive after which this server ends a connection; absent: it never does for that. */
  readonly idleTimeout?: number
  /** ms since the epoch, the server's clock. */
  readonly time: number
  readonly node: string
}

/** What `sync` answers: of one stream, as its sender asks. */
export interface SyncReply {
  /** The highest number that the mailbox has accepted; 0 for none. */
  readonly last: number
  /** The highest number that was acked by the recipient; 0 for none. */
  readonly delivered: number
  /** Numbers at or below `last` that ended otherwise, with the reason; as far back as an outbox may hold shadows. */
  readonly lost?: readonly (readonly [n: number, reason: EndReason])[]
}

/** How a room is entered. */
export interface JoinOptions {
  /** The last offset that was seen: everything after it comes first. */
  readonly since?: number
  /** Of the log that `since` belongs to. */
  readonly epoch?: string
  readonly password?: string
  /** Replies tell, besides the first one, under which other epochs the log goes on. */
  readonly epochs?: boolean
}

/** What may be wished of a new room. */
export interface CreateOptions {
  readonly private?: boolean
  readonly password?: string
  /** Messages that its log keeps, at most. */
  readonly history?: number
}

/** Which part of a list: at most `limit` after that name. */
export interface ListOptions {
  readonly limit?: number
  readonly after?: string
}

/** Which part of a log: the oldest ones after `after`, or else the newest ones before `before`; both may be given. */
export interface HistoryOptions {
  readonly before?: number
  readonly after?: number
  readonly limit?: number
  /** Only what this client sent. */
  readonly from?: string
}

/** A message as it stands in the log of a room. */
export interface HistoryMessage {
  readonly offset: number
  readonly from: string
  readonly outbox: string
  readonly n: number
  readonly time: number
  readonly body: Body
}

/** What `history` answers. */
export interface HistoryPage {
  /** Oldest first. */
  readonly messages: readonly HistoryMessage[]
  readonly epoch: string
  /** The offset of the oldest message that is kept, `last + 1` when none is; and the highest offset given out. */
  readonly first: number
  readonly last: number
}

/** What a client says. */
export interface ClientFrames {
  hello(options: HelloOptions): void
  /**
   * Hands over message n. `n` and `floor` 0: not numbered by the client. NaN: something that is no integer from 1.
   * `ttl` in seconds, 0 for none, NaN for something that is no positive number. `target` '' for something that is no string.
   */
  send(n: number, floor: number, target: string, ttl: number, body: Body): void
  ack(seq: number): void
  nack(seq: number, reason: string): void
  sync(ref: Ref, target: string): void
  signal(target: string, body: Body): void
  presence(ref: Ref, ids: readonly string[]): void
  rotate(ref: Ref): void
  /** `room` '' here and below for something that is no string. */
  join(ref: Ref, room: string, options: JoinOptions): void
  leave(ref: Ref, room: string): void
  create(ref: Ref, room: string, options: CreateOptions): void
  delete(ref: Ref, room: string): void
  rooms(ref: Ref, options: ListOptions): void
  members(ref: Ref, room: string, options: ListOptions): void
  history(ref: Ref, room: string, options: HistoryOptions): void
  token(ref: Ref, token: string): void
  ping(): void
  pong(): void
  bye(): void
  /** A frame that this version does not know; `ref` is its second element if that can be a ref. Encoders write nothing. */
  unknown(op: string, ref: Ref | null): void
}

/** Bits of `flags` in a message. */
export const MessageFlag = {
  /** It waited in the mailbox. */
  parked: 1,
  /** It may have been sent before. */
  repeated: 2,
} as const

export type MemberEvent = 'join' | 'leave'

/** What the server says. */
export interface ServerFrames {
  welcome(options: WelcomeOptions): void
  message(seq: number, from: string, outbox: string, n: number, time: number, flags: number, body: Body): void
  void(seq: number, from: string, outbox: string, n: number, reason: string): void
  /** Every n up to this one was acked by the recipient, those told otherwise apart. */
  delivered(target: string, n: number): void
  /** Every n up to this one is delivered or durably kept. */
  stored(target: string, n: number): void
  /** Exactly n ended for good. */
  ended(kind: EndReason, target: string, n: number, reason: string): void
  /** Exactly n was refused for good; its number is free. */
  failed(target: string, n: number, code: ErrorCode): void
  /** Nothing from n on was taken. */
  retry(target: string, n: number, code: ErrorCode, afterMs: number): void
  /** A message to a room, for every member. */
  room(room: string, offset: number, from: string, outbox: string, n: number, time: number, body: Body): void
  /** Somebody came or went; `name` is '' for who has none. */
  members(room: string, event: MemberEvent, id: string, name: string): void
  signal(from: string, target: string, body: Body): void
  /** `value` is a plain value: null, boolean, number, string, array, object with string keys. */
  reply(ref: Ref, value: unknown): void
  error(ref: Ref | null, code: ErrorCode, text: string): void
  /** The last frame before the server closes. */
  close(name: CloseName, text: string, retryAfterMs: number | null): void
  ping(): void
  pong(): void
  /** A frame that this version does not know. Encoders write nothing. */
  unknown(op: string): void
}

/** Frames for many, encoded once; made by `createBroadcast`. */
export interface Broadcast {
  /** Says them; always the same ones. */
  say(frames: ServerFrames): void
  /** The frames as packets in that encoding, made at the first asking. They are shared, and their bytes never change. */
  packets(text: boolean): readonly Uint8Array[]
}

/** What the server can say in ways of its own; who listens hears the frames of `ServerFrames`. */
export interface ServerVoice extends ServerFrames {
  /** Frames that others are told as well. */
  broadcast(frames: Broadcast): void
  /**
   * The reply to `history`: as much of the page as `maxBytes` hold, but always one message. What does not fit is left out at the old
   * end if `newest`, else at the new end.
   */
  history(ref: Ref, page: HistoryPage, maxBytes: number, newest: boolean): void
}

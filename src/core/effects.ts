/**
 * What the core asks of the world. The core itself does nothing: it has no clock, no timer, no I/O, and it never waits.
 *
 * Every effect that has an answer gets it later as an input of the hub, exactly once: the result, or null when the store did not
 * answer in time or refused. Calls for one client must reach the store in the order in which they are made here.
 */
import type { Body, Ref, ServerVoice } from '../protocol/frames.ts'
import type { BindRequest, Parcel } from '../protocol/mailbox.ts'
import type { Receiving } from './receiving.ts'
import type { Rights } from './rights.ts'
import type { RoomEffects } from './room-effects.ts'
import type { Session } from './session.ts'
import type { Upstream } from './upstream.ts'

/**
 * A live pipe to a client, which writes the frames of the server. After `close` or `end` it takes no more and says nothing;
 * the hub has forgotten the session by then. When the pipe ends by itself, whoever owns it tells `hub.closed(session)`.
 */
export interface Connection extends ServerVoice {
  /** Bytes that were written and that the peer has not taken. */
  readonly unread: number
  /** Ends the connection cleanly, without a close frame. (`close`, from the frames, writes one and ends it too.) */
  end(): void
}

export interface Effects {
  readonly rooms: RoomEffects
  /** Answer: `hub.bound(session, result, null)`. */
  bind(session: Session, request: BindRequest): void
  /** Make up an id and a secret, and bind them with `create`. Answer: `hub.bound(session, result, {id, secret})`. */
  register(session: Session): void
  /** Answer: `hub.unbound(result)`. */
  unbind(id: string, token: string, suspect: number): void
  /** Answer: `hub.enqueued(id, result)`. At most one is under way for an id. */
  enqueue(id: string, batch: readonly Parcel[]): void
  /** Answer: `hub.paged(session, result)`. */
  page(session: Session, after: number, limit: number, maxBytes: number): void
  /** Answer: `hub.removed(session, result)`. */
  remove(session: Session, upTo: number): void
  /** Answer: `hub.removed(session, result)`. */
  refuse(session: Session, s: number, reason: string): void
  /** What the own mailbox of a session knows of a stream. Answer: `hub.recalled(session, stream, result)`. */
  recall(session: Session, stream: string): void
  /** Answer: `hub.synced(session, ref, target, result)`. */
  sync(session: Session, ref: Ref, target: string, stream: string): void
  /** What the mailbox of its recipient knows of a stream. Answer: `hub.verified(up, heard, result)`. */
  verify(up: Upstream, heard: Receiving | null): void
  /** Which of these clients are connected to a node that lives. Answer: `session.online(ref, ids, result)`. */
  online(session: Session, ref: Ref, ids: readonly string[]): void
  /** Make a new secret and store its hash. Answer: `hub.rotated(session, ref, secret)`. */
  rotate(session: Session, ref: Ref): void
  /** Tell another node that a mailbox has something new. No answer; may be lost. */
  wake(node: string, id: string): void
  /** Tell the node at which its sender is, if that is another one, that messages of that stream have ended in a mailbox. No answer; may be lost. */
  settled(stream: string, recipient: string): void
  /** Tell another node that a client left it. No answer; may be lost. */
  evict(node: string, id: string, token: string): void
  /** Tell a client that is not here, wherever it is. No answer; may be lost. */
  signal(to: string, from: string, body: Body): void
}

export interface CoreOptions {
  readonly node: string
  /** ms until an un-acked message makes its recipient suspect. */
  readonly ackTimeoutMs: number
  /** Un-acked messages and bytes of one session, at most. */
  readonly window: number
  readonly windowBytes: number
  /** Unsettled sends and bytes of one connection, at most. */
  readonly sendWindow: number
  readonly sendWindowBytes: number
  /** Bytes of bodies that this node holds without an end, at most. */
  readonly heldBytes: number
  /** New recipients of one sender in a minute. */
  readonly newRecipients: number
  /** Ends of streams that this node remembers when nothing of them is open, at most. */
  readonly rememberedStreams: number
  /** Nobody but this process fills mailboxes, so what it reads in one stays true until it writes there itself. */
  readonly soleOwner: boolean
  /** ms between looks into the mailbox of a connected client when other nodes may fill it; 0: never. */
  readonly pollMs: number
  /** Rooms that a connection may be in, and messages that the log of a room keeps, at most. */
  readonly roomsPerConnection: number
  readonly roomMessages: number
  /** What welcome says besides. */
  readonly maxPacket: number
  readonly pingIntervalMs: number
  /** Steps of messages that are remembered; none without it. */
  readonly trace?: number
}

/** What the shell has read from a `hello`, once the token in it was checked. */
export interface Greeting {
  /** Null: a new id is wanted. */
  readonly id: string | null
  /** SHA-256 of the secret; null when a token has proved the id. */
  readonly secretHash: Uint8Array | null
  /** Random, from the shell: see `BindRequest.nonce`. */
  readonly nonce: string
  /** Named by the client, or made up by the shell. */
  readonly outbox: string
  /** Whether the client named its outbox, and so may number its messages. */
  readonly numbered: boolean
  readonly attempt: number
  /** Un-acked frames wanted. */
  readonly window: number
  /** What others call it in rooms; '' for none. */
  readonly name: string
  readonly rights: Rights
}

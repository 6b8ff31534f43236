/**
 * What an outbox says about its messages: the shapes that it shares with those around it, who keep, count or show them.
 */
import type { EndReason, ErrorCode } from '../protocol/errors.ts'
import type { Body } from '../protocol/frames.ts'

/** A message that the outbox holds. Only the outbox changes it. */
export interface Outgoing {
  /** Names the message for as long as the outbox lives; its number can change until it is told to be taken. */
  readonly id: number
  /** The application's name for it: of no meaning here. */
  readonly key: string
  readonly target: string
  readonly body: Body
  /** Seconds; 0: as long as the server keeps messages. */
  readonly ttl: number
  /** ms; when it was added. */
  readonly time: number
  readonly n: number
  /** It was stored once. */
  readonly stored: boolean
}

/** What became of a message. After `stored` there is one more; every other one is the last. */
export type Outcome =
  | { readonly kind: 'delivered' | 'stored' }
  | { readonly kind: EndReason; readonly reason: string }
  | { readonly kind: 'failed'; readonly code: ErrorCode }
  /** A shadow was given up, for its age or for room: it is stored, and whether it arrives will not be heard. */
  | { readonly kind: 'forgotten' }

/** A step that a journal writes down; replaying them on the snapshot before gives the snapshot after. */
export type OutboxChange =
  | { readonly kind: 'added' | 'stored' | 'gone'; readonly message: Outgoing }
  /** It is gone, and its number goes to the next one: all above it in its stream, and `next`, move down by one. */
  | { readonly kind: 'freed'; readonly message: Outgoing }
  /** A new name: shadows are gone, every stream is numbered from 1 again, and streams that hold nothing are forgotten. */
  | { readonly kind: 'named'; readonly name: string }
  | { readonly kind: 'attempted'; readonly attempt: number }

export interface OutboxEvents {
  settled(message: Outgoing, outcome: Outcome): void
  changed(change: OutboxChange): void
  /** This connection is of no more use to the outbox; close it and open another. */
  reconnect(reason: string): void
}

/** The welcome of a server, as far as an outbox cares. */
export interface SendTerms {
  readonly sendWindow: { readonly messages: number; readonly bytes: number }
  /** ms */
  readonly ackTimeout: number
}

export interface OutboxSnapshot {
  readonly name: string
  readonly attempt: number
  /** The highest `id` that was given to a message. */
  readonly lastId: number
  readonly streams: readonly {
    readonly target: string
    readonly next: number
    readonly messages: readonly Outgoing[]
  }[]
}

export interface OutboxLimits {
  readonly maxMessages: number
  readonly maxBytes: number
  /** ms; a shadow is given up after it. */
  readonly shadowLifeMs: number
  /** ms between asking what became of shadows. */
  readonly resyncMs: number
  /** Streams, with or without something held. Above it the outbox takes a new name when it holds nothing; at twice as many `add` refuses. */
  readonly maxStreams: number
}

export interface OutboxOptions extends Partial<OutboxLimits> {
  /** Makes up a name: 8 to 32 of `A-Za-z0-9_-`, random, never the same twice. */
  readonly newName: () => string
  readonly restore?: OutboxSnapshot
}

export const usualLimits: OutboxLimits = {
  maxMessages: 1_000,
  maxBytes: 5_000_000,
  shadowLifeMs: 7 * 24 * 3_600_000,
  resyncMs: 45_000,
  maxStreams: 10_000,
}

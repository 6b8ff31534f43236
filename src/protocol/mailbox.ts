/**
 * What the core asks of a mailbox and what the store answers: the shapes that both sides share, and nothing else.
 *
 * They stand here because the core and the stores may not know each other. A stream is named by one string,
 * `streamName(from, outbox)`; its third part, the target, is the mailbox in which it is looked up.
 */
import type { EndReason } from './errors.ts'
import type { Body } from './frames.ts'

/** Neither a client id nor an outbox can hold a space. */
export function streamName(from: string, outbox: string): string {
  return `${from} ${outbox}`
}

export function splitStream(stream: string): [from: string, outbox: string] {
  const space = stream.indexOf(' ')
  return [stream.slice(0, space), stream.slice(space + 1)]
}

/** How a client shows that an id is its own. The hash is SHA-256 of the secret; a token was checked before. */
export type Proof = { readonly kind: 'secret'; readonly hash: Uint8Array } | { readonly kind: 'token' }

export interface BindRequest {
  readonly id: string
  readonly proof: Proof
  /** Register the id when it is unknown. With a secret the id must then be fresh: one that exists is answered `taken`. */
  readonly create: boolean
  readonly node: string
  /** Random; makes the token unique even after a store has lost its counter. */
  readonly nonce: string
  readonly outbox: string
  /** Of two connections of the same outbox the one with the higher attempt wins. 0: not counted, the later one wins. */
  readonly attempt: number
}

export type BindResult =
  | {
      readonly kind: 'bound'
      /** Fences every later page, remove, refuse, rotate and unbind of this session. */
      readonly token: string
      /** False when the id was registered by this call. */
      readonly resumed: boolean
      /** Entries in the mailbox. */
      readonly parked: number
      /** ms since the epoch: when the id lapses if it is not used again. */
      readonly expires: number
      /** The node that held the client until now, or null. */
      readonly previous: string | null
    }
  /** The id was never registered, or has lapsed. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'taken' }
  | { readonly kind: 'bad_secret' }
  /** A connection of the same outbox with a higher attempt is bound. */
  | { readonly kind: 'superseded' }
  /** Another outbox has replaced a live connection of this id too often within a minute. */
  | { readonly kind: 'flood' }

/** A message on its way into a mailbox. */
export interface Parcel {
  readonly stream: string
  readonly n: number
  /** The lowest number of the stream that the sender still holds. */
  readonly floor: number
  /** ms since the epoch: when the server accepted it. */
  readonly time: number
  /** ms since the epoch; 0: the longest life that the store gives. */
  readonly expires: number
  readonly body: Body
  /** It was sent to its recipient, who did not ack it. */
  readonly repeated: boolean
}

/**
 * What became of one parcel. `ok`: it is in the mailbox. A word of a receipt: it was there before, and this is the receipt
 * that it has earned. `full`: limits of the mailbox; nothing old was dropped. `unknown`: nobody has that id. A number: an
 * earlier message is missing, and this is its number.
 */
export type Outcome = 'ok' | 'stored' | 'delivered' | EndReason | 'full' | 'unknown' | number

export interface EnqueueResult {
  /** One for each parcel, in their order. */
  readonly outcomes: readonly Outcome[]
  /** The node that holds the client now, or null. */
  readonly owner: string | null
}

/** A message in a mailbox. */
export interface Entry {
  /** Its place in the mailbox: rises with every entry, never repeats. */
  readonly s: number
  readonly stream: string
  readonly n: number
  readonly time: number
  /** Null in a void: the message ended, and its number must still be told. */
  readonly body: Body | null
  /** Why it is a void, else ''. */
  readonly reason: EndReason | ''
  /** It may have been sent to its recipient before: it was parked so, or an earlier session was given it, or the store cannot tell. */
  readonly repeated: boolean
}

/** A message that ended in a mailbox without having been delivered; its sender is to be told. */
export interface Lost {
  readonly recipient: string
  readonly stream: string
  readonly n: number
  readonly kind: EndReason
  /** What the recipient said in its nack; else the kind again. */
  readonly reason: string
}

export type PageResult =
  | {
      readonly kind: 'page'
      readonly entries: readonly Entry[]
      /** True: entries after these are there already. */
      readonly more: boolean
      /** The `s` of the oldest entry of the whole mailbox, or 0. One that was removed before shows that the store lost the removal. */
      readonly oldest: number
      /** What turned into a void in this call. */
      readonly lost: readonly Lost[]
    }
  | Fenced

export type FencedResult = { readonly kind: 'ok'; readonly lost: readonly Lost[] } | Fenced

/**
 * The token is not the current one. `stale`: a later session has the client. `forgotten`: nobody has, or an earlier one as far as
 * the store knows: it has lost this session, as in a failover, and the client may come back.
 */
export interface Fenced {
  readonly kind: 'stale' | 'forgotten'
}

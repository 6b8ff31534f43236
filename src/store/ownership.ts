/**
 * Who holds a client: the part of `bind` and `unbind` that concerns connections and not what is kept.
 *
 * Every store that lives in one process holds one `Ownership` per client in memory, and takes its decisions here; a store that
 * is shared by many processes takes the same decisions in its own language. The functions change what they are given.
 */
import { Buffer } from 'node:buffer'
import { timingSafeEqual } from 'node:crypto'

import type { BindRequest, BindResult, Fenced } from '../protocol/mailbox.ts'

const MINUTE_MS = 60_000

/** What stays of a request to bind while its client is connected: for every one of them, so no more than is asked for later. */
export interface Owner {
  readonly token: string
  readonly nonce: string
  readonly node: string
  readonly outbox: string
  readonly attempt: number
  readonly resumed: boolean
  readonly previous: string | null
}

export interface Ownership {
  owner: Owner | null
  /** Counts the owners. */
  epoch: number
  /** The token that `unbind` ended last, so that a repeated call is known as one. */
  ended: string
  /** ms since the epoch: when another outbox replaced a live connection, within the last minute. */
  replacements: readonly number[]
}

/** The secrets of a client, as `keptHash` keeps them; both null when only a token proves the id. */
export interface Secrets {
  secret: string | null
  /** Made by a rotation and not used yet. */
  nextSecret: string | null
}

const none: readonly number[] = []

export function createOwnership(): Ownership {
  return { owner: null, epoch: 0, ended: '', replacements: none }
}

/** The hash of a secret, a character for each byte: many are held, and as bytes each would take five times the memory. */
export function keptHash(hash: Uint8Array): string {
  return Buffer.from(hash.buffer, hash.byteOffset, hash.length).toString('latin1')
}

function sameSecret(known: string | null, shown: Uint8Array): boolean {
  return known !== null && known.length === shown.length && timingSafeEqual(Buffer.from(known, 'latin1'), shown)
}

/** Whether the proof is wrong, and how that is said. */
export function disproved(secrets: Secrets, { proof, create }: BindRequest): BindResult | null {
  if (proof.kind === 'token') return null
  // Both are compared, whatever the first one says, so that the time does not tell.
  const current = sameSecret(secrets.secret, proof.hash)
  const next = sameSecret(secrets.nextSecret, proof.hash)
  if (current || next) return null
  return { kind: create ? 'taken' : 'bad_secret' }
}

/** The first use of the newer secret ends the older one. True when that happened. */
export function useSecret(secrets: Secrets, { proof }: BindRequest): boolean {
  if (proof.kind === 'token' || !sameSecret(secrets.nextSecret, proof.hash)) return false
  secrets.secret = secrets.nextSecret
  secrets.nextSecret = null
  return true
}

/** Whether the connection that is there now keeps the client, and why. Counts the replacement when it does not. */
export function contested(
  ownership: Ownership,
  { outbox, attempt }: BindRequest,
  now: number,
  replacementsPerMinute: number,
): BindResult | null {
  const { owner } = ownership
  if (owner === null) return null
  if (owner.outbox === outbox) {
    return attempt > 0 && owner.attempt > attempt ? { kind: 'superseded' } : null
  }
  const recent = ownership.replacements.filter(at => at > now - MINUTE_MS)
  const isFlood = recent.length >= replacementsPerMinute
  ownership.replacements = isFlood ? recent : [...recent, now]
  return isFlood ? { kind: 'flood' } : null
}

/** Hands the client over to whoever asks. */
export function own(ownership: Ownership, { nonce, node, outbox, attempt }: BindRequest, resumed: boolean): Owner {
  ownership.epoch++
  const previous = ownership.owner?.node ?? null
  ownership.owner = { token: `${ownership.epoch}:${nonce}`, nonce, node, outbox, attempt, resumed, previous }
  return ownership.owner
}

/** What is said to a token that is not the current one; null when it is. */
export function fenced({ owner }: Ownership, token: string): Fenced | null {
  if (owner?.token === token) return null
  const isLater = owner !== null && !(epochOf(owner.token) < epochOf(token))
  return { kind: isLater ? 'stale' : 'forgotten' }
}

function epochOf(token: string): number {
  return Number.parseInt(token, 10)
}

/** Ends the ownership. `repeated`: this very token was ended before. */
export function disown(ownership: Ownership, token: string): 'ended' | 'repeated' | Fenced {
  if (ownership.ended === token) return 'repeated'
  const refusal = fenced(ownership, token)
  if (refusal !== null) return refusal
  ownership.owner = null
  ownership.ended = token
  return 'ended'
}

/** Whether nothing of it matters any more, so that it may be forgotten. */
export function forgettable({ owner, replacements }: Ownership, now: number): boolean {
  const latest = replacements.at(-1)
  return owner === null && (latest === undefined || latest <= now - MINUTE_MS)
}

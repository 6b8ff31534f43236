/**
 * What outlives a connection, and where: who the client is, what its outbox holds, how far its inbox has read.
 *
 * In a browser a database keeps all of it, on Node a directory. Another keeper can be brought along. The client calls
 * `commit` before anything leaves that follows from what it told the keeper, so a keeper may gather until then.
 */
import { AckdError } from './errors.ts'
import { memoryIdentity, type Identity, type IdentityStore } from './identity.ts'
import type { RoomCursor } from './rooms/feed.ts'
import type { Cursor } from './inbox.ts'
import type { OutboxChange, OutboxSnapshot } from './outgoing.ts'

export interface Keeper {
  readonly identity: IdentityStore
  /** What was held when the last process ended. */
  readonly outbox: OutboxSnapshot | null
  readonly cursors: readonly Cursor[]
  /** How far rooms were read. */
  readonly rooms: readonly RoomCursor[]
  /** Called once, before the changes: where to read the whole when the changes have become many. */
  attach(outbox: () => OutboxSnapshot, cursors: () => readonly Cursor[], rooms: () => readonly RoomCursor[]): void
  changed(change: OutboxChange): void
  recorded(cursor: Cursor): void
  /** How far a room was read; an offset of -1: it was left, and is to be forgotten. */
  roomRecorded(cursor: RoomCursor): void
  /**
   * Writes what was told: within the call, or else returns the promise of it, and takes what is told meanwhile for the next call.
   * Throws or rejects when it could not be written; what was told is remembered, and written by a later call.
   */
  commit(): Promise<void> | undefined
  close(): void
}

/** Keeps the identity, if its store works, and nothing else. `report` hears when the store does not work. */
export function identityKeeper(store: IdentityStore, report: (error: AckdError) => void): Keeper {
  return {
    identity: withFallback(store, report),
    outbox: null,
    cursors: [],
    rooms: [],
    attach: () => {},
    changed: () => {},
    recorded: () => {},
    roomRecorded: () => {},
    commit: () => undefined,
    close: () => {},
  }
}

function withFallback(store: IdentityStore, report: (error: AckdError) => void): IdentityStore {
  const memory = memoryIdentity()
  const attempt = <Result>(work: () => Result, otherwise: Result): Result => {
    try {
      return work()
    } catch (error) {
      report(new AckdError('not_kept', 'the identity lives only as long as this client', error))
      return otherwise
    }
  }
  return {
    load: () => memory.load() ?? attempt<Identity | null>(() => store.load(), null),
    save: identity => {
      memory.save(identity)
      attempt(() => store.save(identity), undefined)
    },
  }
}

/**
 * What the connections of a node share, and what they tell it: `Gateway` is what stands around them.
 */
import type { Hub } from '../core/hub.ts'
import type { SharedDecoder } from '../protocol/codec.ts'
import type { CloseName } from '../protocol/errors.ts'
import type { Pass } from './claims.ts'
import type { Clock } from './clock.ts'
import type { ClientConnection } from './connection.ts'
import type { Counters } from './counters.ts'
import type { Credentials } from './credentials.ts'
import type { Slab } from './slab.ts'
import type { Turn } from './turn.ts'
import type { Unread } from './unread.ts'
import type { VigilLimits } from './vigil.ts'
import type { Voices } from './voices.ts'

export interface ConnectionLimits extends VigilLimits {
  readonly maxPacket: number
  /** Frames in a second; twice as many in a burst. */
  readonly frameRate: number
}

/** What all connections of a node share. */
export interface Surroundings {
  readonly hub: Hub
  readonly turn: Turn
  readonly clock: Clock
  readonly slab: Slab
  readonly decoder: SharedDecoder
  readonly voices: Voices
  readonly counters: Counters
  readonly limits: ConnectionLimits
  readonly credentials: Credentials
  readonly unread: Unread
  /** Its hello has come, or never will. */
  greeted(connection: ClientConnection): void
  /** The pipe has ended. */
  gone(connection: ClientConnection): void
  /** A token was found good for it, for the first time or again. */
  bears(connection: ClientConnection, pass: Pass): void
  /** It is being closed, with that close. */
  closes(connection: ClientConnection, name: CloseName): void
  /** A wrong secret was offered. True: its answer waits until `finish` is called. */
  delays(connection: ClientConnection): boolean
  /** A fault of this program. */
  failed(error: unknown): void
}

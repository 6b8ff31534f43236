/** What rooms need of the client that they belong to. */
import type { Ref } from '../../protocol/frames.ts'
import type { Asking } from '../courier.ts'
import type { AckdError } from '../errors.ts'
import type { RoomCursor } from './feed.ts'
import type { Entrance } from './memberships.ts'
import type { Sent } from '../sends.ts'

export interface RoomHost {
  readonly pausesMs: readonly number[]
  ask(write: (frames: Asking, ref: Ref) => void): Promise<unknown>
  send(to: string, body: unknown): Promise<Sent>
  signal(to: string, body: unknown): boolean
  enter(entrance: Entrance): void
  leave(room: string): void
  recorded(cursor: RoomCursor): void
  failed(error: AckdError): void
}

/** What the nodes of a simulated world call: tables that answer at once, or a real store that answers later. */
import type { RoomEffects } from '../../src/core/room-effects.ts'
import type { RoomStore } from '../../src/store/room-store.ts'
import type { Store, StoreLimits } from '../../src/store/store.ts'
import type { Node } from './node.ts'

type Answer<Call> = Call extends (...args: infer Args) => Promise<infer Value>
  ? (...args: Args) => Value | Promise<Value>
  : never

/** The part of a store that nodes call: it answers at once, or later. */
export type Kept = {
  readonly [
    Call in 'bind' | 'unbind' | 'enqueue' | 'page' | 'remove' | 'refuse' | 'sync' | 'client' | 'mailboxes'
  ]: Answer<Store[Call]>
}

/** What a world stands on instead of tables. */
export interface RealStore {
  readonly kept: Kept
  readonly rooms: RoomStore
  /** What a node asks about rooms. */
  effects(node: Node): RoomEffects
}

/** One store for each node, by its index. They go by the clock of the world. */
export type OpenStore = (index: number, limits: StoreLimits, clock: () => number) => Promise<RealStore>

/** How many rooms there are, and how many each client owns, where one process keeps them all. The server may always make one, as the owner ''. */
import type { Created } from '../protocol/rooms.ts'
import type { RoomLimits } from './room-store.ts'

export class RoomTally {
  readonly #owned = new Map<string, number>()
  #rooms = 0

  /** Of the rooms that these own. */
  constructor(owners: Iterable<string>) {
    for (const owner of owners) this.add(owner)
  }

  add(owner: string): void {
    this.#change(owner, 1)
  }

  remove(owner: string): void {
    this.#change(owner, -1)
  }

  /** Why that client may make no more; null: it may. */
  refusal(owner: string, { rooms, owned }: RoomLimits): Exclude<Created, 'created' | 'exists'> | null {
    if (owner === '') return null
    if ((this.#owned.get(owner) ?? 0) >= owned) return 'owns_too_many'
    return this.#rooms >= rooms ? 'too_many' : null
  }

  #change(owner: string, by: number): void {
    this.#rooms += by
    const count = (this.#owned.get(owner) ?? 0) + by
    if (count > 0) this.#owned.set(owner, count)
    else this.#owned.delete(owner)
  }
}

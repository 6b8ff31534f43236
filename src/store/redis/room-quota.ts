/**
 * How many rooms there may be on a Redis, and how many of them of one client.
 *
 * The names of the rooms of a client are in a set of its own, which no script can change together with a room: a name is put there first, and
 * taken out when the room could not be made or was deleted. One that stays there by mistake is noticed when the client has as many as it may.
 * How many there are in all is what the index lists.
 */
import type { Created, RoomRecord } from '../../protocol/rooms.ts'
import type { RoomLimits } from '../room-store.ts'
import type { RedisIndex } from './index.ts'
import type { Keys } from './keys.ts'
import type { RedisLink } from './link.ts'
import { listOf, textOf } from './records.ts'

export class RoomQuota {
  readonly #link: RedisLink
  readonly #keys: Keys
  readonly #limits: RoomLimits
  readonly #now: () => string

  constructor(link: RedisLink, keys: Keys, limits: RoomLimits, now: () => string) {
    this.#link = link
    this.#keys = keys
    this.#limits = limits
    this.#now = now
  }

  /** Counts one more room of that owner. Answers why that may not be; null: it may. `look` finds a room. */
  async claim(
    owner: string,
    room: string,
    all: RedisIndex,
    look: (room: string) => Promise<RoomRecord | null>,
  ): Promise<Exclude<Created, 'created' | 'exists'> | null> {
    if (owner === '') return null
    if ((await all.count()) >= this.#limits.rooms) return 'too_many'
    if (await this.#claim(owner, room)) return null
    await this.#tidy(owner, look)
    return (await this.#claim(owner, room)) ? null : 'owns_too_many'
  }

  /** That room is not, or no longer, one of that client. */
  async release(owner: string, room: string): Promise<void> {
    if (owner !== '') await this.#link.send('srem', this.#keys.owned(owner), room)
  }

  async #claim(owner: string, room: string): Promise<boolean> {
    const key = this.#keys.owned(owner)
    return (await this.#link.run('claimRoom', [key], this.#now(), this.#limits.owned, room)) === 1
  }

  async #tidy(owner: string, look: (room: string) => Promise<RoomRecord | null>): Promise<void> {
    const rooms = listOf(await this.#link.send('smembers', this.#keys.owned(owner))).map(textOf)
    const records = await Promise.all(rooms.map(look))
    const strange = rooms.filter((_, index) => records[index]?.owner !== owner)
    await Promise.all(strange.map(room => this.release(owner, room)))
  }
}

/**
 * Rooms that many nodes share: a log is a Redis list, and every operation is one script (`scripts-rooms.ts`).
 *
 * All keys of a room are in one slot. Which rooms there are is in an index like that of the mailboxes, once for all of them and once for
 * those that are listed to everybody. What happens in a room is told on its channel (`neighbours.ts`).
 */
import type {
  AppendResult,
  Created,
  EndedEpoch,
  RoomPage,
  RoomParcel,
  RoomQuery,
  RoomRecord,
  RoomSettings,
} from '../../protocol/rooms.ts'
import type { Keys } from './keys.ts'
import { RedisIndex } from './index.ts'
import type { Leases } from './leases.ts'
import type { Argument, RedisLink } from './link.ts'
import { bytesOf, listOf, numberOf, packParcels, readAppended, readPost, readStream, textOf } from './records.ts'
import { pageInSteps, type PageStep } from '../room-pages.ts'
import { isEpochOf, type RoomLimits, type RoomStore } from '../room-store.ts'
import { RoomQuota } from './room-quota.ts'
import type { ScriptName } from './scripts.ts'

/** Messages that one script looks at: Redis does nothing else meanwhile. */
const LOOKED_AT = 1_024

export class RedisRooms implements RoomStore {
  readonly #link: RedisLink
  readonly #keys: Keys
  readonly #leases: Leases
  readonly #limits: RoomLimits
  readonly #time: () => number
  readonly #now: () => string
  /** All rooms, by when something of theirs ends. */
  readonly #all: RedisIndex
  readonly #public: RedisIndex
  readonly #quota: RoomQuota

  constructor(link: RedisLink, keys: Keys, leases: Leases, limits: RoomLimits, time: () => number, now: () => string) {
    this.#link = link
    this.#leases = leases
    this.#keys = keys
    this.#limits = limits
    this.#time = time
    this.#now = now
    this.#all = new RedisIndex(link, keys.rooms)
    this.#public = new RedisIndex(link, keys.publicRooms)
    this.#quota = new RoomQuota(link, keys, limits, now)
  }

  async create(room: string, settings: RoomSettings): Promise<Created> {
    const { owner, password, messages, epoch, created } = settings
    const refusal = await this.#quota.claim(owner, room, this.#all, name => this.#look(name))
    if (refusal !== null) return (await this.#existing(room, epoch)) ?? refusal
    // A room that is not in the index would never be swept, so it comes to be there first.
    this.#all.ends(room, this.#time() + this.#limits.lifeMs)
    await this.#announce(room, settings)
    const hides = settings.private ? '1' : ''
    const reply = await this.#runWhole('createRoom', room, epoch, owner, hides, password, messages, created)
    if (reply !== 1) {
      if ((await this.#look(room))?.owner !== owner) await this.#quota.release(owner, room)
      return 'exists'
    }
    // Somebody who listed the rooms meanwhile may have taken it out again, since it was not there.
    await this.#announce(room, settings)
    return 'created'
  }

  async delete(room: string, epoch: string): Promise<boolean> {
    const owner = await this.#runWhole('deleteRoom', room, epoch, this.#keys.channel(room))
    if (owner === 0) return false
    // Should that fail, whoever lists the rooms next does it.
    const forget = [this.#all, this.#public].map(index => index.forget(room, () => this.#look(room)))
    await Promise.allSettled([...forget, this.#quota.release(textOf(owner), room)])
    return true
  }

  async find(room: string): Promise<RoomRecord | null> {
    return this.#record(room, await this.#runWhole('room', room, '1', this.#link.stint))
  }

  list(after: string, limit: number, hidden: boolean): Promise<readonly RoomRecord[]> {
    if (hidden) return this.#all.list(after, limit, room => this.#look(room))
    return this.#public.list(after, limit, async room => {
      const record = await this.#look(room)
      return record?.private === true ? null : record
    })
  }

  async append(room: string, batch: readonly RoomParcel[], epoch = ''): Promise<AppendResult> {
    const args = [this.#keys.channel(room), this.#leases.own, epoch, this.#link.stint]
    const reply = await this.#run('appendPosts', room, packParcels(batch), ...args)
    if (reply === null) return { kind: 'no_such_room' }
    if (reply === 0) return { kind: 'another_room' }
    const [now, last, due, ...outcomes] = listOf(reply)
    if (numberOf(due) > 0) this.#all.ends(room, numberOf(due))
    return { kind: 'appended', outcomes: outcomes.map(readAppended), epoch: textOf(now), last: numberOf(last) }
  }

  page(room: string, query: RoomQuery): Promise<RoomPage | null> {
    return pageInSteps(query, rest => this.#step(room, rest))
  }

  async taken(room: string, stream: string): Promise<number> {
    const kept = await this.#run('takenPosts', room, stream)
    return kept === null ? 0 : readStream(bytesOf(kept)).last
  }

  async sweep(): Promise<void> {
    const rooms = await this.#all.take(this.#now())
    await Promise.all(rooms.map(async room => this.#all.giveBack(room, numberOf(await this.#run('sweepRoom', room)))))
  }

  /** Tells the indexes what they have not heard yet. */
  async tell(): Promise<void> {
    await Promise.all([this.#all.tell(), this.#public.tell()])
  }

  /** What there is under that name already, in the words of `create`. */
  async #existing(room: string, epoch: string): Promise<Created | null> {
    const known = await this.#look(room)
    if (known === null) return null
    return isEpochOf(epoch, known.epoch) ? 'created' : 'exists'
  }

  /** Like `find`, but begins no epoch. */
  async #look(room: string): Promise<RoomRecord | null> {
    return this.#record(room, await this.#runWhole('room', room, '', ''))
  }

  async #announce(room: string, settings: RoomSettings): Promise<void> {
    this.#all.holds(room)
    if (!settings.private) this.#public.holds(room)
    await this.tell()
  }

  async #step(room: string, query: RoomQuery): Promise<PageStep | null> {
    const { after, before = Number.MAX_SAFE_INTEGER, from = '', limit, maxBytes } = query
    const forward = after === undefined ? '' : '1'
    const { stint } = this.#link
    // Nobody has the empty name, and to the script it means everybody.
    const wanted = query.from === '' ? 0 : limit
    const reply = await this.#run(
      'pagePosts',
      room,
      forward,
      after ?? 0,
      before,
      from,
      wanted,
      maxBytes,
      LOOKED_AT,
      stint,
    )
    if (reply === null) return null
    const [epoch, ended, first, last, stopped, found] = listOf(reply)
    return {
      log: { epoch: textOf(epoch), ended: readEnded(textOf(ended)), first: numberOf(first), last: numberOf(last) },
      found: listOf(found).map(post => readPost(bytesOf(post))),
      stopped: numberOf(stopped),
    }
  }

  async #record(room: string, reply: unknown): Promise<RoomRecord | null> {
    if (reply === null) return null
    const record = readRecord(room, listOf(reply))
    const nodes = listOf(listOf(reply)[9]).map(textOf)
    let members = 0
    for (let i = 0; i + 1 < nodes.length; i += 2) {
      const lease = nodes[i] ?? ''
      if (lease !== '' && (await this.#leases.lives(lease))) members += Number(nodes[i + 1])
    }
    return members > 0 ? { ...record, members } : record
  }

  #run(name: ScriptName, room: string, ...args: Argument[]): Promise<unknown> {
    return this.#link.run(name, this.#keys.room(room), this.#now(), ...args)
  }

  /** With the roll. */
  #runWhole(name: ScriptName, room: string, ...args: Argument[]): Promise<unknown> {
    return this.#link.run(name, [...this.#keys.room(room), ...this.#keys.roll(room)], this.#now(), ...args)
  }
}

function readEnded(text: string): EndedEpoch[] {
  const words = text.split(' ')
  const ended: EndedEpoch[] = []
  for (let i = 0; i + 1 < words.length; i += 2) ended.push({ epoch: words[i] ?? '', last: Number(words[i + 1]) })
  return ended
}

function readRecord(room: string, reply: readonly unknown[]): RoomRecord {
  const [owner, hides, password, messages, created, epoch, ended, first, last] = reply
  return {
    room,
    owner: textOf(owner),
    private: textOf(hides) === '1',
    password: textOf(password),
    messages: numberOf(messages),
    created: numberOf(created),
    epoch: textOf(epoch),
    ended: readEnded(textOf(ended)),
    first: numberOf(first),
    last: numberOf(last),
  }
}

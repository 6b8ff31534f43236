/**
 * What is known of many clients at once, or of many rooms: when a sweep has to look at which, and which may have to be listed.
 *
 * The index and a mailbox cannot change in one step, so the index only ever errs on the safe side: an id may be in it too early or for nothing,
 * and the look at the mailbox decides. It is the same for a room and its name. A time is only ever moved forward (`ZADD LT`). A sweep takes due ids out, looks, and puts
 * them back with their next time, so that whoever writes meanwhile is not overwritten; taken ids of a sweep that died come back
 * after a minute. What is told to the index gathers during a turn and goes again until Redis has it.
 */
import type { RedisLink } from './link.ts'
import { listOf, textOf } from './records.ts'
import { shardOf, SHARDS, type ShardKeys } from './keys.ts'

/** Ids taken from one shard by one sweep. */
const STEP = 64
const TAKEN_MS = 60_000
/** Looks at the index for one list. */
const LOOKS = 50
/** Ids remembered for the index while Redis is away; beyond, an id is found when it is used again. */
const MAX_UNTOLD = 100_000

export class RedisIndex {
  readonly #link: RedisLink
  readonly #shards: readonly ShardKeys[]
  #due = new Map<string, number>()
  #held = new Set<string>()
  #telling: Promise<void> | null = null

  constructor(link: RedisLink, shards: readonly ShardKeys[]) {
    this.#link = link
    this.#shards = shards
  }

  /** Something of this client ends at that time, in ms. */
  ends(id: string, at: number): void {
    if (this.#due.size >= MAX_UNTOLD) return
    this.#due.set(id, Math.min(at, this.#due.get(id) ?? Infinity))
    this.#later()
  }

  /** This id may have to be listed: the mailbox has got its first message, or the room is made. */
  holds(id: string): void {
    if (this.#held.size >= MAX_UNTOLD) return
    this.#held.add(id)
    this.#later()
  }

  /** The ids that are due, out of all shards. Each has to be given back, or comes by itself after a minute. */
  async take(now: string): Promise<string[]> {
    await this.tell()
    const taken = await Promise.all(
      this.#shards.map(({ due, taken }) => this.#link.run('take', [due, taken], now, STEP, TAKEN_MS)),
    )
    return taken.flatMap(ids => listOf(ids).map(textOf)).sort()
  }

  /** Gives back an id that was taken. 0: there is no such client any more. */
  async giveBack(id: string, at: number): Promise<void> {
    const { due, taken, listed } = this.#shard(id)
    await this.#link.run('giveBack', [due, taken, listed], '', at, id)
  }

  /**
   * What `look` answers for the ids that are listed after `after`, in order of the alphabet, at most `limit` of them. An id of
   * which it knows nothing, null, leaves the list.
   */
  async list<T>(after: string, limit: number, look: (id: string) => Promise<T | null>): Promise<T[]> {
    const records: T[] = []
    for (let looks = 0; looks < LOOKS && records.length < limit; looks++) {
      const ids = await this.#listed(after, limit)
      for (const record of await Promise.all(ids.map(async id => (await look(id)) ?? this.forget(id, look)))) {
        if (record !== null && records.length < limit) records.push(record)
      }
      if (ids.length < limit) break
      after = ids.at(-1) ?? after
    }
    return records
  }

  /** Takes an id of which nothing is known out of the list. It is looked at once more, in case there is something of it by now. */
  async forget<T>(id: string, look: (id: string) => Promise<T | null>): Promise<T | null> {
    await this.#link.send('zrem', this.#shard(id).listed, id)
    const record = await look(id)
    if (record !== null) this.holds(id)
    return record
  }

  /** Tells Redis what has gathered. Rejects when it does not listen; then it is told later. */
  async tell(): Promise<void> {
    while (this.#telling !== null || this.#due.size + this.#held.size > 0) {
      this.#telling ??= this.#flush().finally(() => {
        this.#telling = null
      })
      await this.#telling
    }
  }

  /** How many may have to be listed. */
  async count(): Promise<number> {
    const counts = await Promise.all(this.#shards.map(({ listed }) => this.#link.send('zcard', listed)))
    return counts.reduce<number>((sum, count) => sum + Number(count), 0)
  }

  async #listed(after: string, limit: number): Promise<string[]> {
    await this.tell()
    const from = after === '' ? '-' : `(${after}`
    const ids = await Promise.all(
      this.#shards.map(({ listed }) => this.#link.send('zrangebylex', listed, from, '+', 'LIMIT', 0, limit)),
    )
    return ids
      .flatMap(some => listOf(some).map(textOf))
      .sort()
      .slice(0, limit)
  }

  #shard(id: string): ShardKeys {
    const shard = this.#shards[shardOf(id)]
    if (shard === undefined) throw new Error(`No shard for ${id}.`)
    return shard
  }

  #later(): void {
    if (this.#telling !== null) return
    this.#telling = new Promise(setImmediate)
      .then(() => this.#flush())
      .finally(() => {
        this.#telling = null
      })
    this.#telling.catch(() => {})
  }

  async #flush(): Promise<void> {
    const due = this.#due
    const held = this.#held
    this.#due = new Map()
    this.#held = new Set()
    const times: (string | number)[][] = Array.from({ length: SHARDS }, () => [])
    const names: (string | number)[][] = Array.from({ length: SHARDS }, () => [])
    for (const [id, at] of due) times[shardOf(id)]?.push(at, id)
    for (const id of held) names[shardOf(id)]?.push(0, id)
    const calls = this.#shards.flatMap((keys, shard) => [
      ...this.#add(keys.due, ['LT'], times[shard] ?? []),
      ...this.#add(keys.listed, [], names[shard] ?? []),
    ])
    try {
      await Promise.all(calls)
    } catch (error) {
      for (const [id, at] of due) this.#due.set(id, Math.min(at, this.#due.get(id) ?? Infinity))
      for (const id of held) this.#held.add(id)
      throw error
    }
  }

  #add(key: string, options: readonly string[], members: readonly (string | number)[]): Promise<unknown>[] {
    return members.length === 0 ? [] : [this.#link.send('zadd', key, ...options, ...members)]
  }
}

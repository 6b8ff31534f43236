/**
 * What is known of many clients at once: when a sweep has to look at whom, and whose mailbox may hold something.
 *
 * The index and a mailbox cannot change in one step, so the index only ever errs on the safe side: an id may be in it too early or for nothing,
 * and the look at the mailbox decides. A time is only ever moved forward (`ZADD LT`). A sweep takes due ids out, looks, and puts
 * them back with their next time, so that whoever writes meanwhile is not overwritten; taken ids of a sweep that died come back
 * after a minute. What is told to the index gathers during a turn and goes again until Redis has it.
 */
import type { RedisLink } from './redis-link.ts'
import { listOf, textOf } from './redis-records.ts'
import { shardOf, SHARDS, type Keys, type ShardKeys } from './keys.ts'

/** Ids taken from one shard by one sweep. */
const STEP = 64
const TAKEN_MS = 60_000
/** Ids remembered for the index while Redis is away; beyond, an id is found when it is used again. */
const MAX_UNTOLD = 100_000

export class RedisIndex {
  readonly #link: RedisLink
  readonly #shards: readonly ShardKeys[]
  #due = new Map<string, number>()
  #parked = new Set<string>()
  #telling: Promise<void> | null = null

  constructor(link: RedisLink, keys: Keys) {
    this.#link = link
    this.#shards = keys.shards
  }

  /** Something of this client ends at that time, in ms. */
  ends(id: string, at: number): void {
    if (this.#due.size >= MAX_UNTOLD) return
    this.#due.set(id, Math.min(at, this.#due.get(id) ?? Infinity))
    this.#later()
  }

  /** The mailbox of this client has got its first message. */
  holds(id: string): void {
    if (this.#parked.size >= MAX_UNTOLD) return
    this.#parked.add(id)
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
    const { due, taken, parked } = this.#shard(id)
    const calls = at > 0 ? [this.#link.send('zadd', due, 'LT', at, id)] : [this.#link.send('zrem', parked, id)]
    calls.push(this.#link.send('zrem', taken, id))
    await Promise.all(calls)
  }

  /** The ids after `after`, in order of the alphabet, at most `limit`, whose mailboxes may hold something. */
  async parked(after: string, limit: number): Promise<string[]> {
    await this.tell()
    const from = after === '' ? '-' : `(${after}`
    const ids = await Promise.all(
      this.#shards.map(({ parked }) => this.#link.send('zrangebylex', parked, from, '+', 'LIMIT', 0, limit)),
    )
    return ids
      .flatMap(some => listOf(some).map(textOf))
      .sort()
      .slice(0, limit)
  }

  /** This mailbox was seen empty. It has to be looked at once more, in case it was filled meanwhile. */
  async forget(id: string): Promise<void> {
    await this.#link.send('zrem', this.#shard(id).parked, id)
  }

  /** Tells Redis what has gathered. Rejects when it does not listen; then it is told later. */
  async tell(): Promise<void> {
    while (this.#telling !== null || this.#due.size + this.#parked.size > 0) {
      this.#telling ??= this.#flush().finally(() => {
        this.#telling = null
      })
      await this.#telling
    }
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
    const parked = this.#parked
    this.#due = new Map()
    this.#parked = new Set()
    const times: (string | number)[][] = Array.from({ length: SHARDS }, () => [])
    const names: (string | number)[][] = Array.from({ length: SHARDS }, () => [])
    for (const [id, at] of due) times[shardOf(id)]?.push(at, id)
    for (const id of parked) names[shardOf(id)]?.push(0, id)
    const calls = this.#shards.flatMap((keys, shard) => [
      ...this.#add(keys.due, ['LT'], times[shard] ?? []),
      ...this.#add(keys.parked, [], names[shard] ?? []),
    ])
    try {
      await Promise.all(calls)
    } catch (error) {
      for (const [id, at] of due) this.#due.set(id, Math.min(at, this.#due.get(id) ?? Infinity))
      for (const id of parked) this.#parked.add(id)
      throw error
    }
  }

  #add(key: string, options: readonly string[], members: readonly (string | number)[]): Promise<unknown>[] {
    return members.length === 0 ? [] : [this.#link.send('zadd', key, ...options, ...members)]
  }
}

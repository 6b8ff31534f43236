/**
 * Where everything lies in Redis.
 *
 * The keys of one client share the hash tag `{id}`, so they are in one slot of a cluster and one script can change them together.
 * What concerns many clients is an index, which no script can change together with a mailbox; it is cut into shards, so that in
 * a cluster it is spread too. The names hold nothing but ids: bodies, secrets and tokens are values.
 */

/** In the order in which the scripts know them: the record, the parked messages, the streams, the dead letters. */
export type ClientKeys = readonly [box: string, mail: string, streams: string, dead: string]

/** The same for a room: the record, the log, the streams. */
export type RoomKeys = readonly [room: string, log: string, streams: string]

/** Who is in it: the clients, and the processes at which they are. */
export type RollKeys = readonly [roll: string, nodes: string]

/** Fixed for ever: an id is found in the shard that it was put into. */
export const SHARDS = 16

/** Of ids, or of names of rooms. */
export interface ShardKeys {
  /** Sorted set of ids by the time when something of theirs ends. */
  readonly due: string
  /** Sorted set of ids that a sweep is busy with, by the time when it counts as dead. */
  readonly taken: string
  /** Sorted set of ids, in order of the alphabet, that may have to be listed. */
  readonly listed: string
}

export class Keys {
  readonly #prefix: string
  /** Of clients; those whose mailbox may hold something are listed. */
  readonly clients: readonly ShardKeys[]
  readonly rooms: readonly ShardKeys[]
  /** Of the rooms that are listed to everybody. */
  readonly publicRooms: readonly ShardKeys[]
  /** Those of which there is an account are listed; nothing of them is ever due. */
  readonly accounts: readonly ShardKeys[]
  /** By place, by expiry, and when each was revoked. */
  readonly revocations: readonly [list: string, expiry: string, times: string]
  /** Sorted set of the processes that live, by the time when they count as dead. */
  readonly leases: string
  /** Which version of all these keys is meant. */
  readonly format: string
  /** Written to see whether that is possible. */
  readonly check: string

  constructor(prefix: string) {
    this.#prefix = prefix
    this.revocations = [`${prefix}{revoked}:list`, `${prefix}{revoked}:expiry`, `${prefix}{revoked}:times`]
    this.leases = `${prefix}leases`
    this.format = `${prefix}format`
    this.check = `${prefix}check`
    this.clients = shardKeys(`${prefix}{index-`)
    this.accounts = shardKeys(`${prefix}{accounts-`)
    this.rooms = shardKeys(`${prefix}{rooms-`)
    this.publicRooms = shardKeys(`${prefix}{public-rooms-`)
  }

  client(id: string): ClientKeys {
    const tag = `${this.#prefix}{${id}}`
    return [`${tag}:box`, `${tag}:mail`, `${tag}:in`, `${tag}:dead`]
  }

  account(id: string): string {
    return `${this.#prefix}{${id}}:account`
  }

  /** The names of rooms begin with `#`, which no id does. */
  room(name: string): RoomKeys {
    const tag = `${this.#prefix}{${name}}`
    return [`${tag}:room`, `${tag}:log`, `${tag}:in`]
  }

  /** Set of the names of the rooms that a client owns, or once did. */
  owned(id: string): string {
    return `${this.#prefix}{${id}}:rooms`
  }

  roll(name: string): RollKeys {
    const tag = `${this.#prefix}{${name}}`
    return [`${tag}:roll`, `${tag}:nodes`]
  }

  /** What was decided under that name of a client or a room. */
  once(target: string, name: string): string {
    return `${this.#prefix}{${target}}:once:${name}`
  }

  /** The channel on which is told what happens in that room. */
  channel(name: string): string {
    return `${this.#prefix}{${name}}:wakes`
  }

  /** The channel on which the process of that name is told something. */
  nodeChannel(node: string): string {
    return `${this.#prefix}node:${node}`
  }

  /** What the process of that lease says of itself. */
  said(lease: string): string {
    return `${this.#prefix}said:${lease}`
  }

  /** The room of a channel; null: it is none of these. */
  roomOf(channel: string): string | null {
    const start = `${this.#prefix}{`
    const end = '}:wakes'
    return channel.startsWith(start) && channel.endsWith(end) ? channel.slice(start.length, -end.length) : null
  }
}

function shardKeys(start: string): readonly ShardKeys[] {
  return Array.from({ length: SHARDS }, (_, shard) => ({
    due: `${start}${shard}}:due`,
    taken: `${start}${shard}}:taken`,
    listed: `${start}${shard}}:listed`,
  }))
}

/** FNV-1a of the id: any spread will do, as long as it is always the same one. */
export function shardOf(id: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193)
  return (hash >>> 0) % SHARDS
}

/**
 * The store that many nodes share: mailboxes are Redis lists, and every operation is one script.
 *
 * What a call does happens in `scripts-mailbox.ts`; here arguments are written and answers read. A call for one client keeps its
 * place among the others, since all go through one connection in the order in which they are made. What is durable is up to the
 * settings of Redis, which are read when it is reached (`redis-settings.ts`, docs/durability.md).
 */
import type {
  BindRequest,
  BindResult,
  EnqueueResult,
  Entry,
  Fenced,
  FencedResult,
  Lost,
  PageResult,
  Parcel,
} from '../protocol/mailbox.ts'
import type { SyncReply } from '../protocol/frames.ts'
import type { AccountStore } from './account-store.ts'
import { Handed } from './redis/handed.ts'
import { Keys } from './redis/keys.ts'
import type { OnceStore } from './once-store.ts'
import { RedisAccounts } from './redis/accounts.ts'
import { redisWay } from './redis/address.ts'
import { RedisIndex } from './redis/index.ts'
import { Leases } from './redis/leases.ts'
import { RedisNeighbours } from './redis/neighbours.ts'
import { RedisOnce } from './redis/once.ts'
import { RedisLink, type Argument } from './redis/link.ts'
import { RedisParking } from './redis/parking.ts'
import {
  bytesOf,
  listOf,
  numberOf,
  readEntry,
  readLost,
  readOutcomes,
  readStream,
  textOf,
  UnexpectedReply,
} from './redis/records.ts'
import { RedisRooms } from './redis/rooms.ts'
import { UnfitRedis } from './redis/settings.ts'
import type { RoomStore } from './room-store.ts'
import { createScripts, type ScriptName } from './redis/scripts.ts'
import {
  changeLimits,
  DISCARDED,
  defaultStoreLimits,
  ownLimits,
  StoreError,
  type ClientRecord,
  type Store,
  type StoreLimits,
} from './store.ts'

export interface RedisStoreOptions {
  /** See `redis-address.ts` for the forms. */
  readonly url: string
  /** A file of PEM certificates: whose a Redis over TLS may show, instead of those that Node knows. */
  readonly caFile?: string
  readonly limits?: StoreLimits
  /** Goes before every key. */
  readonly prefix?: string
  /** ms since the epoch; without it all nodes go by the clock of Redis. For tests. */
  readonly clock?: () => number
  /** Is told, in a sentence, what an operator should know. */
  readonly onNote?: (note: string) => void
}

/** How long the first connection is waited for, ms. */
const FIRST_MS = 3_000
/** An owner may change while it is asked whether it lives. */
const ASKS = 3

/**
 * Rejects with `StoreError` when Redis is there and cannot be used. A Redis that is away is no error: calls are rejected until it
 * is reached.
 */
export async function openRedisStore(options: RedisStoreOptions): Promise<RedisStore> {
  const { url, caFile = '', limits = defaultStoreLimits, prefix = 'ackd:', clock, onNote = () => {} } = options
  const keys = new Keys(prefix)
  const link = new RedisLink({
    ...redisWay(url, caFile),
    scripts: createScripts(limits),
    formatKey: keys.format,
    onNote,
  })
  let timer: NodeJS.Timeout | undefined
  const late = new Promise(resolve => {
    timer = setTimeout(resolve, FIRST_MS)
  })
  await Promise.race([link.tried, late])
  clearTimeout(timer)
  const { trouble } = link
  if (trouble instanceof UnfitRedis) {
    await link.close()
    throw trouble
  }
  return new RedisStore(link, keys, limits, clock)
}

export class RedisStore implements Store {
  readonly name = 'redis'
  readonly shared = true
  readonly accounts: AccountStore
  readonly rooms: RoomStore
  readonly once: OnceStore
  readonly neighbours: RedisNeighbours
  readonly #link: RedisLink
  readonly #keys: Keys
  readonly #limits: StoreLimits
  /** ms since the epoch; only for what may be off by as much as two clocks are apart. */
  readonly #time: () => number
  /** The time, or until when a call that begins now may be done. */
  readonly #now: () => string
  readonly #index: RedisIndex
  readonly #rooms: RedisRooms
  readonly #accounts: RedisAccounts
  readonly #leases: Leases
  readonly #parking: RedisParking
  readonly #handed = new Handed()
  #closed: Promise<void> | null = null

  constructor(link: RedisLink, keys: Keys, limits: StoreLimits, clock?: () => number) {
    this.#link = link
    this.#keys = keys
    this.#limits = ownLimits(limits)
    this.#time = clock ?? Date.now
    this.#now = clock === undefined ? () => link.bound() : () => String(clock())
    this.#index = new RedisIndex(link, keys.clients)
    this.#leases = new Leases(link, keys.leases)
    this.#rooms = new RedisRooms(link, keys, this.#leases, this.#limits.rooms, this.#time, this.#now)
    this.rooms = this.#rooms
    this.once = new RedisOnce(link, keys, this.#now)
    this.#accounts = new RedisAccounts(link, keys, limits.revocations, this.#now)
    this.accounts = this.#accounts
    this.neighbours = new RedisNeighbours(link, keys, this.#leases, this.#now)
    this.#parking = new RedisParking(link, keys, this.#now, (id, batch, reply) => this.#readEnqueued(id, batch, reply))
    this.#leases.start()
  }

  /** Each node has its own: they are written into the scripts that it calls. */
  limit(limits: StoreLimits): void {
    changeLimits(this.#limits, limits)
    this.#link.renew(createScripts(limits))
  }

  async bind(request: BindRequest): Promise<BindResult> {
    // A client that is not in the index would never lapse, so it comes to be there first.
    if (request.create) this.#index.ends(request.id, this.#time() + this.#limits.idLifeMs)
    this.#handed.forget(request.id)
    let asked = ''
    let lives = false
    for (let ask = 0; ask < ASKS; ask++) {
      const reply = listOf(await this.#bind(request, asked, lives))
      if (textOf(reply[0]) !== 'ask') return readBind(reply)
      asked = textOf(reply[1])
      lives = await this.#leases.lives(asked)
    }
    throw new StoreError('The client changes hands faster than it can be asked for.', 'Try again.')
  }

  async unbind(id: string, token: string, suspect: number): Promise<FencedResult> {
    this.#handed.forget(id)
    const reply = await this.#run('unbind', id, token, this.#leases.own, suspect)
    if (!Array.isArray(reply)) return readFenced(reply)
    const [due, ...lost] = listOf(reply)
    this.#ends(id, due)
    return { kind: 'ok', lost: readLost(lost, id, 'dead', 'dead') }
  }

  enqueue(id: string, batch: readonly Parcel[]): Promise<EnqueueResult> {
    return batch.length === 0 ? this.#enqueueNothing(id) : this.#parking.park(id, batch)
  }

  async page(id: string, token: string, after: number, limit: number, maxBytes: number): Promise<PageResult> {
    const reply = await this.#run('page', id, token, this.#leases.own, after, limit, maxBytes)
    if (!Array.isArray(reply)) return readFenced(reply)
    const [oldest, more, lost, list, before] = listOf(reply)
    const entries = readEntries(list, numberOf(before))
    this.#handed.note(id, token, after, entries)
    return {
      kind: 'page',
      entries,
      more: more === 1,
      oldest: numberOf(oldest),
      lost: readLost(listOf(lost), id, 'expired', 'expired'),
    }
  }

  async remove(id: string, token: string, upTo: number): Promise<FencedResult> {
    const known = this.#handed.take(id, token, upTo)
    const reply = await this.#run('remove', id, token, this.#leases.own, upTo, '', ...known)
    return Array.isArray(reply) ? { kind: 'ok', lost: [] } : readFenced(reply)
  }

  async refuse(id: string, token: string, s: number, reason: string): Promise<FencedResult> {
    this.#handed.take(id, token, s)
    const reply = await this.#run('remove', id, token, this.#leases.own, s, '1')
    if (!Array.isArray(reply)) return readFenced(reply)
    return { kind: 'ok', lost: readLost(listOf(reply), id, 'rejected', reason) }
  }

  async discard(id: string): Promise<readonly Lost[]> {
    const reply = await this.#run('discard', id)
    return reply === null ? [] : readLost(listOf(reply), id, 'expired', DISCARDED)
  }

  async sync(id: string, stream: string): Promise<SyncReply> {
    const reply = await this.#run('sync', id, stream)
    return reply === null ? { last: 0, delivered: 0 } : readStream(bytesOf(reply))
  }

  async rotate(id: string, token: string, hash: Uint8Array): Promise<FencedResult> {
    const reply = await this.#run('rotate', id, token, this.#leases.own, Buffer.from(hash))
    return Array.isArray(reply) ? { kind: 'ok', lost: [] } : readFenced(reply)
  }

  async touch(ids: readonly string[]): Promise<void> {
    await Promise.all(ids.map(id => this.#run('touch', id)))
  }

  async sweep(): Promise<readonly Lost[]> {
    const ids = await this.#index.take(this.#now())
    const lost = await Promise.all(ids.map(id => this.#sweepOne(id)))
    await Promise.all([this.#rooms.sweep(), this.#accounts.sweep()])
    return lost.flat()
  }

  async online(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const owners = await Promise.all(ids.map(id => this.#link.send('hget', this.#keys.client(id)[2], 'owner')))
    const leases = owners.map(owner => (owner === null ? '' : (textOf(owner).split(' ', 1)[0] ?? '')))
    const living = await Promise.all(leases.map(async lease => lease !== '' && this.#leases.lives(lease)))
    return new Set(ids.filter((_, index) => living[index] === true))
  }

  mailboxes(after: string, limit: number): Promise<readonly ClientRecord[]> {
    return this.#index.list(after, limit, async id => {
      const record = await this.client(id)
      return record !== null && record.parked > 0 ? record : null
    })
  }

  async client(id: string): Promise<ClientRecord | null> {
    const reply = await this.#run('client', id)
    if (reply === null) return null
    const [lease, node, parked, bytes, oldest, expires, deadLetters] = listOf(reply)
    return {
      id,
      node: await this.#owner(textOf(node), textOf(lease)),
      parked: numberOf(parked),
      bytes: numberOf(bytes),
      oldest: numberOf(oldest),
      expires: numberOf(expires),
      deadLetters: numberOf(deadLetters),
    }
  }

  async view(id: string, after: number, limit: number): Promise<readonly Entry[]> {
    const reply = limit > 0 ? await this.#run('view', id, after, limit) : null
    return reply === null ? [] : readEntries(reply)
  }

  async deadLetters(id: string): Promise<readonly Entry[]> {
    const reply = await this.#run('deadLetters', id)
    return reply === null ? [] : readEntries(reply).map(entry => ({ ...entry, reason: 'dead' }))
  }

  /** Writes, because a replica and a Redis without memory still read. */
  async check(): Promise<void> {
    await this.#link.send('set', this.#keys.check, '1')
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    this.neighbours.close()
    // What fails now is mended by time: the index by the next use of an id, the lease by its end.
    await this.#index.tell().catch(() => {})
    await this.#rooms.tell().catch(() => {})
    await this.#leases.end().catch(() => {})
    await this.#link.close()
  }

  #run(name: ScriptName, id: string, ...args: Argument[]): Promise<unknown> {
    this.#parking.flush()
    return this.#link.run(name, this.#keys.client(id), this.#now(), ...args)
  }

  #bind(request: BindRequest, asked: string, lives: boolean): Promise<unknown> {
    const { id, proof, create, node, nonce, outbox, attempt } = request
    const hash = proof.kind === 'secret' ? Buffer.from(proof.hash) : ''
    const flag = (on: boolean): string => (on ? '1' : '')
    return this.#run('bind', id, hash, flag(create), node, this.#leases.own, nonce, outbox, attempt, asked, flag(lives))
  }

  async #enqueueNothing(id: string): Promise<EnqueueResult> {
    return { outcomes: [], owner: (await this.client(id))?.node ?? null }
  }

  /** Most often all is taken, and nobody is there. */
  #readEnqueued(id: string, batch: readonly Parcel[], reply: unknown): EnqueueResult | Promise<EnqueueResult> {
    if (typeof reply === 'number') {
      if (reply === 1) this.#index.holds(id)
      return { outcomes: readOutcomes(batch.length, []), owner: null }
    }
    if (reply === null) return { outcomes: batch.map(() => 'unknown'), owner: null }
    const [lease, node, due, wasEmpty, taken, ...rest] = listOf(reply)
    this.#ends(id, due)
    if (wasEmpty === 1) this.#index.holds(id)
    const outcomes = readOutcomes(numberOf(taken), rest)
    if (textOf(lease) === '') return { outcomes, owner: null }
    return this.#owner(textOf(node), textOf(lease)).then(owner => ({ outcomes, owner }))
  }

  /** Redis says 0 when the index knows already. */
  #ends(id: string, due: unknown): void {
    if (numberOf(due) > 0) this.#index.ends(id, numberOf(due))
  }

  /** The owner, if there is one and its process lives. What was asked for is done, so this does not fail. */
  async #owner(node: string, lease: string): Promise<string | null> {
    if (lease === '') return null
    return (await this.#leases.lives(lease).catch(() => false)) ? node : null
  }

  async #sweepOne(id: string): Promise<readonly Lost[]> {
    let reply = listOf(await this.#run('sweep', id, ''))
    const lease = textOf(reply[1])
    if (lease !== '' && !(await this.#leases.lives(lease))) reply = listOf(await this.#run('sweep', id, lease))
    const [due, , ...lost] = reply
    await this.#index.giveBack(id, numberOf(due))
    return readLost(lost, id, 'expired', 'expired')
  }
}

function readFenced(reply: unknown): Fenced {
  const kind = textOf(reply)
  if (kind !== 'stale' && kind !== 'forgotten') throw new UnexpectedReply('why a session is over')
  return { kind }
}

function readEntries(value: unknown, before = 0): Entry[] {
  return listOf(value).map(entry => readEntry(bytesOf(entry), before))
}

function readBind([kind, token, resumed, parked, expires, previous]: readonly unknown[]): BindResult {
  const word = textOf(kind)
  switch (word) {
    case 'unknown':
    case 'taken':
    case 'bad_secret':
    case 'superseded':
    case 'flood':
      return { kind: word }
    case 'bound':
      return {
        kind: word,
        token: textOf(token),
        resumed: textOf(resumed) === '1',
        parked: numberOf(parked),
        expires: numberOf(expires),
        previous: textOf(previous) === '' ? null : textOf(previous),
      }
    default:
      throw new UnexpectedReply('what becomes of a bind')
  }
}

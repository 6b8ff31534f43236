/**
 * Messages that backends post over HTTP: stored first, since nobody holds an outbox for them, and only then answered.
 *
 * They come from one address of the server's own. For each target this process has a stream with an outbox of its own, and posts
 * its messages one after the other; so they arrive in the order in which they were answered, as those of any sender do. A number
 * whose fate is not known, because the store did not answer, ends its stream: the next message begins another one, rather than
 * to hide behind a number that may be taken.
 *
 * A message with a key of the caller's is posted once, whoever asks however often, of whichever node: before it is stored, the
 * store decides under which number of which stream that key is posted (`once-store.ts`). Whoever comes later posts under the same
 * number, which the mailbox takes only once. That is safe since a stream never goes beyond a number of unknown fate.
 */
import { createHash } from 'node:crypto'
import { nanoid } from 'nanoid'
import type { Body } from '../protocol/frames.ts'
import { streamName, type Outcome } from '../protocol/mailbox.ts'
import { isRoom, SERVER_ID } from '../protocol/names.ts'
import type { Store } from '../store/store.ts'
import { ApiError } from './api/route.ts'
import { asked } from './api/asking.ts'
import type { Gateway } from './gateway.ts'

/** Posts that wait for their turn or for the store, of all targets, and the bytes of their bodies. */
const MAX_WAITING = 1_000
const MAX_WAITING_BYTES = 16 * 1024 * 1024
/** ms that a post may wait for its turn. */
const PATIENCE_MS = 5_000
/** Streams that are kept; an idle one that makes room only means that its target sees another outbox from then on. */
const LANES = 10_000
/** How long a key holds: longer than anybody tries again by himself. */
export const KEY_LIFE_MS = 86_400_000
const OUTBOX_LENGTH = 16

export interface Post {
  readonly target: string
  readonly body: Body
  /** Seconds; 0: as long as the store keeps it. */
  readonly ttl: number
  /** Under which it is posted once; '' for none. */
  readonly key: string
}

export interface Posted {
  readonly outbox: string
  readonly n: number
  /** What its number has earned by now. */
  readonly receipt: 'stored' | 'delivered' | 'rejected' | 'expired' | 'dead'
  /** It had been posted before, under the same key. */
  readonly repeated: boolean
  /** Its place in the log of a room; null elsewhere, and where it was posted before. */
  readonly offset: number | null
}

/** A number of a stream. */
interface Place {
  readonly outbox: string
  readonly n: number
}

/** The stream of this process to one target. */
interface Lane {
  /** Where the next message goes; null: to the beginning of a new stream. */
  next: Place | null
  waiting: number
  /** Settles when the last of those that wait is done. */
  last: Promise<unknown>
}

type Taken = Pick<Posted, 'receipt' | 'repeated' | 'offset'>
type Refused = 'mailbox_full' | 'unknown_recipient' | 'no_such_room'

export class Posting {
  readonly #gateway: Gateway
  readonly #store: Store
  /** By target, the least recently used first. */
  readonly #lanes = new Map<string, Lane>()
  #waiting = 0
  #waitingBytes = 0

  constructor(gateway: Gateway, store: Store) {
    this.#gateway = gateway
    this.#store = store
  }

  /** Rejects with `ApiError`. When that says `unavailable`, the message may have been stored all the same. */
  async post(post: Post): Promise<Posted> {
    const bytes = post.body.end - post.body.start
    if (this.#waiting >= MAX_WAITING || this.#waitingBytes + bytes > MAX_WAITING_BYTES) throw new ApiError('overloaded')
    const lane = this.#lane(post.target)
    const late = performance.now() + PATIENCE_MS
    this.#waiting++
    this.#waitingBytes += bytes
    lane.waiting++
    const turn = lane.last.then(() => this.#take(lane, post, late))
    lane.last = turn.catch(() => undefined)
    try {
      return await this.#counted(turn)
    } finally {
      lane.waiting--
      this.#waiting--
      this.#waitingBytes -= bytes
    }
  }

  async #counted(turn: Promise<Posted>): Promise<Posted> {
    const { posts } = this.#gateway.counters
    try {
      const posted = await turn
      posts[posted.repeated ? 'repeated' : 'stored']++
      return posted
    } catch (error) {
      posts[error instanceof ApiError && error.code !== 'unavailable' ? 'refused' : 'unavailable']++
      throw error
    }
  }

  /** The turn of a post has come. */
  async #take(lane: Lane, post: Post, late: number): Promise<Posted> {
    if (this.#gateway.draining)
      throw new ApiError('unavailable', 'The server is shutting down; send this again elsewhere.')
    if (performance.now() > late) throw new ApiError('overloaded', 'The posts to this target take too long; try again.')
    const own = lane.next ?? { outbox: nanoid(OUTBOX_LENGTH), n: 1 }
    // Until it is known otherwise this number may be taken.
    lane.next = null
    const place = post.key === '' ? own : await this.#decided(post, own)
    const isOwn = place.outbox === own.outbox && place.n === own.n
    if (!isOwn) lane.next = own
    const taken = await this.#put(post, place)
    if (typeof taken === 'object') {
      if (isOwn) lane.next = { outbox: own.outbox, n: own.n + 1 }
      return { ...place, ...taken }
    }
    // Without a key nobody else knows of the number, so it is free again.
    if (post.key === '') lane.next = own
    throw new ApiError(taken)
  }

  /** Under which number a key is posted. */
  async #decided({ target, key, body, ttl }: Post, own: Place): Promise<Place> {
    const content = createHash('sha256').update(body.bytes.subarray(body.start, body.end)).update(` ${ttl}`)
    const print = content.digest('base64url')
    const name = createHash('sha256').update(key).digest('base64url')
    const wanted = `${own.outbox} ${own.n} ${print}`
    const decided = await asked(this.#store.once.decide(target, name, wanted, KEY_LIFE_MS))
    const [outbox = '', n = '', known] = decided.split(' ')
    if (known === print) return { outbox, n: Number(n) }
    throw new ApiError('conflict', 'This Idempotency-Key was used for another message to this target; make a new key.')
  }

  /** Rejects when it is not known whether the number was taken. */
  #put(post: Post, place: Place): Promise<Taken | Refused> {
    return isRoom(post.target) ? this.#append(post, place) : this.#park(post, place)
  }

  async #park({ target, body, ttl }: Post, { outbox, n }: Place): Promise<Taken | Refused> {
    const { hub, turn } = this.#gateway
    turn.begin()
    const { time } = hub
    const expires = ttl > 0 ? Math.ceil(time + ttl * 1_000) : 0
    const parcel = { stream: streamName(SERVER_ID, outbox), n, floor: n, time, expires, body, repeated: false }
    const subject = { recipient: target, stream: parcel.stream, n }
    hub.trace.note(time, 'taken', subject, 'http')
    const parked = this.#store.enqueue(target, [parcel])
    // Also when it takes longer than anybody waits for it, or is not answered at all.
    const tell = (owner: string | null): void => {
      turn.begin()
      hub.posted(target, owner)
    }
    parked.then(
      ({ owner }) => tell(owner),
      () => tell(null),
    )
    const { outcomes } = await asked(parked)
    const taken = takenAs(outcomes[0])
    if (typeof taken === 'string') hub.trace.note(hub.time, 'failed', subject, taken)
    else hub.trace.note(hub.time, taken.receipt, subject, taken.repeated ? 'repeated' : '')
    return taken
  }

  async #append({ target, body }: Post, { outbox, n }: Place): Promise<Taken | Refused> {
    const { hub, turn } = this.#gateway
    turn.begin()
    const parcel = { stream: streamName(SERVER_ID, outbox), n, floor: n, time: hub.time, body }
    const appended = this.#store.rooms.append(target, [parcel])
    const tell = (): void => {
      turn.begin()
      hub.rooms.woken(target)
    }
    appended.then(tell, tell)
    const result = await asked(appended)
    if (result.kind !== 'appended') return 'no_such_room'
    const [outcome] = result.outcomes
    if (outcome === 'stored') return { receipt: 'stored', repeated: true, offset: null }
    if (outcome === undefined || 'missing' in outcome) throw new ApiError('unavailable')
    return { receipt: 'stored', repeated: false, offset: outcome.offset }
  }

  #lane(target: string): Lane {
    const known = this.#lanes.get(target)
    this.#lanes.delete(target)
    const lane = known ?? { next: null, waiting: 0, last: Promise.resolve() }
    if (known === undefined) this.#makeRoom()
    this.#lanes.set(target, lane)
    return lane
  }

  #makeRoom(): void {
    if (this.#lanes.size < LANES) return
    for (const [target, { waiting }] of this.#lanes) {
      if (waiting > 0) continue
      this.#lanes.delete(target)
      return
    }
  }
}

function takenAs(outcome: Outcome | undefined): Taken | Refused {
  switch (outcome) {
    case 'ok':
      return { receipt: 'stored', repeated: false, offset: null }
    case 'stored':
    case 'delivered':
    case 'rejected':
    case 'expired':
    case 'dead':
      return { receipt: outcome, repeated: true, offset: null }
    case 'full':
      return 'mailbox_full'
    case 'unknown':
      return 'unknown_recipient'
    default:
      // Each number is its own floor, so that none can be missing before it.
      throw new ApiError('unavailable')
  }
}

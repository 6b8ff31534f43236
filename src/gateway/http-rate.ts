/**
 * How many HTTP requests one address may make: a bucket for each, filled by so many in a second up to twice as many.
 *
 * Counted is every request that does not show the admin token: backends behind it may post as fast as the store takes it, and are not
 * kept out by what others do behind the same address. An address is a network as everywhere (`network.ts`). The buckets are bounded;
 * beyond that the one that was used least recently leaves, which only forgives.
 */
import { networkOf } from './network.ts'

const BUCKETS = 10_000

interface Bucket {
  left: number
  at: number
  /** It was empty at the last request. */
  refused: boolean
}

export class HttpRate {
  /** Requests in a second. */
  perSecond: number
  readonly #buckets = new Map<string, Bucket>()

  constructor(perSecond: number) {
    this.perSecond = perSecond
  }

  /** Null: it may be answered. Else the ms after which there is room again, and whether it is the first that is refused. `now` in ms. */
  take(address: string, now: number): { readonly retryAfterMs: number; readonly first: boolean } | null {
    const bucket = this.#bucket(networkOf(address), now)
    const most = this.perSecond * 2
    bucket.left = Math.min(most, bucket.left + ((now - bucket.at) * this.perSecond) / 1_000)
    bucket.at = now
    const first = !bucket.refused
    bucket.refused = bucket.left < 1
    if (bucket.refused) return { retryAfterMs: ((1 - bucket.left) * 1_000) / this.perSecond, first }
    bucket.left--
    return null
  }

  #bucket(network: string, now: number): Bucket {
    const known = this.#buckets.get(network)
    const bucket = known ?? { left: this.perSecond * 2, at: now, refused: false }
    this.#buckets.delete(network)
    for (const oldest of this.#buckets.keys()) {
      if (this.#buckets.size < BUCKETS) break
      this.#buckets.delete(oldest)
    }
    this.#buckets.set(network, bucket)
    return bucket
  }
}

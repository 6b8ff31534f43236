/**
 * How often somebody may fail: at a name and its password from one network, from one network at all, and at one name from anywhere.
 *
 * An attempt is counted before it is made, and given back when it succeeds, so that a crowd of attempts at once is no way round. Who has
 * logged in from a network before is not kept out there by what others do elsewhere. Whether a name exists plays no part.
 * Counts are of this node; all of them are bounded by how many passwords a node can check.
 */
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { networkOf } from './network.ts'

/** So many in so many seconds. */
interface Rate {
  readonly points: number
  readonly duration: number
}

export interface ThrottleRates {
  readonly pair: Rate
  readonly network: Rate
  readonly name: Rate
  /** New accounts from one network. */
  readonly registration: Rate
}

export const throttleRates: ThrottleRates = {
  pair: { points: 5, duration: 60 },
  network: { points: 30, duration: 60 },
  name: { points: 50, duration: 900 },
  registration: { points: 20, duration: 3_600 },
}

/** Networks and names that are remembered for having succeeded. */
const KNOWN = 10_000

/** An attempt that is counted, to be given back. */
export interface Attempt {
  succeeded(): Promise<void>
}

/** Not now; come back after so many ms. */
export interface Refusal {
  readonly retryAfterMs: number
}

export class Throttle {
  readonly #pairs: RateLimiterMemory
  readonly #networks: RateLimiterMemory
  readonly #names: RateLimiterMemory
  readonly #registrations: RateLimiterMemory
  readonly #known = new Set<string>()

  constructor({ pair, network, name, registration }: ThrottleRates = throttleRates) {
    this.#pairs = new RateLimiterMemory(pair)
    this.#networks = new RateLimiterMemory(network)
    this.#names = new RateLimiterMemory(name)
    this.#registrations = new RateLimiterMemory(registration)
  }

  /** Counts an attempt to prove a name by a password. */
  async attempt(address: string, name: string): Promise<Attempt | Refusal> {
    const network = networkOf(address)
    const pair = `${network} ${name}`
    const counted: [RateLimiterMemory, string][] = [
      [this.#networks, network],
      [this.#pairs, pair],
    ]
    if (!this.#known.has(pair)) counted.push([this.#names, name])
    for (const [limiter, key] of counted) {
      const retryAfterMs = await consumed(limiter, key)
      if (retryAfterMs !== null) return { retryAfterMs }
    }
    return {
      succeeded: async () => {
        this.#remember(pair)
        await Promise.all(counted.map(([limiter, key]) => limiter.reward(key)))
      },
    }
  }

  /** Counts a new account. Null: it may be made. */
  async register(address: string): Promise<Refusal | null> {
    const retryAfterMs = await consumed(this.#registrations, networkOf(address))
    return retryAfterMs === null ? null : { retryAfterMs }
  }

  #remember(pair: string): void {
    this.#known.delete(pair)
    for (const oldest of this.#known) {
      if (this.#known.size < KNOWN) break
      this.#known.delete(oldest)
    }
    this.#known.add(pair)
  }
}

/** Null, or the ms after which there is something left. */
async function consumed(limiter: RateLimiterMemory, key: string): Promise<number | null> {
  try {
    await limiter.consume(key)
    return null
  } catch (refused) {
    if (refused instanceof RateLimiterRes) return Math.max(1, refused.msBeforeNext)
    throw refused
  }
}

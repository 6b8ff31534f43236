/**
 * How often somebody may fail: at a name and its password from one network, from one network at all, and at one name from anywhere.
 *
 * An attempt is counted before it is made, and given back when it succeeds, so that a crowd of attempts at once is no way round. Who has
 * logged in from a network before is not kept out there by what others do elsewhere. Whether a name exists plays no part.
 * Counts are of this node, and bounded: where they are more than are remembered, the oldest are forgiven.
 */
import { networkOf } from './network.ts'
import { Tally } from './tally.ts'

/** So many in so many ms. */
interface Rate {
  readonly most: number
  readonly spanMs: number
}

export interface ThrottleRates {
  readonly pair: Rate
  readonly network: Rate
  readonly name: Rate
  /** New accounts from one network. */
  readonly registration: Rate
}

const MINUTE_MS = 60_000

/** The rates by which one network may fail at one name in a minute, and make accounts in an hour. */
export function throttleRates(logins: number, registrations: number): ThrottleRates {
  return {
    pair: { most: logins, spanMs: MINUTE_MS },
    network: { most: 6 * logins, spanMs: MINUTE_MS },
    name: { most: 10 * logins, spanMs: 15 * MINUTE_MS },
    registration: { most: registrations, spanMs: 60 * MINUTE_MS },
  }
}

/** Networks and names that are remembered for having succeeded. */
const KNOWN = 10_000

/** An attempt that is counted, to be given back. */
export interface Attempt {
  succeeded(): void
}

/** Not now; come back after so many ms. */
export interface Refusal {
  readonly retryAfterMs: number
}

export class Throttle {
  readonly #pairs: Limiter
  readonly #networks: Limiter
  readonly #names: Limiter
  readonly #registrations: Limiter
  readonly #known = new Set<string>()

  /** `now` tells monotonic ms. */
  constructor({ pair, network, name, registration }: ThrottleRates, now: () => number = () => performance.now()) {
    this.#pairs = new Limiter(pair, now)
    this.#networks = new Limiter(network, now)
    this.#names = new Limiter(name, now)
    this.#registrations = new Limiter(registration, now)
  }

  /** Counts an attempt to prove a name by a password. */
  attempt(address: string, name: string): Attempt | Refusal {
    const network = networkOf(address)
    const pair = `${network} ${name}`
    const counted: [Limiter, string][] = [
      [this.#networks, network],
      [this.#pairs, pair],
    ]
    if (!this.#known.has(pair)) counted.push([this.#names, name])
    for (const [limiter, key] of counted) {
      const retryAfterMs = limiter.count(key)
      if (retryAfterMs !== null) return { retryAfterMs }
    }
    return {
      succeeded: () => {
        this.#remember(pair)
        for (const [limiter, key] of counted) limiter.takeBack(key)
      },
    }
  }

  /** Counts a new account. Null: it may be made. */
  register(address: string): Refusal | null {
    const retryAfterMs = this.#registrations.count(networkOf(address))
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

class Limiter {
  readonly #rate: Rate
  readonly #tally: Tally
  readonly #now: () => number

  constructor(rate: Rate, now: () => number) {
    this.#rate = rate
    this.#tally = new Tally(rate.spanMs)
    this.#now = now
  }

  /** Null, or the ms after which there is something left. */
  count(key: string): number | null {
    const now = this.#now()
    return this.#tally.add(key, now) <= this.#rate.most ? null : Math.max(1, this.#tally.leftMs(key, now))
  }

  takeBack(key: string): void {
    this.#tally.takeBack(key, this.#now())
  }
}

/**
 * The admin token: whoever has it may do everything that the HTTP API offers.
 *
 * It is compared by its hash, in the same time wherever it differs. Wrong ones are counted per address, and after ten in a minute are
 * answered `rate_limited`; the right one is never refused for what others did, so a guesser cannot lock out the backends behind the same address.
 * A server without a token has no such API: it is not open to everyone by default.
 */
import { timingSafeEqual } from 'node:crypto'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import type { HttpRequest } from '../../transport/transport.ts'
import { ApiError } from './route.ts'
import { sha256 } from '../fresh.ts'
import { networkOf } from '../network.ts'

const GUESSES = 10
const SPAN_S = 60

export class AdminToken {
  #hash: Uint8Array | null = null
  readonly #guesses = new RateLimiterMemory({ points: GUESSES, duration: SPAN_S })

  /** ''; there is none. */
  constructor(token: string) {
    this.renew(token)
  }

  /** Takes another one, for requests to come. */
  renew(token: string): void {
    this.#hash = token === '' ? null : sha256(token)
  }

  /** Whether the request carries the token. */
  proves(request: HttpRequest): boolean {
    const given = bearer(request)
    return this.#hash !== null && given !== '' && timingSafeEqual(this.#hash, sha256(given))
  }

  /** Rejects with what a caller is told who has not shown the token. */
  async refuse(request: HttpRequest): Promise<never> {
    if (this.#hash === null) {
      throw new ApiError(
        'forbidden',
        'This server has no admin token, so its API is closed; start it with ACKD_ADMIN_TOKEN set to 32 or more random characters.',
      )
    }
    const tooMany = await this.#count(request.address)
    if (tooMany !== null) {
      throw new ApiError('rate_limited', 'Too many wrong admin tokens came from this address.', {
        'Retry-After': String(Math.ceil(tooMany / 1_000)),
      })
    }
    throw new ApiError('unauthorized', undefined, { 'WWW-Authenticate': 'Bearer realm="ackd"' })
  }

  /** Null, or the ms after which the address may guess again. */
  async #count(address: string): Promise<number | null> {
    try {
      await this.#guesses.consume(networkOf(address))
      return null
    } catch (refused) {
      if (refused instanceof RateLimiterRes) return refused.msBeforeNext
      throw refused
    }
  }
}

function bearer(request: HttpRequest): string {
  return /^Bearer +([^ ]+) *$/i.exec(request.header('authorization'))?.[1] ?? ''
}

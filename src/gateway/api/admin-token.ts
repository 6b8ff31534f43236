/**
 * The admin token: whoever has it may do everything that the HTTP API offers.
 *
 * It is compared by its hash, in the same time wherever it differs. Wrong ones are counted per address, and after ten in a minute are
 * answered `rate_limited`; the right one is never refused for what others did, so a guesser cannot lock out the backends behind the same address.
 * A server without a token has no such API: it is not open to everyone by default.
 */
import { timingSafeEqual } from 'node:crypto'
import type { HttpRequest } from '../../transport/transport.ts'
import { ApiError } from './route.ts'
import { sha256 } from '../fresh.ts'
import { networkOf } from '../network.ts'
import { Tally } from '../tally.ts'

const GUESSES = 10
const SPAN_MS = 60_000

export class AdminToken {
  #hash: Uint8Array | null = null
  readonly #guesses = new Tally(SPAN_MS)

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

  /** Throws what a caller is told who has not shown the token. */
  refuse({ address }: HttpRequest): never {
    if (this.#hash === null) {
      throw new ApiError(
        'forbidden',
        'This server has no admin token, so its API is closed; start it with ACKD_ADMIN_TOKEN set to 32 or more random characters.',
      )
    }
    const [network, now] = [networkOf(address), performance.now()]
    if (this.#guesses.add(network, now) > GUESSES) {
      throw new ApiError('rate_limited', 'Too many wrong admin tokens came from this address.', {
        'Retry-After': String(Math.max(1, Math.ceil(this.#guesses.leftMs(network, now) / 1_000))),
      })
    }
    throw new ApiError('unauthorized', undefined, { 'WWW-Authenticate': 'Bearer realm="ackd"' })
  }
}

function bearer(request: HttpRequest): string {
  return /^Bearer +([^ ]+) *$/i.exec(request.header('authorization'))?.[1] ?? ''
}

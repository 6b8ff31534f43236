/**
 * The token of a client: got from the application when it is needed, and replaced over the wire before it expires.
 *
 *   hello ── welcome ── 3/4 of what is left of its life ── ask ── `token` ── reply ── 3/4 of what is left of the new one …
 *                                                           └── no token, or refused: a pause, and again, until it has expired
 *
 * When it expires is read out of the token, as far as it is a JSON Web Token; another one is left alone. That is compared with the server's
 * clock, which the welcome told, since that of a phone can be hours off. Nothing here decides whether a token is good: the server does.
 */
import type { ClientFrames, Ref } from '../protocol/frames.ts'
import { backoff } from './backoff.ts'
import { AckdError } from './errors.ts'
import { now } from './turn.ts'

/** A token, or what gives a fresh one each time that it is called. */
export type Token = string | (() => string | Promise<string>)

/** Characters (docs/protocol.md). */
const MAX_TOKEN = 4_096
/** ms until a function that gives nothing has failed. */
const ANSWER_MS = 30_000
/** Of the life that is left, the part after which a new token is asked for. */
const PART = 3 / 4
/** Pauses between the tries to replace a token that is good still. */
const pauses = { firstMs: 1_000, maxMs: 300_000 }
/** The longest that a timer can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1
const PREFIX = 'token '

/**
 * A token from the application. Rejects with `no_token` when its function fails, takes longer than 30 s or gives something else; an AckdError
 * of the function's own that is not retryable is passed on.
 */
export async function freshToken(token: Token): Promise<string> {
  if (typeof token === 'string') return token
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no token came within ${ANSWER_MS / 1_000} s`)), ANSWER_MS)
  })
  try {
    const fresh: unknown = await Promise.race([Promise.resolve().then(token), late])
    if (typeof fresh === 'string' && fresh !== '' && fresh.length <= MAX_TOKEN) return fresh
    throw new Error(`it did not give a string of 1 to ${MAX_TOKEN} characters`)
  } catch (error) {
    if (error instanceof AckdError && !error.retryable) throw error
    throw new AckdError('no_token', error instanceof Error ? error.message : String(error), error)
  } finally {
    clearTimeout(timer)
  }
}

/** When a token expires, ms since the epoch by the server's clock; null when it does not say so in a way that is known here. */
export function expiryOf(token: string): number | null {
  const [, claims = ''] = token.split('.')
  try {
    const value: unknown = JSON.parse(atob(claims.replaceAll('-', '+').replaceAll('_', '/')))
    if (typeof value !== 'object' || value === null || !('exp' in value)) return null
    return typeof value.exp === 'number' && Number.isFinite(value.exp) ? value.exp * 1_000 : null
  } catch {
    return null
  }
}

/** What is being replaced, on one connection. */
interface Bearing {
  readonly frames: Pick<ClientFrames, 'token'>
  /** What the server's clock is ahead of `now()`, ms. */
  readonly aheadMs: number
  expires: number
  failures: number
  /** A token that was sent and not answered. */
  offered: { readonly ref: Ref; readonly expires: number } | null
}

export interface RenewalEvents {
  /** There is something to flush. */
  turn(): void
  failed(error: AckdError): void
}

/** Replaces the token of a connection, again and again, for as long as it lives. One is asked for at a time. */
export class Renewal {
  readonly #token: Token | undefined
  readonly #events: RenewalEvents
  #bearing: Bearing | null = null
  #timer: ReturnType<typeof setTimeout> | undefined
  #count = 0

  constructor(token: Token | undefined, events: RenewalEvents) {
    this.#token = token
    this.#events = events
  }

  /** A connection was welcomed with that token; `time`: the server's clock. */
  opened(frames: Pick<ClientFrames, 'token'>, token: string | undefined, time: number): void {
    const expires = token === undefined || typeof this.#token !== 'function' ? null : expiryOf(token)
    if (expires === null) return
    this.#bearing = { frames, aheadMs: time - now(), expires, failures: 0, offered: null }
    this.#plan(this.#bearing)
  }

  /** The connection is gone. */
  closed(): void {
    clearTimeout(this.#timer)
    this.#bearing = null
  }

  /** False when the answer is to somebody else's question. */
  replied(ref: Ref): boolean {
    const offered = this.#answered(ref)
    if (offered && this.#bearing) {
      this.#bearing.expires = offered.expires
      this.#bearing.failures = 0
      this.#plan(this.#bearing)
    }
    return isOwn(ref)
  }

  refused(ref: Ref, text: string): boolean {
    const offered = this.#answered(ref)
    if (offered && this.#bearing) this.#fail(this.#bearing, new AckdError('no_token', text))
    return isOwn(ref)
  }

  #answered(ref: Ref): Bearing['offered'] {
    const offered = this.#bearing?.offered ?? null
    if (!this.#bearing || offered?.ref !== ref) return null
    this.#bearing.offered = null
    return offered
  }

  #plan(bearing: Bearing): void {
    const dueAt = now() + this.#leftOf(bearing) * PART
    const wait = (): void => {
      const ms = dueAt - now()
      if (ms > MAX_TIMER_MS) this.#after(MAX_TIMER_MS, wait)
      else this.#after(ms, () => void this.#renew(bearing))
    }
    wait()
  }

  #leftOf({ expires, aheadMs }: Bearing): number {
    return Math.max(0, expires - (now() + aheadMs))
  }

  async #renew(bearing: Bearing): Promise<void> {
    try {
      const token = await freshToken(this.#token ?? '')
      if (bearing !== this.#bearing) return
      const expires = expiryOf(token) ?? Infinity
      if (expires <= bearing.expires) throw new AckdError('no_token', 'it expires no later than the one before')
      bearing.offered = { ref: `${PREFIX}${++this.#count}`, expires }
      bearing.frames.token(bearing.offered.ref, token)
      this.#events.turn()
    } catch (error) {
      if (bearing === this.#bearing) this.#fail(bearing, error)
    }
  }

  /** Tries again as long as there is time; then the server ends the connection, and the next one begins with a token. */
  #fail(bearing: Bearing, error: unknown): void {
    this.#events.failed(error instanceof AckdError ? error : new AckdError('no_token', String(error), error))
    const pause = pauses.firstMs / 2 + backoff(bearing.failures++, Math.random(), pauses)
    if (pause < this.#leftOf(bearing)) this.#after(pause, () => void this.#renew(bearing))
  }

  #after(ms: number, run: () => void): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(run, ms)
  }
}

function isOwn(ref: Ref): boolean {
  return typeof ref === 'string' && ref.startsWith(PREFIX)
}

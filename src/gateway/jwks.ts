/**
 * The public keys of an identity provider, fetched from its JWKS address and kept.
 *
 * Keys are fetched anew in the background when they are five minutes old, and once more when a token names one that is not known, because
 * providers change keys; both not more often than every 30 s, whatever tokens say. While the address does not answer, the keys that are
 * known go on for a day, and the log says so. After that no token can be checked, which is told as `unavailable` and not as a wrong token.
 *
 * Only public keys of the three kinds that are taken are kept, so that no key is ever used for an algorithm that it was not made for.
 */
import { createLocalJWKSet, errors, type CryptoKey, type JSONWebKeySet, type JWTHeaderParameters } from 'jose'
import type { Log } from './log.ts'

const FRESH_MS = 5 * 60_000
const PAUSE_MS = 30_000
const TRUSTED_MS = 24 * 3_600_000
const FETCH_MS = 5_000
const MAX_BYTES = 256 * 1024
const MAX_KEYS = 100

type FindKey = ReturnType<typeof createLocalJWKSet>

/** The keys are not known, or no longer trusted; a token may be good or not. */
export class KeysUnavailable extends Error {
  constructor() {
    super('The keys that tokens are checked with cannot be fetched; try again later.')
    this.name = 'KeysUnavailable'
  }
}

export interface RemoteKeysOptions {
  readonly url: string
  readonly log: Log
  /** Monotonic ms. */
  readonly now?: () => number
}

export class RemoteKeys {
  readonly #url: string
  readonly #log: Log
  readonly #now: () => number
  #find: FindKey | null = null
  #count = 0
  /** When the keys were fetched, and when that was last tried. */
  #fetchedAt = -Infinity
  #triedAt = -Infinity
  #fetching: Promise<void> | null = null

  constructor({ url, log, now = () => performance.now() }: RemoteKeysOptions) {
    this.#url = url
    this.#log = log
    this.#now = now
  }

  /** How many are known. */
  get count(): number {
    return this.#count
  }

  /** The key that a token names in its header, without waiting for others to come; null: it is not among those that are known. */
  async known(header: JWTHeaderParameters): Promise<CryptoKey | null> {
    const age = this.#age()
    if (age > FRESH_MS && age <= TRUSTED_MS) void this.#tryFetch()
    return this.#look(header)
  }

  /**
   * The same, fetching the keys when it is not known, which takes seconds at most. Rejects with `KeysUnavailable`, or with an error of the library when
   * there is none.
   */
  async find(header: JWTHeaderParameters): Promise<CryptoKey> {
    const known = await this.known(header)
    if (known !== null) return known
    await this.#tryFetch()
    const now = await this.#look(header)
    if (now !== null) return now
    if (this.#failing()) throw new KeysUnavailable()
    throw new errors.JWKSNoMatchingKey()
  }

  /** Fetches the keys now. What goes wrong is in the log. */
  reload(): Promise<void> {
    this.#fetching ??= this.#fetch().finally(() => {
      this.#fetching = null
    })
    return this.#fetching
  }

  #age(): number {
    return this.#now() - this.#fetchedAt
  }

  /** Whether the last try was in vain. */
  #failing(): boolean {
    return this.#triedAt > this.#fetchedAt
  }

  async #tryFetch(): Promise<void> {
    if (this.#fetching !== null || this.#now() - this.#triedAt >= PAUSE_MS) await this.reload()
  }

  /** Null: not among the keys that are known. */
  async #look(header: JWTHeaderParameters): Promise<CryptoKey | null> {
    const find = this.#find
    if (find === null || this.#age() > TRUSTED_MS) return null
    try {
      return await find(header)
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey) return null
      throw error
    }
  }

  async #fetch(): Promise<void> {
    const failed = this.#failing()
    this.#triedAt = this.#now()
    try {
      const keys = usableKeys(JSON.parse(await this.#read()))
      this.#find = createLocalJWKSet({ keys: [...keys] })
      this.#count = keys.length
      this.#fetchedAt = this.#triedAt = this.#now()
      if (failed) this.#log.info({ url: this.#url, keys: keys.length }, 'the keys of tokens are fetched again')
    } catch (error) {
      const left = TRUSTED_MS - this.#age()
      const fields = { url: this.#url, error: reasonOf(error) }
      if (left > 0) {
        const fate = `the keys of tokens cannot be fetched; the ${this.#count} that are known go on for ${Math.floor(left / 60_000)} min`
        this.#log.warn(fields, fate)
      } else
        this.#log.error(fields, 'the keys of tokens cannot be fetched and none are known: nobody with a token gets in')
    }
  }

  async #read(): Promise<string> {
    const signal = AbortSignal.timeout(FETCH_MS)
    const response = await fetch(this.#url, { redirect: 'error', signal, headers: { accept: 'application/json' } })
    if (response.status !== 200) throw new Error(`it answered ${response.status}`)
    const decoder = new TextDecoder()
    let text = ''
    const body: AsyncIterable<Uint8Array> | null = response.body
    if (body === null) throw new Error('it answered nothing')
    for await (const bytes of body) {
      text += decoder.decode(bytes, { stream: true })
      if (text.length > MAX_BYTES) throw new Error(`it answered more than ${MAX_BYTES} bytes`)
    }
    return text
  }
}

type Key = JSONWebKeySet['keys'][number]

/** The public keys in a set that tokens may be signed with. Throws when there are none. */
function usableKeys(set: unknown): readonly Key[] {
  if (typeof set !== 'object' || set === null || !('keys' in set) || !Array.isArray(set.keys))
    throw new Error('it answered something that is no set of keys')
  const keys = set.keys.slice(0, MAX_KEYS).filter(isUsable)
  if (keys.length === 0) throw new Error('it knows no key for RS256, ES256 or EdDSA')
  return keys
}

function isUsable(key: unknown): key is Key {
  if (typeof key !== 'object' || key === null || !('kty' in key) || 'd' in key) return false
  const curve = 'crv' in key ? key.crv : null
  return key.kty === 'RSA' || (key.kty === 'EC' && curve === 'P-256') || (key.kty === 'OKP' && curve === 'Ed25519')
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}

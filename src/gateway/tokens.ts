/**
 * Tokens: JSON Web Tokens, checked and made. The library is known here and in `jwks.ts` only.
 *
 * The algorithm decides which key is asked: HS256 the secrets of this server, RS256, ES256 and EdDSA the public keys of the identity provider.
 * So a public key is never taken for a secret, and `none` is no algorithm. Keys that a token brings along are not looked at. A few
 * signatures are checked at a time and a bounded number waits. Those that name a key which has to be fetched wait for it apart, so that a
 * provider that is slow keeps nobody waiting whose key is known. Of what is wrong with a token only that is said, never what is in it.
 */
import {
  decodeProtectedHeader,
  errors,
  jwtVerify,
  SignJWT,
  type CryptoKey,
  type JWTVerifyOptions,
  type ProtectedHeaderParameters,
} from 'jose'
import { nanoid } from 'nanoid'
import { readClaims, type Pass } from './claims.ts'
import { KeysUnavailable, type RemoteKeys } from './jwks.ts'
import { Turnstile } from './turnstile.ts'

/** Characters of a token; a hello with a longer one would not fit before `welcome` either (§1). */
const MAX_TOKEN = 4096
const AT_ONCE = 8
const WAITING = 1_000
/** Tokens that wait for keys to be fetched, at most. */
const WAITING_FOR_KEYS = 1_000
const REMOTE: readonly string[] = ['RS256', 'ES256', 'EdDSA']

export interface TokenOptions {
  /** The first signs, each may have signed. */
  readonly secrets: readonly string[]
  readonly keys: RemoteKeys | null
  /** '': any. */
  readonly issuer: string
  readonly audience: string
  readonly leewayMs: number
  /** How long tokens are good that are made here, ms. */
  readonly lifeMs: number
}

/** `wrong`: with what is wrong. `unavailable`: it cannot be said. `busy`: too many wait. */
export type Verdict =
  | { readonly kind: 'good'; readonly pass: Pass }
  | { readonly kind: 'wrong' | 'unavailable' | 'busy'; readonly text: string }

/** What is made for somebody who has proved the id. */
export interface IssuedToken {
  readonly token: string
  /** ms since the epoch. */
  readonly expires: number
}

export class Tokens {
  #options: TokenOptions
  readonly #turnstile = new Turnstile(AT_ONCE, WAITING)
  readonly #fetching = new Turnstile(WAITING_FOR_KEYS, 0)
  #secrets: Promise<readonly CryptoKey[]>

  constructor(options: TokenOptions) {
    this.#options = options
    this.#secrets = importSecrets(options.secrets)
  }

  get leewayMs(): number {
    return this.#options.leewayMs
  }

  /** How long tokens are good that are made here, ms. */
  get lifeMs(): number {
    return this.#options.lifeMs
  }

  /** Takes other secrets and rules, for tokens to come. */
  renew(options: Partial<Omit<TokenOptions, 'keys'>>): void {
    this.#options = { ...this.#options, ...options }
    if (options.secrets !== undefined) this.#secrets = importSecrets(options.secrets)
  }

  /** Never rejects. */
  async check(token: string): Promise<Verdict> {
    if (token.length > MAX_TOKEN) return { kind: 'wrong', text: `A token has at most ${MAX_TOKEN} characters.` }
    try {
      return (await this.#judge(token)) ?? busy
    } catch (error) {
      if (error instanceof KeysUnavailable) return { kind: 'unavailable', text: error.message }
      return { kind: 'wrong', text: whatIsWrong(error) }
    }
  }

  /** A token for a client id, by the first secret, with more claims than the usual ones. Rejects when there is no secret. */
  async issue(id: string, time: number, more: Readonly<Record<string, unknown>> = {}): Promise<IssuedToken> {
    const [secret] = await this.#secrets
    if (secret === undefined) throw new Error('There is no secret to sign tokens with; set ACKD_JWT_SECRET.')
    const { issuer, audience, lifeMs } = this.#options
    const expires = Math.ceil((time + lifeMs) / 1_000)
    const jwt = new SignJWT({ ...more, sub: id, jti: nanoid(), exp: expires })
    // To the millisecond, so that a token that is made right after a revocation is not hit by it.
    jwt.setIssuedAt(time / 1_000)
    if (issuer !== '') jwt.setIssuer(issuer)
    if (audience !== '') jwt.setAudience(audience)
    return { token: await jwt.setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).sign(secret), expires: expires * 1_000 }
  }

  /** Null: too many wait. Rejects with what is wrong. */
  async #judge(token: string): Promise<Verdict | null> {
    const header = decodeProtectedHeader(token)
    const keys = await this.#keysFor(header)
    if (keys === null) return null
    const claims = await this.#turnstile.pass(() => this.#verify(token, header, keys))
    if (claims === null) return null
    const pass = readClaims(claims)
    return typeof pass === 'string' ? { kind: 'wrong', text: pass } : { kind: 'good', pass }
  }

  /** What a token with such a header may be signed with, one or the other. Null: too many wait for theirs. */
  async #keysFor(header: ProtectedHeaderParameters): Promise<readonly CryptoKey[] | null> {
    const { keys } = this.#options
    const { alg = '' } = header
    if (alg === 'HS256') return this.#secrets
    if (!REMOTE.includes(alg) || keys === null) throw new errors.JOSEAlgNotAllowed('not taken here')
    const named = { ...header, alg }
    const key = (await keys.known(named)) ?? (await this.#fetching.pass(() => keys.find(named)))
    return key === null ? null : [key]
  }

  async #verify(
    token: string,
    { alg = '' }: ProtectedHeaderParameters,
    keys: readonly CryptoKey[],
  ): Promise<Readonly<Record<string, unknown>>> {
    const { issuer, audience, leewayMs } = this.#options
    const rules: JWTVerifyOptions = {
      algorithms: [alg],
      requiredClaims: ['sub', 'exp'],
      clockTolerance: leewayMs / 1_000,
      ...(issuer === '' ? {} : { issuer }),
      ...(audience === '' ? {} : { audience }),
    }
    let problem: unknown = new errors.JOSEAlgNotAllowed('not taken here')
    for (const key of keys) {
      try {
        return (await jwtVerify(token, key, rules)).payload
      } catch (error) {
        problem = error
        if (!(error instanceof errors.JWSSignatureVerificationFailed)) break
      }
    }
    throw problem
  }
}

const busy: Verdict = { kind: 'busy', text: 'Too many tokens are being checked at this moment; come back later.' }

function importSecrets(secrets: readonly string[]): Promise<readonly CryptoKey[]> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const encoder = new TextEncoder()
  return Promise.all(
    secrets.map(secret => crypto.subtle.importKey('raw', encoder.encode(secret), algorithm, false, ['sign', 'verify'])),
  )
}

/** A sentence for the bearer, which repeats nothing of the token. */
function whatIsWrong(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'The token has expired; fetch a new one and connect again.'
  if (error instanceof errors.JWTClaimValidationFailed) return whatIsWrongWith(error.claim)
  if (error instanceof errors.JOSEAlgNotAllowed)
    return 'The token is signed by an algorithm that this server does not take.'
  if (error instanceof errors.JWKSNoMatchingKey) return 'The token names a key that this server does not know.'
  if (error instanceof errors.JWKSMultipleMatchingKeys) return 'The token must name its key: the header has no kid.'
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'The signature of the token is not right.'
  return 'This is no signed JSON Web Token.'
}

function whatIsWrongWith(claim: string): string {
  switch (claim) {
    case 'iss':
      return 'The token is by an issuer that this server does not take; see iss.'
    case 'aud':
      return 'The token is meant for somebody else; see aud.'
    case 'nbf':
      return 'The token is not good yet; see nbf, and the clocks.'
    case 'sub':
      return 'The token must have a sub, which is the client id.'
    case 'exp':
      return 'The token must have an exp, the time when it expires.'
    default:
      return 'A claim of the token has a wrong form.'
  }
}

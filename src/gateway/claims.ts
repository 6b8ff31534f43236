/**
 * What a token says, once its signature was checked: who its bearer is, what that one may do, and until when.
 *
 * The claims that everybody has are those of RFC 7519; what is ours stands under one name:
 *
 *   {"sub": "alice", "exp": 1799999999, "name": "Alice", "ackd": {"admin": true, "targets": ["team-*"], "rooms": ["#news.*"]}}
 *
 * A claim of a wrong form makes the whole token wrong: a right that was misspelt must not be silently more, or less, than was meant.
 */
import { ordinary, type Rights } from '../core/rights.ts'
import { isClientId } from '../protocol/names.ts'

const MAX_PATTERNS = 100
const pattern = /^#?[A-Za-z0-9_.:@-]{0,64}\*?$/

/** A token that was found good. */
export interface Pass {
  /** Its `sub`: the client id. */
  readonly id: string
  readonly name: string | null
  readonly rights: Rights
  /** Its `jti`, by which it alone may be revoked. */
  readonly token: string | null
  /** ms since the epoch; 0 when it does not say so. */
  readonly issued: number
  /** ms since the epoch. */
  readonly expires: number
}

/** Reads the claims; a string says what is wrong with them. `sub` and `exp` must be there. */
export function readClaims(claims: Readonly<Record<string, unknown>>): Pass | string {
  const { sub, exp, iat = 0, jti = null, name = null, ackd } = claims
  if (typeof sub !== 'string' || !isClientId(sub)) return 'The sub of a token must be 1 to 64 of A-Za-z0-9_.:@-.'
  if (typeof exp !== 'number' || typeof iat !== 'number') return 'The token must have an exp, and iat must be a number.'
  if (jti !== null && typeof jti !== 'string') return 'The jti of a token must be a string.'
  if (name !== null && typeof name !== 'string') return 'The name in a token must be a string.'
  const rights = readRights(ackd)
  if (typeof rights === 'string') return rights
  const issued = Math.trunc(iat * 1_000)
  return { id: sub, name, rights, token: jti, issued, expires: exp * 1_000 }
}

function readRights(claim: unknown): Rights | string {
  if (claim === undefined) return ordinary
  if (typeof claim !== 'object' || claim === null || Array.isArray(claim))
    return 'The claim ackd of a token must be an object: {admin, targets, rooms}.'
  const known = new Map<string, unknown>(Object.entries(claim))
  for (const key of known.keys())
    if (!Object.hasOwn(ordinary, key))
      return `The claim ackd of a token has admin, targets and rooms, and no ${shown(key)}.`
  const admin = known.get('admin') ?? false
  if (typeof admin !== 'boolean') return 'ackd.admin in a token must be true or false.'
  const targets = readPatterns(known.get('targets'))
  const rooms = readPatterns(known.get('rooms'))
  if (targets === undefined || rooms === undefined)
    return `ackd.targets and ackd.rooms in a token must be at most ${MAX_PATTERNS} names, or beginnings of names with a * at the end.`
  return { admin, targets, rooms }
}

/** Null: none were named. Undefined: they are none. */
function readPatterns(claim: unknown): readonly string[] | null | undefined {
  if (claim === undefined) return null
  if (!Array.isArray(claim) || claim.length > MAX_PATTERNS) return undefined
  const patterns = claim.filter((each): each is string => typeof each === 'string' && pattern.test(each))
  return patterns.length === claim.length ? patterns : undefined
}

function shown(key: string): string {
  return JSON.stringify(key.slice(0, 32))
}

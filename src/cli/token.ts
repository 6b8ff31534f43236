/**
 * `ackd token`: makes and checks tokens as a server does that has the same options, without asking one.
 */
import { OptionError, readOptions } from '../option-sources.ts'
import type { Options } from '../options.ts'
import { readSecrets } from '../gateway/secrets.ts'
import { Tokens } from '../gateway/tokens.ts'
import { toJson } from './bodies.ts'
import type { Context } from './context.ts'
import { Failure, failureOf } from './failure.ts'

export interface TokenFlags {
  readonly jwtSecret?: string
  readonly jwtIssuer?: string
  readonly jwtAudience?: string
}

export interface CreateTokenFlags extends TokenFlags {
  /** ms */
  readonly life?: number
  readonly name?: string
  readonly admin?: boolean
  readonly target?: readonly string[]
  readonly room?: readonly string[]
  readonly json?: boolean
}

export async function createToken(sub: string, flags: CreateTokenFlags, context: Context): Promise<void> {
  const options = read(flags, context)
  const tokens = open(options, flags.life ?? options.tokenLife)
  const { admin, target: targets, room: rooms, name } = flags
  const rights = { ...(admin === true && { admin }), ...(targets && { targets }), ...(rooms && { rooms }) }
  const claims = { ...(name !== undefined && { name }), ...(Object.keys(rights).length > 0 && { ackd: rights }) }
  const issued = await tokens.issue(sub, Date.now(), claims)
  // It is checked by the same rules as at a server, so what is printed is taken there.
  const verdict = await tokens.check(issued.token)
  if (verdict.kind !== 'good') throw failureOf('usage', verdict.text, 'see docs/security.md for what a token may hold')
  await context.terminal.data(flags.json === true ? toJson(issued) : issued.token)
}

export async function verifyToken(token: string, flags: TokenFlags, context: Context): Promise<void> {
  const options = read(flags, context)
  const verdict = await open(options, options.tokenLife).check(token)
  if (verdict.kind === 'good') return context.terminal.data(toJson(verdict.pass))
  throw failureOf('refused', verdict.text, 'make another: ackd token create ID')
}

function read({ jwtSecret, jwtIssuer, jwtAudience }: TokenFlags, { environment }: Context): Options {
  const given = { jwtSecret, jwtIssuer, jwtAudience }
  if (['ACKD_JWT_SECRET', 'ACKD_CONFIG'].every(name => environment[name] === undefined) && jwtSecret === undefined)
    throw noSecret()
  // A secret means that tokens are taken, unless it says otherwise.
  const flags: Record<string, string> = environment['ACKD_AUTH'] === undefined ? { auth: 'token' } : {}
  for (const [name, value] of Object.entries(given)) if (value !== undefined) flags[name] = value
  try {
    return readOptions({ flags, environment })
  } catch (error) {
    if (error instanceof OptionError) throw failureOf('usage', error.message, 'see what can be set: ackd options')
    throw error
  }
}

function open(
  { jwtSecret, jwtIssuer: issuer, jwtAudience: audience, jwtLeeway: leewayMs }: Options,
  lifeMs: number,
): Tokens {
  try {
    const secrets = readSecrets(jwtSecret)
    if (secrets.length > 0) return new Tokens({ secrets, keys: null, issuer, audience, leewayMs, lifeMs })
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new Failure('failed', `the secrets of tokens cannot be read: ${why}`, 'correct ACKD_JWT_SECRET')
  }
  throw noSecret()
}

function noSecret(): Failure {
  return new Failure('usage', 'there is no secret to sign tokens with', 'set ACKD_JWT_SECRET to that of the server')
}

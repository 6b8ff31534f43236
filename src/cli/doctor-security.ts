/**
 * What keeps strangers out: secrets and keys of tokens, the admin token, accounts, the audit log, and who is let in from the web.
 *
 * Secrets are judged by their length and by how many different characters they hold, and never shown. The keys of an identity provider are fetched
 * as a server fetches them.
 */
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { RemoteKeys } from '../gateway/jwks.ts'
import { readSecrets } from '../gateway/secrets.ts'
import type { Options } from '../options.ts'
import { bad, good, warning, type Finding } from './finding.ts'

/** Different characters of a secret, at least: random ones of that length have more, in hexadecimal too. */
const VARIETY = 9
const FILE = 'file:'
const MAKE_ONE = 'Make one with: openssl rand -hex 32'
/** Read by others of this machine. */
const FOR_OTHERS = 0o077

export async function checkSecurity(options: Options): Promise<readonly Finding[]> {
  return [
    ...checkTokens(options),
    ...(await checkKeys(options)),
    checkAdminToken(options),
    ...checkAccounts(options),
    checkAudit(options),
    ...checkWeb(options),
  ]
}

function checkTokens({ auth, jwtSecret }: Options): readonly Finding[] {
  if (auth === 'anonymous') return [good('clients prove an id by its secret; tokens are not taken (ACKD_AUTH)')]
  if (jwtSecret === '') return []
  try {
    const secrets = readSecrets(jwtSecret)
    const least = Math.min(...secrets.map(secret => Buffer.byteLength(secret)))
    const count = secrets.length === 1 ? 'a secret' : `${secrets.length} secrets`
    const what = `tokens are signed with ${count} of ${least} bytes or more`
    if (!secrets.every(isVaried))
      return [warning(`${what}, but of few different characters: it can be guessed.`, MAKE_ONE)]
    return [good(what), ...checkFile(jwtSecret)]
  } catch (error) {
    return [
      bad(
        `The secrets of tokens cannot be read: ${said(error)}`,
        'Correct ACKD_JWT_SECRET, or the file that it names.',
      ),
    ]
  }
}

function checkFile(jwtSecret: string): readonly Finding[] {
  if (!jwtSecret.startsWith(FILE)) return []
  const path = jwtSecret.slice(FILE.length)
  if ((statSync(path).mode & FOR_OTHERS) === 0) return []
  return [warning(`Others on this machine may read the secrets in ${path}.`, `chmod 600 ${path}`)]
}

async function checkKeys({ jwksUrl: url, jwtIssuer, jwtAudience }: Options): Promise<readonly Finding[]> {
  if (url === '') return []
  const findings: Finding[] = []
  const told: string[] = []
  const tell = (fields: object): void => void told.push('error' in fields ? String(fields.error) : '')
  const keys = new RemoteKeys({ url, log: { debug() {}, info() {}, warn: tell, error: tell } })
  await keys.reload()
  findings.push(
    told.length === 0
      ? good(`${keys.count} ${keys.count === 1 ? 'key' : 'keys'} for tokens at ${url}`)
      : bad(
          `The keys of tokens at ${url} cannot be fetched: ${told.join(', ')}.`,
          'Correct ACKD_JWKS_URL, or see that this machine reaches it; until then nobody with a token of it gets in.',
        ),
  )
  if (url.startsWith('http:') && !isHere(new URL(url).hostname))
    findings.push(
      warning(
        'The keys of tokens come over plain HTTP, where others can exchange them.',
        'Use https:// in ACKD_JWKS_URL.',
      ),
    )
  if (jwtIssuer === '' || jwtAudience === '')
    findings.push(
      warning(
        'Tokens that the identity provider has made for somebody else are taken, too.',
        'Set ACKD_JWT_ISSUER and ACKD_JWT_AUDIENCE to what its tokens say in iss and aud.',
      ),
    )
  return findings
}

function checkAdminToken({ adminToken }: Options): Finding {
  if (adminToken === '') return good('the HTTP API is closed: there is no admin token')
  const what = `the admin token has ${adminToken.length} characters`
  return isVaried(adminToken) ? good(what) : warning(`${what}, but few different ones: it can be guessed.`, MAKE_ONE)
}

function checkAccounts({ accounts, host, wssPort }: Options): readonly Finding[] {
  if (accounts === 'off') return []
  if (isHere(host) || wssPort !== 'off') return [good('people may register and log in over HTTP')]
  return [
    warning(
      'People log in over HTTP without TLS: who can listen to the network reads their passwords.',
      'Put a proxy with TLS in front and listen on 127.0.0.1, or set ACKD_WSS_PORT.',
    ),
  ]
}

function checkAudit({ auditLog, auth, adminToken }: Options): Finding {
  if (auditLog === 'stderr') return good('security events are noted on stderr')
  if (auditLog === 'off') {
    if (auth === 'anonymous' && adminToken === '') return good('security events are not noted (ACKD_AUDIT_LOG)')
    return warning(
      'Security events are not noted: nobody will see who guesses at tokens.',
      'Name a file in ACKD_AUDIT_LOG.',
    )
  }
  try {
    accessSync(existsSync(auditLog) ? auditLog : dirname(auditLog), constants.W_OK)
    return good(`security events are noted in ${auditLog}`)
  } catch (error) {
    return bad(
      `The audit log ${auditLog} cannot be written: ${said(error)}.`,
      'Name a file that can be in ACKD_AUDIT_LOG.',
    )
  }
}

function checkWeb({ host, origins, trustProxy }: Options): readonly Finding[] {
  const findings: Finding[] = []
  if (origins.length === 0 && !isHere(host))
    findings.push(
      warning('Pages of every web site may connect as whoever looks at them.', 'Name those that may in ACKD_ORIGINS.'),
    )
  if (trustProxy.some(network => network.endsWith('/0')))
    findings.push(
      warning(
        'Everybody is trusted to say which address he has, so no limit per address holds.',
        'Name only your proxies in ACKD_TRUST_PROXY.',
      ),
    )
  return findings
}

function isVaried(secret: string): boolean {
  return new Set(secret).size >= VARIETY
}

/** Whether only this machine reaches it. */
function isHere(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || host.startsWith('127.')
}

function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

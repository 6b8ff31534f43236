/**
 * Who is let in, for how long, and where it is noted: puts together the parts that see to the security of a server.
 */
import type { AccountStore } from '../store/account-store.ts'
import { createAudit, noAudit, type Audit } from './audit.ts'
import { Credentials, type AuthMode } from './credentials.ts'
import { RemoteKeys } from './jwks.ts'
import { errorFields, openAuditSink, type Log } from './log.ts'
import { Revocations } from './revocations.ts'
import { readSecrets } from './secrets.ts'
import { Sparing } from './sparing.ts'
import { Tokens, type TokenOptions } from './tokens.ts'

export interface GuardOptions {
  readonly auth: AuthMode
  /** A secret, `file:` and a path, or '' for none. */
  readonly jwtSecret: string
  /** '' for none. */
  readonly jwksUrl: string
  readonly jwtIssuer: string
  readonly jwtAudience: string
  /** ms */
  readonly jwtLeeway: number
  /** ms */
  readonly tokenLife: number
  /** `off`, `stderr` or a file. */
  readonly auditLog: string
}

/** Something that security needs cannot be had. `fix` says what an operator can do about it. */
export class GuardError extends Error {
  readonly fix: string

  constructor(message: string, fix: string) {
    super(message)
    this.name = 'GuardError'
    this.fix = fix
  }
}

export interface Guard {
  readonly credentials: Credentials
  /** Null: this server takes none. */
  readonly tokens: Tokens | null
  /** Null: there are no tokens to revoke, or no place to keep that. */
  readonly revocations: Revocations | null
  readonly audit: Audit
  /**
   * Reads secrets and keys anew and opens the audit log again; takes what the options say of tokens by now. What cannot be read is told to the
   * log, and the old stays.
   */
  reload(options: GuardOptions): void
}

/** Lets in everybody without a token, and notes nothing. */
export const openDoor: Guard = {
  credentials: new Credentials('anonymous', null, null, noAudit),
  tokens: null,
  revocations: null,
  audit: noAudit,
  reload() {},
}

/** Rejects with `GuardError`. Keys of an identity provider that does not answer are fetched later. */
export async function openGuard(options: GuardOptions, accounts: AccountStore | null, log: Log): Promise<Guard> {
  const audit = openAudit(options.auditLog, log)
  if (options.auth === 'anonymous')
    return {
      ...openDoor,
      credentials: new Credentials('anonymous', null, null, audit),
      audit,
      reload: () => audit.reopen(),
    }
  const { jwksUrl } = options
  const keys = jwksUrl === '' ? null : new RemoteKeys({ url: jwksUrl, log })
  const tokens = new Tokens({ ...rulesOf(options), secrets: secretsOf(options), keys })
  const sparing = new Sparing()
  const revocations =
    accounts === null
      ? null
      : new Revocations(accounts, error =>
          sparing.say(performance.now(), unsaid =>
            log.warn(
              { unsaid, ...errorFields(error) },
              'the list of revoked tokens cannot be read; what is known of it stays',
            ),
          ),
        )
  await Promise.all([keys?.reload(), revocations?.read()])
  const reload = (renewed: GuardOptions): void => {
    audit.reopen()
    void keys?.reload()
    renewTokens(tokens, renewed, log)
  }
  return { credentials: new Credentials(options.auth, tokens, revocations, audit), tokens, revocations, audit, reload }
}

function openAudit(where: string, log: Log): Audit {
  if (where === 'off') return noAudit
  const sparing = new Sparing()
  const failed = (error: unknown): void =>
    sparing.say(performance.now(), unsaid =>
      log.error({ unsaid, ...errorFields(error) }, 'the audit log cannot be written'),
    )
  try {
    return createAudit(openAuditSink(where, failed), failed)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new GuardError(
      `The audit log ${where} cannot be opened: ${reason}.`,
      'Name a file that can be written in ACKD_AUDIT_LOG.',
    )
  }
}

function secretsOf({ jwtSecret }: GuardOptions): readonly string[] {
  try {
    return readSecrets(jwtSecret)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new GuardError(
      `The secrets of tokens cannot be read: ${reason}`,
      'Correct ACKD_JWT_SECRET, or the file that it names.',
    )
  }
}

/** What tokens must say, and how long they are good. */
function rulesOf({
  jwtIssuer,
  jwtAudience,
  jwtLeeway,
  tokenLife,
}: GuardOptions): Omit<TokenOptions, 'secrets' | 'keys'> {
  return { issuer: jwtIssuer, audience: jwtAudience, leewayMs: jwtLeeway, lifeMs: tokenLife }
}

function renewTokens(tokens: Tokens, options: GuardOptions, log: Log): void {
  try {
    tokens.renew({ ...rulesOf(options), secrets: readSecrets(options.jwtSecret) })
  } catch (error) {
    log.error(errorFields(error), 'the secrets of tokens could not be read anew; the old ones stay')
  }
}

/**
 * The audit log: what happened to the security of a server, one JSON line each, apart from the log of its health.
 *
 *   {"log":"audit","time":"2030-01-31T12:00:00.000Z","event":"login_failed","id":"alice","address":"192.0.2.7","why":"wrong password"}
 *
 * Never a body, a secret, a password or a token: what may be said of an event are the fields of `AuditFields`, and nothing else is
 * written. Lines are written at once. A file is appended to, readable by its owner only, and opened anew by `reopen`, so that it can be moved away.
 */

/** What is noted, and what each means. */
export const auditEvents = {
  token_refused: 'a token was missing, wrong, expired or revoked',
  origin_refused: 'a web page that may not wanted to connect; once a minute for each address and origin',
  secret_wrong: 'an id was claimed with a wrong secret',
  secret_rotated: 'a client got a new secret',
  registered: 'an account was made',
  login: 'somebody logged in',
  login_failed: 'the name or the password was wrong',
  password_changed: 'an account got another password',
  account_changed: 'an account was given other rights, disabled or enabled',
  account_removed: 'an account was removed',
  throttled: 'somebody tried too often and was told to wait',
  flood: 'a connection was closed because it ignored limits',
  kicked: 'an operator closed a connection',
  revoked: 'tokens were revoked',
  room_refused: 'a room was to be entered with a wrong password',
  room_created: 'a room was made',
  room_deleted: 'a room was deleted',
  admin: 'the API for backends was called',
  admin_refused: 'the API for backends was called without the right to',
} as const

export type AuditEvent = keyof typeof auditEvents

export interface AuditFields {
  /** The client or account that it is about. */
  readonly id?: string
  /** The network address it came from. */
  readonly address?: string
  readonly transport?: string
  readonly room?: string
  /** Of a web page, as its browser says. */
  readonly origin?: string
  /** A sentence or a word; never something that the peer said. */
  readonly why?: string
  /** Of an HTTP request. */
  readonly method?: string
  readonly path?: string
  readonly status?: number
}

export interface Audit {
  note(event: AuditEvent, fields?: AuditFields): void
  /** Opens the file anew, for one that was moved away. */
  reopen(): void
}

/** Where nobody wants to know. */
export const noAudit: Audit = { note() {}, reopen() {} }

/** Characters of one field; ids and paths come from strangers. */
const LONGEST = 256

/** What lines are written to. */
export interface AuditSink {
  write(fields: object): void
  reopen(): void
}

/** Writes to a sink; what that throws is told to `failed` and costs nobody anything. */
export function createAudit(sink: AuditSink, failed: (error: unknown) => void): Audit {
  const attempt = (act: () => void): void => {
    try {
      act()
    } catch (error) {
      failed(error)
    }
  }
  return {
    note: (event, fields = {}) => attempt(() => sink.write({ event, ...shortened(fields) })),
    reopen: () => attempt(() => sink.reopen()),
  }
}

/** The known fields, copied by name. */
function shortened({ id, address, transport, room, origin, why, method, path, status }: AuditFields): object {
  const texts = Object.entries({ id, address, transport, room, origin, why, method, path })
  return {
    ...Object.fromEntries(texts.flatMap(([name, text]) => (text ? [[name, text.slice(0, LONGEST)]] : []))),
    ...(status === undefined ? {} : { status }),
  }
}

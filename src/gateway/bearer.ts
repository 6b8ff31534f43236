/**
 * The token of a connection: the one that it came with, or the one that has taken its place in band (§3, `token`).
 *
 * Another one is checked beside the traffic, one at a time, and changes the rights and the end of the connection, never its id.
 */
import type { Session } from '../core/session.ts'
import type { Ref, ServerFrames } from '../protocol/frames.ts'
import type { Pipe } from '../transport/transport.ts'
import type { Pass } from './claims.ts'
import type { Credentials, Renewal } from './credentials.ts'

/** Tokens that are no good, in band and of one connection, at which it is closed. */
const WRONG = 10

/** The connection, as its bearer needs it. */
export interface Borne extends Pick<ServerFrames, 'reply' | 'error'> {
  readonly pipe: Pipe
  /** Null once it is over. */
  readonly session: Session | null
  hangUp(name: 'flood'): void
  /** It has a good token from now on, its first or another. */
  bears(pass: Pass): void
}

export class Bearer {
  readonly #connection: Borne
  readonly #credentials: Credentials
  #renewing = false
  #wrong = 0
  pass: Pass | null = null

  constructor(connection: Borne, credentials: Credentials) {
    this.#connection = connection
    this.#credentials = credentials
  }

  bear(pass: Pass): void {
    this.pass = pass
    this.#connection.bears(pass)
  }

  renew(ref: Ref, token: string): void {
    const { pass } = this
    const connection = this.#connection
    if (pass === null)
      return connection.error(ref, 'forbidden', 'This connection has no token; connect again with one.')
    if (this.#renewing) return connection.error(ref, 'rate_limited', 'A token is being checked; wait for the reply.')
    this.#renewing = true
    void this.#credentials.renew(token, pass, connection.pipe).then(renewal => this.#renewed(ref, renewal))
  }

  #renewed(ref: Ref, renewal: Renewal): void {
    this.#renewing = false
    const connection = this.#connection
    const { session } = connection
    if (session === null) return
    if (renewal.kind === 'refused') {
      connection.error(ref, renewal.code, renewal.text)
      if (renewal.code === 'forbidden' && ++this.#wrong >= WRONG) connection.hangUp('flood')
      return
    }
    session.entitle(renewal.pass.rights)
    this.bear(renewal.pass)
    connection.reply(ref, null)
  }
}

/**
 * Passwords, kept as argon2id: of accounts and of rooms. The only file that knows the library.
 *
 * A hash takes 19 MiB and some tens of milliseconds of a thread of the pool that DNS, files and the embedded store share, so that few
 * are made at once and a bounded number waits. Beyond it `PasswordsBusy` is thrown, and the caller says when to come back.
 */
import { hash, verify } from '@node-rs/argon2'
import { Turnstile } from './turnstile.ts'

/** Characters of a password; the upper bound keeps a flood of long ones cheap. */
export const MIN_PASSWORD = 8
export const MAX_PASSWORD = 200

/** What OWASP asks of argon2id, which is the library's default form: 19 MiB, two passes, one lane. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

const AT_ONCE = 2
const WAITING = 64

/** Too many passwords wait to be hashed. */
export class PasswordsBusy extends Error {
  constructor() {
    super('Too many passwords are being checked at this moment; try again in a few seconds.')
    this.name = 'PasswordsBusy'
  }
}

export class Passwords {
  readonly #turnstile: Turnstile
  /** What no password is the password of, made when it is first needed. */
  #nobody: Promise<string> | null = null

  /** `atOnce` hashes are made at a time and `waiting` more wait. */
  constructor(atOnce = AT_ONCE, waiting = WAITING) {
    this.#turnstile = new Turnstile(atOnce, waiting)
  }

  /** In the PHC form, with a salt of its own. Rejects with `PasswordsBusy`. */
  hash(password: string): Promise<string> {
    return this.#inTurn(() => hash(normal(password), cost))
  }

  /**
   * Whether this is the password of that hash; a hash that is none is nobody's. Null instead of a hash takes as long, so that who asks
   * cannot tell whether there is one. Rejects with `PasswordsBusy`.
   */
  verify(stored: string | null, password: string): Promise<boolean> {
    return this.#inTurn(async () => {
      this.#nobody ??= hash('', cost)
      const nobody = await this.#nobody
      if (stored === null) {
        await verify(nobody, normal(password))
        return false
      }
      return verify(stored, normal(password)).catch(() => false)
    })
  }

  async #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = await this.#turnstile.pass(work)
    if (result === null) throw new PasswordsBusy()
    return result
  }
}

/** One form for what looks the same: keyboards differ in how they write an accent. */
function normal(password: string): string {
  return password.normalize('NFKC')
}

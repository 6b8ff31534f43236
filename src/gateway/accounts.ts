/**
 * Accounts: for those who have no identity provider. A name and a password go in, a token comes out.
 *
 * The name of an account is the client id of its tokens. A name that has the form of an assigned id is nobody's to choose, since it may
 * be another client's. A wrong password and an unknown name are answered alike and take as long. Changing a password revokes every token
 * that was issued before.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { isAssignedId, isServerId } from '../protocol/names.ts'
import type { Account, AccountStore } from '../store/account-store.ts'
import type { Audit } from './audit.ts'
import { ApiError } from './api/route.ts'
import { PasswordsBusy, type Passwords } from './passwords.ts'
import { Throttle, type Attempt, type Refusal } from './throttle.ts'
import type { IssuedToken, Tokens } from './tokens.ts'

/** ms, some, that a clock is waited for. */
const MAX_WAITS = 20

export interface AccountsParts {
  readonly store: AccountStore
  readonly passwords: Passwords
  readonly tokens: Tokens
  readonly audit: Audit
  readonly throttle: Throttle
  /** ms since the epoch. */
  readonly time?: () => number
}

/** What an operator may change of an account. */
export type AccountRights = Partial<Pick<Account, 'admin' | 'disabled'>>

/** Who asks for what, and from where. */
export interface Login {
  readonly id: string
  readonly password: string
  readonly address: string
}

/** The account, and a time when it was still so: whatever takes rights away later revokes tokens that are issued as of then. */
interface Proved {
  readonly account: Account
  readonly time: number
}

export class Accounts {
  readonly #store: AccountStore
  readonly #passwords: Passwords
  readonly #tokens: Tokens
  readonly #audit: Audit
  readonly #throttle: Throttle
  readonly #time: () => number

  constructor({ store, passwords, tokens, audit, throttle, time = Date.now }: AccountsParts) {
    this.#store = store
    this.#passwords = passwords
    this.#tokens = tokens
    this.#audit = audit
    this.#throttle = throttle
    this.#time = time
  }

  /** Makes an account for somebody who is unknown. Rejects with `ApiError`. */
  async register({ id, password, address }: Login): Promise<IssuedToken> {
    const refusal = this.#throttle.register(address)
    if (refusal !== null) throw this.#throttled(refusal, id, address)
    const added = await this.add({ id, password, address })
    // Storing it took a while, too.
    const { account, time } = await this.#stillHas(added, { id, password, address })
    return this.#issue(account, time)
  }

  /** Makes an account without asking how many were made. Rejects with `ApiError`. */
  async add({ id, password, address }: Login, admin = false): Promise<Account> {
    if (isAssignedId(id))
      throw new ApiError(
        'bad_request',
        'A name of 16 of A-Za-z0-9_- is kept for addresses that the server makes up; take another.',
      )
    if (isServerId(id))
      throw new ApiError('bad_request', 'What begins with ackd: is the server itself; take another name.')
    const time = this.#time()
    const hash = await this.#hash(id, password)
    const account = { id, password: hash, created: time, changed: time, admin, disabled: false }
    if ((await this.#store.add(account)) === 'exists')
      throw new ApiError('conflict', `There is an account ${id} already; take another name, or log in.`)
    this.#audit.note('registered', { id, address, ...(admin && { why: 'admin' }) })
    return account
  }

  /** Rejects with `ApiError`. */
  async login(login: Login): Promise<IssuedToken> {
    const { account, time } = await this.#prove(login)
    this.#audit.note('login', { id: login.id, address: login.address })
    return this.#issue(account, time)
  }

  /** Gives an account another password, for who knows the old one. Rejects with `ApiError`. */
  async changePassword(login: Login, password: string): Promise<IssuedToken> {
    const { account } = await this.#prove(login)
    const hash = await this.#hash(login.id, password)
    // Making it took a while, too.
    this.#same(await this.#store.find(login.id), account, login)
    const time = await this.#after(await this.#setHash(login.id, hash, login.address))
    const now = this.#same(await this.#store.find(login.id), { ...account, password: hash }, login)
    return this.#issue(now, time)
  }

  /** Gives an account another password and revokes all of its tokens. Rejects with `ApiError`. */
  async setPassword(id: string, password: string, address: string): Promise<void> {
    await this.#setHash(id, await this.#hash(id, password), address)
  }

  /** Rejects with `ApiError`. */
  async find(id: string): Promise<Account> {
    const account = await this.#store.find(id)
    if (account === null) throw unknownAccount(id)
    return account
  }

  /** The accounts after that name, by name. */
  list(after: string, limit: number): Promise<readonly Account[]> {
    return this.#store.list(after, limit)
  }

  /** Gives an account other rights, and revokes the tokens that would give more. Rejects with `ApiError`. */
  async change(id: string, rights: AccountRights, address: string): Promise<Account> {
    if (!(await this.#store.change(id, rights))) throw unknownAccount(id)
    const { admin, disabled } = rights
    const why = [
      ...(admin === undefined ? [] : [admin ? 'admin' : 'no admin']),
      ...(disabled === undefined ? [] : [disabled ? 'disabled' : 'enabled']),
    ].join(', ')
    this.#audit.note('account_changed', { id, address, why })
    if (admin === false || disabled === true) await this.#revoke(id, this.#time())
    return this.find(id)
  }

  /** Removes an account and revokes its tokens. Rejects with `ApiError`. */
  async remove(id: string, address: string): Promise<void> {
    if (!(await this.#store.remove(id))) throw unknownAccount(id)
    this.#audit.note('account_removed', { id, address })
    await this.#revoke(id, this.#time())
  }

  /** Answers when it was done: what was issued until then is revoked. */
  async #setHash(id: string, hash: string, address: string): Promise<number> {
    if (!(await this.#store.change(id, { password: hash, changed: this.#time() }))) throw unknownAccount(id)
    this.#audit.note('password_changed', { id, address })
    // By now, since who was right until it was changed may have been given a token.
    const time = this.#time()
    await this.#revoke(id, time)
    return time
  }

  /**
   * A later time, when it has come: as of then a token is none of those that were just revoked, and whatever is done to the account after the look
   * that follows is done no earlier, so it does revoke it. A clock that was set back is not waited for.
   */
  async #after(time: number): Promise<number> {
    for (let waits = 0; waits < MAX_WAITS && this.#time() <= time; waits++) await sleep(1)
    return Math.max(this.#time(), time + 1)
  }

  #issue({ id, admin }: Account, time: number): Promise<IssuedToken> {
    return this.#tokens.issue(id, time, admin ? { ackd: { admin } } : {})
  }

  /** All tokens that were issued until then. */
  async #revoke(id: string, time: number): Promise<void> {
    const expires = time + this.#tokens.lifeMs + this.#tokens.leewayMs
    const revoked = await this.#store.revoke({ kind: 'client', value: id, time, expires })
    if (revoked === 'full')
      throw new ApiError(
        'overloaded',
        'It is done, but the list of revoked tokens is full: tokens stay good until they expire.',
      )
  }

  async #prove(login: Login): Promise<Proved> {
    const { id, password, address } = login
    const attempt = this.#throttle.attempt(address, id)
    if (isRefusal(attempt)) throw this.#throttled(attempt, id, address)
    const account = await this.#store.find(id)
    const right = await busyOr(this.#passwords.verify(account?.password ?? null, password))
    if (account === null || !right) throw this.#failed(login, account === null ? 'no such account' : 'wrong password')
    // Checking it took a while, in which much can have been done to the account.
    const proved = await this.#stillHas(account, login)
    attempt.succeeded()
    return proved
  }

  async #stillHas(account: Account, login: Login): Promise<Proved> {
    const time = this.#time()
    return { account: this.#same(await this.#store.find(login.id), account, login), time }
  }

  /** The account as it is now, if who proved himself for it as it was may still have it. */
  #same(now: Account | null, proved: Account, login: Login): Account {
    if (now?.password !== proved.password) throw this.#failed(login, 'the password was changed meanwhile')
    if (!now.disabled) return now
    // Only who knows the password is told.
    this.#audit.note('login_failed', { id: login.id, address: login.address, why: 'the account is disabled' })
    throw new ApiError('forbidden', 'This account is disabled; ask who runs this server.')
  }

  #failed({ id, address }: Login, why: string): ApiError {
    this.#audit.note('login_failed', { id, address, why })
    return new ApiError('unauthorized', 'The name or the password is wrong.')
  }

  #hash(id: string, password: string): Promise<string> {
    if (password === id) throw new ApiError('bad_request', 'body.password: take something else than the name.')
    return busyOr(this.#passwords.hash(password))
  }

  #throttled({ retryAfterMs }: Refusal, id: string, address: string): ApiError {
    this.#audit.note('throttled', { id, address })
    const seconds = Math.ceil(retryAfterMs / 1_000)
    return new ApiError('rate_limited', `Too many attempts; try again after ${seconds} s.`, {
      'Retry-After': String(seconds),
    })
  }
}

function unknownAccount(id: string): ApiError {
  return new ApiError('not_found', `There is no account ${id}; check the name.`)
}

function isRefusal(attempt: Attempt | Refusal): attempt is Refusal {
  return 'retryAfterMs' in attempt
}

async function busyOr<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work
  } catch (error) {
    if (error instanceof PasswordsBusy) throw new ApiError('overloaded', error.message, { 'Retry-After': '5' })
    throw error
  }
}

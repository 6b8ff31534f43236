/** Accounts and revoked tokens as plain maps: every rule of `account-store.ts`, written to be read. */
import {
  MAX_REVOCATIONS,
  type Account,
  type AccountChange,
  type AccountStore,
  type ListedRevocation,
  type Revocation,
} from '../account-store.ts'

export class MemoryAccounts implements AccountStore {
  readonly #clock: () => number
  readonly #most: number
  readonly #accounts = new Map<string, Account>()
  /** By kind and value, in the order of their places. */
  readonly #revocations = new Map<string, ListedRevocation>()
  #last = 0

  /** `clock` tells ms since the epoch; `most` bounds the list of revocations. */
  constructor(clock: () => number = Date.now, most = MAX_REVOCATIONS) {
    this.#clock = clock
    this.#most = most
  }

  add(account: Account): Promise<'added' | 'exists'> {
    const known = this.#accounts.get(account.id)
    if (known !== undefined) return Promise.resolve(known.password === account.password ? 'added' : 'exists')
    this.#accounts.set(account.id, account)
    return Promise.resolve('added')
  }

  find(id: string): Promise<Account | null> {
    return Promise.resolve(this.#accounts.get(id) ?? null)
  }

  list(after: string, limit: number): Promise<readonly Account[]> {
    const ids = [...this.#accounts.keys()].filter(id => id > after).sort()
    return Promise.resolve(ids.slice(0, limit).flatMap(id => this.#accounts.get(id) ?? []))
  }

  change(id: string, change: AccountChange): Promise<boolean> {
    const account = this.#accounts.get(id)
    if (account !== undefined) this.#accounts.set(id, { ...account, ...change })
    return Promise.resolve(account !== undefined)
  }

  remove(id: string): Promise<boolean> {
    return Promise.resolve(this.#accounts.delete(id))
  }

  revoke(revocation: Revocation): Promise<'revoked' | 'full'> {
    const key = `${revocation.kind} ${revocation.value}`
    const known = this.#revocations.get(key)
    if (known === undefined && this.#revocations.size >= this.#most) this.#forgetExpired()
    if (known === undefined && this.#revocations.size >= this.#most) return Promise.resolve('full')
    this.#last = Math.max(this.#last + 1, this.#clock() * 1_000)
    this.#revocations.delete(key)
    this.#revocations.set(key, {
      ...revocation,
      time: Math.max(revocation.time, known?.time ?? 0),
      expires: Math.max(revocation.expires, known?.expires ?? 0),
      s: this.#last,
    })
    return Promise.resolve('revoked')
  }

  revocations(after: number, limit: number): Promise<readonly ListedRevocation[]> {
    const listed = [...this.#revocations.values()].filter(({ s }) => s > after)
    return Promise.resolve(listed.slice(0, limit))
  }

  #forgetExpired(): void {
    const now = this.#clock()
    for (const [key, { expires }] of this.#revocations) if (expires <= now) this.#revocations.delete(key)
  }
}

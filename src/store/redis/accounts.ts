/** Accounts and revoked tokens that many nodes share (`scripts-accounts.ts`). */
import type { Account, AccountStore, ListedRevocation, Revocation } from '../account-store.ts'
import type { Keys } from './keys.ts'
import type { RedisLink } from './link.ts'
import { listOf, numberOf, textOf } from './records.ts'

export class RedisAccounts implements AccountStore {
  readonly #link: RedisLink
  readonly #keys: Keys
  readonly #most: number
  readonly #now: () => string

  /** `most` bounds the list of revocations. */
  constructor(link: RedisLink, keys: Keys, most: number, now: () => string) {
    this.#link = link
    this.#keys = keys
    this.#most = most
    this.#now = now
  }

  async add({ id, password, created, changed }: Account): Promise<'added' | 'exists'> {
    const key = [this.#keys.account(id)]
    const added = await this.#link.run('addAccount', key, this.#now(), password, created, changed)
    return added === 1 ? 'added' : 'exists'
  }

  async find(id: string): Promise<Account | null> {
    const found = await this.#link.run('findAccount', [this.#keys.account(id)], this.#now())
    const [password, created, changed] = listOf(found)
    if (password === null) return null
    return { id, password: textOf(password), created: Number(textOf(created)), changed: Number(textOf(changed)) }
  }

  async setPassword(id: string, password: string, changed: number): Promise<boolean> {
    return (await this.#link.run('setPassword', [this.#keys.account(id)], this.#now(), password, changed)) === 1
  }

  async revoke({ kind, value, time, expires }: Revocation): Promise<'revoked' | 'full'> {
    const { revocations } = this.#keys
    const name = `${kind} ${value}`
    const listed = await this.#link.run('revoke', revocations, this.#now(), name, time, expires, this.#most)
    return listed === 1 ? 'revoked' : 'full'
  }

  async revocations(after: number, limit: number): Promise<readonly ListedRevocation[]> {
    const { revocations } = this.#keys
    const flat = listOf(await this.#link.run('listRevocations', revocations, this.#now(), `(${after}`, limit))
    const listed: ListedRevocation[] = []
    for (let i = 0; i + 3 < flat.length; i += 4) {
      const name = textOf(flat[i])
      const space = name.indexOf(' ')
      listed.push({
        kind: name.slice(0, space) === 'client' ? 'client' : 'token',
        value: name.slice(space + 1),
        s: numberOf(flat[i + 1]),
        time: numberOf(flat[i + 2]),
        expires: numberOf(flat[i + 3]),
      })
    }
    return listed
  }

  async sweep(): Promise<void> {
    await this.#link.run('sweepRevocations', this.#keys.revocations, this.#now())
  }
}

/** Accounts and revoked tokens that many nodes share (`scripts-accounts.ts`). */
import type { Account, AccountChange, AccountStore, ListedRevocation, Revocation } from '../account-store.ts'
import { RedisIndex } from './index.ts'
import type { Keys } from './keys.ts'
import type { RedisLink } from './link.ts'
import { listOf, numberOf, textOf } from './records.ts'

export class RedisAccounts implements AccountStore {
  readonly #link: RedisLink
  readonly #keys: Keys
  readonly #most: number
  readonly #now: () => string
  readonly #index: RedisIndex

  /** `most` bounds the list of revocations. */
  constructor(link: RedisLink, keys: Keys, most: number, now: () => string) {
    this.#link = link
    this.#keys = keys
    this.#most = most
    this.#now = now
    this.#index = new RedisIndex(link, keys.accounts)
  }

  async add({ id, ...account }: Account): Promise<'added' | 'exists'> {
    // Before, in case this process ends in between; and after, in case somebody found no account in between and took the name out.
    await this.#list(id)
    const key = [this.#keys.account(id)]
    const added = await this.#link.run('addAccount', key, this.#now(), account.password, ...fieldsOf(account))
    await this.#list(id)
    return added === 1 ? 'added' : 'exists'
  }

  async find(id: string): Promise<Account | null> {
    const found = await this.#link.run('findAccount', [this.#keys.account(id)], this.#now(), ...FIELDS)
    const [password, created, changed, admin, disabled] = listOf(found)
    if (password === null) return null
    return {
      id,
      password: textOf(password),
      created: Number(textOf(created)),
      changed: Number(textOf(changed)),
      admin: isTrue(admin),
      disabled: isTrue(disabled),
    }
  }

  list(after: string, limit: number): Promise<readonly Account[]> {
    return this.#index.list(after, limit, id => this.find(id))
  }

  async change(id: string, change: AccountChange): Promise<boolean> {
    const fields = fieldsOf(change)
    if (fields.length === 0) return (await this.find(id)) !== null
    return (await this.#link.run('changeAccount', [this.#keys.account(id)], this.#now(), ...fields)) === 1
  }

  async remove(id: string): Promise<boolean> {
    return (await this.#link.run('removeAccount', [this.#keys.account(id)], this.#now())) === 1
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

  async #list(id: string): Promise<void> {
    this.#index.holds(id)
    await this.#index.tell()
  }
}

const FIELDS = ['password', 'created', 'changed', 'admin', 'disabled'] as const satisfies readonly (keyof Account)[]

/** Names and values in turn. */
function fieldsOf(change: AccountChange & { readonly created?: number }): readonly (string | number)[] {
  return FIELDS.flatMap(name => {
    const value = change[name]
    return value === undefined ? [] : [name, typeof value === 'boolean' ? Number(value) : value]
  })
}

function isTrue(value: unknown): boolean {
  return value !== null && textOf(value) === '1'
}

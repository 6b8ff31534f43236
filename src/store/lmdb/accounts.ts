/**
 * Accounts and revocations in LMDB, as JSON with a checksum each, in the same group commit as everything else.
 *
 * Revocations stand under their places, so that a list is a range; which of them stands where, and when it expires, is also kept in
 * memory, at most 100,000 of them. A record that is damaged says who may come in, so it is not moved aside: the start is refused.
 */
import type { Account, AccountChange, AccountStore, ListedRevocation, Revocation } from '../account-store.ts'
import type { LmdbCalls } from './calls.ts'
import type { Table } from './environment.ts'
import { boxRange, entryKey, entryPlace, putText, readText, Tag } from './records.ts'

/** All revocations are under one number, which no mailbox has. */
const LIST = 0

/** Holds the last place that was given out. */
const LAST_PLACE_KEY = Uint8Array.of(Tag.format, 3)

/** What calls about revocations, and about all accounts, have in the place of an id. */
const REVOCATIONS = ' revocations'
const ACCOUNTS = ' accounts'

/** Behind the last account: ids are ASCII. */
const ACCOUNTS_END = Uint8Array.of(Tag.account, 0xff)

function accountKey(id: string): Buffer {
  return Buffer.concat([Uint8Array.of(Tag.account), Buffer.from(id, 'latin1')])
}

/** Throws `DamagedRecord`. */
export function readAccount(key: Uint8Array, value: Buffer): Account {
  // Accounts of the first versions say neither.
  const before = { admin: false, disabled: false }
  return { ...before, ...(JSON.parse(readText(key, value, 'the record of an account')) as Account) }
}

/** Throws `DamagedRecord`. */
export function readRevocation(key: Uint8Array, value: Buffer): Revocation {
  return JSON.parse(readText(key, value, 'a revocation')) as Revocation
}

interface Placed {
  readonly s: number
  readonly time: number
  readonly expires: number
}

function nameOf({ kind, value }: Revocation): string {
  return `${kind} ${value}`
}

/** The methods of `AccountStore`, done at once; like `LmdbTables` as far as transactions go. */
export class LmdbAccountTables {
  readonly #table: Table
  readonly #most: number
  readonly #clock: () => number
  readonly #put = (key: Uint8Array, value: Uint8Array): void => this.#table.put(key, value)
  /** By kind and value; null before they are read. */
  #placed: Map<string, Placed> | null = null
  /** ms since the epoch: no revocation expires before. */
  #earliest = 0
  #last = 0

  /** `most` bounds the list of revocations. */
  constructor(table: Table, most: number, clock: () => number) {
    this.#table = table
    this.#most = most
    this.#clock = clock
  }

  change(run: () => void): void {
    run()
  }

  settle(committed: boolean): void {
    if (!committed) this.#placed = null
  }

  add(account: Account): 'added' | 'exists' {
    const known = this.find(account.id)
    if (known !== null) return known.password === account.password ? 'added' : 'exists'
    putText(accountKey(account.id), JSON.stringify(account), this.#put)
    return 'added'
  }

  find(id: string): Account | null {
    const key = accountKey(id)
    const value = this.#table.get(key)
    return value === undefined ? null : readAccount(key, value)
  }

  list(after: string, limit: number): Account[] {
    const found = this.#table.range(accountKey(`${after}\0`), ACCOUNTS_END, limit)
    return Array.from(found, ({ key, value }) => readAccount(key, value))
  }

  alter(id: string, change: AccountChange): boolean {
    const account = this.find(id)
    if (account !== null) putText(accountKey(id), JSON.stringify({ ...account, ...change }), this.#put)
    return account !== null
  }

  remove(id: string): boolean {
    const account = this.find(id)
    if (account !== null) this.#table.remove(accountKey(id))
    return account !== null
  }

  revoke(revocation: Revocation): 'revoked' | 'full' {
    const placed = this.#load()
    const name = nameOf(revocation)
    const known = placed.get(name)
    if (known === undefined && placed.size >= this.#most) this.sweep()
    if (known === undefined && placed.size >= this.#most) return 'full'
    if (known !== undefined) this.#table.remove(entryKey(LIST, known.s, Tag.revocation))
    const s = Math.max(this.#last + 1, this.#clock() * 1_000)
    const time = Math.max(revocation.time, known?.time ?? 0)
    const expires = Math.max(revocation.expires, known?.expires ?? 0)
    putText(entryKey(LIST, s, Tag.revocation), JSON.stringify({ ...revocation, time, expires }), this.#put)
    putText(LAST_PLACE_KEY, String(s), this.#put)
    placed.set(name, { s, time, expires })
    this.#earliest = Math.min(this.#earliest, expires)
    this.#last = s
    return 'revoked'
  }

  revocations(after: number, limit: number): ListedRevocation[] {
    const [, end] = boxRange(Tag.revocation, LIST)
    return Array.from(this.#table.range(entryKey(LIST, after + 1, Tag.revocation), end, limit), ({ key, value }) => ({
      ...readRevocation(key, value),
      s: entryPlace(key),
    }))
  }

  /** Whether a revocation has expired. */
  isDue(): boolean {
    this.#load()
    return this.#earliest <= this.#clock()
  }

  /** Forgets what has expired. */
  sweep(): void {
    const placed = this.#load()
    const now = this.#clock()
    if (this.#earliest > now) return
    this.#earliest = Infinity
    for (const [name, { s, expires }] of placed) {
      if (expires > now) {
        this.#earliest = Math.min(this.#earliest, expires)
        continue
      }
      this.#table.remove(entryKey(LIST, s, Tag.revocation))
      placed.delete(name)
    }
  }

  #load(): Map<string, Placed> {
    if (this.#placed !== null) return this.#placed
    const placed = new Map<string, Placed>()
    this.#earliest = Infinity
    const last = this.#table.get(LAST_PLACE_KEY)
    this.#last = last === undefined ? 0 : Number(readText(LAST_PLACE_KEY, last, 'the last place of a revocation'))
    for (const { key, value } of this.#table.range(...boxRange(Tag.revocation, LIST))) {
      const revocation = readRevocation(key, value)
      const { time, expires } = revocation
      placed.set(nameOf(revocation), { s: entryPlace(key), time, expires })
      this.#earliest = Math.min(this.#earliest, expires)
    }
    this.#placed = placed
    return placed
  }
}

export class LmdbAccounts implements AccountStore {
  readonly #tables: LmdbAccountTables
  readonly #calls: LmdbCalls

  constructor(tables: LmdbAccountTables, calls: LmdbCalls) {
    this.#tables = tables
    this.#calls = calls
  }

  add(account: Account): Promise<'added' | 'exists'> {
    return this.#calls.write(account.id, 0, () => this.#tables.add(account))
  }

  find(id: string): Promise<Account | null> {
    return this.#calls.read(id, () => this.#tables.find(id))
  }

  list(after: string, limit: number): Promise<readonly Account[]> {
    return this.#calls.read(ACCOUNTS, () => this.#tables.list(after, limit))
  }

  change(id: string, change: AccountChange): Promise<boolean> {
    return this.#calls.write(id, 0, () => this.#tables.alter(id, change))
  }

  remove(id: string): Promise<boolean> {
    return this.#calls.write(id, 0, () => this.#tables.remove(id))
  }

  revoke(revocation: Revocation): Promise<'revoked' | 'full'> {
    return this.#calls.write(REVOCATIONS, 0, () => this.#tables.revoke(revocation))
  }

  revocations(after: number, limit: number): Promise<readonly ListedRevocation[]> {
    return this.#calls.read(REVOCATIONS, () => this.#tables.revocations(after, limit))
  }
}

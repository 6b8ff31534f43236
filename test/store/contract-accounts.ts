/** What every store must do with accounts and revoked tokens: one body of tests, run over each implementation. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import type { Account, AccountStore, Revocation } from '../../src/store/account-store.ts'
import { defaultStoreLimits } from '../../src/store/store.ts'
import { START, type Open } from './support.ts'

export interface OpenedAccounts {
  readonly accounts: AccountStore
  /** Closes what is kept and opens it again; absent where nothing is. */
  readonly reopen?: () => Promise<AccountStore>
  close(): Promise<void>
}

/** `most` bounds the list of revocations. */
export type OpenAccounts = (clock: () => number, most: number) => Promise<OpenedAccounts>

const MOST = 4

/** Accounts and revocations of a whole store. */
export function accountsOf(open: Open): OpenAccounts {
  return async (clock, most) => {
    const opened = await open({ ...defaultStoreLimits, revocations: most }, clock)
    const { reopen } = opened
    const accounts = { accounts: opened.store.accounts, close: () => opened.close() }
    return reopen === undefined ? accounts : { ...accounts, reopen: async () => (await reopen()).accounts }
  }
}

const alice: Account = { id: 'alice', password: '$argon2id$one', created: START, changed: START }

function revocation(value: string, change: Partial<Revocation> = {}): Revocation {
  return { kind: 'token', value, time: START, expires: START + 1_000, ...change }
}

export function describeAccounts(name: string, open: OpenAccounts): void {
  let opened: OpenedAccounts
  let accounts: AccountStore
  let now: number

  beforeEach(async () => {
    now = START
    opened = await open(() => now, MOST)
    accounts = opened.accounts
  })

  afterEach(() => opened.close())

  async function again(): Promise<void> {
    if (opened.reopen !== undefined) accounts = await opened.reopen()
  }

  async function listed(after = 0, limit = 100): Promise<string[]> {
    return (await accounts.revocations(after, limit)).map(({ kind, value }) => `${kind} ${value}`)
  }

  describe(`${name}: accounts`, () => {
    test('are found once they are added, and nobody else is', async () => {
      expect(await accounts.find('alice')).toBeNull()
      expect(await accounts.add(alice)).toBe('added')
      await again()
      expect(await accounts.find('alice')).toEqual(alice)
      expect(await accounts.find('Alice')).toBeNull()
    })

    test('are added once: another password is another person, the same is the same call', async () => {
      await accounts.add(alice)
      expect(await accounts.add({ ...alice, password: '$argon2id$two' })).toBe('exists')
      expect(await accounts.add({ ...alice, created: START + 5 })).toBe('added')
      expect(await accounts.find('alice')).toEqual(alice)
    })

    test('take a new password, and keep the rest', async () => {
      await accounts.add(alice)
      expect(await accounts.setPassword('alice', '$argon2id$two', START + 9)).toBe(true)
      await again()
      expect(await accounts.find('alice')).toEqual({ ...alice, password: '$argon2id$two', changed: START + 9 })
      expect(await accounts.setPassword('bob', '$argon2id$two', START)).toBe(false)
      expect(await accounts.find('bob')).toBeNull()
    })

    test('may be called by any id there is', async () => {
      const ids = ['a', 'x'.repeat(64), 'a.b:c@d-e_f', '__proto__', 'constructor']
      for (const id of ids) expect(await accounts.add({ ...alice, id })).toBe('added')
      for (const id of ids) expect(await accounts.find(id)).toEqual({ ...alice, id })
    })
  })

  describe(`${name}: revocations`, () => {
    test('are listed in their order, from a place on', async () => {
      expect(await accounts.revocations(0, 10)).toEqual([])
      for (const value of ['a', 'b', 'c']) expect(await accounts.revoke(revocation(value))).toBe('revoked')
      await again()
      expect(await listed()).toEqual(['token a', 'token b', 'token c'])
      const [first, second] = await accounts.revocations(0, 2)
      expect(first).toEqual({ ...revocation('a'), s: START * 1_000 })
      expect(await listed(second?.s)).toEqual(['token c'])
      expect(await listed(0, 2)).toEqual(['token a', 'token b'])
    })

    test('of a token and of a client are two things', async () => {
      await accounts.revoke(revocation('a'))
      await accounts.revoke(revocation('a', { kind: 'client' }))
      expect(await listed()).toEqual(['token a', 'client a'])
    })

    test('that are repeated take a new place, and the later times', async () => {
      await accounts.revoke(revocation('a', { time: START + 1, expires: START + 10 }))
      await accounts.revoke(revocation('b'))
      const before = (await accounts.revocations(0, 10)).at(-1)?.s ?? 0
      await accounts.revoke(revocation('a', { time: START, expires: START + 20 }))
      expect(await accounts.revocations(before, 10)).toEqual([
        { ...revocation('a', { time: START + 1, expires: START + 20 }), s: before + 1 },
      ])
      expect(await listed()).toEqual(['token b', 'token a'])
    })

    test('have places that rise, whatever the clock does', async () => {
      await accounts.revoke(revocation('a'))
      now -= 3_600_000
      await accounts.revoke(revocation('b'))
      expect((await accounts.revocations(0, 10)).map(({ s }) => s)).toEqual([START * 1_000, START * 1_000 + 1])
    })

    test('are full at a bound, until some have expired', async () => {
      for (const value of ['a', 'b']) await accounts.revoke(revocation(value))
      for (const value of ['c', 'd']) await accounts.revoke(revocation(value, { expires: START + 5_000 }))
      expect(await accounts.revoke(revocation('e'))).toBe('full')
      expect(await accounts.revoke(revocation('d', { expires: START + 6_000 }))).toBe('revoked')
      now += 1_000
      expect(await accounts.revoke(revocation('e', { expires: now + 1 }))).toBe('revoked')
      expect(await listed()).toEqual(['token c', 'token d', 'token e'])
    })
  })
}

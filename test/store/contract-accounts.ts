/** What every store must do with accounts and revoked tokens: one body of tests, run over each implementation. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import type { AccountStore, Revocation } from '../../src/store/account-store.ts'
import { defaultStoreLimits } from '../../src/store/store.ts'
import { accountOf, START, type Open } from './support.ts'

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

const alice = accountOf('alice', '$argon2id$one')

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
      expect(await accounts.change('alice', { password: '$argon2id$two', changed: START + 9 })).toBe(true)
      await again()
      expect(await accounts.find('alice')).toEqual({ ...alice, password: '$argon2id$two', changed: START + 9 })
      expect(await accounts.change('bob', { password: '$argon2id$two', changed: START })).toBe(false)
      expect(await accounts.find('bob')).toBeNull()
    })

    test('take other rights, and keep the rest', async () => {
      await accounts.add({ ...alice, admin: true })
      expect(await accounts.change('alice', { disabled: true })).toBe(true)
      await again()
      expect(await accounts.find('alice')).toEqual({ ...alice, admin: true, disabled: true })
      await accounts.change('alice', { admin: false, disabled: false })
      expect(await accounts.find('alice')).toEqual(alice)
      expect([await accounts.change('alice', {}), await accounts.change('bob', {})]).toEqual([true, false])
    })

    test('are listed by name, page by page', async () => {
      for (const id of ['bob', 'Zoe', 'alice', 'alice2', '__proto__']) await accounts.add({ ...alice, id })
      await again()
      const ids = async (after: string, limit: number): Promise<string[]> =>
        (await accounts.list(after, limit)).map(({ id }) => id)
      expect(await ids('', 10)).toEqual(['Zoe', '__proto__', 'alice', 'alice2', 'bob'])
      expect(await ids('', 2)).toEqual(['Zoe', '__proto__'])
      expect(await ids('__proto__', 2)).toEqual(['alice', 'alice2'])
      expect(await ids('alice', 2)).toEqual(['alice2', 'bob'])
      expect(await ids('bob', 2)).toEqual([])
      expect(await accounts.list('alice2', 1)).toEqual([{ ...alice, id: 'bob' }])
    })

    test('are no more once they are removed, and their names are free', async () => {
      await accounts.add(alice)
      expect(await accounts.remove('alice')).toBe(true)
      await again()
      expect([await accounts.remove('alice'), await accounts.find('alice')]).toEqual([false, null])
      expect(await accounts.list('', 10)).toEqual([])
      expect(await accounts.add({ ...alice, password: '$argon2id$two' })).toBe('added')
      expect((await accounts.list('', 10)).map(({ id }) => id)).toEqual(['alice'])
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

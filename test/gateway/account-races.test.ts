/**
 * What is done to an account while somebody is logging in to it. A password takes some ten milliseconds to be checked, in which an account can be
 * disabled, removed or given another password; who was right when he began must not get a token that outlives that.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeEach, describe, expect, it } from 'vitest'
import { Accounts } from '../../src/gateway/accounts.ts'
import { noAudit } from '../../src/gateway/audit.ts'
import { Passwords } from '../../src/gateway/passwords.ts'
import { Revocations } from '../../src/gateway/revocations.ts'
import { Tokens } from '../../src/gateway/tokens.ts'
import { Throttle, throttleRates } from '../../src/gateway/throttle.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { secret } from '../support/issuer.ts'

const address = '192.0.2.7'
const login = { id: 'alice', password: 'correct horse battery', address }

let store: MemoryStore
let tokens: Tokens
let accounts: Accounts
/** What the clock said last; it says that for ever once it is `stopped`. */
let said = 0
let stopped = false

beforeEach(async () => {
  stopped = false
  store = new MemoryStore()
  const rules = { issuer: '', audience: '', leewayMs: 0, lifeMs: 60_000 }
  tokens = new Tokens({ ...rules, secrets: [secret], keys: null })
  accounts = new Accounts({
    store: store.accounts,
    passwords: new Passwords(),
    tokens,
    audit: noAudit,
    throttle: new Throttle(throttleRates(5, 20)),
    time: () => (stopped ? said : (said = Date.now())),
  })
  await accounts.add(login, true)
})

/** What came of it, in a word: the code of a refusal, or whether the token that was given is still good, and that of an admin. */
async function outcome(asked: Promise<{ readonly token: string }>): Promise<string> {
  const revocations = new Revocations(store.accounts, () => {})
  try {
    const verdict = await tokens.check((await asked).token)
    await revocations.read()
    if (verdict.kind !== 'good') return verdict.kind
    return revocations.revoked(verdict.pass) ? 'revoked' : verdict.pass.rights.admin ? 'admin' : 'good'
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  }
}

describe('who is logging in while his account', () => {
  it('is left alone gets a token', async () => {
    expect(await outcome(accounts.login(login))).toBe('admin')
  })

  it.each<[string, () => Promise<unknown>, string]>([
    ['is disabled', () => accounts.change('alice', { disabled: true }, address), 'forbidden'],
    ['is removed', () => accounts.remove('alice', address), 'unauthorized'],
    ['is no longer that of an admin', () => accounts.change('alice', { admin: false }, address), 'good'],
  ])('%s gets no token that outlives it', async (_, act, expected) => {
    const asked = outcome(accounts.login(login))
    await act()
    expect(await asked).toBe(expected)
  })

  it('is given another password gets no token that outlives it, and cannot change it back', async () => {
    const set = accounts.setPassword('alice', 'another password', address)
    const asked = [
      ...Array.from({ length: 2 }, () => accounts.login(login)),
      accounts.changePassword(login, 'the password of a thief'),
    ]
    await Promise.allSettled([set, ...asked])
    // Some may have been done before.
    for (const one of asked) expect(['unauthorized', 'revoked']).toContain(await outcome(one))
    expect(await outcome(accounts.login({ ...login, password: 'another password' }))).toBe('admin')
  })
})

describe('who registers', () => {
  it.each<[string, () => Promise<unknown>, string]>([
    ['gets a token', () => Promise.resolve(), 'good'],
    [
      'and is disabled before he is answered gets none',
      () => accounts.change('bob', { disabled: true }, address),
      'forbidden',
    ],
    ['and is removed before he is answered gets none', () => accounts.remove('bob', address), 'unauthorized'],
    [
      'and is given another password before he is answered gets none',
      () => accounts.setPassword('bob', 'another password', address),
      'unauthorized',
    ],
  ])('%s', async (_, act, expected) => {
    const kept = store.accounts
    const add = kept.add.bind(kept)
    kept.add = async account => {
      const added = await add(account)
      kept.add = add
      // The store has answered, and nobody has heard it yet.
      await act()
      // A token of now is none of those that were revoked.
      await sleep(5)
      return added
    }
    expect(await outcome(accounts.register({ ...login, id: 'bob' }))).toBe(expected)
  })
})

describe('who is giving himself another password', () => {
  it.each<[string, () => Promise<unknown>, string]>([
    ['while nothing else is done gets a token', () => Promise.resolve(), 'admin'],
    [
      'while his account is disabled gets none',
      () => accounts.change('alice', { disabled: true }, address),
      'forbidden',
    ],
    ['while it is removed gets none', () => accounts.remove('alice', address), 'unauthorized'],
    [
      'while it is given a third one gets none',
      () => accounts.setPassword('alice', 'third password', address),
      'unauthorized',
    ],
  ])('%s', async (_, act, expected) => {
    const kept = store.accounts
    const change = kept.change.bind(kept)
    kept.change = async (id, changes) => {
      const isDone = await change(id, changes)
      kept.change = change
      // The store has answered, and nobody has heard it yet.
      await act()
      return isDone
    }
    expect(await outcome(accounts.changePassword(login, 'a second password'))).toBe(expected)
  })
})

describe('whose account is changed in the very millisecond in which he was looked at last', () => {
  it.each<[string, () => Promise<unknown>]>([
    ['is disabled', () => accounts.change('alice', { disabled: true }, address)],
    ['is removed', () => accounts.remove('alice', address)],
    ['is given another password', () => accounts.setPassword('alice', 'third password', address)],
  ])('%s, gets no token that outlives it with his new password', async (_, act) => {
    const kept = store.accounts
    const find = kept.find.bind(kept)
    let looks = 0
    kept.find = async id => {
      const found = await find(id)
      // Twice to prove the old password, once before it is changed, and once after.
      if (++looks !== 4) return found
      kept.find = find
      stopped = true
      await act()
      return found
    }
    expect(await outcome(accounts.changePassword(login, 'a second password'))).toBe('revoked')
    expect(looks).toBe(4)
  })
})

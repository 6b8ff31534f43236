import { describe, expect, it } from 'vitest'
import { Passwords, PasswordsBusy } from '../../src/gateway/passwords.ts'

describe('passwords', () => {
  it('are kept as argon2id with a salt, and known again', async () => {
    const passwords = new Passwords()
    const [one, two] = [await passwords.hash('correct horse'), await passwords.hash('correct horse')]
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    expect(one).not.toBe(two)
    expect(await passwords.verify(one, 'correct horse')).toBe(true)
    expect(await passwords.verify(one, 'correct horsf')).toBe(false)
  })

  it('are the same however an accent was typed', async () => {
    const passwords = new Passwords()
    expect(await passwords.verify(await passwords.hash('caf\u00e9 noir'), 'cafe\u0301 noir')).toBe(true)
  })

  it('are nobody\u2019s where there is no hash, or one that is none', async () => {
    const passwords = new Passwords()
    expect(await passwords.verify(null, '')).toBe(false)
    expect(await passwords.verify('', 'correct horse')).toBe(false)
    expect(await passwords.verify('$argon2id$nonsense', 'correct horse')).toBe(false)
  })

  it('wait for each other up to a bound, and are refused beyond it', async () => {
    const passwords = new Passwords(1, 2)
    const outcomes = await Promise.allSettled(['one', 'two', 'three', 'four'].map(word => passwords.hash(word)))
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected'])
    expect(outcomes[3]).toMatchObject({ reason: new PasswordsBusy() })
    expect(await passwords.hash('later')).toMatch(/^\$argon2id/)
  })
})

import { describe, expect, it } from 'vitest'
import { Quota, type Trier } from '../../src/gateway/quota.ts'

const from = (address: string, id = 'alice'): Trier => ({ id, address })

describe('a quota', () => {
  it('is so many a minute for a client, wherever it comes from, who is told how long to wait', () => {
    const quota = new Quota(10, 3)
    for (let i = 0; i < 10; i++) expect(quota.attempt(from(`192.0.2.${i}`), i)).toBeNull()
    expect(quota.attempt(from('198.51.100.1'), 1_000)).toEqual({ waitMs: 59_000, first: true })
    expect(quota.attempt(from('198.51.100.1'), 2_000)).toEqual({ waitMs: 58_000, first: false })
    expect(quota.attempt(from('198.51.100.1'), 60_000)).toBeNull()
  })

  it('is so many a minute for a network, whatever ids it makes', () => {
    const quota = new Quota(10, 3)
    for (let i = 0; i < 30; i++) expect(quota.attempt(from(`2001:db8::${i}`, `id${i}`), 0)).toBeNull()
    expect(quota.attempt(from('2001:db8::99', 'another'), 0)).toEqual({ waitMs: 60_000, first: true })
    expect(quota.attempt(from('192.0.2.1', 'another'), 0)).toBeNull()
  })

  it('is not used up by what is taken back', () => {
    const quota = new Quota(10, 3)
    for (let i = 0; i < 100; i++) {
      expect(quota.attempt(from('192.0.2.1'), 0)).toBeNull()
      quota.takeBack(from('192.0.2.1'), 0)
    }
  })
})

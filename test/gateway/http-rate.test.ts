import { describe, expect, it } from 'vitest'
import { HttpRate } from '../../src/gateway/http-rate.ts'

const taken = (rate: HttpRate, address: string, now: number): number => {
  let count = 0
  while (rate.take(address, now) === null) count++
  return count
}

describe('the rate of HTTP requests', () => {
  it('lets an address ask in a burst of twice the rate, then by the rate', () => {
    const rate = new HttpRate(10)
    expect(taken(rate, '192.0.2.1', 0)).toBe(20)
    expect(taken(rate, '192.0.2.1', 500)).toBe(5)
    expect(taken(rate, '192.0.2.1', 60_000)).toBe(20)
  })

  it('tells when there is room again, and who is refused for the first time', () => {
    const rate = new HttpRate(10)
    taken(rate, '192.0.2.1', 0)
    expect(rate.take('192.0.2.1', 40)).toEqual({ retryAfterMs: 60, first: false })
    expect(rate.take('192.0.2.1', 100)).toBeNull()
    expect(rate.take('192.0.2.1', 100)).toEqual({ retryAfterMs: 100, first: true })
  })

  it('is not used up by refusals', () => {
    const rate = new HttpRate(10)
    for (let now = 0; now < 1_000; now++) rate.take('192.0.2.1', now)
    expect(rate.take('192.0.2.1', 1_100)).toBeNull()
  })

  it('counts addresses apart, and a network of IPv6 as one', () => {
    const rate = new HttpRate(10)
    taken(rate, '2001:db8::1', 0)
    expect(rate.take('2001:db8::2', 0)).not.toBeNull()
    expect(rate.take('2001:db8:0:1::1', 0)).toBeNull()
    expect(rate.take('192.0.2.1', 0)).toBeNull()
  })

  it('keeps ten thousand addresses, and forgets those first that have not asked for longest', () => {
    const rate = new HttpRate(1)
    for (const address of ['first', 'second']) taken(rate, address, 0)
    for (let i = 0; i < 9_998; i++) rate.take(`address-${i}`, 0)
    rate.take('first', 0)
    rate.take('one more', 0)
    expect(rate.take('first', 0)).not.toBeNull()
    expect(rate.take('second', 0)).toBeNull()
  })
})

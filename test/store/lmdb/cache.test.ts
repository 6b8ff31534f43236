import { beforeEach, describe, expect, it } from 'vitest'
import { Cache } from '../../../src/store/lmdb/cache.ts'

/** More than it ever keeps at once. */
const MANY = 20_000
/** So many that were used last are always there. */
const KEPT = 5_000

let cache: Cache<string>
let loads: string[]

function get(name: string): string | null {
  return cache.get(name, () => {
    loads.push(name)
    return name === 'nobody' ? null : `box of ${name}`
  })
}

beforeEach(() => {
  cache = new Cache()
  loads = []
})

describe('Cache', () => {
  it('asks the file once', () => {
    expect([get('bob'), get('bob')]).toEqual(['box of bob', 'box of bob'])
    expect(loads).toEqual(['bob'])
  })

  it('asks again for what is not there', () => {
    expect([get('nobody'), get('nobody')]).toEqual([null, null])
    expect(loads).toEqual(['nobody', 'nobody'])
  })

  it('keeps what was used last, and no more than ten thousand', () => {
    for (let i = 0; i < MANY; i++) get(`c${i}`)
    for (let i = MANY - KEPT; i < MANY; i++) expect(cache.peek(`c${i}`)).toBe(`box of c${i}`)
    const kept = Array.from({ length: MANY }, (_, i) => cache.peek(`c${i}`)).filter(found => found !== undefined)
    expect(kept.length).toBeLessThanOrEqual(10_000)
  })

  it('keeps what is used again and again, however many come', () => {
    for (let i = 0; i < MANY; i++) {
      get(`c${i}`)
      if (i % 1_000 === 0) get('bob')
    }
    expect(loads.filter(name => name === 'bob')).toHaveLength(1)
  })

  it('has what was added last, whatever it had before', () => {
    get('bob')
    for (let i = 0; i < KEPT; i++) get(`c${i}`)
    cache.add('bob', 'another box')
    for (let i = 0; i < KEPT - 1; i++) get(`d${i}`)
    expect(get('bob')).toBe('another box')
  })

  it('forgets what is deleted, used lately or before', () => {
    get('bob')
    for (let i = 0; i < KEPT; i++) get(`c${i}`)
    cache.delete('bob')
    cache.delete('c4999')
    expect([cache.peek('bob'), cache.peek('c4999')]).toEqual([undefined, undefined])
  })

  it('believes nothing any more when a transaction has failed', () => {
    get('bob')
    for (let i = 0; i < KEPT; i++) get(`c${i}`)
    cache.change(() => get('carol'))
    cache.settle(false)
    expect([cache.peek('bob'), cache.peek('carol'), cache.peek('c7')]).toEqual([undefined, undefined, undefined])
  })

  it('does not keep what is read beside a transaction until that is settled', () => {
    cache.change(() => get('carol'))
    get('bob')
    expect([cache.peek('bob'), cache.peek('carol')]).toEqual([undefined, 'box of carol'])
    cache.settle(true)
    get('bob')
    expect(cache.peek('bob')).toBe('box of bob')
  })
})

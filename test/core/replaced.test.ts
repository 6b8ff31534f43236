import { describe, expect, test } from 'vitest'
import { Replaced } from '../../src/core/replaced.ts'

describe('Replaced', () => {
  test('keeps a member for five seconds, and as long as it is on its way', () => {
    const replaced = new Replaced()
    replaced.add('bob', 1_000)
    expect(replaced.overdue(5_999, () => false)).toEqual([])
    expect(replaced.overdue(60_000, id => id === 'bob')).toEqual([])
    expect(replaced.has('bob')).toBe(true)
    expect(replaced.overdue(6_000, () => false)).toEqual(['bob'])
    expect([replaced.has('bob'), replaced.size]).toEqual([false, 0])
  })

  test('forgets who is there again', () => {
    const replaced = new Replaced()
    replaced.add('bob', 0)
    replaced.return('bob')
    expect(replaced.has('bob')).toBe(false)
    replaced.add('bob', 0)
    replaced.clear()
    expect(replaced.size).toBe(0)
  })
})

/** What every store must do with what is to be done once. */
import { describe, expect, test } from 'vitest'

import { setUp, type Open } from './support.ts'

const LIFE = 1_000

export function describeOnce(name: string, open: Open): void {
  const at = setUp(open)
  const decide = (target: string, key: string, value: string): Promise<string> =>
    at.store.once.decide(target, key, value, LIFE)

  describe(`${name}: once`, () => {
    test('the first decision holds, for each name of each target by itself', async () => {
      expect(await decide('bob', 'key', 'one 1 first')).toBe('one 1 first')
      expect(await decide('bob', 'key', 'two 2 second')).toBe('one 1 first')
      expect(await decide('bob', 'other', 'two 2 second')).toBe('two 2 second')
      expect(await decide('#room', 'key', 'three')).toBe('three')
    })

    test('of decisions at the same time one holds', async () => {
      const values = await Promise.all(Array.from({ length: 20 }, (_, i) => decide('bob', 'key', `value ${i}`)))
      expect(new Set(values).size).toBe(1)
    })

    test('holds after a restart', async () => {
      await decide('bob', 'key', 'first')
      const kept = await at.reopen()
      expect(await decide('bob', 'key', 'second')).toBe(kept ? 'first' : await decide('bob', 'key', 'third'))
    })

    test('ends with its life, and another may follow', async () => {
      for (let i = 0; i < 10; i++) await decide('bob', `key ${i}`, 'first')
      at.now += LIFE - 1
      expect(await decide('bob', 'key 3', 'second')).toBe('first')
      at.now += 1
      for (let i = 0; i < 10; i++) expect(await decide('bob', `key ${i}`, 'second')).toBe('second')
      at.now += LIFE - 1
      for (let i = 0; i < 10; i++) expect(await decide('bob', `key ${i}`, 'third')).toBe('second')
    })
  })
}

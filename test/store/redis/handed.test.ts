import { expect, test } from 'vitest'

import type { Entry } from '../../../src/protocol/mailbox.ts'
import { Handed } from '../../../src/store/redis/handed.ts'

function entry(s: number, stream: string, n: number, bytes = 10): Entry {
  const body = { bytes: Buffer.alloc(bytes), start: 0, end: bytes, text: false }
  return { s, stream, n, time: 0, body, reason: '', repeated: false }
}

function ended(s: number, stream: string, n: number): Entry {
  return { ...entry(s, stream, n), body: null, reason: 'expired' }
}

test('tells how many they are, their bytes, and the highest number of each stream', () => {
  const handed = new Handed()
  handed.note('bob', '1:a', 0, [entry(5, 'x', 1), entry(6, 'y', 8, 3), entry(9, 'x', 2), ended(10, 'x', 3)])
  expect(handed.take('bob', '1:a', 10)).toEqual([4, 23, 'x', 2, 'y', 8])
  expect(handed.size).toBe(0)
})

test('tells only of voids that nothing of them was delivered', () => {
  const handed = new Handed()
  handed.note('bob', '1:a', 0, [ended(5, 'x', 1), ended(6, 'x', 2)])
  expect(handed.take('bob', '1:a', 6)).toEqual([2, 0])
})

test('keeps what comes after, and goes on with the next page', () => {
  const handed = new Handed()
  handed.note('bob', '1:a', 0, [entry(5, 'x', 1), entry(6, 'x', 2)])
  expect(handed.take('bob', '1:a', 5)).toEqual([1, 10, 'x', 1])
  handed.note('bob', '1:a', 6, [entry(7, 'x', 3)])
  expect(handed.take('bob', '1:a', 7)).toEqual([2, 20, 'x', 3])
})

test('a page that is read again takes the place of what was read before', () => {
  const handed = new Handed()
  handed.note('bob', '1:a', 0, [entry(5, 'x', 1), entry(6, 'x', 2), entry(7, 'x', 3)])
  handed.note('bob', '1:a', 5, [ended(6, 'x', 2)])
  expect(handed.size).toBe(2)
  expect(handed.take('bob', '1:a', 6)).toEqual([2, 10, 'x', 1])
})

test('knows nothing of what lies before a hole, nor of a place that it does not know', () => {
  const handed = new Handed()
  handed.note('bob', '1:a', 0, [entry(5, 'x', 1)])
  handed.note('bob', '1:a', 6, [entry(7, 'x', 3), entry(9, 'x', 4)])
  expect(handed.size).toBe(2)
  expect(handed.take('bob', '1:a', 8)).toEqual([])
  expect(handed.take('bob', '1:a', 9)).toEqual([1, 10, 'x', 4])
  expect(handed.take('bob', '1:a', 12)).toEqual([])
})

test('another session begins anew', () => {
  const handed = new Handed()
  handed.note('bob', '1:a', 0, [entry(5, 'x', 1)])
  expect(handed.take('bob', '2:b', 5)).toEqual([])
  handed.note('bob', '2:b', 5, [entry(6, 'x', 2)])
  expect(handed.take('bob', '2:b', 6)).toEqual([1, 10, 'x', 2])
  handed.note('bob', '2:b', 6, [entry(7, 'x', 3)])
  handed.forget('bob')
  expect(handed.take('bob', '2:b', 7)).toEqual([])
  expect(handed.size).toBe(0)
})

test('of more than 64 streams it leaves the reading to Redis', () => {
  const handed = new Handed()
  const from = (count: number): Entry[] => Array.from({ length: count }, (_, i) => entry(i + 1, `stream ${i}`, 1))
  handed.note('bob', '1:a', 0, from(64))
  expect(handed.take('bob', '1:a', 64)).toHaveLength(2 + 2 * 64)
  handed.note('bob', '1:a', 0, from(65))
  expect(handed.take('bob', '1:a', 65)).toEqual([])
})

test('forgets the mailbox that was read first when it knows too much', () => {
  const handed = new Handed(3)
  handed.note('alice', '1:a', 0, [entry(5, 'x', 1), entry(6, 'x', 2)])
  handed.note('bob', '1:b', 0, [entry(5, 'x', 1)])
  handed.note('carol', '1:c', 0, [entry(5, 'x', 1)])
  expect(handed.size).toBe(2)
  expect(handed.take('alice', '1:a', 6)).toEqual([])
  expect(handed.take('bob', '1:b', 5)).toEqual([1, 10, 'x', 1])
})

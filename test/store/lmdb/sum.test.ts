import { crc32 } from 'node:zlib'
import { expect, test } from 'vitest'
import { sumOf } from '../../../src/store/lmdb/sum.ts'

const bytes = Buffer.from(Array.from({ length: 600 }, (_, at) => (at * 131) ^ (at >> 3)))

test('is the sum of zlib at every length and every place', () => {
  for (let start = 0; start < 9; start++) {
    for (let end = start; end <= bytes.length; end++) {
      expect(sumOf(bytes, start, end), `${start} to ${end}`).toBe(crc32(bytes.subarray(start, end)))
    }
  }
})

test('goes on from a sum before', () => {
  for (const split of [0, 1, 14, 100, 300]) {
    expect(sumOf(bytes, split, 400, sumOf(bytes, 0, split))).toBe(crc32(bytes.subarray(0, 400)))
  }
})

import { describe, expect, test } from 'vitest'
import { putAgain, putRaw } from '../../src/protocol/put.ts'

/** Bytes that begin somewhere in the memory below them, each telling its place there. */
function lying(offset: number, length: number): Uint8Array {
  return Uint8Array.from({ length: offset + length }, (_, i) => i * 31 + (i >>> 8)).subarray(offset)
}

describe('putRaw', () => {
  // Two parts of one memory, memories of their own, and one that is too large to be remembered.
  const memory = lying(3, 1_000)
  const sources = [memory, memory.subarray(100), lying(0, 500), lying(7, 70_000)]

  test('copies what is asked for, whatever was copied before, in every length', () => {
    const out = new Uint8Array(400)
    for (let length = 0; length < 300; length++) {
      for (const source of [...sources, ...sources]) {
        const start = length % 41
        expect(putRaw(out.fill(0), 5, source, start, start + length)).toBe(5 + length)
        const right = [0, 0, 0, 0, 0, ...source.slice(start, start + length), 0]
        expect(Buffer.compare(out.subarray(0, 6 + length), Uint8Array.from(right))).toBe(0)
      }
    }
  })
})

describe('putAgain', () => {
  test('copies what lies behind in the same bytes', () => {
    const bytes = lying(2, 100)
    const before = bytes.slice(10, 50)
    expect(putAgain(bytes, 55, 10, 50)).toBe(95)
    expect(bytes.slice(55, 95)).toEqual(before)
  })
})

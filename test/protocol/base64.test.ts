import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromBase64, toBase64 } from '../../src/protocol/base64.ts'

describe('base64', () => {
  test('writes what the platform writes and reads it back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), bytes => {
        const text = toBase64(bytes)
        expect(text).toBe(Buffer.from(bytes).toString('base64'))
        expect(fromBase64(text)).toEqual(bytes)
      }),
    )
  })

  test('goes through long bytes in parts', () => {
    const bytes = Uint8Array.from({ length: 100_001 }, (_, i) => (i * 7) & 0xff)
    expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'))
    expect(fromBase64(toBase64(bytes))).toEqual(bytes)
  })

  test.each(['A', 'AA', 'AAA', 'A===', '====', 'AA=A', 'AAA*', 'AA==AAAA', 'A-_A', ' AAA', 'AAAA\n', 'AB==', 'AAB='])(
    'refuses %j, which it would not have written',
    text => {
      expect(fromBase64(text)).toBeNull()
    },
  )
})

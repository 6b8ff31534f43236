import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { internAscii } from '../../src/protocol/intern.ts'
import { utf8 } from './recorder.ts'

describe('internAscii', () => {
  test('gives the string that the bytes are, however many came between', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[ -~]{0,64}$/), text => {
        const bytes = utf8(`<${text}>`)
        return internAscii(bytes, 1, bytes.length - 1) === text
      }),
      { numRuns: 5000 },
    )
  })

  test('gives null for what is long or not ASCII', () => {
    expect(internAscii(utf8('a'.repeat(65)), 0, 65)).toBeNull()
    expect(internAscii(utf8('ä'), 0, 2)).toBeNull()
  })

  test('is right when many strings compete for few places', () => {
    let wrong = 0
    for (let i = 0; i < 50_000; i++) {
      const text = `id-${i % 25_000}`
      if (internAscii(utf8(text), 0, text.length) !== text) wrong++
    }
    expect(wrong).toBe(0)
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeUtf8, encodeUtf8, isUtf8, writeUtf8 } from '../../src/protocol/utf8.ts'
import { hex, toHex } from './recorder.ts'

const invalid = {
  'a lone continuation byte': '80',
  'an overlong slash in two bytes': 'c0af',
  'an overlong one in two bytes': 'c1bf',
  'an overlong form in three bytes': 'e09fbf',
  'an overlong form in four bytes': 'f08fbfbf',
  'a surrogate': 'eda080',
  'a character above U+10FFFF': 'f4908080',
  'a lead byte that never was': 'f5808080',
  'a byte ff': 'ff',
  'a cut sequence': 'e282',
  'a sequence cut by ASCII': 'e28241',
  'a bad byte after eight good ones': '6161616161616161ff',
}

describe('isUtf8', () => {
  test.each(Object.entries(invalid))('refuses %s', (_name, bytes) => {
    expect(isUtf8(hex(bytes), 0, bytes.length / 2)).toBe(false)
  })

  test('agrees with the platform about random bytes', () => {
    const strict = new TextDecoder('utf-8', { fatal: true })
    const byte = fc.oneof(
      fc.integer({ min: 0, max: 255 }),
      fc.constantFrom(0x41, 0x80, 0xbf, 0xc2, 0xe0, 0xed, 0xf0, 0xf4),
    )
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 24 }), values => {
        const bytes = Uint8Array.from(values)
        let valid = true
        try {
          strict.decode(bytes)
        } catch {
          valid = false
        }
        return isUtf8(bytes, 0, bytes.length) === valid
      }),
      { numRuns: 5000 },
    )
  })

  test('looks at nothing outside its range', () => {
    expect(isUtf8(hex('ff 61 62 ff'), 1, 3)).toBe(true)
    expect(isUtf8(hex('61 e2 82 ac'), 0, 3)).toBe(false)
  })
})

test('text is written in place and read back, a byte order mark included', () => {
  const text = '\ufeffä€😀'
  const into = new Uint8Array(40)
  const end = writeUtf8(text, into, 3)
  expect(decodeUtf8(into, 3, end)).toBe(text)
  expect(toHex(into.subarray(3, end))).toBe(toHex(encodeUtf8(text)))
})

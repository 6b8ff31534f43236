import fc from 'fast-check'
import { Packr } from 'msgpackr'
import { describe, expect, test } from 'vitest'
import { checkOptions, checkValue } from '../../src/protocol/check.ts'
import { hex } from './recorder.ts'

function check(text: string, depth = 16): number {
  const bytes = hex(text)
  return checkValue(bytes, 0, bytes.length, depth)
}

const valid = {
  nil: 'c0',
  false: 'c2',
  true: 'c3',
  'the largest small integer': '7f',
  'the smallest small integer': 'e0',
  u8: 'cc ff',
  u16: 'cd ffff',
  u32: 'ce ffffffff',
  u64: 'cf ffffffffffffffff',
  i8: 'd0 80',
  i16: 'd1 8000',
  i32: 'd2 80000000',
  i64: 'd3 8000000000000000',
  float32: 'ca 3fc00000',
  float64: 'cb 7ff8000000000000',
  'a short string': 'a3 616263',
  str8: 'd9 02 c3a4',
  str16: 'da 0001 61',
  str32: 'db 00000001 61',
  bin8: 'c4 02 ff00',
  bin16: 'c5 0001 ff',
  bin32: 'c6 00000001 ff',
  'an empty array': '90',
  'an array': '92 01 a161',
  array16: 'dc 0001 01',
  array32: 'dd 00000001 01',
  'a map': '82 a161 01 a162 81 a163 02',
  map16: 'de 0001 a161 01',
  map32: 'df 00000001 a161 01',
}

const invalid = {
  nothing: '',
  'the byte that is no type': 'c1',
  'fixext 1': 'd4 01 00',
  'fixext 16': `d8 01 ${'00'.repeat(16)}`,
  'a timestamp': 'd6 ff 00000000',
  'ext 8': 'c7 01 01 00',
  'ext 16': 'c8 0001 01 00',
  'ext 32': 'c9 00000001 01 00',
  'four times thirty million items in twenty bytes': 'dd 01c9c380 dd 01c9c380 dd 01c9c380 dd 01c9c380',
  'an array of 2^32 - 1 items': 'dd ffffffff 01',
  'a map of 2^32 - 1 items': 'df ffffffff a161 01',
  'a string of 2^32 - 1 bytes': 'db ffffffff 61',
  'bytes of 2^32 - 1': 'c6 ffffffff 61',
  'a count one above what is left': '92 01',
  'a map with half of its last pair': '82 a161 01 a162',
  'a cut string': 'a3 6162',
  'a cut length': 'da 00',
  'a cut integer': 'ce 000000',
  'a cut float': 'cb 00000000000000',
  'an integer as a key': '81 01 01',
  'bytes as a key': '81 c4 01 61 01',
  'a map as a key': '81 80 01',
  'a string that is not UTF-8': 'a2 c328',
  'a key that is not UTF-8': '81 a1 ff 01',
}

describe('checkValue', () => {
  test.each(Object.entries(valid))('passes %s', (_name, text) => {
    expect(check(text)).toBe(hex(text).length)
  })

  test.each(Object.entries(valid))('stops at the end of %s', (_name, text) => {
    expect(check(`${text} c1`)).toBe(hex(text).length)
  })

  test.each(Object.entries(invalid))('refuses %s', (_name, text) => {
    expect(check(text)).toBe(-1)
  })

  test('refuses every value that is cut short', () => {
    for (const text of Object.values(valid)) {
      const bytes = hex(text)
      for (let end = 0; end < bytes.length; end++) expect(checkValue(bytes, 0, end, 16)).toBe(-1)
    }
  })

  test('counts a scalar as one level and refuses more levels than allowed', () => {
    expect(check(`${'91'.repeat(15)} c0`)).toBe(16)
    expect(check(`${'91'.repeat(15)} 90`)).toBe(16)
    expect(check(`${'91'.repeat(16)} c0`)).toBe(-1)
    expect(check(`${'81a161'.repeat(16)} c0`)).toBe(-1)
  })

  test('is not led into a million levels', () => {
    expect(check('91'.repeat(1_000_000))).toBe(-1)
    expect(check('81a161'.repeat(300_000))).toBe(-1)
  })

  test('agrees with another implementation about what it writes and about what it reads', () => {
    const packr = new Packr({ useRecords: false, variableMapSize: true, encodeUndefinedAsNil: true })
    const { value } = fc.letrec(tie => ({
      value: fc.oneof(
        { maxDepth: 5, withCrossShrink: true },
        fc.oneof(
          fc.constant(null),
          fc.boolean(),
          fc.double(),
          fc.integer(),
          fc.string({ unit: 'binary' }),
          fc.uint8Array(),
        ),
        fc.array(tie('value'), { maxLength: 5 }),
        fc.dictionary(fc.string(), tie('value'), { maxKeys: 5, noNullPrototype: true }),
      ),
    }))
    fc.assert(
      fc.property(value, given => {
        const bytes = Uint8Array.from(packr.pack(given))
        return checkValue(bytes, 0, bytes.length, 16) === bytes.length
      }),
      { numRuns: 2000 },
    )
    const byte = fc.oneof(
      fc.integer({ min: 0, max: 255 }),
      fc.integer({ min: 0x80, max: 0xa4 }),
      fc.constantFrom(0xc4, 0xd9, 0xdc, 0xde),
    )
    let passed = 0
    fc.assert(
      fc.property(fc.array(byte, { minLength: 1, maxLength: 16 }), values => {
        const bytes = Uint8Array.from(values)
        const end = checkValue(bytes, 0, bytes.length, 16)
        if (end < 0) return
        passed++
        expect(() => packr.unpack(bytes.subarray(0, end)) as unknown).not.toThrow()
      }),
      { numRuns: 20_000 },
    )
    expect(passed).toBeGreaterThan(1000)
  })
})

describe('checkOptions', () => {
  const cases: [keys: string, text: string, wrong: RegExp | null][] = [
    ['none', '80', null],
    ['two', '82 a161 01 a162 92 01 02', null],
    ['a doubled one', '82 a161 01 a161 02', /doubled/],
    ['a doubled one in another width', '82 a161 01 d90161 02', /doubled/],
    ['__proto__', '81 a9 5f5f70726f746f5f5f 80', /__proto__/],
    ['constructor', '81 ab 636f6e7374727563746f72 01', /constructor/],
    ['prototype in a map16', 'de 0001 a9 70726f746f74797065 01', /prototype/],
  ]

  test.each(cases)('judges a map with the keys: %s', (_keys, text, wrong) => {
    const bytes = hex(text)
    const found = checkOptions(bytes, 0, bytes.length)
    if (wrong === null) expect(found).toBeNull()
    else expect(found).toMatch(wrong)
  })

  test('takes many keys without taking long', () => {
    const count = 100_000
    const keys = Array.from(
      { length: count },
      (_, i) => `a5${Buffer.from(String(i).padStart(5, '0')).toString('hex')}01`,
    )
    const bytes = hex(`df000186a0${keys.join('')}`)
    const start = performance.now()
    expect(checkOptions(bytes, 0, bytes.length)).toBeNull()
    expect(performance.now() - start).toBeLessThan(1000)
  })
})

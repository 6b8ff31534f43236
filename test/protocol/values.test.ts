import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkValue } from '../../src/protocol/check.ts'
import { decodeBody, encodeBody } from '../../src/protocol/values.ts'
import { shownBody, textBody, toHex } from './recorder.ts'

const vectors: [name: string, value: unknown, binary: string, text: string][] = [
  ['nil', null, 'c0', 'null'],
  ['undefined, as nil', undefined, 'c0', 'null'],
  ['true', true, 'c3', 'true'],
  ['0', 0, '00', '0'],
  ['127', 127, '7f', '127'],
  ['128', 128, 'cc80', '128'],
  ['255', 255, 'ccff', '255'],
  ['256', 256, 'cd0100', '256'],
  ['65535', 65_535, 'cdffff', '65535'],
  ['65536', 65_536, 'ce00010000', '65536'],
  ['2^32 - 1', 2 ** 32 - 1, 'ceffffffff', '4294967295'],
  ['2^32', 2 ** 32, 'cf0000000100000000', '4294967296'],
  ['2^53 - 1', 2 ** 53 - 1, 'cf001fffffffffffff', '9007199254740991'],
  ['-1', -1, 'ff', '-1'],
  ['-32', -32, 'e0', '-32'],
  ['-33', -33, 'd0df', '-33'],
  ['-128', -128, 'd080', '-128'],
  ['-129', -129, 'd1ff7f', '-129'],
  ['-32768', -32_768, 'd18000', '-32768'],
  ['-32769', -32_769, 'd2ffff7fff', '-32769'],
  ['-2^31', -(2 ** 31), 'd280000000', '-2147483648'],
  ['-2^31 - 1', -(2 ** 31) - 1, 'd3ffffffff7fffffff', '-2147483649'],
  ['-2^53 + 1', 1 - 2 ** 53, 'd3ffe0000000000001', '-9007199254740991'],
  ['2^53 as a bigint', 2n ** 53n, 'cf0020000000000000', '{"$int":"9007199254740992"}'],
  ['2^64 - 1', 2n ** 64n - 1n, 'cfffffffffffffffff', '{"$int":"18446744073709551615"}'],
  ['-2^63', -(2n ** 63n), 'd38000000000000000', '{"$int":"-9223372036854775808"}'],
  ['a small bigint, as a number', 5n, '05', '5'],
  ['1.5', 1.5, 'cb3ff8000000000000', '1.5'],
  ['2^53 as a number, which is a float', 2 ** 53, 'cb4340000000000000', '9007199254740992'],
  ['NaN', NaN, 'cb7ff8000000000000', 'null'],
  ['infinity', -Infinity, 'cbfff0000000000000', 'null'],
  ['text', 'é€😀', 'a9c3a9e282acf09f9880', '"é€😀"'],
  ['half a pair', 'a\ud800b', 'a561efbfbd62', '"a\ufffdb"'],
  ['bytes', Uint8Array.of(1, 2), 'c4020102', '{"$bin":"AQI="}'],
  ['a Buffer', Buffer.from([1, 2]), 'c4020102', '{"$bin":"AQI="}'],
  ['an array', [1, [undefined]], '920191c0', '[1,[null]]'],
  ['an object', { a: 1, b: { c: 2 } }, '82a16101a16281a16302', '{"a":1,"b":{"c":2}}'],
  ['a Map', new Map([['a', 1]]), '81a16101', '{"a":1}'],
  ['an object without a prototype', Object.assign(Object.create(null) as object, { a: 1 }), '81a16101', '{"a":1}'],
  ['a map that looks like bytes', { $bin: 'AQI=' }, '81a42462696ea441514' + '93d', '{"$$bin":"AQI="}'],
  ['a map that looks like an escape', { $$int: 1 }, '81a52424696e7401', '{"$$$int":1}'],
  ['a map of two keys', { $bin: '', a: 1 }, '82a42462696ea0a16101', '{"$bin":"","a":1}'],
]

describe('encodeBody', () => {
  test.each(vectors)('writes %s', (_name, value, binary, text) => {
    expect(shownBody(encodeBody(value, false))).toBe(`msgpack ${binary}`)
    expect(shownBody(encodeBody(value, true))).toBe(`json ${text}`)
  })

  test('uses the smallest width of every length', () => {
    const head = (value: unknown): string => toHex(encodeBody(value, false).bytes.subarray(0, 5))
    const lengths: [length: number, text: string, bytes: string, array: string, map: string][] = [
      [15, 'af', 'c40f', '9f', '8f'],
      [16, 'b0', 'c410', 'dc0010', 'de0010'],
      [31, 'bf', 'c41f', 'dc001f', 'de001f'],
      [32, 'd920', 'c420', 'dc0020', 'de0020'],
      [255, 'd9ff', 'c4ff', 'dc00ff', 'de00ff'],
      [256, 'da0100', 'c50100', 'dc0100', 'de0100'],
      [65_535, 'daffff', 'c5ffff', 'dcffff', 'deffff'],
      [65_536, 'db00010000', 'c600010000', 'dd00010000', 'df00010000'],
    ]
    for (const [length, text, bytes, array, map] of lengths) {
      const given = ['x'.repeat(length), new Uint8Array(length), Array<number>(length).fill(0)]
      const keys = Object.fromEntries(Array.from({ length }, (_, i) => [`k${i}`, 0]))
      const heads = [...given, keys].map(head)
      const wanted = [text, bytes, array, map]
      expect(heads.map((start, i) => start.slice(0, wanted[i]?.length))).toEqual(wanted)
    }
  })

  const circle: unknown[] = []
  circle.push(circle)
  let deep: unknown = 1
  for (let i = 0; i < 16; i++) deep = { deep }
  class Point {
    readonly x = 1
  }
  const refused: [name: string, value: unknown, why: RegExp][] = [
    ['a function', { f: () => 1 }, /function cannot be sent/],
    ['a symbol', [Symbol('s')], /symbol cannot be sent/],
    ['a cycle', circle, /16 levels.*cycle/],
    ['seventeen levels', deep, /16 levels/],
    ['a Map with other keys', new Map([[1, 1]]), /keys are strings/],
    ['a Date', new Date(0), /Date.*cannot be sent/],
    ['a Set', new Set(), /Set.*cannot be sent/],
    ['an ArrayBuffer', new ArrayBuffer(1), /ArrayBuffer.*cannot be sent/],
    ['an instance of a class', new Point(), /cannot be sent/],
    ['an integer above 64 bits', 2n ** 64n, /64 bits/],
    ['an integer below 64 bits', -(2n ** 63n) - 1n, /64 bits/],
  ]

  test.each(refused)('refuses %s in both encodings and says why', (_name, value, why) => {
    for (const text of [false, true]) {
      expect(() => encodeBody(value, text)).toThrow(TypeError)
      expect(() => encodeBody(value, text)).toThrow(why)
    }
  })

  test('takes sixteen levels', () => {
    const value = (deep as { deep: unknown }).deep
    for (const text of [false, true]) expect(decodeBody(encodeBody(value, text))).toEqual(value)
  })
})

describe('decodeBody', () => {
  test('gives bytes that are a copy', () => {
    const body = encodeBody(Uint8Array.of(1, 2, 3), false)
    const bytes = decodeBody(body) as Uint8Array
    body.bytes.fill(0)
    expect(bytes).toEqual(Uint8Array.of(1, 2, 3))
    expect(bytes.buffer.byteLength).toBe(3)
  })

  test('keeps a key __proto__ as a key', () => {
    for (const text of [false, true]) {
      const given = JSON.parse('{"__proto__":{"x":1},"a":2}') as object
      const value = decodeBody(encodeBody(given, text)) as object
      expect(Object.keys(value)).toEqual(['__proto__', 'a'])
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    }
  })

  const readings: [json: string, value: unknown][] = [
    ['{"$bin":"AQI="}', Uint8Array.of(1, 2)],
    ['{"\\u0024bin":"\\u0041QI="}', Uint8Array.of(1, 2)],
    ['{"$bin":"\\/\\/\\/\\/"}', Uint8Array.of(255, 255, 255)],
    ['{"$bin":"AQI"}', { $bin: 'AQI' }],
    ['{"$bin":5}', { $bin: 5 }],
    ['{"$bin":{"$bin":""}}', { $bin: new Uint8Array(0) }],
    ['{"$int":"9007199254740993"}', 9007199254740993n],
    ['{"$int":"-5"}', -5],
    ['{"$int":"05"}', { $int: '05' }],
    ['{"$int":"-0"}', { $int: '-0' }],
    ['{"$int":"1e3"}', { $int: '1e3' }],
    ['{"$int":"18446744073709551616"}', { $int: '18446744073709551616' }],
    ['{"$int":5}', { $int: 5 }],
    ['{"$$bin":"AQI="}', { $bin: 'AQI=' }],
    ['{"$$$$int":"1"}', { $$$int: '1' }],
    ['{"$bin":"AQI=","a":1}', { $bin: 'AQI=', a: 1 }],
    ['{"$other":"1"}', { $other: '1' }],
  ]

  test.each(readings)('reads %s', (json, value) => {
    expect(decodeBody(textBody(json))).toEqual(value)
  })
})

const { value } = fc.letrec(tie => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.oneof(
      fc.constant(null),
      fc.boolean(),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map(number => number + 0),
      fc.integer(),
      fc.maxSafeInteger(),
      fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
      fc.bigInt({ min: -(2n ** 63n), max: -(2n ** 53n) }),
      fc.string({ unit: 'grapheme' }),
      fc.uint8Array(),
    ),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(
      fc.oneof(fc.string(), fc.constantFrom('$bin', '$int', '$$bin', '$$$int', '__proto__')),
      tie('value'),
      {
        maxKeys: 4,
        noNullPrototype: true,
      },
    ),
  ),
}))

test('any value comes back as it was, from either encoding', () => {
  fc.assert(
    fc.property(value, fc.boolean(), (given, text) => {
      const body = encodeBody(given, text)
      if (!text) expect(checkValue(body.bytes, 0, body.end, 16)).toBe(body.end)
      expect(decodeBody(body)).toEqual(given)
    }),
    { numRuns: 1500 },
  )
})

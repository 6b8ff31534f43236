import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createClientFrameDecoder } from '../../src/protocol/codec.ts'
import type { Body, ClientFrames } from '../../src/protocol/frames.ts'
import { inEncoding } from '../../src/protocol/transcode.ts'
import { decodeBody, encodeBody } from '../../src/protocol/values.ts'
import { binaryBody, record, shownBody, textBody, utf8 } from './recorder.ts'

describe('inEncoding', () => {
  test('leaves a body that is in the encoding untouched', () => {
    const text = textBody('{ "a" : 1 }')
    expect(inEncoding(text, true)).toBe(text)
    const binary = binaryBody('c403000000')
    expect(inEncoding(binary, false)).toBe(binary)
  })

  const toText: [binary: string, text: string][] = [
    ['ca3fc00000', '1.5'],
    ['cb7ff0000000000000', 'null'],
    ['cf0000000000000005', '5'],
    ['cf0020000000000000', '{"$int":"9007199254740992"}'],
    ['d38000000000000000', '{"$int":"-9223372036854775808"}'],
    ['c6 00000003 010203', '{"$bin":"AQID"}'],
    ['db 00000003 610a62', '"a\\nb"'],
    ['df 00000001 a95f5f70726f746f5f5f 01', '{"__proto__":1}'],
    ['82 a161 01 a161 02', '{"a":2}'],
  ]

  test.each(toText)('writes %s as text', (binary, text) => {
    expect(shownBody(inEncoding(binaryBody(binary), true))).toBe(`json ${text}`)
  })

  const toBinary: [text: string, binary: string][] = [
    ['{"a":1,"a":2}', '81a16102'],
    ['1.0', '01'],
    ['-0', 'cb8000000000000000'],
    ['1e2', '64'],
    ['12345678901234567890', 'cb43e56a95319d63e1'],
    ['{"$bin":"?"}', '81a42462696ea13f'],
    ['"\\ud83d\\ude00"', 'a4f09f9880'],
  ]

  test.each(toBinary)('writes %s as MessagePack', (text, binary) => {
    expect(shownBody(inEncoding(textBody(text), false))).toBe(`msgpack ${binary}`)
  })
})

const { value } = fc.letrec(tie => ({
  value: fc.oneof(
    { maxDepth: 6, withCrossShrink: true },
    fc.oneof(
      fc.constant(null),
      fc.boolean(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.maxSafeInteger(),
      fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
      fc.string({ unit: 'grapheme' }),
      fc.uint8Array(),
    ),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('$bin', '$int', '$$bin')), tie('value'), { maxKeys: 4 }),
  ),
}))

test('a body that was written by this library goes to the other encoding and back byte for byte', () => {
  fc.assert(
    fc.property(value, fc.boolean(), (given, text) => {
      // A negative zero is written by JSON.stringify as zero: the one value that text does not keep.
      const there = encodeBody(decodeBody(encodeBody(given, true)), text)
      const back = inEncoding(inEncoding(there, !text), text)
      expect(shownBody(back)).toBe(shownBody(there))
    }),
    { numRuns: 1500 },
  )
})

test('any JSON keeps its value by way of MessagePack, and whatever is heard can be transcoded', () => {
  const wrapped = fc.letrec(tie => ({
    json: fc.oneof(
      { maxDepth: 17 },
      fc.jsonValue({ maxDepth: 2 }),
      fc.record({ $bin: fc.oneof(fc.base64String(), tie('json')) }),
      fc.record({ $int: fc.oneof(fc.bigInt().map(String), tie('json')) }),
      fc.record({ $$bin: tie('json') }),
      fc.array(tie('json'), { minLength: 1, maxLength: 2 }),
    ),
  }))
  let heard = 0
  fc.assert(
    fc.property(wrapped.json, json => {
      const bodies: Body[] = []
      const frames: ClientFrames = { ...record([]), signal: (_target, body) => bodies.push(body) }
      const packet = utf8(JSON.stringify(['signal', 'bob', json]))
      if (createClientFrameDecoder(frames).decode(packet, 0, packet.length, true) !== null) return
      heard++
      const body = bodies[0] as Body
      expect(decodeBody(inEncoding(inEncoding(body, false), true))).toEqual(decodeBody(body))
    }),
    { numRuns: 1500 },
  )
  expect(heard).toBeGreaterThan(500)
})

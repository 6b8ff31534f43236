import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MAX_DEPTH } from '../../src/protocol/limits.ts'
import { scanFrame } from '../../src/protocol/scan-json.ts'
import { utf8 } from './recorder.ts'

function scanned(text: string): readonly string[] | null {
  const bytes = utf8(text)
  const elements = scanFrame(bytes, 0, bytes.length, MAX_DEPTH)
  return elements?.map(({ start, end }) => Buffer.from(bytes.subarray(start, end)).toString()) ?? null
}

function isJsonArray(text: string): boolean {
  try {
    return Array.isArray(JSON.parse(text))
  } catch {
    return false
  }
}

describe('scanFrame', () => {
  test('says where the elements lie', () => {
    expect(scanned(' [ "a" , {"b" : [ 1 ]} ,-0.5e+3,null ]\n')).toEqual(['"a"', '{"b" : [ 1 ]}', '-0.5e+3', 'null'])
    expect(scanned('[]')).toEqual([])
  })

  test('counts levels and keys as they are written', () => {
    const bytes = utf8('[1,[[]],{"a":{"b":1,"c":2},"a":[3]},{}]')
    expect(scanFrame(bytes, 0, bytes.length, MAX_DEPTH)?.map(({ levels, keys }) => [levels, keys])).toEqual([
      [1, 0],
      [2, 0],
      [3, 2],
      [1, 0],
    ])
  })

  test('notes sixteen elements and checks the others', () => {
    expect(scanned(`[${'1,'.repeat(40)}1]`)).toHaveLength(16)
    expect(scanned(`[${'1,'.repeat(40)}x]`)).toBeNull()
  })

  test('looks at nothing outside its range', () => {
    const bytes = utf8('x[1]x')
    expect(scanFrame(bytes, 1, 4, MAX_DEPTH)).toHaveLength(1)
    expect(scanFrame(bytes, 1, 3, MAX_DEPTH)).toBeNull()
    expect(scanFrame(bytes, 1, 5, MAX_DEPTH)).toBeNull()
  })

  test('agrees with JSON.parse about damaged texts', () => {
    const json = fc.json({ maxDepth: 4 }).map(text => `[${text}]`)
    const damage = fc.tuple(fc.nat({ max: 60 }), fc.constantFrom(...'[]{}",:\\u019eE+-. \t'.split('')))
    let valid = 0
    fc.assert(
      fc.property(json, fc.array(damage, { maxLength: 2 }), (text, damages) => {
        let damaged = text
        for (const [at, char] of damages) damaged = damaged.slice(0, at) + char + damaged.slice(at + 1)
        const parsed = isJsonArray(damaged)
        if (parsed) valid++
        // What only the scanner refuses: half pairs, and numbers above all numbers.
        const stricter = parsed && /\\u[dD][89a-fA-F]|[eE]\+?\d{3}/.test(damaged)
        if (!stricter) expect(scanned(damaged) !== null).toBe(parsed)
      }),
      { numRuns: 4000 },
    )
    expect(valid).toBeGreaterThan(500)
  })
})

import { describe, expect, test } from 'vitest'
import { Reader } from '../../src/protocol/reader.ts'
import { hex } from './recorder.ts'

function reading(text: string): Reader {
  const reader = new Reader()
  const bytes = hex(text)
  reader.open(bytes, 0, bytes.length)
  return reader
}

describe('Reader', () => {
  const numbers: [text: string, value: number][] = [
    ['00', 0],
    ['7f', 127],
    ['e0', -32],
    ['ccff', 255],
    ['cdffff', 65_535],
    ['ceffffffff', 2 ** 32 - 1],
    ['cf001fffffffffffff', 2 ** 53 - 1],
    ['cf0020000000000000', NaN],
    ['d080', -128],
    ['d18000', -32_768],
    ['d280000000', -(2 ** 31)],
    ['d3ffe0000000000001', 1 - 2 ** 53],
    ['d3ffe0000000000000', NaN],
    ['d3ffffffffffffffff', -1],
    ['cabfc00000', -1.5],
    ['cb3ff8000000000000', 1.5],
    ['c0', NaN],
    ['a131', NaN],
    ['9101', NaN],
    ['c40101', NaN],
  ]

  test.each(numbers)('reads the number %s and steps over it', (text, value) => {
    const reader = reading(`${text} 05`)
    expect(reader.number()).toBe(value)
    expect(reader.number()).toBe(5)
    expect(reader.failed).toBe(false)
  })

  test('fails at a number, a name or a value that is cut, and stays failed', () => {
    for (const text of [
      '',
      'cc',
      'cd00',
      'ce000000',
      'cf00000000000000',
      'a161',
      'd9',
      'd905',
      'da00',
      '92',
      'd40100',
      'c1',
    ]) {
      for (const read of ['number', 'name'] as const) {
        const reader = reading(text)
        if (text === 'a161' && read === 'name') continue
        if (text === 'a161') reader.end = 1
        reader[read]()
        expect(reader.failed).toBe(true)
        reader.number()
        reader.name()
        reader.skip(1)
        expect([reader.failed, reader.acceptNil(), reader.accept(hex('05')), reader.arrayHeader()]).toEqual([
          true,
          false,
          false,
          -1,
        ])
      }
    }
  })

  test('reads names of every width, and the same object for the same name', () => {
    for (const text of ['a3626f62', 'd903626f62', 'da0003626f62', 'db00000003626f62']) {
      const reader = reading(`${text} c3`)
      expect(reader.name()).toBe('bob')
      expect(reader.at).toBe(text.length / 2)
    }
    expect(reading('05').name()).toBe('')
    expect(reading('a2c3a9').name()).toBe('é')
  })

  test('knows an array by its header only if the bytes can hold it', () => {
    expect(reading('93 010203').arrayHeader()).toBe(3)
    expect(reading('dc0001 01').arrayHeader()).toBe(1)
    for (const text of ['', '80', 'c0', 'dc00', 'dc0002 01', 'ddffffffff 01'])
      expect(reading(text).arrayHeader()).toBe(-1)
  })
})

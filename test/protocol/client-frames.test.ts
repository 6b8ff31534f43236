import { describe, expect, test } from 'vitest'
import { createClientFrameDecoder } from '../../src/protocol/codec.ts'
import { encodeBody } from '../../src/protocol/values.ts'
import { type Call, record } from './recorder.ts'

/** What is heard of a frame given as values: the same from both encodings, bodies apart. */
function heard(frame: readonly unknown[]): Call | string {
  const [binary, text] = [false, true].map(encoding => {
    const calls: Call[] = []
    const { bytes, start, end } = encodeBody(frame, encoding)
    const wrong = createClientFrameDecoder(record(calls)).decode(bytes, start, end, encoding)
    return wrong ?? (calls[0] as Call).map(value => (/^(json|msgpack) /.test(String(value)) ? 'body' : value))
  })
  expect(binary).toEqual(text)
  return binary as Call | string
}

describe('send', () => {
  const cases: [frame: unknown[], n: number, floor: number, target: string, ttl: number][] = [
    [['send', 1, 1, 'bob', null, 0], 1, 1, 'bob', 0],
    [['send', null, null, 'bob', null, 0], 0, 0, 'bob', 0],
    [['send', 0, 1, 'bob', null, 0], NaN, 1, 'bob', 0],
    [['send', 1, 0, 'bob', null, 0], 1, NaN, 'bob', 0],
    [['send', -1, -5, 'bob', null, 0], NaN, NaN, 'bob', 0],
    [['send', 1.5, '1', 'bob', null, 0], NaN, NaN, 'bob', 0],
    [['send', [], {}, 'bob', null, 0], NaN, NaN, 'bob', 0],
    [['send', 2 ** 53, 2 ** 53 - 1, 'bob', null, 0], NaN, 2 ** 53 - 1, 'bob', 0],
    [['send', 2n ** 60n, true, 'bob', null, 0], NaN, NaN, 'bob', 0],
    [['send', 1, 1, 7, null, 0], 1, 1, '', 0],
    [['send', 1, 1, ['bob'], null, 0], 1, 1, '', 0],
    [['send', 1, 1, 'bob', {}, 0], 1, 1, 'bob', 0],
    [['send', 1, 1, 'bob', { ttl: 0.5, more: [1] }, 0], 1, 1, 'bob', 0.5],
    [['send', 1, 1, 'bob', { ttl: null }, 0], 1, 1, 'bob', 0],
    [['send', 1, 1, 'bob', { ttl: 0 }, 0], 1, 1, 'bob', NaN],
    [['send', 1, 1, 'bob', { ttl: -1 }, 0], 1, 1, 'bob', NaN],
    [['send', 1, 1, 'bob', { ttl: '60' }, 0], 1, 1, 'bob', NaN],
  ]

  test.each(cases)('%#', (frame, n, floor, target, ttl) => {
    expect(heard(frame)).toEqual(['send', n, floor, target, ttl, 'body'])
  })
})

describe('hello', () => {
  const cases: [options: unknown, heard: unknown][] = [
    [{ v: 1, unknown: 1 }, { v: 1 }],
    [{}, { v: 0 }],
    [{ v: '1' }, { v: 0 }],
    [
      { v: 2, id: 'no such id!' },
      { v: 2, id: 'no such id!' },
    ],
    [{ v: 1, id: 5, secret: null, token: [], name: {}, outbox: true, agent: 1.5 }, { v: 1 }],
    [{ v: 1, attempt: -1, window: 2.5 }, { v: 1 }],
    [
      { v: 1, attempt: 0, window: 4096 },
      { v: 1, attempt: 0, window: 4096 },
    ],
  ]

  test.each(cases)('%j', (options, options_) => {
    expect(heard(['hello', options])).toEqual(['hello', options_])
  })

  test.each([null, 1, 'v', [], [{ v: 1 }]])('is a bad frame with %j for options', options => {
    expect(heard(['hello', options])).toMatch(/hello/)
  })
})

describe('other frames', () => {
  const cases: [frame: unknown[], heard: Call][] = [
    [
      ['nack', 3, 'x'.repeat(300)],
      ['nack', 3, 'x'.repeat(200)],
    ],
    [
      ['nack', 3, `${'x'.repeat(199)}😀`],
      ['nack', 3, 'x'.repeat(199)],
    ],
    [
      ['sync', 'r', 5],
      ['sync', 'r', ''],
    ],
    [
      ['signal', null, 1],
      ['signal', '', 'body'],
    ],
    [
      ['presence', 1, []],
      ['presence', 1, []],
    ],
    [
      ['presence', 1, Array<string>(500).fill('a')],
      ['presence', 1, Array<string>(201).fill('a')],
    ],
    [
      ['rotate', -5],
      ['rotate', -5],
    ],
    [
      ['token', 'r', ''],
      ['token', 'r', ''],
    ],
    [['ping', 'more', 1], ['ping']],
    [
      ['receipt', 'delivered', 'bob', 1],
      ['unknown', 'receipt', 'delivered'],
    ],
    [
      ['toString', 1.5],
      ['unknown', 'toString', null],
    ],
    [
      ['', 4],
      ['unknown', '', 4],
    ],
  ]

  test.each(cases)('%j', (frame, call) => {
    expect(heard(frame)).toEqual(call)
  })

  const bad: unknown[][] = [
    ['nack', 3],
    ['nack', 0, 'r'],
    ['nack', 3, 5],
    ['sync', 1],
    ['sync', 1.5, 'bob'],
    ['sync', null, 'bob'],
    ['sync', 2 ** 53, 'bob'],
    ['signal', 'bob'],
    ['signal'],
    ['presence', 1],
    ['presence', 1, 'a'],
    ['presence', 1, ['a', 2]],
    ['presence', {}, ['a']],
    ['rotate'],
    ['rotate', null],
    ['token', 1],
    ['token', 1, 5],
  ]

  test.each(bad)('%j is a bad frame that says what is needed', (...frame) => {
    expect(heard(frame)).toMatch(new RegExp(`^${String(frame[0])} `))
  })
})

import { describe, expect, test } from 'vitest'
import { createClientFrameDecoder } from '../../src/protocol/codec.ts'
import { encodeBody } from '../../src/protocol/values.ts'
import { type Call, record } from './recorder.ts'

/** What is heard of a frame given as values: the same from both encodings. */
function heard(frame: readonly unknown[]): Call | string {
  const [binary, text] = [false, true].map(encoding => {
    const calls: Call[] = []
    const { bytes, start, end } = encodeBody(frame, encoding)
    return createClientFrameDecoder(record(calls)).decode(bytes, start, end, encoding) ?? (calls[0] as Call)
  })
  expect(binary).toEqual(text)
  return binary as Call | string
}

describe('a frame about rooms', () => {
  const cases: [frame: unknown[], heard: Call][] = [
    [
      ['join', 1, '#r'],
      ['join', 1, '#r', {}],
    ],
    [
      ['join', 1, 7, null],
      ['join', 1, '', {}],
    ],
    [
      ['join', 1, '#r', { since: 0, epoch: null, password: 'p', later: 1 }, 'later'],
      ['join', 1, '#r', { since: 0, password: 'p' }],
    ],
    [
      ['leave', 'r', null],
      ['leave', 'r', ''],
    ],
    [
      ['create', 1, '#r', { private: false, history: 1 }],
      ['create', 1, '#r', { private: false, history: 1 }],
    ],
    [
      ['rooms', 1],
      ['rooms', 1, {}],
    ],
    [
      ['rooms', 1, { limit: 1, after: '#a' }],
      ['rooms', 1, { limit: 1, after: '#a' }],
    ],
    [
      ['members', 1, '#r', null],
      ['members', 1, '#r', {}],
    ],
    [
      ['history', 1, '#r', { before: 1, after: 0, limit: 9, from: '' }],
      ['history', 1, '#r', { before: 1, after: 0, limit: 9, from: '' }],
    ],
  ]

  test.each(cases)('%j', (frame, call) => {
    expect(heard(frame)).toEqual(call)
  })

  const bad: unknown[][] = [
    ['join', 1],
    ['join', null, '#r'],
    ['join', 1, '#r', []],
    ['join', 1, '#r', { since: -1 }],
    ['join', 1, '#r', { since: '1' }],
    ['join', 1, '#r', { epoch: 1 }],
    ['leave', 1],
    ['leave', null, '#r'],
    ['create', 1, '#r', { private: 1 }],
    ['create', 1, '#r', { history: 0 }],
    ['create', 1, '#r', { password: 1 }],
    ['delete', {}, '#r'],
    ['rooms'],
    ['rooms', 1, 'all'],
    ['rooms', 1, { limit: 0 }],
    ['members', 1, '#r', { after: 1 }],
    ['history', 1, '#r', { before: 0 }],
    ['history', 1, '#r', { limit: 1.5 }],
  ]

  test.each(bad)('%j is a bad frame that says what is needed', (...frame) => {
    expect(heard(frame)).toMatch(new RegExp(`^${String(frame[0])} `))
  })

  test('says what an option may be', () => {
    expect(heard(['join', 1, '#r', { since: 1.5 }])).toBe(
      'join takes since: an integer from 0, epoch: a string, password: a string, epochs: true or false',
    )
  })

  test.each(['__proto__', 'constructor'])('with an option called %s is a bad frame', key => {
    const options = Object.fromEntries([[key, 1]])
    for (const frame of [
      ['join', 1, '#r', options],
      ['rooms', 1, options],
    ]) {
      expect(heard(frame)).toMatch(/is not allowed/)
    }
  })
})

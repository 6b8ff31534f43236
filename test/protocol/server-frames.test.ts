import { describe, expect, test } from 'vitest'
import { createServerFrameDecoder } from '../../src/protocol/codec.ts'
import { encodeBody } from '../../src/protocol/values.ts'
import { type Call, record } from './recorder.ts'

function heard(frame: readonly unknown[]): Call | string {
  const [binary, text] = [false, true].map(encoding => {
    const calls: Call[] = []
    const { bytes, start, end } = encodeBody(frame, encoding)
    const wrong = createServerFrameDecoder(record(calls)).decode(bytes, start, end, encoding)
    return wrong ?? (calls[0] as Call).map(value => (/^(json|msgpack) /.test(String(value)) ? 'body' : value))
  })
  expect(binary).toEqual(text)
  return binary as Call | string
}

const welcome = {
  ...{ v: 1, id: 'i', resumed: true, expires: 1, parked: 3, outbox: 'o', window: 256 },
  ...{ sendWindow: { messages: 64, bytes: 262_144 }, maxPacket: 1, pingInterval: 2, ackTimeout: 3, time: 4, node: 'n' },
}

describe('what a server says is heard', () => {
  const cases: [frame: unknown[], heard: Call][] = [
    [
      ['welcome', { ...welcome, later: 1 }],
      ['welcome', welcome],
    ],
    [
      ['welcome', { ...welcome, secret: 's', idleTimeout: 60_000 }],
      ['welcome', { ...welcome, secret: 's', idleTimeout: 60_000 }],
    ],
    [
      ['receipt', 'expired', 'bob', 1, 'expired'],
      ['ended', 'expired', 'bob', 1, 'expired'],
    ],
    [
      ['receipt', 'dead', 'bob', 1, 'dead'],
      ['ended', 'dead', 'bob', 1, 'dead'],
    ],
    [
      ['receipt', 'failed', 'bob', 1, 'of_tomorrow'],
      ['failed', 'bob', 1, 'internal'],
    ],
    [
      ['receipt', 'retry', 'bob', 1, 'of_tomorrow', 5],
      ['retry', 'bob', 1, 'unavailable', 5],
    ],
    [
      ['receipt', 'read', 'bob', 1],
      ['unknown', 'receipt read'],
    ],
    [
      ['error', 4, 'toString', 'Hm.'],
      ['error', 4, 'internal', 'Hm.'],
    ],
    [
      ['close', 'of_tomorrow', 'Hm.'],
      ['close', 'unavailable', 'Hm.', null],
    ],
    [
      ['reply', 'r', null],
      ['reply', 'r', null],
    ],
    [
      ['reply', 'r', { big: 2n ** 60n, bytes: Uint8Array.of(1) }],
      ['reply', 'r', { big: 2n ** 60n, bytes: Uint8Array.of(1) }],
    ],
    [
      ['room', '#lobby', 1, 'ann', 'outbox01', 1, 0, 'body', 'later'],
      ['room', '#lobby', 1, 'ann', 'outbox01', 1, 0, 'body'],
    ],
    [
      ['members', '#lobby', 'leave', 'ann', '', 'later'],
      ['members', '#lobby', 'leave', 'ann', ''],
    ],
    [
      ['members', '#lobby', 'sleep', 'ann', ''],
      ['unknown', 'members sleep'],
    ],
    [
      ['frame of tomorrow', '#lobby', 1],
      ['unknown', 'frame of tomorrow'],
    ],
  ]

  test.each(cases)('%#', (frame, call) => {
    expect(heard(frame)).toEqual(call)
  })
})

describe('what a server says is refused', () => {
  const bad: unknown[][] = [
    ['welcome'],
    ...Object.keys(welcome).map(key => ['welcome', { ...welcome, [key]: undefined }]),
    ['welcome', { ...welcome, sendWindow: { messages: 1 } }],
    ['welcome', { ...welcome, window: -1 }],
    ['message', 1, 'ann', 'outbox01', 1, 0, 0],
    ['message', 1, '', 'outbox01', 1, 0, 0, 'body'],
    ['message', 1, 'ann', null, 1, 0, 0, 'body'],
    ['message', 0, 'ann', 'outbox01', 1, 0, 0, 'body'],
    ['message', 1, 'ann', 'outbox01', 1.5, 0, 0, 'body'],
    ['message', 1, 'ann', 'outbox01', 1, -1, 0, 'body'],
    ['message', 1, 'ann', 'outbox01', 1, 0, '0', 'body'],
    ['void', 1, 'ann', 'outbox01', 1],
    ['void', 1, 'ann', '', 1, 'dead'],
    ['receipt', 'delivered', 'bob'],
    ['receipt', 'delivered', 'bob', 0],
    ['receipt', 'stored', '', 1],
    ['receipt', 'dead', 'bob', 1],
    ['receipt', 'failed', 'bob', 1],
    ['receipt', 'retry', 'bob', 1, 'gap'],
    ['receipt', 'retry', 'bob', 1, 'gap', -1],
    ['receipt', 5, 'bob', 1],
    ['room', '#r', 1, 'ann', 'outbox01', 1, 0],
    ['room', '', 1, 'ann', 'outbox01', 1, 0, 'body'],
    ['room', '#r', 0, 'ann', 'outbox01', 1, 0, 'body'],
    ['room', '#r', 1, 7, 'outbox01', 1, 0, 'body'],
    ['room', '#r', 1, 'ann', '', 1, 0, 'body'],
    ['room', '#r', 1, 'ann', 'outbox01', 0, 0, 'body'],
    ['room', '#r', 1, 'ann', 'outbox01', 1, -1, 'body'],
    ['members', '#r', 'join', 'ann'],
    ['members', '#r', 'join', '', 'Ann'],
    ['members', '#r', 5, 'ann', 'Ann'],
    ['signal', 'ann', 'bob'],
    ['signal', 5, 'bob', 1],
    ['reply', 1],
    ['reply', null, 1],
    ['error', 1.5, 'internal', 'Hm.'],
    ['error', null, 'internal'],
    ['close', 'restart'],
    ['close', 'restart', 'Later.', 'soon'],
  ]

  test.each(bad)('%j', (...frame) => {
    expect(heard(frame)).toMatch(new RegExp(`^${String(frame[0])} `))
  })
})

import { describe, expect, test } from 'vitest'
import { createClientFrameDecoder, createServerFrameDecoder } from '../../src/protocol/codec.ts'
import { type Call, hex, record } from './recorder.ts'

function heard(text: string): { wrong: string | null; calls: Call[] } {
  const calls: Call[] = []
  const bytes = hex(text)
  return { wrong: createClientFrameDecoder(record(calls)).decode(bytes, 0, bytes.length, false), calls }
}

const PING = '91 a470696e67'
const SEND = 'a473656e64'
const HELLO = 'a568656c6c6f'

const bad = {
  'nothing at all': '',
  'a frame without elements': '90',
  'a frame without elements, in a wide array': 'dd 00000000',
  'a map': '81 a470696e67 01',
  'a string': 'a470696e67',
  'an op that is an integer': '91 01',
  'an op that is bytes': '91 c4 04 70696e67',
  'an op that is not UTF-8': '91 a2 c328',
  'a byte after the frame': `${PING} 00`,
  'the byte c1': 'c1',
  'four times thirty million items': 'dd 01c9c380 dd 01c9c380 dd 01c9c380 dd 01c9c380',
  'a body that claims thirty million items': `96 ${SEND} 01 01 a3626f62 c0 dd 01c9c380`,
  'a body that is a timestamp': `96 ${SEND} 01 01 a3626f62 c0 d6ff00000000`,
  'a body of seventeen levels': `96 ${SEND} 01 01 a3626f62 c0 ${'91'.repeat(16)} c0`,
  'a body of a million levels': `96 ${SEND} 01 01 a3626f62 c0 ${'91'.repeat(1_000_000)}`,
  'a body with half of a pair missing': `96 ${SEND} 01 01 a3626f62 c0 82 a161 01 a162`,
  'a body with an integer as a key': `96 ${SEND} 01 01 a3626f62 c0 81 01 01`,
  'a send without a body': `95 ${SEND} 01 01 a3626f62 c0`,
  'a send whose options are an integer': `96 ${SEND} 01 01 a3626f62 05 c0`,
  'a send whose options have a doubled key': `96 ${SEND} 01 01 a3626f62 82 a374746c 01 a374746c 02 c0`,
  'a send whose options reach for the prototype': `96 ${SEND} 01 01 a3626f62 81 a95f5f70726f746f5f5f 80 c0`,
  'a target that is not UTF-8': `96 ${SEND} 01 01 a2c328 c0 c0`,
  'an extension type where n should be': `96 ${SEND} d40100 01 a3626f62 c0 c0`,
  'an extension type behind the body': `97 ${SEND} 01 01 a3626f62 c0 c0 d40100`,
  'an ack without a seq': '91 a361636b',
  'an ack of nothing': '92 a361636b c0',
  'an ack of zero': '92 a361636b 00',
  'an ack of a negative seq': '92 a361636b ff',
  'an ack of a half': '92 a361636b cb3fe0000000000000',
  'an ack of NaN': '92 a361636b cb7ff8000000000000',
  'an ack beyond 2^53': '92 a361636b cf0020000000000000',
  'an ack of a string': '92 a361636b a131',
  'hello without options': `91 ${HELLO}`,
  'hello with an array for options': `92 ${HELLO} 90`,
  'hello with a doubled key': `92 ${HELLO} 82 a176 01 a176 01`,
  'hello with constructor': `92 ${HELLO} 82 a176 01 ab636f6e7374727563746f72 80`,
  'an unknown frame with an extension type': '92 a178 d40100',
  'an unknown frame that claims too much': 'dd 00ffffff a178 01',
}

describe('a binary packet is refused', () => {
  test.each(Object.entries(bad))('that holds %s', (_name, text) => {
    const { wrong, calls } = heard(text)
    expect(wrong).toEqual(expect.any(String))
    expect(calls.filter(call => call[0] !== 'ping')).toEqual([])
  })

  test('from the bad frame on, and what stood before it was heard', () => {
    const { wrong, calls } = heard(`${PING} 91 01 ${PING}`)
    expect(wrong).toEqual('an op is not a string')
    expect(calls).toEqual([['ping']])
  })

  test('without taking memory for what it claims', () => {
    const before = process.memoryUsage().heapUsed
    for (let i = 0; i < 1000; i++) heard('dd 01c9c380 dd 01c9c380 dd 01c9c380 dd 01c9c380')
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(32 * 1024 * 1024)
  })
})

describe('a binary packet is heard', () => {
  const cases: [name: string, text: string, calls: Call[]][] = [
    ['in wide forms', 'dd 00000002 db 00000003 61636b cf 0000000000000005', [['ack', 5]]],
    ['with an integer written as a float', '92 a361636b cb4014000000000000', [['ack', 5]]],
    ['with a signed positive integer', '92 a361636b d3 0000000000000005', [['ack', 5]]],
    ['with a long op', `91 d928 ${'78'.repeat(40)}`, [['unknown', 'x'.repeat(40), null]]],
    ['with an unknown op and a ref', '93 a44a4f494e 07 a2236c', [['unknown', 'JOIN', 7]]],
    ['with an unknown op and no ref', '93 a44a4f494e 90 a2236c', [['unknown', 'JOIN', null]]],
    ['with twenty elements', `dc0014 a361636b 05 ${'c0'.repeat(18)}`, [['ack', 5]]],
    ['with a name beyond ASCII', '93 a473796e63 01 a2c3a9', [['sync', 1, 'é']]],
    ['with a name of 200 bytes', `93 a473796e63 01 d9c8 ${'61'.repeat(200)}`, [['sync', 1, 'a'.repeat(200)]]],
  ]

  test.each(cases)('%s', (_name, text, calls) => {
    expect(heard(text)).toEqual({ wrong: null, calls })
  })

  test('with a body of sixteen levels, untouched', () => {
    const body = `${'91'.repeat(15)} cf ffffffffffffffff`
    expect(heard(`96 ${SEND} 01 01 a3626f62 c0 ${body}`)).toEqual({
      wrong: null,
      calls: [['send', 1, 1, 'bob', 0, `msgpack ${body.replaceAll(' ', '')}`]],
    })
  })
})

test('the frequent frames of a server are refused like any other', () => {
  const cases = {
    'a message without a body': '97 a76d657373616765 01 a3616e6e a86f7574626f783031 01 00 00',
    'a message whose seq is zero': '98 a76d657373616765 00 a3616e6e a86f7574626f783031 01 00 00 c0',
    'a message from nobody': '98 a76d657373616765 01 c0 a86f7574626f783031 01 00 00 c0',
    'a message with an extension type': '98 a76d657373616765 01 a3616e6e a86f7574626f783031 01 00 00 d40100',
    'a receipt without n': '93 a772656365697074 a964656c697665726564 a3626f62',
    'a receipt of a half': '94 a772656365697074 a673746f726564 a3626f62 cb3fe0000000000000',
    'a receipt for nobody': '94 a772656365697074 a673746f726564 c0 01',
  }
  for (const text of Object.values(cases)) {
    const calls: Call[] = []
    const bytes = hex(text)
    expect(createServerFrameDecoder(record(calls)).decode(bytes, 0, bytes.length, false)).toEqual(expect.any(String))
    expect(calls).toEqual([])
  }
})

import { describe, expect, test } from 'vitest'
import { createClientFrameDecoder } from '../../src/protocol/codec.ts'
import { type Call, record, utf8 } from './recorder.ts'

function heardBytes(bytes: Uint8Array): { wrong: string | null; calls: Call[] } {
  const calls: Call[] = []
  return { wrong: createClientFrameDecoder(record(calls)).decode(bytes, 0, bytes.length, true), calls }
}

function heard(text: string): { wrong: string | null; calls: Call[] } {
  return heardBytes(utf8(text))
}

function sendOf(body: string): string {
  return `["send",1,1,"bob",null,${body}]`
}

const bad = {
  nothing: '',
  'an empty array': '[]',
  'an object': '{"a":1}',
  'two frames': '["ping"]["ping"]',
  'a byte order mark': '\ufeff["ping"]',
  'an op that is a number': '[1]',
  'a comma too many': '["ping",]',
  'a comma too few': '["ack" 1]',
  'a frame that does not end': '["ping"',
  'a string that does not end': '["ping',
  'a raw control character in a string': '["sync",1,"a\u0001"]',
  'a raw line break in a string': '["sync",1,"a\n"]',
  'an unknown escape': '["sync",1,"\\x"]',
  'a cut escape': '["sync",1,"\\u12"]',
  'half a surrogate pair': sendOf('"\\ud800"'),
  'the other half alone': sendOf('"\\udc00"'),
  'two first halves': sendOf('"\\ud800\\ud800"'),
  'a number above all numbers': sendOf('1e400'),
  'a long number above all numbers': sendOf('9'.repeat(400)),
  'a leading zero': sendOf('01'),
  'a plus sign': sendOf('+1'),
  'a point without digits': sendOf('1.'),
  'an exponent without digits': sendOf('1e'),
  'a minus alone': sendOf('-'),
  NaN: sendOf('NaN'),
  'a word that is none': sendOf('nul'),
  'a key without quotes': sendOf('{a:1}'),
  'a key without a value': sendOf('{"a"}'),
  'a comment': sendOf('1/**/'),
  'a body of seventeen levels': sendOf(`${'['.repeat(16)}1${']'.repeat(16)}`),
  'a body of a million levels': sendOf('['.repeat(1_000_000)),
  'something that looks like bytes on level seventeen, and is a map': sendOf(
    `${'['.repeat(15)}{"$bin":"?"}${']'.repeat(15)}`,
  ),
  'a send without a body': '["send",1,1,"bob",null]',
  'a send whose options are a string': '["send",1,1,"bob","ttl",1]',
  'a send whose options have a doubled key': '["send",1,1,"bob",{"ttl":1,"ttl":2},1]',
  'a send whose options have a doubled key, spelt otherwise': '["send",1,1,"bob",{"ttl":1,"\\u0074tl":2},1]',
  'a send whose options reach for the prototype': '["send",1,1,"bob",{"__proto__":{}},1]',
  'hello with constructor': '["hello",{"v":1,"constructor":{}}]',
  'hello with an array': '["hello",[]]',
  'hello with bytes': '["hello",{"$bin":""}]',
  'an ack of a half': '["ack",0.5]',
  'an ack beyond 2^53': '["ack",9007199254740992]',
}

describe('a text packet is refused', () => {
  test.each(Object.entries(bad))('that holds %s', (_name, text) => {
    expect(heard(text)).toEqual({ wrong: expect.any(String) as unknown, calls: [] })
  })

  test('that is not UTF-8', () => {
    expect(heardBytes(Uint8Array.of(...utf8('["sync",1,"'), 0xc3, 0x28, ...utf8('"]')))).toMatchObject({ calls: [] })
    expect(heardBytes(Uint8Array.of(...utf8('["sync",1,"'), 0xff, ...utf8('"]'))).wrong).toEqual(expect.any(String))
  })
})

describe('a text packet is heard', () => {
  const cases: [text: string, call: Call][] = [
    [' [ "ack" , 5 ] ', ['ack', 5]],
    ['["\\u0061ck",5.0]', ['ack', 5]],
    ['["JOIN",7,"#l"]', ['unknown', 'JOIN', 7]],
    ['["JOIN"]', ['unknown', 'JOIN', null]],
    [`["ack",5${',null'.repeat(30)}]`, ['ack', 5]],
    ['["sync","\\ud83d\\ude00","b"]', ['sync', '😀', 'b']],
    ['["send",null,null,"bob",null,1,2]', ['send', 0, 0, 'bob', 0, 'json 1']],
    ['["send",2,1,"bob",{"ttl":5,"x":{"a":1,"b":2}}, {"a" : [1] } ]', ['send', 2, 1, 'bob', 5, 'json {"a" : [1] }']],
    [sendOf('[1,\r\n\t2]'), ['send', 1, 1, 'bob', 0, 'json [1,  \t2]']],
    [sendOf('{"a":1,"a":2,"__proto__":3}'), ['send', 1, 1, 'bob', 0, 'json {"a":1,"a":2,"__proto__":3}']],
    [sendOf('-0.5e-400'), ['send', 1, 1, 'bob', 0, 'json -0.5e-400']],
  ]

  test.each(cases)('%s', (text, call) => {
    expect(heard(text)).toEqual({ wrong: null, calls: [call] })
  })

  test('with a body of sixteen levels, however deep its bytes are written', () => {
    for (const inner of ['1', '{"$bin":"AQI="}', '{"$int":"9007199254740993"}', '{}']) {
      const body = `${'['.repeat(15)}${inner}${']'.repeat(15)}`
      expect(heard(sendOf(body))).toEqual({ wrong: null, calls: [['send', 1, 1, 'bob', 0, `json ${body}`]] })
    }
  })
})

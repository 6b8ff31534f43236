/** The reply of `history`, whose bodies lie in the midst of it. */
import { describe, expect, test } from 'vitest'
import { createServerFrameDecoder, createServerFrameEncoder } from '../../src/protocol/codec.ts'
import type { Body, HistoryMessage, HistoryPage } from '../../src/protocol/frames.ts'
import { encodeBody } from '../../src/protocol/values.ts'
import { type Call, binaryBody, hex, record, textBody, toHex } from './recorder.ts'

function messageOf(offset: number, body: Body): HistoryMessage {
  return { offset, from: 'ann', outbox: 'outbox01', n: 300, time: 1_700_000_000_000, body }
}

function pageOf(...bodies: Body[]): HistoryPage {
  const messages = bodies.map((body, i) => messageOf(i + 1, body))
  return { messages, epoch: 'e', first: 1, last: 300 }
}

function written(page: HistoryPage, text: boolean, maxBytes = 1_000_000, newest = false): Uint8Array[] {
  const encoder = createServerFrameEncoder(text)
  encoder.history('r', page, maxBytes, newest)
  const packets: Uint8Array[] = []
  encoder.flush(packet => packets.push(packet.slice()) > 0)
  return packets
}

/** The offsets and the body of each message of the reply, as a client reads it. */
function read(packets: readonly Uint8Array[], text: boolean): { offsets: number[]; bodies: unknown[] } {
  const heard: Call[] = []
  const decoder = createServerFrameDecoder(record(heard))
  for (const packet of packets) expect(decoder.decode(packet, 0, packet.length, text)).toBeNull()
  expect(heard).toHaveLength(1)
  const [op, ref, value] = heard[0] as [
    string,
    string,
    { messages: [number, string, string, number, number, unknown][] },
  ]
  expect([op, ref]).toEqual(['reply', 'r'])
  return { offsets: value.messages.map(([offset]) => offset), bodies: value.messages.map(message => message[5]) }
}

describe('a page of history', () => {
  test('is written byte for byte, with bodies as they are', () => {
    const page = pageOf(binaryBody('81 a161 01'))
    const messages = '91 96 01 a3616e6e a86f7574626f783031 cd012c cf0000018bcfe56800 81a16101'
    const map = `84 a565706f6368 a165 a56669727374 01 a46c617374 cd012c a86d65737361676573 ${messages}`
    expect(written(page, false).map(toHex)).toEqual([toHex(hex(`93 a57265706c79 a172 ${map}`))])
    const other = pageOf(textBody('{"a": 1.0}'), textBody('null'))
    expect(written(other, true).map(packet => Buffer.from(packet).toString())).toEqual([
      '["reply","r",{"epoch":"e","first":1,"last":300,"messages":' +
        '[[1,"ann","outbox01",300,1700000000000,{"a": 1.0}],[2,"ann","outbox01",300,1700000000000,null]]}]',
    ])
  })

  test.each([false, true])('may be empty (text: %s)', text => {
    expect(read(written(pageOf(), text), text)).toEqual({ offsets: [], bodies: [] })
  })

  test.each([false, true])('holds bodies of either encoding, whatever they are (text: %s)', text => {
    const deep = JSON.parse(`${'['.repeat(15)}1${']'.repeat(15)}`) as unknown
    const values = [null, 'é', Uint8Array.of(1, 2), 2n ** 60n, { $bin: 'x' }, deep, { a: [1.5, { $int: '7' }] }]
    for (const encoding of [false, true]) {
      const page = pageOf(...values.map(value => encodeBody(value, encoding)))
      expect(read(written(page, text), text).bodies).toEqual(values)
    }
  })

  test.each([false, true])(
    'keeps below its limit by leaving out what is at the end that was not asked for (text: %s)',
    text => {
      const bodies = Array.from({ length: 10 }, () => encodeBody(new Uint8Array(900), !text))
      for (const newest of [false, true]) {
        const packets = written(pageOf(...bodies), text, 6_000, newest)
        const { offsets } = read(packets, text)
        expect(packets[0]?.length).toBeLessThanOrEqual(6_000)
        expect(offsets.length).toBeGreaterThanOrEqual(3)
        expect(offsets.length).toBeLessThan(10)
        const all = bodies.map((_, i) => i + 1)
        expect(offsets).toEqual(newest ? all.slice(-offsets.length) : all.slice(0, offsets.length))
      }
    },
  )

  test('always holds one message, however large', () => {
    expect(read(written(pageOf(textBody('"aaaaaaaaaa"'), textBody('1')), true, 1), true).offsets).toEqual([1])
  })

  test('stays whole between other frames', () => {
    const encoder = createServerFrameEncoder(false, 100)
    encoder.ping()
    encoder.history(1, pageOf(binaryBody(`c4 78 ${'00'.repeat(120)}`)), 1_000, false)
    encoder.pong()
    const heard: Call[] = []
    const decoder = createServerFrameDecoder(record(heard))
    encoder.flush(packet => decoder.decode(packet.slice(), 0, packet.length, false) === null)
    expect(heard.map(([op]) => op)).toEqual(['ping', 'reply', 'pong'])
  })
})

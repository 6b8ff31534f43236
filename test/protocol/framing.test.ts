import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { StreamDecoder, framedSize, writeFramed } from '../../src/protocol/framing.ts'
import { hex, toHex, utf8 } from './recorder.ts'

const LIMIT = 100

class Listener {
  readonly heard: string[] = []

  packet(bytes: Uint8Array, text: boolean): void {
    this.heard.push(text ? `text ${Buffer.from(bytes).toString()}` : `binary ${toHex(bytes)}`)
  }

  broken(reason: string): void {
    this.heard.push(`broken ${reason}`)
  }
}

function heard(...chunks: readonly Uint8Array[]): string[] {
  const listener = new Listener()
  const decoder = new StreamDecoder(listener, LIMIT)
  for (const chunk of chunks) decoder.push(chunk)
  return listener.heard
}

function framed(packets: readonly Uint8Array[], text: boolean): Uint8Array {
  const bytes = new Uint8Array(packets.reduce((size, packet) => size + framedSize(packet, text), 0))
  let at = 0
  for (const packet of packets) at = writeFramed(packet, text, bytes, at)
  expect(at).toBe(bytes.length)
  return bytes
}

const line = (length: number): string => `[${' '.repeat(length - 2)}]`

describe('a stream', () => {
  const cases: [name: string, given: Uint8Array, heard: string[]][] = [
    ['takes binary packets', hex('00000001 aa 00000002 bbcc'), ['binary aa', 'binary bbcc']],
    ['takes lines', utf8('[1]\n[2]\n'), ['text [1]', 'text [2]']],
    ['takes off a carriage return', utf8('[1]\r\n[2]\n'), ['text [1]', 'text [2]']],
    ['ignores empty lines', utf8('[1]\n\n\r\n[2]\n'), ['text [1]', 'text [2]']],
    ['hands on lines that begin otherwise, for the frame decoder to refuse', utf8('[1]\nx\n'), ['text [1]', 'text x']],
    ['takes a packet of the largest size', hex(`00000064 ${'aa'.repeat(100)}`), [`binary ${'aa'.repeat(100)}`]],
    ['takes a line of the largest size', utf8(`${line(100)}\n`), [`text ${line(100)}`]],
    ['takes a line of the largest size and \\r\\n', utf8(`${line(100)}\r\n`), [`text ${line(100)}`]],
    ['refuses another first byte', utf8('GET / HTTP/1.1\r\n'), ['broken bad_frame']],
    ['refuses an empty line as the first thing', utf8('\n[1]\n'), ['broken bad_frame']],
    ['refuses a first length of 2^31', hex('80000000'), ['broken bad_frame']],
    ['refuses a first length of 2^32 - 1', hex('ffffffff'), ['broken bad_frame']],
    ['refuses a first length above the limit', hex('00000065 aa'), ['broken bad_frame']],
    ['refuses a later length above the limit', hex('00000001 aa 00000065 aa'), ['binary aa', 'broken too_large']],
    ['refuses a later length of 2^31', hex('00000001 aa 80000000'), ['binary aa', 'broken too_large']],
    ['refuses a later length of 2^32 - 1', hex('00000001 aa ffffffff'), ['binary aa', 'broken too_large']],
    ['refuses an empty packet', hex('00000001 aa 00000000 00000001 bb'), ['binary aa', 'broken bad_frame']],
    ['refuses a line above the limit', utf8(`[1]\n${line(101)}\n[2]\n`), ['text [1]', 'broken too_large']],
    ['refuses a line above the limit that does not end', utf8(`[${' '.repeat(200)}`), ['broken too_large']],
  ]

  test.each(cases)('%s', (_name, given, wanted) => {
    expect(heard(given)).toEqual(wanted)
  })

  test.each(cases)('%s, byte by byte', (_name, given, wanted) => {
    expect(heard(...Array.from(given, byte => Uint8Array.of(byte)))).toEqual(wanted)
  })

  test('is heard the same however it is cut', () => {
    const packets = fc.array(fc.uint8Array({ minLength: 1, maxLength: LIMIT }), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(packets, fc.boolean(), fc.array(fc.nat({ max: 120 }), { maxLength: 60 }), (given, text, cuts) => {
        const lines = given.map(packet => utf8(JSON.stringify([toHex(packet.subarray(0, 40))])))
        const bytes = framed(text ? lines : given, text)
        const chunks: Uint8Array[] = []
        let at = 0
        for (const cut of cuts) chunks.push(bytes.slice(at, (at = Math.min(bytes.length, at + cut))))
        chunks.push(bytes.slice(at))
        const wanted = text
          ? lines.map(packet => `text ${Buffer.from(packet).toString()}`)
          : given.map(packet => `binary ${toHex(packet)}`)
        expect(heard(...chunks)).toEqual(wanted)
      }),
      { numRuns: 1000 },
    )
  })

  test('is not heard after it was stopped, not even in the same chunk', () => {
    for (const given of [hex('00000001 aa 00000001 bb 000000'), utf8('[1]\n[2]\n[')]) {
      const listener = new Listener()
      const decoder: StreamDecoder = new StreamDecoder(
        {
          packet: (bytes, text) => {
            listener.packet(bytes, text)
            decoder.stop()
          },
          broken: reason => listener.broken(reason),
        },
        LIMIT,
      )
      decoder.push(given)
      decoder.push(given)
      expect(listener.heard).toHaveLength(1)
      expect(decoder.partial).toBe(false)
    }
  })

  test('says whether a packet is there in part', () => {
    const decoder = new StreamDecoder(new Listener(), LIMIT)
    const states = ['00', '000001', 'aa', '00000002bb', 'cc00000001dd'].map(chunk => {
      decoder.push(hex(chunk))
      return decoder.partial
    })
    expect(states).toEqual([true, true, false, true, false])
  })

  test('takes no memory for a length that was only promised', () => {
    const before = process.memoryUsage().arrayBuffers
    const decoders = Array.from({ length: 100 }, () => new StreamDecoder(new Listener(), 16 * 1024 * 1024))
    for (const decoder of decoders) decoder.push(hex('00f00000 aa'))
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * 1024 * 1024)
    expect(decoders.every(decoder => decoder.partial)).toBe(true)
  })

  test('puts a large packet together from many small pieces without taking long', () => {
    const packet = new Uint8Array(8 * 1024 * 1024).fill(0x20)
    packet[0] = 0x5b
    for (const text of [false, true]) {
      const bytes = framed([packet], text)
      let size = 0
      const decoder = new StreamDecoder(
        {
          packet: given => (size = given.length),
          broken: reason => expect.unreachable(reason),
        },
        packet.length,
      )
      const start = performance.now()
      for (let at = 0; at < bytes.length; at += 100) decoder.push(bytes.subarray(at, at + 100))
      expect(size).toBe(packet.length)
      expect(performance.now() - start).toBeLessThan(2000)
    }
  })
})

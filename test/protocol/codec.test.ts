import { describe, expect, test } from 'vitest'
import {
  type PacketDecoder,
  SharedDecoder,
  createClientFrameDecoder,
  createClientFrameEncoder,
  createServerFrameDecoder,
  createServerFrameEncoder,
} from '../../src/protocol/codec.ts'
import type { ClientFrames, ServerFrames } from '../../src/protocol/frames.ts'
import type { PacketOutput } from '../../src/protocol/output.ts'
import { type Golden, clientFrames, serverFrames } from './golden.ts'
import { type Call, binaryBody, hex, record, textBody, toHex, utf8 } from './recorder.ts'

function packetsOf(output: PacketOutput): Uint8Array[] {
  const packets: Uint8Array[] = []
  output.flush(packet => packets.push(packet.slice()) > 0)
  return packets
}

function decoded(create: (calls: Call[]) => PacketDecoder, bytes: Uint8Array, text: boolean): Call[] {
  const calls: Call[] = []
  expect(create(calls).decode(bytes, 0, bytes.length, text)).toBeNull()
  return calls
}

function direction<F extends ClientFrames | ServerFrames>(
  name: string,
  frames: readonly Golden<F>[],
  encoder: (text: boolean) => F & PacketOutput,
  decoder: (calls: Call[]) => PacketDecoder,
): void {
  describe(name, () => {
    test.each(frames)('writes $name in both encodings', golden => {
      const binary = encoder(false)
      golden.say(binary)
      expect(packetsOf(binary).map(toHex)).toEqual([toHex(hex(golden.binary))])
      const text = encoder(true)
      golden.say(text)
      expect(packetsOf(text).map(packet => Buffer.from(packet).toString())).toEqual([golden.text])
    })

    test.each(frames)('reads $name from both encodings', golden => {
      const said: Call[] = []
      golden.say(record(said) as F)
      expect(decoded(decoder, hex(golden.binary), false)).toEqual(said)
      const asText = said.map(call => call.map(value => (value === MSGPACK_BODY ? JSON_BODY : value)))
      expect(decoded(decoder, utf8(golden.text), true)).toEqual(asText)
    })

    test('reads all frames of one binary packet, in order', () => {
      const said: Call[] = []
      for (const golden of frames) golden.say(record(said) as F)
      expect(decoded(decoder, hex(frames.map(golden => golden.binary).join('')), false)).toEqual(said)
    })

    test.each(frames)('refuses $name cut short anywhere', golden => {
      const bytes = hex(golden.binary)
      for (let end = 0; end < bytes.length; end++) {
        const calls: Call[] = []
        expect(decoder(calls).decode(bytes, 0, end, false)).toEqual(expect.any(String))
        expect(calls).toEqual([])
      }
      const text = utf8(golden.text)
      for (let end = 0; end < text.length; end++) {
        const calls: Call[] = []
        expect(decoder(calls).decode(text, 0, end, true)).toEqual(expect.any(String))
        expect(calls).toEqual([])
      }
    })

    test.each(frames)('reads $name between other bytes, and ignores what a later version may add', golden => {
      const said: Call[] = []
      golden.say(record(said) as F)
      const bytes = hex(golden.binary)
      const longer = Uint8Array.of(0xc1, ...bytes, 0xa1, 0x78, 0xc1)
      longer[1] = (bytes[0] as number) + 1
      const calls: Call[] = []
      expect(decoder(calls).decode(longer, 1, longer.length - 1, false)).toBeNull()
      expect(calls).toEqual(said)
    })
  })
}

const MSGPACK_BODY = 'msgpack 81a1619201a2c3a9'
const JSON_BODY = 'json {"a":[1,"é"]}'

direction('what a client says', clientFrames, createClientFrameEncoder, calls =>
  createClientFrameDecoder(record(calls)),
)
direction('what a server says', serverFrames, createServerFrameEncoder, calls =>
  createServerFrameDecoder(record(calls)),
)

describe('a packet', () => {
  test('says of each message whom it is from, whoever the one before it was from', () => {
    const encoder = createServerFrameEncoder(false)
    const senders = ['u_ada', 'u_ada', 'u_bob', 'u_ada', 'ü', 'ü', 'u_'.padEnd(64, 'x'), 'u_'.padEnd(64, 'x'), 'u_ada']
    // What lies in no packet, or in one that has gone, is no place to copy from.
    encoder.message(1, 'u_ada', 'phone', 1, 2, 0, binaryBody('c0'))
    encoder.discard()
    // The second time the buffer has to grow, and packets end, between two of one sender.
    for (const size of [3, 20_000]) {
      const said: Call[] = []
      for (let i = 0; i < 10; i++) for (const to of [encoder, record(said)]) to.ping()
      senders.forEach((from, i) => {
        const body = binaryBody(`c5${size.toString(16).padStart(4, '0')}${'07'.repeat(size)}`)
        for (const to of [encoder, record(said)]) {
          to.message(i + 1, from, i % 8 < 5 ? 'phone' : 'desk', i + 1, 2, 0, body)
          to.pong()
        }
      })
      const heard: Call[] = []
      for (const packet of packetsOf(encoder)) {
        heard.push(...decoded(calls => createServerFrameDecoder(record(calls)), packet, false))
      }
      expect(heard).toEqual(said)
    }
  })

  test('is one for many binary frames and one for each text frame', () => {
    for (const text of [false, true]) {
      const encoder = createServerFrameEncoder(text)
      for (let n = 1; n <= 5; n++) encoder.delivered('bob', n)
      expect(packetsOf(encoder)).toHaveLength(text ? 5 : 1)
      expect(encoder.pending).toBe(0)
      expect(packetsOf(encoder)).toEqual([])
    }
  })

  test('ends before the frame that would make it too large', () => {
    const encoder = createServerFrameEncoder(false, 100)
    const calls: Call[] = []
    for (let n = 1; n <= 20; n++) encoder.delivered('bob', n)
    encoder.signal('ann', 'bob', binaryBody(`c4c8${'00'.repeat(200)}`))
    encoder.pong()
    const packets = packetsOf(encoder)
    expect(packets.filter(packet => packet.length > 100)).toHaveLength(1)
    const decoder = createServerFrameDecoder(record(calls))
    for (const packet of packets) expect(decoder.decode(packet, 0, packet.length, false)).toBeNull()
    expect(calls.map(call => call[0])).toEqual([...Array<string>(20).fill('delivered'), 'signal', 'pong'])
  })

  test('is the last to be written when it is dropped', () => {
    const encoder = createServerFrameEncoder(true)
    for (let n = 1; n <= 5; n++) encoder.delivered('bob', n)
    let written = 0
    expect(encoder.flush(() => ++written < 3)).toBe(false)
    expect(written).toBe(3)
    expect(encoder.pending).toBe(0)
  })

  test('is not disturbed by what is written while it is flushed', () => {
    const encoder = createServerFrameEncoder(false)
    encoder.ping()
    const packets: string[] = []
    const write = (packet: Uint8Array): boolean => {
      if (packets.length === 0) encoder.pong()
      packets.push(toHex(packet))
      return true
    }
    encoder.flush(write)
    encoder.flush(write)
    expect(packets).toEqual(['91a470696e67', '91a4706f6e67'])
  })

  test('that was discarded is not written', () => {
    const encoder = createClientFrameEncoder(false)
    encoder.ping()
    expect(encoder.pending).toBe(6)
    encoder.discard()
    expect(encoder.pending).toBe(0)
    expect(packetsOf(encoder)).toEqual([])
  })

  test('is left as it was by a reply that cannot be written', () => {
    for (const text of [false, true]) {
      const encoder = createServerFrameEncoder(text)
      encoder.ping()
      const before = encoder.pending
      expect(() => encoder.reply(1, { a: [1, () => 1] })).toThrow(TypeError)
      expect(encoder.pending).toBe(before)
    }
  })

  test('is decoded no further once the decoder was stopped', () => {
    const calls: Call[] = []
    const frames = record(calls)
    const decoder = createClientFrameDecoder({ ...forwarded(frames), ping: () => decoder.stop() })
    const bytes = hex('91 a4706f6e67 91 a470696e67 91 a4706f6e67 c1')
    expect(decoder.decode(bytes, 0, bytes.length, false)).toBeNull()
    expect(decoder.decode(bytes, 0, bytes.length, false)).toBeNull()
    expect(decoder.decode(utf8('["pong"]'), 0, 8, true)).toBeNull()
    expect(calls).toEqual([['pong']])
  })

  test('lets go of its bytes even when a frame throws, and the next one is decoded', () => {
    const calls: Call[] = []
    const frames = record(calls)
    const decoder = createClientFrameDecoder({
      ...forwarded(frames),
      ping: () => {
        throw new Error('a fault of the listener')
      },
    })
    expect(() => decoder.decode(hex('91 a470696e67'), 0, 6, false)).toThrow('a fault of the listener')
    expect(decoder.decode(hex('91 a4706f6e67'), 0, 6, false)).toBeNull()
    expect(calls).toEqual([['pong']])
  })
})

describe('a decoder that connections share', () => {
  const twoPings = hex('91 a470696e67 91 a470696e67')

  test.each([
    ['binary', twoPings, false],
    ['text', utf8('["ping"]'), true],
  ])('tells each of its own packets, also of those after it was stopped for one in %s', (_, packet, text) => {
    const calls: Call[] = []
    const decoder = new SharedDecoder()
    const stopping: ClientFrames = {
      ...forwarded(record(calls)),
      ping: () => {
        calls.push(['ping'])
        decoder.stop(stopping)
      },
    }
    expect(decoder.decode(stopping, packet, 0, packet.length, text)).toBeNull()
    expect(calls).toEqual([['ping']])
    expect(decoder.decode(record(calls), twoPings, 0, twoPings.length, false)).toBeNull()
    expect(calls).toEqual([['ping'], ['ping'], ['ping']])
  })

  test('goes on for one when it is stopped for another', () => {
    const calls: Call[] = []
    const decoder = new SharedDecoder()
    const [one, other] = [record(calls), record([])]
    const frames: ClientFrames = {
      ...forwarded(one),
      ping: () => {
        decoder.stop(other)
        one.ping()
      },
    }
    expect(decoder.decode(frames, twoPings, 0, twoPings.length, false)).toBeNull()
    expect(calls).toEqual([['ping'], ['ping']])
  })

  test('refuses a packet that comes out of another one', () => {
    const calls: Call[] = []
    const decoder = new SharedDecoder()
    const frames: ClientFrames = {
      ...forwarded(record(calls)),
      ping: () => void decoder.decode(frames, twoPings, 0, twoPings.length, false),
    }
    expect(() => decoder.decode(frames, twoPings, 0, twoPings.length, false)).toThrow('another one')
    expect(decoder.decode(record(calls), utf8('["pong"]'), 0, 8, true)).toBeNull()
    expect(calls).toEqual([['pong']])
  })
})

function forwarded(frames: ClientFrames): ClientFrames {
  return {
    hello: options => frames.hello(options),
    send: (n, floor, target, ttl, body) => frames.send(n, floor, target, ttl, body),
    ack: seq => frames.ack(seq),
    nack: (seq, reason) => frames.nack(seq, reason),
    sync: (ref, target) => frames.sync(ref, target),
    signal: (target, body) => frames.signal(target, body),
    presence: (ref, ids) => frames.presence(ref, ids),
    rotate: ref => frames.rotate(ref),
    join: (ref, room, options) => frames.join(ref, room, options),
    leave: (ref, room) => frames.leave(ref, room),
    create: (ref, room, options) => frames.create(ref, room, options),
    delete: (ref, room) => frames.delete(ref, room),
    rooms: (ref, options) => frames.rooms(ref, options),
    members: (ref, room, options) => frames.members(ref, room, options),
    history: (ref, room, options) => frames.history(ref, room, options),
    token: (ref, token) => frames.token(ref, token),
    ping: () => frames.ping(),
    pong: () => frames.pong(),
    bye: () => frames.bye(),
    unknown: (op, ref) => frames.unknown(op, ref),
  }
}

describe('a body in the other encoding', () => {
  test('is transcoded on its way, in every frame that has one', () => {
    const client = createClientFrameEncoder(false)
    client.send(1, 1, 'bob', 0, textBody('{"$bin":"AQI="}'))
    client.signal('bob', textBody('[1.5]'))
    expect(packetsOf(client).map(toHex)).toEqual([
      toHex(hex('96 a473656e64 01 01 a3626f62 c0 c4020102 93 a67369676e616c a3626f62 91 cb3ff8000000000000')),
    ])
    const server = createServerFrameEncoder(true)
    server.message(1, 'ann', 'outbox01', 1, 0, 0, binaryBody('c4 02 0102'))
    expect(packetsOf(server).map(packet => Buffer.from(packet).toString())).toEqual([
      '["message",1,"ann","outbox01",1,0,0,{"$bin":"AQI="}]',
    ])
    server.room('#r', 1, 'ann', 'outbox01', 1, 0, binaryBody('c4 02 0102'))
    expect(packetsOf(server).map(packet => Buffer.from(packet).toString())).toEqual([
      '["room","#r",1,"ann","outbox01",1,0,{"$bin":"AQI="}]',
    ])
  })
})

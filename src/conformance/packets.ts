/** Checks of §1: packets, frames, encodings, and what is no frame. */
import { closedWith, newOutbox, same, stillThere, type Check, type World } from './check.ts'

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

const ping = bytes(0x91, 0xa4, ...utf8('ping'))

/** A packet that the server must refuse, said by somebody who was welcomed. */
function refused(clause: string, what: string, text: boolean, packet: Uint8Array): Check {
  return {
    clause,
    does: `closes with bad_frame at ${what}`,
    on: world => world.text === text,
    run: async (world: World): Promise<void> => {
      const { speaker } = await world.join()
      speaker.bytes(packet)
      await closedWith(speaker, 'bad_frame')
    },
  }
}

function nested(depth: number): Uint8Array {
  return bytes(0x93, 0xa6, ...utf8('signal'), 0xa1, 0x78, ...Array<number>(depth).fill(0x91), 0x01)
}

const inBinary = ({ text }: World): boolean => !text

export const packetChecks: readonly Check[] = [
  {
    clause: '§1.2',
    does: 'takes many frames in one binary packet',
    on: inBinary,
    run: async (world: World): Promise<void> => {
      const { speaker } = await world.join()
      speaker.say(['ping'], ['presence', 1, []], ['presence', 2, []])
      await speaker.hear('pong')
      await speaker.hear('reply', 1)
      await speaker.hear('reply', 2)
    },
  },
  {
    clause: '§1.3',
    does: 'answers in the encoding of the first packet and stays in it',
    run: async (world: World): Promise<void> => {
      const { speaker } = await world.join()
      await stillThere(speaker)
      speaker.say(['no-such-op', 1])
      await speaker.hear('error', 1)
    },
  },
  {
    clause: '§1.3',
    does: 'closes with bad_frame at a packet in the other encoding',
    on: world => !world.stream,
    run: async (world: World): Promise<void> => {
      const { speaker } = await world.join()
      speaker.bytes(world.text ? ping : utf8('["ping"]'), !world.text)
      await closedWith(speaker, 'bad_frame')
    },
  },
  {
    clause: '§1.4',
    does: 'takes a packet as large as maxPacket says, and closes with too_large above it',
    run: async (world: World): Promise<void> => {
      const { speaker, welcome } = await world.join()
      const maxPacket = Number(welcome['maxPacket'])
      const frame = (size: number): Uint8Array => signalOf(size, world.text)
      speaker.bytes(frame(maxPacket))
      await stillThere(speaker)
      speaker.bytes(frame(maxPacket + 1))
      await closedWith(speaker, 'too_large')
    },
  },
  {
    clause: '§1.5',
    does: 'answers frames that follow hello at once, after welcome',
    run: async (world: World): Promise<void> => {
      const speaker = await world.open()
      speaker.say(['hello', { v: 1 }], ['ping'], ['presence', 1, ['nobody-is-called-so']])
      await speaker.hear('welcome')
      await speaker.hear('pong')
      same(await speaker.hear('reply', 1), ['reply', 1, { 'nobody-is-called-so': false }], 'the reply')
    },
  },
  {
    clause: '§1.5',
    does: 'closes with too_large when more than 4 KiB come before welcome',
    run: async (world: World): Promise<void> => {
      const speaker = await world.open()
      speaker.say(['hello', { v: 1, agent: 'x'.repeat(5_000) }])
      await closedWith(speaker, 'too_large')
    },
  },
  {
    clause: '§1.6',
    does: 'passes over empty lines, and a carriage return at the end of one',
    on: world => world.stream && world.text,
    run: async (world: World): Promise<void> => {
      const { speaker } = await world.join()
      speaker.bytes(utf8('\n\r\n["ping"]\r'))
      await speaker.hear('pong')
    },
  },
  refused('§1.6', 'an empty frame', false, bytes(0x90)),
  refused('§1.6', 'an empty frame', true, utf8('[]')),
  refused('§1.6', 'an op that is no string', false, bytes(0x91, 0x01)),
  refused('§1.6', 'an op that is no string', true, utf8('[1]')),
  refused('§1.6', 'a frame that is no array', false, bytes(0x81, 0xa1, 0x61, 0x01)),
  refused('§1.6', 'a frame that is no array', true, utf8('{"a":1}')),
  refused('§1.6', 'an extension type', false, bytes(0x93, 0xa6, ...utf8('signal'), 0xa1, 0x78, 0xd4, 0x01, 0x00)),
  refused('§1.6', 'the byte that MessagePack never uses', false, bytes(0xc1)),
  refused('§1.6', 'a count above what is left', false, bytes(0xdd, 0x01, 0xc9, 0xc3, 0x80)),
  refused('§1.6', 'a packet that ends within a frame', false, bytes(0x92, 0xa4, ...utf8('ping'))),
  refused('§1.6', 'bytes after the last frame', false, bytes(...ping, 0x01)),
  refused('§1.6', 'a string that is not UTF-8', false, bytes(0x91, 0xa2, 0xc3, 0x28)),
  refused('§1.6', 'seventeen levels', false, nested(17)),
  refused('§1.6', 'text that is not JSON', true, utf8('["ping"')),
  refused('§1.6', 'a doubled key in an option map', true, utf8('["send",1,1,"x",{"ttl":1,"ttl":2},null]')),
  refused('§1.6', '__proto__ in an option map', true, utf8('["send",1,1,"x",{"__proto__":1},null]')),
  {
    clause: '§1.8',
    does: 'ignores unknown elements at the end of a frame and unknown keys of an option map',
    run: async (world: World): Promise<void> => {
      const speaker = await world.open()
      speaker.say(['hello', { v: 1, unknown: [1], outbox: newOutbox() }, 'more'])
      await speaker.hear('welcome')
      speaker.say(['ping', 1, 2, 3])
      await speaker.hear('pong')
    },
  },
  {
    clause: '§1.8',
    does: 'answers an unknown op with the error unknown_op and stays',
    run: async (world: World): Promise<void> => {
      const { speaker } = await world.join()
      speaker.say(['no-such-op', 7])
      same((await speaker.hear('error')).slice(1, 3), [7, 'unknown_op'], 'the error')
      await stillThere(speaker)
    },
  },
]

/** A signal to nobody, whose packet has exactly this size. */
function signalOf(size: number, text: boolean): Uint8Array {
  const packet = new Uint8Array(size).fill(0x61)
  const head = text ? utf8('["signal","nobody","') : bytes(0x93, 0xa6, ...utf8('signal'), 0xa6, ...utf8('nobody'), 0xc6)
  packet.set(head)
  if (text) packet.set(utf8('"]'), size - 2)
  else new DataView(packet.buffer).setUint32(head.length, size - head.length - 4)
  return packet
}

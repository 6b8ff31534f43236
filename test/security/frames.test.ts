/** Hostile frames over a real socket: the right close, a server that lives, and honest clients that notice nothing. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Server } from '../../src/server.ts'
import { connectBySocket, type Peer } from '../gateway/peer.ts'
import { startVictim, stillWorks } from './server.ts'

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
/** `["signal", "x", …` in MessagePack, to which a body is added. */
const signal = (body: string): Uint8Array => hex(`93 a6 73 69 67 6e 61 6c a1 78 ${body}`)
/** `["hello", {"v": 1, …` in MessagePack, with one more entry. */
const hello = (entry: string): Uint8Array => hex(`92 a5 68 65 6c 6c 6f 82 a1 76 01 ${entry}`)

describe('hostile frames', () => {
  let server: Server

  beforeAll(async () => {
    server = await startVictim({ connectRate: 100_000 })
  })

  afterAll(() => server.close())

  async function greeted(text: boolean): Promise<Peer> {
    const peer = await connectBySocket(server.ws, text)
    await peer.hello({ outbox: 'attackers' })
    return peer
  }

  it.each<[string, Uint8Array]>([
    ['items claimed by the million', hex('dd 01 c9 c3 80'.repeat(4))],
    ['a map that claims 2^32 - 1 entries', signal('df ff ff ff ff')],
    ['a string that claims 2^32 - 1 bytes', signal('db ff ff ff ff')],
    ['a bin that claims 2^31 bytes', signal('c6 80 00 00 00')],
    ['an extension type', signal('d4 00 00')],
    ['a timestamp', signal('d6 ff 00 00 00 00')],
    ['the reserved byte', signal('c1')],
    ['17 levels', signal(`${'91'.repeat(16)}c0`)],
    ['a hundred thousand levels', signal('91'.repeat(100_000))],
    ['bytes after the frame', hex('91 a4 70 69 6e 67 ff')],
    ['half a frame', hex('93 a6 73 69 67')],
    ['an empty frame', hex('90')],
    ['an op that is a number', hex('91 01')],
    ['a frame that is a map', hex('80')],
    ['a string that is no UTF-8', signal('a2 c3 28')],
    ['a map with a number for a key', signal('81 01 02')],
    ['an ack of a seq never sent', hex('92 a3 61 63 6b cd 03 e7')],
    ['an ack of 0', hex('92 a3 61 63 6b 00')],
    ['an ack of a float', hex('92 a3 61 63 6b cb 3f f8 00 00 00 00 00 00')],
    ['a nack of a seq never sent', hex('93 a4 6e 61 63 6b 05 a1 78')],
    ['no bytes', new Uint8Array(0)],
  ])('in MessagePack: %s', async (_, packet) => {
    const peer = await greeted(false)
    peer.write(packet, false)
    expect((await peer.next('close'))[1]).toBe('bad_frame')
    expect(await peer.end()).toEqual({ number: 4503, name: 'bad_frame' })
  })

  it.each<[string, string]>([
    ['half a frame', '["ping"'],
    ['two frames', '["ping"]["ping"]'],
    ['an empty frame', '[]'],
    ['an object', '{}'],
    ['17 levels', `["signal", "x", ${'['.repeat(17)}${']'.repeat(17)}]`],
    ['a hundred thousand levels', `["signal", "x", ${'['.repeat(100_000)}`],
    ['an ack of a seq never sent', '["ack", 999]'],
    ['an ack of a string', '["ack", "1"]'],
    ['no JSON', '["signal", "x", NaN]'],
  ])('in JSON: %s', async (_, packet) => {
    const peer = await greeted(true)
    peer.write(utf8(packet), true)
    expect((await peer.next('close'))[1]).toBe('bad_frame')
  })

  it.each<[string, Uint8Array, boolean]>([
    ['__proto__', hello('a9 5f 5f 70 72 6f 74 6f 5f 5f 80'), false],
    ['constructor', hello('ab 63 6f 6e 73 74 72 75 63 74 6f 72 80'), false],
    ['a doubled key', hello('a1 76 01'), false],
    ['__proto__', utf8('["hello", {"v": 1, "__proto__": {}}]'), true],
    ['constructor', utf8('["hello", {"v": 1, "constructor": {}}]'), true],
    ['a doubled key', utf8('["hello", {"v": 1, "v": 1}]'), true],
  ])('in the options of hello: %s', async (_, packet, text) => {
    const peer = await connectBySocket(server.ws, text)
    peer.write(packet, text)
    expect((await peer.end()).name).toBe('bad_frame')
  })

  it('numbers far ahead of their floor are refused, one by one', async () => {
    const peer = await greeted(false)
    const { id } = await (await connectBySocket(server.ws)).hello()
    peer.say(frames => frames.send(2_000, 1, id, 0, peer.body(1)))
    expect((await peer.next('failed')).slice(1)).toEqual([id, 2_000, 'bad_number'])
    peer.say(frames => frames.send(5, 6, id, 0, peer.body(1)))
    expect((await peer.next('failed')).slice(1)).toEqual([id, 5, 'bad_number'])
    expect(peer.ended).toBeNull()
  })

  it('receipts and messages from a client are unknown frames, and nobody hears of them', async () => {
    const peer = await greeted(true)
    for (const op of ['receipt', 'message', 'welcome', 'close', 'room']) {
      peer.write(utf8(`["${op}", 1, "somebody", "else", 1]`), true)
      expect((await peer.next('error'))[2]).toBe('unknown_op')
    }
  })

  it('targets that are no address are refused', async () => {
    const peer = await greeted(false)
    for (const target of ['a b', '../../etc/passwd', 'x'.repeat(65), '\u0000']) {
      peer.say(frames => frames.send(1, 1, target, 0, peer.body(1)))
      expect((await peer.next('failed'))[3]).toBe('bad_id')
    }
  })

  it('a packet above the limit is too large', async () => {
    const peer = await greeted(false)
    peer.write(new Uint8Array(1024 * 1024 + 1), false)
    expect(await peer.end()).toEqual({ number: 4504, name: 'too_large' })
  })

  it('random bytes by the thousand do no harm', async () => {
    let seed = 12_345
    const random = (): number => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648)
    for (let round = 0; round < 300; round++) {
      const peer = await greeted(round % 2 === 0)
      const bytes = Uint8Array.from({ length: 1 + (random() % 200) }, () => (random() >> 8) % 256)
      peer.write(peer.text ? utf8(`["${String.fromCharCode(...bytes)}`) : bytes, peer.text)
      expect((await peer.end()).name).toBe('bad_frame')
    }
  })

  it('leave the server as it was', () => stillWorks(server))
})

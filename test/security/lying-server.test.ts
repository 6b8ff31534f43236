/** A server that lies, over a real socket: the client checks what it is told as the server does, holds no more than it should, and comes back. */
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocketServer, type WebSocket } from 'ws'
import { connect, type Client } from '../../src/client/index.node.ts'
import { createServerFrameEncoder } from '../../src/protocol/codec.ts'
import type { ServerFrames, WelcomeOptions } from '../../src/protocol/frames.ts'
import { encodeBody } from '../../src/protocol/values.ts'

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))

const greeting: WelcomeOptions = {
  v: 1,
  id: 'a-client-of-mine',
  secret: 'a secret',
  resumed: true,
  expires: Date.now() + 3_600_000,
  parked: 0,
  outbox: 'someoutbox',
  window: 256,
  sendWindow: { messages: 64, bytes: 262_144 },
  maxPacket: 1_048_576,
  pingInterval: 15_000,
  ackTimeout: 30_000,
  time: Date.now(),
  node: 'liar',
}

let server: WebSocketServer
let client: Client
/** What is done to each connection once it has said hello; the last for those to come, too. */
let acts: ((socket: WebSocket) => void)[]
let connections: number

const packet = (speak: (frames: ServerFrames) => void): Uint8Array => {
  const encoder = createServerFrameEncoder(false)
  let written = new Uint8Array(0)
  speak(encoder)
  encoder.flush(bytes => {
    written = bytes.slice()
    return true
  })
  return written
}

const message = (frames: ServerFrames, seq: number, n = seq): void =>
  frames.message(seq, 'bob', 'bobsoutbox', n, 1, 0, encodeBody('hi', false))

const welcome = (socket: WebSocket, more: Partial<WelcomeOptions> = {}): void =>
  socket.send(packet(frames => frames.welcome({ ...greeting, ...more })))

beforeEach(async () => {
  connections = 0
  acts = []
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  server.on('connection', socket => {
    socket.on('error', () => {})
    socket.once('message', () => (acts[connections++] ?? acts.at(-1))?.(socket))
  })
  await new Promise(resolve => server.once('listening', resolve))
})

afterEach(async () => {
  await client.close({ flushMs: 0 })
  for (const socket of server.clients) socket.terminate()
  await new Promise(resolve => server.close(resolve))
})

function start(): string[] {
  const { port } = server.address() as AddressInfo
  const shown: string[] = []
  client = connect(`ws://127.0.0.1:${port}/ws`, { backoff: { firstMs: 1, maxMs: 20 } })
  client.on('error', () => {})
  client.on('message', ({ body }) => void shown.push(String(body)))
  return shown
}

describe('a client of a server that lies', () => {
  it.each<[string, Uint8Array]>([
    ['items by the million', hex('dd 01 c9 c3 80'.repeat(4))],
    ['a string of 4 GiB', hex('92 a4 70 69 6e 67 db ff ff ff ff')],
    ['an extension type', hex('92 a4 70 69 6e 67 d4 00 00')],
    ['a hundred thousand levels', hex('91'.repeat(100_000))],
    ['half a frame', hex('93 a6 73 69 67')],
    ['__proto__ in its welcome', hex('92 a7 77 65 6c 63 6f 6d 65 81 a9 5f 5f 70 72 6f 74 6f 5f 5f 80')],
    ['noise', hex('ff fe fd fc')],
    ['more than a message can be', new Uint8Array(17 * 1024 * 1024)],
  ])('comes back from %s, before the welcome and after it', async (_, lie) => {
    acts = [
      socket => socket.send(lie),
      socket => {
        welcome(socket)
        socket.send(lie)
      },
      socket => {
        welcome(socket)
        socket.send(packet(frames => message(frames, 1)))
      },
    ]
    const shown = start()
    await expect.poll(() => shown, { timeout: 60_000 }).toEqual(['hi'])
    expect(connections).toBe(3)
  })

  it('holds no more messages than it asked for, whatever window it is told', async () => {
    const flood = packet(frames => {
      for (let seq = 1; seq <= 20_000; seq++) message(frames, seq)
    })
    acts = [
      socket => {
        welcome(socket, { window: 1_000_000_000 })
        socket.send(flood)
      },
      welcome,
    ]
    const { port } = server.address() as AddressInfo
    client = connect(`ws://127.0.0.1:${port}/ws`, { backoff: { firstMs: 1, maxMs: 20 } })
    client.on('error', () => {})
    // Never done with the first, so that all others wait.
    client.on('message', () => new Promise<void>(() => {}))
    await expect.poll(() => connections, { timeout: 60_000 }).toBe(2)
  })
})

/** Connections that break the rules of the transport, dawdle, or come in crowds. */
import { setTimeout as sleep } from 'node:timers/promises'
import WebSocket from 'ws'
import { afterEach, describe, expect, it } from 'vitest'
import type { Options } from '../../src/options.ts'
import type { Server } from '../../src/server.ts'
import { connectBySocket } from '../gateway/peer.ts'
import { attack, startVictim, stillWorks, webSocketFrame } from './server.ts'

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
const hello = utf8('["hello",{"v":1}]')

describe('a hostile connection', () => {
  let server: Server | null = null

  async function start(more: Partial<Options> = {}): Promise<Server> {
    server = await startVictim(more)
    return server
  }

  afterEach(async () => {
    if (server !== null) await stillWorks(server)
    await server?.close()
    server = null
  })

  it('is closed when it sends unmasked frames', async () => {
    const attacker = await attack(await start())
    // Read as if they were masked, which makes them noise.
    for (let i = 0; i < 5; i++) attacker.socket.write(webSocketFrame(hello, { opcode: 1, masked: false }))
    await attacker.closed
    expect(attacker.received().toString()).not.toContain('"welcome"')
  })

  it('is closed when it says nothing', async () => {
    const attacker = await attack(await start({ helloTimeout: 300 }))
    await attacker.closed
    expect(attacker.received().toString()).toContain('"timeout"')
  })

  it('is closed when its hello comes a byte at a time', async () => {
    const attacker = await attack(await start({ helloTimeout: 500 }))
    const bytes = webSocketFrame(hello, { opcode: 1 })
    const drip = setInterval(() => attacker.socket.write(bytes.subarray(0, 1)), 100)
    await attacker.closed
    clearInterval(drip)
  })

  it('is closed when a frame stays partial after the hello', async () => {
    const attacker = await attack(await start({ pingInterval: 1_000 }))
    attacker.socket.write(webSocketFrame(hello, { opcode: 1 }))
    attacker.socket.write(webSocketFrame(utf8('["pi'), { opcode: 1, length: 100 }))
    await attacker.closed
    expect(attacker.received().toString()).toContain('"welcome"')
    expect(attacker.received().toString()).toContain('"timeout"')
  })

  it('is closed when its packet comes in ten thousand fragments', async () => {
    const attacker = await attack(await start())
    attacker.socket.write(webSocketFrame(utf8('['), { opcode: 1, final: false }))
    const fragment = webSocketFrame(utf8(' '), { opcode: 0, final: false })
    attacker.socket.write(Buffer.concat(new Array<Buffer>(10_000).fill(fragment)))
    attacker.socket.write(webSocketFrame(utf8(']'), { opcode: 0 }))
    await attacker.closed
    expect(attacker.received().toString()).toContain('"too_large"')
  })

  it('is closed when it never ends its fragments', async () => {
    const attacker = await attack(await start({ helloTimeout: 500 }))
    attacker.socket.write(webSocketFrame(utf8('['), { opcode: 1, final: false }))
    const empty = webSocketFrame(new Uint8Array(0), { opcode: 0, final: false })
    const flood = setInterval(() => attacker.socket.write(Buffer.concat(new Array<Buffer>(1_000).fill(empty))), 10)
    await attacker.closed
    clearInterval(flood)
  })

  it.each([
    ['pings', 9],
    ['pongs', 10],
  ])('is closed when it floods the server with %s', async (_, opcode) => {
    const attacker = await attack(await start())
    attacker.socket.write(Buffer.concat(new Array<Buffer>(2_000).fill(webSocketFrame(utf8('x'), { opcode }))))
    await attacker.closed
    expect(attacker.received().toString()).toContain('"bad_frame"')
  })

  it.each([2 ** 31, 2 ** 32 - 1, 2 ** 48])(
    'is closed when it announces %s bytes, before any is allocated',
    async length => {
      const attacker = await attack(await start())
      const before = process.memoryUsage().rss
      attacker.socket.write(webSocketFrame(new Uint8Array(10), { length }))
      await attacker.closed
      expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024)
    },
  )

  it('is closed when it floods the server with frames', async () => {
    const peer = await connectBySocket((await start()).ws)
    await peer.hello()
    peer.say(frames => {
      for (let i = 0; i < 20_000; i++) frames.ping()
    })
    expect(await peer.end()).toEqual({ number: 4505, name: 'flood' })
    expect(peer.heard.filter(([name]) => name === 'pong').length).toBeLessThan(2_100)
  })

  it.each(['acks', 'pongs'])('is closed when it floods the server with %s that say nothing', async kind => {
    const { ws } = await start()
    const peer = await connectBySocket(ws)
    const { id } = await peer.hello({ outbox: 'tomyselfbox' })
    peer.say(frames => frames.send(1, 1, id, 0, peer.body(1)))
    await peer.next('message')
    for (let packet = 0; packet < 20 && peer.ended === null; packet++)
      peer.say(frames => {
        for (let i = 0; i < 1_000; i++)
          if (kind === 'acks') frames.ack(1)
          else frames.pong()
      })
    expect(await peer.end()).toEqual({ number: 4505, name: 'flood' })
  })

  it('gets 403 for a foreign or null origin when a list is set', async () => {
    const { ws } = await start({ origins: ['https://here.example'] })
    for (const origin of ['https://there.example', 'null', 'https://here.example.evil.example']) {
      const status = await new Promise(resolve => {
        const socket = new WebSocket(ws, { origin })
        socket.on('unexpected-response', (request, response) => {
          resolve(response.statusCode)
          request.destroy()
        })
        socket.on('open', () => resolve(101))
        socket.on('error', () => {})
      })
      expect(status).toBe(403)
    }
  })

  it('finds the others unharmed when it comes with a crowd, and is told when to come back', async () => {
    const { ws } = await start({ connectRate: 20 })
    const early = await connectBySocket(ws)
    await early.hello()
    const crowd = await Promise.all(Array.from({ length: 60 }, () => connectBySocket(ws)))
    await sleep(100)
    const turnedAway = crowd.filter(peer => peer.heard[0]?.[1] === 'overloaded')
    expect(turnedAway.length).toBeGreaterThanOrEqual(20)
    const times = turnedAway.map(peer => Number(peer.heard[0]?.[3]))
    expect(Math.min(...times)).toBeGreaterThanOrEqual(500)
    expect(new Set(times).size).toBeGreaterThan(turnedAway.length / 2)
    early.say(frames => frames.ping())
    await early.next('pong')
    await sleep(1_500)
  })

  it('is told to read first when it asks for a hundred pages at once, and the server keeps no more than a few', async () => {
    const victim = await start()
    const peer = await connectBySocket(victim.ws)
    await peer.hello({ outbox: 'askersbox' })
    peer.say(frames => frames.join(0, '#lobby', {}))
    await peer.next('reply')
    const body = peer.body('x'.repeat(200_000))
    for (let n = 1; n <= 4; n++) {
      peer.say(frames => frames.send(n, n, '#lobby', 0, body))
      await peer.next('room')
    }
    peer.socket.pause()
    // Sixteen of them are asked of the store at a time.
    peer.say(frames => {
      for (let i = 1; i <= 100; i++) frames.history(i, '#lobby', {})
    })
    await expect
      .poll(() => metrics(victim), { timeout: 60_000 })
      .toMatch(/^ackd_store_seconds_count{op="history"} 16$/m)
    peer.socket.resume()
    const answers = (): readonly unknown[] =>
      peer.heard.filter(([name, ref]) => (name === 'reply' || name === 'error') && ref !== 0)
    await expect.poll(() => answers().length, { timeout: 60_000 }).toBe(100)
    const refused = peer.heard.filter(([name, , code]) => name === 'error' && code === 'overloaded')
    expect(refused[0]?.slice(1)).toEqual([expect.any(Number), 'overloaded', expect.stringContaining('read them')])
    peer.say(frames => frames.history('once more', '#lobby', {}))
    await expect.poll(() => peer.heard.at(-1)?.slice(0, 2), { timeout: 60_000 }).toEqual(['reply', 'once more'])
  })

  it('does not keep what it was sent and never read', async () => {
    const victim = await start({ windowBytes: 1024, maxPacket: 4096 })
    const reader = await connectBySocket(victim.ws)
    const { id } = await reader.hello()
    reader.socket.pause()
    const writer = await connectBySocket(victim.ws)
    await writer.hello({ outbox: 'writersbox' })
    const body = writer.body('x'.repeat(4_000))
    let sent = 0
    // Signals are for who reads; nobody keeps them.
    while (sent < 20_000 && !(await metrics(victim)).includes('ackd_writes_dropped_total 1')) {
      for (let i = 0; i < 200; i++) writer.say(frames => frames.signal(id, body))
      sent += 200
      await sleep(200)
    }
    expect(await metrics(victim)).toContain('ackd_writes_dropped_total 1')
    expect(writer.ended).toBeNull()
  })
})

async function metrics(server: Server): Promise<string> {
  return (await fetch(`${server.http}/metrics`)).text()
}

import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { developmentCertificate } from '../../src/transport/certificates.ts'
import type { StreamOptions } from '../../src/transport/stream.ts'
import { listenTcp } from '../../src/transport/tcp.ts'
import { listenTls } from '../../src/transport/tls.ts'
import { ListenError, type Accept, type Listener, type Pipe, type PipeEvents } from '../../src/transport/transport.ts'
import { testTransport } from './contract.ts'
import { framed, openSocket, openStreamClient } from './stream-client.ts'

const MiB = 1024 * 1024

const options: StreamOptions = {
  host: '127.0.0.1',
  port: 0,
  maxPacket: MiB,
  maxBuffered: 8 * MiB,
  maxUnread: MiB,
  onTrouble: () => {},
}

const certificate = developmentCertificate(null, '')

type Listen = (more: Partial<StreamOptions>, accept: Accept) => Promise<Listener>

const transports: [name: 'tcp' | 'tls', listen: Listen][] = [
  ['tcp', (more, accept) => listenTcp({ ...options, ...more }, accept)],
  ['tls', (more, accept) => listenTls({ ...options, ...more, certificate }, accept)],
]

for (const [name, listen] of transports) {
  testTransport({
    name,
    maxBuffered: options.maxBuffered,
    stream: true,
    open: async accept => {
      const listener = await listen({}, accept)
      return { connect: () => openStreamClient(listener.url), close: () => listener.close() }
    },
  })
}

class Side implements PipeEvents {
  readonly events: string[] = []
  readonly pipe: Pipe

  constructor(pipe: Pipe) {
    this.pipe = pipe
  }

  packet(bytes: Uint8Array, text: boolean): void {
    this.events.push(`${text ? 'text' : 'binary'} ${bytes.length}`)
  }

  broken(reason: string, text: boolean): void {
    this.events.push(`broken: ${reason}, ${text ? 'text' : 'binary'}`)
    this.pipe.end(4503, reason)
  }

  closed(): void {
    this.events.push('closed')
  }
}

async function until(done: () => boolean): Promise<void> {
  for (let waited = 0; !done(); waited += 5) {
    if (waited > 20_000) throw new Error('it did not come')
    await sleep(5)
  }
}

function closed(socket: Socket): Promise<void> {
  return new Promise(resolve => socket.resume().once('close', () => resolve()))
}

describe.each(transports)('a stream over %s', (_, listen) => {
  const listeners: Listener[] = []
  const sides: Side[] = []

  async function open(more: Partial<StreamOptions> = {}): Promise<string> {
    const listener = await listen(more, pipe => {
      const side = new Side(pipe)
      sides.push(side)
      return side
    })
    listeners.push(listener)
    return listener.url
  }

  afterEach(async () => {
    for (const listener of listeners.splice(0)) await listener.close()
    sides.length = 0
  })

  it('carries lines of text, both ways', async () => {
    const client = await openStreamClient(await open())
    client.socket.write('["a"]\r\n\n["b"]\n["c')
    await until(() => sides[0]?.events.length === 2)
    sides[0]!.pipe.write(new TextEncoder().encode('["d"]'), true)
    client.socket.write('"]\n')
    await until(() => client.received.length === 1 && sides[0]!.events.length === 3)
    expect(sides[0]!.events).toEqual(['text 5', 'text 5', 'text 5'])
    expect(client.received).toEqual([`text: ${Buffer.from('["d"]').toString('hex')}`])
  })

  it('writes many packets of a turn in one go', async () => {
    const socket = await openSocket(await open())
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    await until(() => sides.length === 1)
    sides[0]!.pipe.cork(() => {
      for (let i = 0; i < 100; i++) sides[0]!.pipe.write(new TextEncoder().encode(`[${i}]`), true)
    })
    await until(() => Buffer.concat(chunks).toString().endsWith('[99]\n'))
    expect(chunks).toHaveLength(1)
  })

  it.each([
    ['a first byte of another protocol', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'broken: bad_frame, text'],
    ['an empty packet', Buffer.alloc(4), 'broken: bad_frame, binary'],
    ['a first length that is no length', Buffer.from([0, 0x7f, 0xff, 0xff]), 'broken: bad_frame, binary'],
    ['a first packet above 4 KiB', Buffer.from([0, 0, 0x10, 1]), 'broken: too_large, binary'],
    ['a first line above 4 KiB', Buffer.from(`[${'x'.repeat(5_000)}`), 'broken: too_large, text'],
  ])('gives up at %s before it has come', async (_name, bytes, outcome) => {
    const socket = await openSocket(await open())
    socket.write(bytes)
    await closed(socket)
    expect(sides[0]?.events).toEqual([outcome, 'closed'])
  })

  it('gives up at a later length above the limit, without waiting for it', async () => {
    const socket = await openSocket(await open({ maxPacket: 100_000 }))
    socket.write(framed(new Uint8Array(10), false))
    socket.write(Buffer.from([0, 1, 0x86, 0xa1]))
    await closed(socket)
    expect(sides[0]?.events).toEqual(['binary 10', 'broken: too_large, binary', 'closed'])
  })

  it('gives a packet its time to get whole, however its bytes trickle', async () => {
    const socket = await openSocket(await open({ partialMs: 600 }))
    const started = performance.now()
    let sent = 0
    const trickle = setInterval(() => socket.write(sent++ === 0 ? Buffer.from([0, 0, 4, 0]) : Buffer.of(1)), 50)
    await closed(socket)
    clearInterval(trickle)
    expect(sides[0]?.events).toEqual(['broken: timeout, binary', 'closed'])
    expect(performance.now() - started).toBeGreaterThan(600)
    expect(performance.now() - started).toBeLessThan(2_000)
  })

  it('has patience with a large packet on a thin line, and with packets that are never all whole', async () => {
    const client = await openStreamClient(await open({ partialMs: 300 }))
    client.send(new Uint8Array(10), false)
    const large = framed(new Uint8Array(40_000), false)
    for (let at = 0; at < large.length; at += 4_000) {
      client.socket.write(large.subarray(at, at + 4_000))
      await sleep(100)
    }
    const pair = framed(new Uint8Array(10), false)
    client.socket.write(pair.subarray(0, 7))
    for (let i = 0; i < 8; i++) {
      await sleep(100)
      client.socket.write(Buffer.concat([pair.subarray(7), pair.subarray(0, 7)]))
    }
    await until(() => sides[0]?.events.length === 10)
    expect(sides[0]?.events).not.toContain('broken: timeout, binary')
  })

  it('reads nothing more while too much waits for the reader, and goes on when it was read', async () => {
    const client = await openStreamClient(await open({ maxUnread: MiB, maxBuffered: 64 * MiB }))
    client.socket.pause()
    await until(() => sides.length === 1)
    const [side] = sides
    let written = 0
    while (side!.pipe.buffered() <= MiB) {
      side!.pipe.write(new Uint8Array(MiB / 4), false)
      written++
      await sleep(1)
    }
    client.send(new Uint8Array(8), false)
    await sleep(100)
    expect(side!.events).toEqual([])
    client.socket.resume()
    await until(() => side!.events.length === 1)
    await until(() => client.received.length === written)
    expect(side!.pipe.buffered()).toBe(0)
  })

  it('says goodbye even to a peer that was still talking', async () => {
    const client = await openStreamClient(await open())
    const talk = setInterval(() => client.send(new Uint8Array(1_000), false), 1)
    await until(() => (sides[0]?.events.length ?? 0) > 20)
    sides[0]!.pipe.write(new Uint8Array(3), false)
    sides[0]!.pipe.end(4000, 'restart')
    await until(() => client.ended !== null)
    clearInterval(talk)
    expect(client.received).toEqual(['binary: 000000'])
  })

  it('cuts off a peer that does not close what was closed', async () => {
    const socket = await openSocket(await open())
    socket.allowHalfOpen = true
    await until(() => sides.length === 1)
    sides[0]!.pipe.end(4000, 'restart')
    expect(sides[0]!.events).toEqual(['closed'])
    const started = performance.now()
    const talk = setInterval(() => socket.write('x'), 50)
    await closed(socket)
    clearInterval(talk)
    expect(performance.now() - started).toBeLessThan(4_000)
  })

  it('takes no connections once it was stopped, and keeps those it has', async () => {
    const url = await open()
    const client = await openStreamClient(url)
    listeners[0]?.stop()
    await expect(openSocket(url)).rejects.toThrow()
    client.send(new Uint8Array(1), false)
    await until(() => sides[0]?.events.length === 1)
  })

  it('refuses a port that is taken, and says what to do', async () => {
    const port = Number(new URL(await open()).port)
    const second = listen({ port }, () => new Side(sides[0]!.pipe))
    await expect(second).rejects.toThrow(ListenError)
    await expect(second).rejects.toHaveProperty('fix', expect.stringMatching(/ACKD_T(CP|LS)_PORT/))
  })
})

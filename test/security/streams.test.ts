/** Peers on TCP and TLS that do not play along: each is dealt with, and two honest clients still talk. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openNodeSocket } from '../../src/client/sockets.node.ts'
import type { Server } from '../../src/server.ts'
import { makeDevelopmentCertificate } from '../../src/transport/development.ts'
import { exchange } from '../gateway/house.ts'
import { Peer } from '../gateway/peer.ts'
import { framed, openSocket } from '../transport/stream-client.ts'
import { startVictim, stillWorks } from './server.ts'

const PING_MS = 1_000

const { cert, key } = makeDevelopmentCertificate()
let folder = ''
let server: Server

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ackd-streams-'))
  const [tlsCert, tlsKey] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  writeFileSync(tlsCert, cert)
  writeFileSync(tlsKey, key)
  const limits = { pingInterval: PING_MS, helloTimeout: 1_000, ackTimeout: 60_000, windowBytes: 64 * 1024 }
  server = await startVictim({ ...limits, tlsCert, tlsKey })
})

afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})

function connectByStream(url: string): Promise<Peer> {
  return new Promise((resolve, reject) => {
    const events = {
      opened: () => resolve(peer),
      packet: (bytes: Uint8Array, text: boolean) => peer.receive(bytes, text),
      closed: (number: number, name: string) => {
        peer.ended = { number, name }
        reject(new Error('it could not connect'))
      },
    }
    const socket = openNodeSocket(url, events, { ca: cert })
    const peer: Peer = new Peer(
      false,
      (packet, text) => socket.send(packet, text),
      () => socket.close(),
    )
  })
}

/** What came over a bare socket until its end. */
async function saidTo(socket: Socket): Promise<string> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  await new Promise(resolve => socket.once('close', resolve))
  return Buffer.concat(chunks).toString('latin1')
}

/** A bare socket whose hello was answered; nothing is read from it any more. */
async function greeted(url: string): Promise<{ socket: Socket; id: string }> {
  const socket = await openSocket(url)
  socket.write('["hello",{"v":1,"outbox":"attacker-1"}]\n')
  const line = await new Promise<string>(resolve => socket.once('data', chunk => resolve(String(chunk))))
  socket.pause()
  const [, { id }] = JSON.parse(line.split('\n')[0] ?? '') as [string, { id: string }]
  return { socket, id }
}

async function honest(): Promise<void> {
  await exchange(() => connectByStream(server.tcp ?? ''))
  await stillWorks(server)
}

describe.each(['tcp', 'tls'] as const)('a server on %s', transport => {
  const url = (): string => server[transport] ?? ''

  it('closes who says nothing', async () => {
    expect(await saidTo(await openSocket(url()))).toContain('["close","timeout"')
    await honest()
  })

  it('closes who sends a byte at a time before hello is whole', async () => {
    const socket = await openSocket(url())
    const hello = framed(new Uint8Array(200), false)
    let at = 0
    const trickle = setInterval(() => socket.write(hello.subarray(at, ++at)), 100)
    const said = await saidTo(socket)
    clearInterval(trickle)
    expect(said).toContain('timeout')
    await honest()
  })

  it.each([
    ['0x7fffffff', [0x7f, 0xff, 0xff, 0xff]],
    ['0xffffffff', [0xff, 0xff, 0xff, 0xff]],
    ['16 MiB − 1', [0x00, 0xff, 0xff, 0xff]],
  ])('closes at a length of %s as the first bytes, and holds nothing for it', async (_, prefix) => {
    const before = process.memoryUsage().arrayBuffers
    const said = await Promise.all(
      Array.from({ length: 50 }, async () => {
        const socket = await openSocket(url())
        socket.write(Buffer.from(prefix))
        return saidTo(socket)
      }),
    )
    for (const answer of said) expect(answer).toContain('bad_frame')
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024)
    await honest()
  })

  it('finds a peer that is connected and says nothing any more', async () => {
    const { socket } = await greeted(url())
    const started = performance.now()
    // It reads, but as a machine that was unplugged it answers nothing.
    const said = await saidTo(socket.resume())
    expect(said).toContain('["ping"]')
    expect(said).toContain('["close","timeout"')
    expect(performance.now() - started).toBeLessThan(4 * PING_MS)
    await honest()
  })

  it('lets a reader that reads nothing have its window and no more, and loses nothing', async () => {
    const { socket, id } = await greeted(url())
    const alice = await connectByStream(url())
    await alice.hello({ outbox: 'alicesbox' })
    const alive = setInterval(() => alice.say(frames => frames.pong()), PING_MS / 2)
    const body = alice.body(new Uint8Array(32 * 1024))
    const total = 40
    let settled = 0
    for (let n = 1; n <= total; n++) {
      alice.say(frames => frames.send(n, settled + 1, id, 0, body))
      // Six of them are as much as may be open at a time.
      while (n - settled >= 6) settled = Number((await alice.next('stored'))[2])
    }
    while (settled < total) settled = Number((await alice.next('stored'))[2])
    clearInterval(alive)
    expect(settled).toBe(total)
    await honest()
    socket.destroy()
    alice.hangUp()
  })

  it('does not read from who does not read its answers, and lets it go', async () => {
    const { socket } = await greeted(url())
    const questions = Buffer.from('["no-such-op",1]\n'.repeat(1_000))
    let flooded = 0
    const flood = setInterval(() => {
      if (!socket.write(questions)) flooded++
    }, 5)
    await new Promise(resolve => socket.once('close', resolve))
    clearInterval(flood)
    expect(flooded).toBeGreaterThan(0)
    await honest()
  })
})

describe('a server on TLS', () => {
  it('lives through handshakes that are begun and left', async () => {
    const { port } = new URL(server.tls ?? '')
    const sockets = await Promise.all(Array.from({ length: 50 }, () => openSocket(`tcp://127.0.0.1:${port}`)))
    for (const socket of sockets) socket.write(Buffer.from([0x16, 0x03, 0x01, 0x00]))
    await sleep(50)
    await honest()
    for (const socket of sockets) socket.destroy()
  })
})

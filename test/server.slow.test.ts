/** The whole server over real sockets and on a real disk, and as a process that is sent signals. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../src/gateway/log.ts'
import { startServer, type Server } from '../src/server.ts'
import { makeDevelopmentCertificate } from '../src/transport/development.ts'
import { ListenError } from '../src/transport/transport.ts'
import { connectBySocket } from './gateway/peer.ts'

let dataDir = ''

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'ackd-server-'))
})

afterEach(() => {
  rmSync(dataDir, { recursive: true })
})

describe('a server', () => {
  let server: Server

  beforeEach(async () => {
    server = await startServer({ port: 0, dataDir, maxLag: 60_000 }, silentLog)
  })

  afterEach(() => server.close())

  it.each([false, true])('carries messages, live from the first one on (text: %s)', async text => {
    const alice = await connectBySocket(server.ws, text)
    const bob = await connectBySocket(server.ws, text)
    const { id: from } = await alice.hello({ outbox: 'alicesbox' })
    const { id: to } = await bob.hello()
    for (let n = 1; n <= 20; n++) {
      alice.say(frames => frames.send(n, n, to, 0, alice.body(`message ${n}`)))
      const [, seq, sender, outbox, number, , , body] = await bob.next('message')
      expect([seq, sender, outbox, number, body]).toEqual([n, from, 'alicesbox', n, `message ${n}`])
      bob.say(frames => frames.ack(n))
      expect(await alice.next('delivered')).toEqual(['delivered', to, n])
    }
    const metrics = await (await fetch(`${server.http}/metrics`)).text()
    expect(metrics).toContain('ackd_sent_total{path="live"} 20')
    expect(metrics).toContain('ackd_connections{transport="ws"} 2')
  })

  it('parks what an absent client is sent, and drains it in order when it is back', async () => {
    const bob = await connectBySocket(server.ws)
    const { id, secret = '' } = await bob.hello()
    bob.say(frames => frames.bye())
    await bob.end()
    const alice = await connectBySocket(server.ws)
    await alice.hello({ outbox: 'alicesbox' })
    alice.say(frames => {
      for (let n = 1; n <= 50; n++) frames.send(n, 1, id, 0, alice.body(n))
    })
    while ((await alice.next('stored'))[2] !== 50);
    const back = await connectBySocket(server.ws)
    expect(await back.hello({ id, secret })).toMatchObject({ resumed: true, parked: 50 })
    for (let n = 1; n <= 50; n++) {
      const [, seq, , , number, , flags] = await back.next('message')
      expect([seq, number, flags]).toEqual([n, n, 1])
    }
    back.say(frames => frames.ack(50))
    while ((await alice.next('delivered'))[2] !== 50);
  })

  it('hands a client over to its newer connection, with what it had not acked', async () => {
    const alice = await connectBySocket(server.ws)
    const bob = await connectBySocket(server.ws)
    await alice.hello({ outbox: 'alicesbox' })
    const { id, secret = '' } = await bob.hello()
    alice.say(frames => {
      for (let n = 1; n <= 3; n++) frames.send(n, 1, id, 0, alice.body(n))
    })
    for (let n = 1; n <= 3; n++) await bob.next('message')
    bob.say(frames => frames.ack(1))
    while ((await alice.next('delivered'))[2] !== 1);
    const newer = await connectBySocket(server.ws)
    await newer.hello({ id, secret })
    expect(await bob.end()).toEqual({ number: 4500, name: 'replaced' })
    expect((await newer.next('message'))[4]).toBe(2)
    expect((await newer.next('message'))[4]).toBe(3)
  })

  it('tells who else wants its port what to do', async () => {
    const port = Number(new URL(server.ws).port)
    const second = startServer({ port, store: 'memory' }, silentLog)
    await expect(second).rejects.toThrow(ListenError)
  })

  it('says loudly that nothing survives when it runs on memory', async () => {
    const said: string[] = []
    const other = await startServer(
      { port: 0, store: 'memory' },
      { ...silentLog, warn: (_, text) => void said.push(text) },
    )
    await other.close()
    expect(said.join()).toContain('nothing survives')
  })

  it('sends everybody away when it closes, each to come back at another time', async () => {
    const peers = await Promise.all(Array.from({ length: 20 }, () => connectBySocket(server.ws)))
    await Promise.all(peers.map(peer => peer.hello()))
    const closing = server.close()
    const times = await Promise.all(peers.map(async peer => (await peer.next('close'))[3]))
    await closing
    expect(new Set(times).size).toBeGreaterThan(10)
    for (const peer of peers) expect(await peer.end()).toEqual({ number: 4000, name: 'restart' })
  })
})

describe('a server process', () => {
  const children: ChildProcess[] = []

  interface Started {
    readonly child: ChildProcess
    readonly ws: string
    readonly wss: string
    readonly tls: string
  }

  async function start(way = '', more: Readonly<Record<string, string>> = {}): Promise<Started> {
    const child = spawn(process.execPath, ['--import', 'tsx', 'test/gateway/serve.ts', way], {
      env: { PATH: process.env['PATH'], ACKD_PORT: '0', ACKD_DATA_DIR: dataDir, ACKD_MAX_LAG: '60s', ...more },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    children.push(child)
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    return { child, ...(JSON.parse(line.toString()) as Omit<Started, 'child'>) }
  }

  function shownAt(url: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connectTls({ port: Number(new URL(url).port), rejectUnauthorized: false }, () => {
        resolve(socket.getPeerCertificate().fingerprint256)
        socket.destroy()
      })
      socket.on('error', reject)
    })
  }

  afterEach(async () => {
    for (const child of children.splice(0)) {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL')
        await once(child, 'exit')
      }
    }
  })

  it('keeps what it told stored through a kill', async () => {
    const first = await start()
    const bob = await connectBySocket(first.ws)
    const { id, secret = '' } = await bob.hello()
    bob.hangUp()
    const alice = await connectBySocket(first.ws)
    await alice.hello({ outbox: 'alicesbox' })
    alice.say(frames => frames.send(1, 1, id, 0, alice.body('survive')))
    await alice.next('stored')
    first.child.kill('SIGKILL')
    await once(first.child, 'exit')
    const second = await start()
    const back = await connectBySocket(second.ws)
    expect(await back.hello({ id, secret })).toMatchObject({ resumed: true, parked: 1 })
    expect((await back.next('message')).at(-1)).toBe('survive')
  })

  it('parks and tells everything at SIGTERM, and exits with 0', async () => {
    const first = await start()
    const alice = await connectBySocket(first.ws)
    const bob = await connectBySocket(first.ws)
    await alice.hello({ outbox: 'alicesbox' })
    const { id, secret = '' } = await bob.hello()
    alice.say(frames => frames.send(1, 1, id, 0, alice.body(1)))
    await bob.next('message')
    bob.say(frames => frames.ack(1))
    await alice.next('delivered')
    alice.say(frames => {
      for (let n = 2; n <= 60; n++) frames.send(n, 2, id, 0, alice.body(n))
    })
    await bob.next('message')
    const started = performance.now()
    first.child.kill('SIGTERM')
    while ((await alice.next('stored'))[2] !== 60);
    const [, name, , retryAfterMs] = await alice.next('close')
    expect([name, retryAfterMs]).toEqual(['restart', expect.any(Number)])
    const [code] = (await once(first.child, 'exit')) as [number]
    expect(code).toBe(0)
    expect(performance.now() - started).toBeLessThan(5_000)
    const second = await start()
    const back = await connectBySocket(second.ws)
    expect((await back.hello({ id, secret })).parked).toBe(59)
    for (let n = 2; n <= 60; n++) expect((await back.next('message'))[4]).toBe(n)
  })

  it('shows another certificate after SIGHUP, and goes on as before when the new one is none', async () => {
    const [certFile, keyFile] = [join(dataDir, 'cert.pem'), join(dataDir, 'key.pem')]
    const write = ({ cert, key }: { cert: string; key: string }): void => {
      writeFileSync(certFile, cert)
      writeFileSync(keyFile, key)
    }
    write(makeDevelopmentCertificate())
    const files = { ACKD_TLS_CERT: certFile, ACKD_TLS_KEY: keyFile, ACKD_WSS_PORT: '0', ACKD_LOG_LEVEL: 'silent' }
    const { child, ws, wss, tls } = await start('', files)
    const peer = await connectBySocket(ws)
    await peer.hello()
    const first = await shownAt(tls)
    expect(await shownAt(wss)).toBe(first)
    write({ cert: 'none', key: 'none' })
    child.kill('SIGHUP')
    await sleep(200)
    expect(await shownAt(tls)).toBe(first)
    write(makeDevelopmentCertificate())
    child.kill('SIGHUP')
    await expect.poll(() => shownAt(tls), { timeout: 10_000 }).not.toBe(first)
    expect(await shownAt(wss)).toBe(await shownAt(tls))
    peer.say(frames => frames.ping())
    await peer.next('pong')
  })

  it('goes at once at the second signal, whatever holds the first one up', async () => {
    const { child } = await start('stuck')
    child.kill('SIGTERM')
    await sleep(300)
    expect(child.exitCode).toBeNull()
    child.kill('SIGINT')
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
  })

  it('ends at once when it throws what nobody catches', async () => {
    const { child } = await start('faulty')
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
  })
})

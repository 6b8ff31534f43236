import { on, once } from 'node:events'
import { request } from 'node:https'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import uws, { type us_listen_socket } from 'uWebSockets.js'
import WebSocket from 'ws'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { makeDevelopmentCertificate } from '../../src/transport/development.ts'
import {
  BodyError,
  ListenError,
  type Accept,
  type AnswerHttp,
  type Listener,
  type RenewableListener,
} from '../../src/transport/transport.ts'
import { TrustedProxies } from '../../src/transport/proxies.ts'
import { listenWebSocket, type WebSocketOptions } from '../../src/transport/websocket.ts'
import { freePort } from '../support/port.ts'
import { testTransport, type Client } from './contract.ts'

/** LIBUS_LISTEN_EXCLUSIVE_PORT */
const EXCLUSIVE_PORT = 1
const MAX_BUFFERED = 8 * 1024 * 1024

const options: WebSocketOptions = {
  host: '127.0.0.1',
  port: 0,
  maxPacket: 1024 * 1024,
  maxBuffered: MAX_BUFFERED,
  idleTimeoutMs: 60_000,
  rules: { origins: [], proxies: new TrustedProxies() },
}

/** What became of the bodies that were asked for. */
const bodies: string[] = []

const answer: AnswerHttp = async request => {
  const { method, path, query, address } = request
  if (path === '/fault') throw new Error('on purpose')
  let body = `${method} ${path} ${query} from ${address}, ${request.header('x-sent')}`
  if (path === '/body') {
    bodies.push('asked')
    body = await request.body(100_000).then(
      bytes => String(bytes.length),
      (error: unknown) => (error instanceof BodyError ? error.reason : 'fault'),
    )
    bodies.push(body)
  }
  return { status: 200, type: 'text/plain', body, headers: { 'X-More': 'yes' } }
}

const certificate = makeDevelopmentCertificate()

async function open(url: string, ca = certificate.cert): Promise<Client> {
  const socket = new WebSocket(url, { ca })
  const received: string[] = []
  const client = {
    send: (bytes: Uint8Array, text: boolean) => socket.send(bytes, { binary: !text }),
    received,
    ended: null as Client['ended'],
    destroy: () => socket.terminate(),
  }
  socket.on('message', (bytes: Buffer, binary) =>
    received.push(`${binary ? 'binary' : 'text'}: ${bytes.toString('hex')}`),
  )
  socket.on('close', (number, name) => {
    client.ended = { number, name: name.toString() }
  })
  await once(socket, 'open')
  return client
}

for (const [name, more] of [
  ['ws', {}],
  ['wss', { certificate }],
] as const) {
  testTransport({
    name,
    maxBuffered: MAX_BUFFERED,
    stream: false,
    open: async accept => {
      const listener = await listenWebSocket({ ...options, ...more }, accept, answer)
      return { connect: () => open(listener.url), close: () => listener.close() }
    },
  })
}

describe('WebSockets over TLS', () => {
  let listener: RenewableListener
  let place: { host: string; port: number }

  const accept: Accept = pipe => ({
    packet: (bytes, text) => void pipe.write(bytes, text),
    broken: () => {},
    closed: () => {},
  })

  beforeEach(async () => {
    listener = await listenWebSocket({ ...options, certificate }, accept, answer)
    place = { host: '127.0.0.1', port: Number(new URL(listener.url).port) }
  })

  afterEach(() => listener.close())

  function handshake(maxVersion: 'TLSv1.1' | 'TLSv1.2'): Promise<string | null> {
    return new Promise((resolve, reject) => {
      const weak = { ciphers: 'DEFAULT@SECLEVEL=0', minVersion: 'TLSv1', maxVersion } as const
      const socket = connectTls({ ...place, ca: certificate.cert, ...weak }, () => {
        resolve(socket.getProtocol())
        socket.destroy()
      })
      socket.on('error', reject)
    })
  }

  it('do not speak what is older than TLS 1.2', async () => {
    await expect(handshake('TLSv1.1')).rejects.toThrow()
    expect(await handshake('TLSv1.2')).toBe('TLSv1.2')
  })

  it('show another certificate to connections to come, and stay with those that are there', async () => {
    const before = await open(listener.url)
    const renewed = makeDevelopmentCertificate()
    listener.renew(renewed)
    const after = await open(listener.url, renewed.cert)
    await expect(open(listener.url)).rejects.toThrow('self-signed')
    for (const client of [before, after]) client.send(Uint8Array.of(1), false)
    await expect.poll(() => [...before.received, ...after.received]).toEqual(['binary: 01', 'binary: 01'])
    expect(() => listener.renew({ cert: 'none', key: 'none' })).toThrow()
    await open(listener.url, renewed.cert)
    await listener.close()
    await expect.poll(() => [before.ended, after.ended]).not.toContain(null)
  })

  it('are let in again by the new certificate when somebody had taken the port in between, and is told so until then', async () => {
    const told: [error: string, retryMs: number][] = []
    const regained = vi.fn()
    const onLost: WebSocketOptions['onLost'] = (error, retryMs) => void told.push([error.message, retryMs])
    const shut = vi.spyOn(uws, 'us_listen_socket_close')
    const port = await freePort()
    const url = `wss://127.0.0.1:${port}/ws`
    const losing = await listenWebSocket(
      { ...options, port, certificate, onLost, onRegained: regained },
      accept,
      answer,
    )
    const before = await open(url)
    let theirs: us_listen_socket | false = false
    shut.mockImplementationOnce(socket => {
      uws.us_listen_socket_close(socket)
      uws.App().listen('127.0.0.1', port, EXCLUSIVE_PORT, taken => (theirs = taken))
    })
    const renewed = makeDevelopmentCertificate()
    losing.renew(renewed)
    shut.mockRestore()
    await expect.poll(() => told.length, { timeout: 30_000 }).toBeGreaterThan(1)
    expect(told[0]).toEqual([expect.stringContaining(`Cannot listen on 127.0.0.1:${port}`), 250])
    expect(told[1]?.[1]).toBe(500)
    expect(regained).not.toHaveBeenCalled()
    if (theirs !== false) uws.us_listen_socket_close(theirs)
    await expect.poll(() => regained.mock.calls.length, { timeout: 30_000 }).toBe(1)
    await open(url, renewed.cert)
    before.send(Uint8Array.of(1), false)
    await expect.poll(() => before.received).toEqual(['binary: 01'])
    await losing.close()
  })

  it('answer HTTP too', async () => {
    const asked = request({ ...place, path: '/some/where', ca: certificate.cert }).end()
    const answers: unknown[] = await once(asked, 'response')
    expect(answers).toMatchObject([{ statusCode: 200 }])
  })
})

describe('listening for WebSockets', () => {
  const listeners: Listener[] = []
  const accept: Accept = () => ({ packet: () => {}, broken: () => {}, closed: () => {} })

  async function listen(more: Partial<WebSocketOptions> = {}, by: Accept = accept): Promise<string> {
    const listener = await listenWebSocket({ ...options, ...more }, by, answer)
    listeners.push(listener)
    return listener.url
  }

  afterEach(async () => {
    for (const listener of listeners.splice(0)) await listener.close()
    bodies.length = 0
  })

  function refusal(url: string, origin?: string): Promise<number> {
    const socket = new WebSocket(url, origin === undefined ? {} : { origin })
    return new Promise((resolve, reject) => {
      socket.on('unexpected-response', (_, response) => {
        resolve(response.statusCode ?? 0)
        socket.terminate()
      })
      socket.on('open', () => {
        resolve(101)
        socket.terminate()
      })
      socket.on('error', reject)
    })
  }

  it('refuses a port that is taken, and says what to do', async () => {
    const port = Number(new URL(await listen()).port)
    const second = listenWebSocket({ ...options, port }, accept, answer)
    await expect(second).rejects.toThrow(ListenError)
    await expect(second).rejects.toHaveProperty('fix', expect.stringContaining('ACKD_PORT'))
  })

  it('takes a port again at once, although its last connections were closed by the server', async () => {
    const url = await listen()
    const client = await open(url)
    await listeners.splice(0)[0]?.close()
    await expect.poll(() => client.ended).not.toBeNull()
    const port = Number(new URL(url).port)
    await expect(listen({ port })).resolves.toBe(url)
  })

  it('takes no connections once it was stopped, and keeps those it has', async () => {
    const url = await listen()
    const client = await open(url)
    listeners[0]?.stop()
    await expect(open(url)).rejects.toThrow()
    expect(client.ended).toBeNull()
  })

  it('lets in every origin when no list is set', async () => {
    expect(await refusal(await listen(), 'https://anywhere.example')).toBe(101)
  })

  it('answers 403 to a foreign origin and to null when a list is set', async () => {
    const url = await listen({ rules: { ...options.rules, origins: ['https://here.example'] } })
    expect(await refusal(url, 'https://there.example')).toBe(403)
    expect(await refusal(url, 'null')).toBe(403)
    expect(await refusal(url, 'https://here.example')).toBe(101)
    expect(await refusal(url)).toBe(101)
  })

  it('reports a flood of control frames', async () => {
    const heard: string[] = []
    const url = await listen({}, pipe => ({
      packet: () => {},
      broken: reason => {
        heard.push(reason)
        pipe.destroy()
      },
      closed: () => heard.push('closed'),
    }))
    const socket = new WebSocket(url)
    await once(socket, 'open')
    socket.on('error', () => {})
    for (let i = 0; i < 1_500; i++) socket.ping()
    await once(socket, 'close')
    expect(heard).toEqual(['bad_frame', 'closed'])
  })

  it('cuts off a packet far above the limit before it is read', async () => {
    const heard: string[] = []
    const url = await listen({ maxPacket: 1024 }, () => ({
      packet: bytes => heard.push(`packet of ${bytes.length}`),
      broken: () => {},
      closed: () => heard.push('closed'),
    }))
    const socket = new WebSocket(url)
    await once(socket, 'open')
    socket.on('error', () => {})
    socket.send(new Uint8Array(100_000))
    await once(socket, 'close')
    expect(heard).toEqual(['closed'])
  })

  async function http(): Promise<string> {
    return (await listen()).replace('ws:', 'http:').replace('/ws', '')
  }

  it('hands HTTP requests on', async () => {
    const base = await http()
    const response = await fetch(`${base}/some/where?x=1`, { method: 'POST', headers: { 'X-Sent': 'too' } })
    expect([response.status, await response.text()]).toEqual([200, 'POST /some/where x=1 from 127.0.0.1, too'])
    expect(response.headers.get('x-more')).toBe('yes')
    expect((await fetch(`${base}/fault`)).status).toBe(500)
  })

  it('answers HEAD with the length of what GET would get, on a connection that goes on', async () => {
    const { hostname, port } = new URL(await http())
    const socket = connect(Number(port), hostname)
    socket.write('HEAD /x HTTP/1.1\r\nHost: x\r\n\r\n')
    let answer = ''
    for await (const bytes of socket) {
      answer += String(bytes)
      if (answer.includes('GET /y')) break
      if (answer.endsWith('\r\n\r\n')) socket.write('GET /y HTTP/1.1\r\nHost: x\r\n\r\n')
    }
    expect(answer).toMatch(/Content-Length: 25\r\n[^]*\r\n\r\nHTTP\/1.1 200 [^]*GET \/y /)
  })

  it('gives a long answer whole to who reads slowly, and again on the same connection', async () => {
    const long = Array.from({ length: 2_000_000 }, (_, i) => String(i)).join(' ')
    const listener = await listenWebSocket(options, accept, () =>
      Promise.resolve({ status: 200, type: 'text/plain', body: long }),
    )
    listeners.push(listener)
    const { hostname, port } = new URL(listener.url)
    const socket = connect(Number(port), hostname)
    for (let time = 0; time < 2; time++) {
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
      let said = ''
      for await (const bytes of on(socket, 'data')) {
        said += String(bytes)
        if (said.endsWith(long)) break
        socket.pause()
        setImmediate(() => socket.resume())
      }
      expect(said.length - long.length).toBeLessThan(200)
    }
    socket.destroy()
  })

  it('reads a body up to the limit, whole or in pieces', async () => {
    const base = await http()
    const send = async (body: string, more: object = {}): Promise<string> => {
      const response = await fetch(`${base}/body`, { method: 'POST', body, ...more })
      return response.text()
    }
    expect(await send('x'.repeat(100_000))).toBe('100000')
    expect(await send('x'.repeat(100_001))).toBe('too_large')
    const pieces = (count: number): object => ({
      body: new ReadableStream({
        start: stream => {
          for (let i = 0; i < count; i++) stream.enqueue(new Uint8Array(10_000))
          stream.close()
        },
      }),
      duplex: 'half',
    })
    expect(await send('', pieces(10))).toBe('100000')
    expect(await send('', pieces(11))).toBe('too_large')
  })

  it('answers without the body when nobody wants it, and ends the connection then', async () => {
    const { hostname, port } = new URL(await http())
    const socket = connect(Number(port), hostname)
    socket.write('POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n')
    let answer = ''
    for await (const bytes of socket) answer += String(bytes)
    expect(answer).toContain('POST /early')
  })

  it('tells who waits for a body that the peer has hung up', async () => {
    const { hostname, port } = new URL(await http())
    const socket = connect(Number(port), hostname)
    socket.write('POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf')
    await vi.waitFor(() => expect(bodies).toEqual(['asked']), 10_000)
    socket.destroy()
    await vi.waitFor(() => expect(bodies).toEqual(['asked', 'aborted']), 10_000)
  })
})

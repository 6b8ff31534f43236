import { once } from 'node:events'
import { request } from 'node:https'
import { connect as connectTls } from 'node:tls'
import WebSocket from 'ws'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeDevelopmentCertificate } from '../../src/transport/development.ts'
import {
  ListenError,
  type Accept,
  type AnswerHttp,
  type Listener,
  type RenewableListener,
} from '../../src/transport/transport.ts'
import { listenWebSocket, type WebSocketOptions } from '../../src/transport/websocket.ts'
import { testTransport, type Client } from './contract.ts'

const MAX_BUFFERED = 8 * 1024 * 1024

const options: WebSocketOptions = {
  host: '127.0.0.1',
  port: 0,
  maxPacket: 1024 * 1024,
  maxBuffered: MAX_BUFFERED,
  idleTimeoutMs: 60_000,
  origins: [],
}

const answer: AnswerHttp = ({ method, path }) =>
  path === '/fault'
    ? Promise.reject(new Error('on purpose'))
    : Promise.resolve({ status: 200, type: 'text/plain', body: `${method} ${path}` })

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

  beforeEach(async () => {
    const accept: Accept = pipe => ({
      packet: (bytes, text) => void pipe.write(bytes, text),
      broken: () => {},
      closed: () => {},
    })
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
    const url = await listen({ origins: ['https://here.example'] })
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

  it('hands HTTP requests on', async () => {
    const base = (await listen()).replace('ws:', 'http:').replace('/ws', '')
    const response = await fetch(`${base}/some/where?x=1`, { method: 'POST' })
    expect([response.status, await response.text()]).toEqual([200, 'POST /some/where'])
    expect((await fetch(`${base}/fault`)).status).toBe(500)
  })
})

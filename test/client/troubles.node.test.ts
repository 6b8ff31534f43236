/** What is told of connections that cannot be made, with every kind of port of the real server and none at all. */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openNodeSocket, type TlsTrust } from '../../src/client/sockets.node.ts'
import { troubleOf } from '../../src/client/troubles.node.ts'
import { silentLog } from '../../src/gateway/log.ts'
import { startServer, type Server } from '../../src/server.ts'
import { makeDevelopmentCertificate } from '../../src/transport/development.ts'

let folder = ''
let server: Server

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ackd-troubles-'))
  server = await startServer(
    { dataDir: folder, store: 'memory', maxLag: 60_000, port: 0, wssPort: 0, origins: ['https://elsewhere.example'] },
    silentLog,
  )
})

afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})

/** Why a connection ended on which a packet was said as soon as it was open. */
function why(url: string, trust: TlsTrust = {}): Promise<string | undefined> {
  return new Promise(resolve => {
    const socket = openNodeSocket(
      url,
      {
        opened: () => socket.send(new TextEncoder().encode('["ping"]'), true),
        packet: () => {},
        closed: (_number, _name, reason) => resolve(reason),
      },
      trust,
    )
  })
}

type Door = 'ws' | 'wss' | 'tcp' | 'tls'

/** The port of one transport, spoken to in the way of another. */
function asked(port: Door, protocol: Door, path = '/ws'): string {
  return `${protocol}://${new URL(server[port] ?? '').host}${/^ws/.test(protocol) ? path : ''}`
}

/** A port that was free a moment ago. */
async function closedPort(): Promise<number> {
  const listening = createServer().listen(0, '127.0.0.1')
  await once(listening, 'listening')
  const { port } = listening.address() as AddressInfo
  listening.close()
  await once(listening, 'close')
  return port
}

describe('a connection that cannot be made', () => {
  it.each<Door>(['ws', 'wss', 'tcp', 'tls'])('over %s says that nothing listens there', async protocol => {
    const port = await closedPort()
    expect(await why(`${protocol}://127.0.0.1:${port}`)).toBe(`Nothing listens at 127.0.0.1:${port} (ECONNREFUSED).`)
  })

  it.each<Door>(['ws', 'wss', 'tcp', 'tls'])('over %s says that the host is not known', async protocol => {
    expect(await why(`${protocol}://no-such-host.invalid:5000`)).toMatch(
      /no-such-host\.invalid.* \((ENOTFOUND|EAI_AGAIN)\); (correct the address|see whether)/,
    )
  })

  it.each<[Door, Door, RegExp]>([
    ['ws', 'wss', /if that port speaks no TLS, write ws:\/\//],
    ['tcp', 'wss', /if that port speaks no TLS, write ws:\/\//],
    ['ws', 'tls', /if that port speaks no TLS, write tcp:\/\//],
    ['tcp', 'tls', /if that port speaks no TLS, write tcp:\/\//],
    ['wss', 'ws', /said nothing; each of ws:\/\/, tcp:\/\/ and tls:\/\/ has a port/],
    ['tls', 'ws', /said nothing; each of/],
    ['tcp', 'ws', /What answered is no ackd spoken to over ws:\/\/; each of/],
    ['ws', 'tcp', /What answered is no ackd spoken to over tcp:\/\/; each of/],
    ['wss', 'tcp', /; each of/],
    ['tls', 'tcp', /; each of/],
  ])('says of the port of %s, spoken to by %s, what to do', async (port, protocol, text) => {
    expect(await why(asked(port, protocol))).toMatch(text)
  })

  it.each<Door>(['wss', 'tls'])('over %s says that the certificate is not trusted', async protocol => {
    expect(await why(asked(protocol, protocol))).toMatch(/not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\); name whose/)
  })

  it.each(['wss', 'tls'])('over %s says that the certificate is of another name', async protocol => {
    const { cert, key } = makeDevelopmentCertificate()
    const elsewhere = createTlsServer({ cert, key }, socket => socket.on('error', () => {})).listen(0, '127.0.0.2')
    await once(elsewhere, 'listening')
    const { port } = elsewhere.address() as AddressInfo
    expect(await why(`${protocol}://127.0.0.2:${port}/ws`, { ca: cert })).toMatch(
      /The certificate of 127\.0\.0\.2:\d+ does not hold \(ERR_TLS_CERT_ALTNAME_INVALID: .*; it is for its operator/,
    )
    elsewhere.close()
  })

  it.each([
    ['/', 'no WebSocket at / (HTTP 200); the path of an ackd is /ws'],
    ['/wss', 'no WebSocket at /wss (HTTP 404); the path of an ackd is /ws'],
  ])('says of the path %s that it is another one', async (path, text) => {
    expect(await why(asked('ws', 'ws', path))).toContain(text)
  })
})

describe('a trouble', () => {
  it.each([
    ['Unexpected server response: 403', '', 'a.example:1 takes no connections from here (HTTP 403); '],
    ['Unexpected server response: 502', '', 'a.example:1 opens no WebSocket now (HTTP 502); see what it is'],
    ['connect ETIMEDOUT', 'ETIMEDOUT', 'a.example:1 does not answer (ETIMEDOUT); see whether the address is right'],
    ['certificate has expired', 'CERT_HAS_EXPIRED', 'does not hold (CERT_HAS_EXPIRED: certificate has expired); it is'],
    ['read ECONNRESET', 'ECONNRESET', 'The connection was broken off (ECONNRESET).'],
    [`odd\n${'x'.repeat(500)}`, 'EODD', `The connection was lost or could not be made: odd ${'x'.repeat(196)}`],
  ])('%s says what to do', (message, code, text) => {
    expect(troubleOf(Object.assign(new Error(message), { code }), new URL('wss://a.example:1/ws'))).toContain(text)
  })
})

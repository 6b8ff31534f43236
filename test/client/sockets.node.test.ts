/** The Node client over every transport of the real server. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { connect, type Client, type NodeOptions, type Status } from '../../src/client/index.node.ts'
import { nodeSockets } from '../../src/client/sockets.node.ts'
import { silentLog } from '../../src/gateway/log.ts'
import type { Options } from '../../src/options.ts'
import { startServer, type Server } from '../../src/server.ts'
import { makeDevelopmentCertificate } from '../../src/transport/development.ts'

const { cert, key } = makeDevelopmentCertificate()
let folder = ''
let server: Server
let options: Partial<Options>
const clients: Client[] = []

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ackd-sockets-'))
  const [tlsCert, tlsKey] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  writeFileSync(tlsCert, cert)
  writeFileSync(tlsKey, key)
  options = { dataDir: join(folder, 'data'), maxLag: 60_000, tlsCert, tlsKey }
  server = await startServer({ ...options, port: 0 }, silentLog)
})

afterEach(async () => {
  await Promise.all(clients.splice(0).map(client => client.close()))
})

afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})

function open(url: string, more: NodeOptions = {}): Client {
  const client = connect(url, { tls: { ca: cert }, backoff: { firstMs: 10, maxMs: 50 }, ...more })
  clients.push(client)
  return client
}

/** Resolves with the first status of this state. */
function status(client: Client, state: Status['state']): Promise<Status> {
  return new Promise(resolve => client.on('status', now => now.state === state && resolve(now)))
}

describe.each(['ws', 'tcp', 'tls'] as const)('a Node client over %s', transport => {
  const url = (): string => server[transport] ?? ''

  it('sends, receives and is told', async () => {
    const [alice, bob] = [open(url()), open(url())]
    const bodies: unknown[] = []
    bob.on('message', ({ body }) => void bodies.push(body))
    const to = await bob.ready()
    const large = 'x'.repeat(200_000)
    const sent = await Promise.all(['one', large, new Uint8Array([1, 2])].map(body => alice.send(to, body)))
    expect(await Promise.all(sent.map(({ delivered }) => delivered))).toEqual(['delivered', 'delivered', 'delivered'])
    expect(bodies).toEqual(['one', large, new Uint8Array([1, 2])])
  })

  it('comes back by itself, as who it was', async () => {
    const client = open(url())
    const id = await client.ready()
    const lost = status(client, 'waiting')
    const back = status(client, 'connected')
    const [{ ws, tcp, tls }, again] = [server, server.close()]
    expect(await lost).toMatchObject({ reason: 'restart' })
    await again
    const port = (of: string | null): number => Number(new URL(of ?? '').port)
    server = await startServer({ ...options, port: port(ws), tcpPort: port(tcp), tlsPort: port(tls) }, silentLog)
    expect(await back).toEqual({ state: 'connected', id, resumed: true, parked: 0 })
  })
})

describe('a Node client', () => {
  it('does not talk to a server whose certificate it cannot trust', async () => {
    const client = open(server.tls ?? '', { tls: {} })
    expect(await status(client, 'waiting')).toMatchObject({ reason: 'lost' })
  })

  it('says when nobody is there', async () => {
    expect(await status(open('tcp://127.0.0.1:1'), 'waiting')).toMatchObject({ reason: 'lost' })
  })

  it.each(['tcp:', 'tcp://', 'udp://127.0.0.1:2500', 'nonsense'])('takes no %s for an address', url => {
    expect(() => connect(url)).toThrow(expect.objectContaining({ code: 'bad_url' }))
  })
})

describe('TLS connections of one client', () => {
  it('resume each other, and begin anew where the server has forgotten', async () => {
    const reused: boolean[] = []
    const listening = createServer({ cert, key }, socket => {
      reused.push(socket.isSessionReused())
      socket.resume().on('error', () => {})
      socket.write('[]\n')
    })
    listening.listen(0, '127.0.0.1')
    await once(listening, 'listening')
    const address = listening.address()
    const sockets = nodeSockets({ ca: cert })
    const talk = (): Promise<void> =>
      new Promise(resolve => {
        const socket = sockets(`tls://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`, {
          opened: () => {},
          // The ticket came before it.
          packet: () => socket.close(),
          closed: () => resolve(),
        })
      })
    await talk()
    await talk()
    listening.setTicketKeys(randomBytes(48))
    await talk()
    await talk()
    expect(reused).toEqual([false, true, false, true])
    listening.close()
  })
})

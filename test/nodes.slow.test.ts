/** Two servers on one Redis: what clients at different ones say to each other comes at once, and not when somebody happens to look. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import { connect, type Client } from '../src/client/index.node.ts'
import { silentLog } from '../src/gateway/log.ts'
import { startServer, type Server } from '../src/server.ts'
import { ADMIN_TOKEN } from './gateway/api-caller.ts'
import { connectBySocket } from './gateway/peer.ts'
import { RedisServer } from './support/redis.ts'

const MESSAGES = 60
/** ms: far more than it takes, and far less than the ten seconds after which a server looks into a mailbox by itself. */
const AT_ONCE_MS = 1_500

let redis: RedisServer
let servers: readonly Server[] = []
const clients: Client[] = []

beforeEach(async () => {
  redis = await RedisServer.start()
  const options = { port: 0, redisUrl: redis.url, maxLag: 60_000, adminToken: ADMIN_TOKEN } as const
  servers = await Promise.all([startServer(options, silentLog), startServer(options, silentLog)])
})

afterEach(async () => {
  for (const client of clients.splice(0)) await client.close()
  for (const server of servers) await server.close()
  await redis.stop()
})

async function client(at: number): Promise<Client> {
  const made = connect(servers[at]!.ws)
  clients.push(made)
  await expect.poll(() => made.id).not.toBeNull()
  return made
}

/** A client at each of the servers, which hear each other. */
async function twoClients(): Promise<readonly [Client, Client]> {
  const both = [await client(0), await client(1)] as const
  await signalled(both[0], both[1])
  await signalled(both[1], both[0])
  return both
}

/** Signals until one arrives: a server that has just begun to listen may have missed some. */
async function signalled(from: Client, to: Client): Promise<void> {
  const heard: unknown[] = []
  const stop = to.on('signal', signal => void heard.push(signal))
  await expect
    .poll(() => {
      from.signal(to.id ?? '', 'typing')
      return heard[0]
    })
    .toEqual({ from: from.id, to: to.id, body: 'typing' })
  stop()
}

function median(all: readonly number[]): number {
  return all.toSorted((a, b) => a - b)[all.length >> 1] ?? NaN
}

it('messages and signals to a client at the other server come at once, each in its order', async () => {
  const [alice, bob] = await twoClients()
  const waits: number[] = []
  const read: string[] = []
  for (const [from, to] of [
    [alice, bob],
    [bob, alice],
  ] as const) {
    let arrived: () => void = () => undefined
    to.on('message', ({ body }) => {
      read.push(String(body))
      arrived()
    })
    for (let n = 1; n <= MESSAGES / 2; n++) {
      const since = performance.now()
      const there = new Promise<void>(resolve => (arrived = resolve))
      const sent = from.send(to.id ?? '', `${from.id} ${n}`)
      await there
      waits.push(performance.now() - since)
      await sent
    }
  }
  const wanted = [alice, bob].flatMap(({ id }) => Array.from({ length: MESSAGES / 2 }, (_, n) => `${id} ${n + 1}`))
  expect(read).toEqual(wanted)
  expect(median(waits)).toBeLessThan(AT_ONCE_MS)
  process.stdout.write(`from server to server a message took ${median(waits).toFixed(1)} ms (p50 of ${MESSAGES})\n`)
})

it('a sender is told that what was stored is delivered by the other server, without asking', async () => {
  const [alice, bob] = await twoClients()
  const waits: number[] = []
  bob.on('message', () => undefined)
  for (let n = 1; n <= MESSAGES; n++) {
    const since = performance.now()
    const sent = await alice.send(bob.id ?? '', n)
    expect(sent).toMatchObject({ status: 'stored', n })
    expect(await sent.delivered).toBe('delivered')
    waits.push(performance.now() - since)
  }
  // Its library asks by itself only after 45 s.
  expect(median(waits)).toBeLessThan(AT_ONCE_MS)
  const p99 = waits.toSorted((a, b) => a - b)[Math.floor(waits.length * 0.99)] ?? NaN
  process.stdout.write(`told delivered after ${median(waits).toFixed(1)} ms (p50), ${p99.toFixed(1)} ms (p99)\n`)
})

it('who connects to the other server is gone from the one where he was', async () => {
  await twoClients()
  const peer = await connectBySocket(servers[0]!.ws)
  const { id, secret = '' } = await peer.hello({ outbox: 'the-outbox', attempt: 1 })
  let last = peer
  const waits: number[] = []
  for (let attempt = 2; attempt <= 5; attempt++) {
    const next = await connectBySocket(servers[(attempt + 1) % 2]!.ws)
    await next.hello({ id, secret, outbox: 'the-outbox', attempt })
    const since = performance.now()
    const [, reason] = await last.next('close')
    expect(reason).toBe('replaced')
    waits.push(performance.now() - since)
    last = next
  }
  expect(median(waits)).toBeLessThan(AT_ONCE_MS)
  process.stdout.write(`the other server let a client go ${median(waits).toFixed(1)} ms after he was welcome\n`)
  last.hangUp()
})

async function asked(at: number, path: string): Promise<unknown> {
  const response = await fetch(`${servers[at]!.http}/api/${path}`, {
    headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
  })
  return response.json()
}

it('an operator of the one sees the other, who is in a room at which of them, and that the store is away', async () => {
  const patience = { timeout: 30_000 }
  const [alice, bob] = await twoClients()
  const own = await Promise.all([0, 1].map(at => asked(at, 'nodes') as Promise<{ nodes: { node: string }[] }>))
  const [first, second] = own.map(({ nodes }) => nodes[0]?.node)
  const other = { node: second, here: false, sessions: 1, connections: { ws: 1 }, storeUp: true, store: 'redis' }
  await expect
    .poll(() => asked(0, 'nodes'), patience)
    .toMatchObject({ nodes: [{ node: first, here: true, ageMs: 0 }, other], unheard: 0 })
  const lobby = await alice.rooms.join('#lobby')
  await bob.rooms.join('#lobby')
  const members = [
    { id: alice.id, name: '', node: first },
    { id: bob.id, name: '', node: second },
  ].sort((a, b) => ((a.id ?? '') < (b.id ?? '') ? -1 : 1))
  await expect.poll(() => asked(1, 'rooms/lobby/members'), patience).toMatchObject({ members })
  await expect
    .poll(() => asked(0, 'rooms/lobby/members?limit=1'), patience)
    .toMatchObject({ members: members.slice(0, 1) })
  lobby.leave()
  // Then only the store knows, and its roll is read.
  const rest = members.filter(({ id }) => id === bob.id)
  await expect.poll(() => asked(0, 'rooms/lobby/members'), patience).toMatchObject({ members: rest, next: null })
  await redis.stop()
  await expect.poll(() => asked(0, 'nodes'), patience).toMatchObject({ nodes: [{ node: first }], unheard: null })
})

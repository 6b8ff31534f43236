/** A client that replaces its token, at a real server that ends whoever does not. */
import { afterEach, expect, test } from 'vitest'
import { connect, type Client, type Status } from '../../src/client/index.node.ts'
import { startServer, type Server } from '../../src/server.ts'
import { inSeconds, secret, tokenOf } from '../support/issuer.ts'

let server: Server
let client: Client

async function start(token: () => string): Promise<Status[]> {
  const auth = { auth: 'token', jwtSecret: secret, jwtLeeway: 0 } as const
  server = await startServer({ port: 0, tcpPort: 'off', tlsPort: 'off', store: 'memory', logLevel: 'silent', ...auth })
  client = connect(server.ws, { token })
  const states: Status[] = []
  client.on('status', status => states.push(status))
  return states
}

afterEach(async () => {
  await client.close({ flushMs: 0 })
  await server.close()
})

const later = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

test('stays connected, though each of its tokens expires within seconds', async () => {
  const given: number[] = []
  const states = await start(() => {
    given.push(inSeconds(4))
    return tokenOf({ sub: 'ann', exp: inSeconds(4) })
  })
  expect(await client.ready()).toBe('ann')
  const welcomed = Date.now()
  await expect.poll(() => given.length, { timeout: 30_000 }).toBeGreaterThanOrEqual(4)
  // The first token has expired by now, and the second.
  expect(Date.now() - welcomed).toBeGreaterThan(5_000)
  expect(states.map(({ state }) => state)).toEqual(['connected'])
  expect(await client.presence(['ann'])).toEqual({ ann: true })
})

test('is ended when it has no other, and comes back with one when there is one again', async () => {
  let life = 2
  const states = await start(() => {
    if (life === 0) throw new Error('the login server is away')
    return tokenOf({ sub: 'ann', exp: inSeconds(life) })
  })
  const errors: string[] = []
  client.on('error', ({ code, detail }) => errors.push(`${code}: ${detail}`))
  await client.ready()
  life = 0
  await expect.poll(() => states.some(status => status.state === 'waiting'), { timeout: 30_000 }).toBe(true)
  expect(states.find(({ state }) => state === 'waiting')).toMatchObject({ reason: 'unauthorized' })
  await expect.poll(() => client.status, { timeout: 30_000 }).toMatchObject({ state: 'waiting', reason: 'no_token' })
  expect(new Set(errors)).toEqual(new Set(['no_token: the login server is away']))
  life = 600
  await client.ready()
  await later(0)
  expect(client.id).toBe('ann')
})

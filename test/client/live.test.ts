/** The client and the real server, over real sockets. */
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { readIdentity } from '../../src/client/identity.ts'
import {
  connect,
  memoryIdentity,
  type Client,
  type Message,
  type NodeOptions,
  type OpenSocket,
  type Status,
} from '../../src/client/index.node.ts'
import { openNodeSocket } from '../../src/client/sockets.node.ts'
import { startServer, type Server } from '../../src/server.ts'
import { freePort } from '../support/port.ts'

const directory = mkdtempSync(join(tmpdir(), 'ackd-client-'))
const clients: Client[] = []
let server: Server

beforeAll(async () => {
  server = await startServer({ port: 0, dataDir: join(directory, 'data'), logLevel: 'silent' })
})

afterEach(async () => {
  await Promise.all(clients.splice(0).map(client => client.close({ flushMs: 0 })))
})

afterAll(async () => {
  await server.close()
  rmSync(directory, { recursive: true })
})

async function enter(options: NodeOptions = {}): Promise<{ client: Client; id: string }> {
  const client = connect(server.ws, options)
  clients.push(client)
  return { client, id: await client.ready() }
}

function collect(client: Client): Message[] {
  const messages: Message[] = []
  client.on('message', message => void messages.push(message))
  return messages
}

function nextStatus(client: Client, state: Status['state']): Promise<Status> {
  return new Promise(resolve => {
    client.on('status', status => {
      if (status.state === state) resolve(status)
    })
  })
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !condition(); i++) await new Promise(resolve => setTimeout(resolve, 10))
  expect(condition()).toBe(true)
}

describe('send', () => {
  test('reaches a recipient that is there, with every kind of value', async () => {
    const [ann, bob] = [await enter(), await enter()]
    const messages = collect(bob.client)
    const body = { text: 'hällo', bytes: new Uint8Array([0, 255]), big: 2n ** 60n, list: [1, null, true, 1.5] }
    const sent = await ann.client.send(bob.id, body)
    expect(await sent.delivered).toBe('delivered')
    expect(messages.map(({ from, n, body }) => ({ from, n, body }))).toEqual([{ from: ann.id, n: 1, body }])
  })

  test('is stored for one that is away, and delivered when it is back', async () => {
    const dir = join(directory, 'bob')
    const [ann, bob] = [await enter(), await enter({ dir })]
    await bob.client.close()
    const sent = await ann.client.send(bob.id, 'for later')
    expect(sent.status).toBe('stored')
    const back = await enter({ dir })
    expect(back.id).toBe(bob.id)
    const messages = collect(back.client)
    expect(await sent.delivered).toBe('delivered')
    expect(messages).toMatchObject([{ body: 'for later', parked: true }])
  })

  test('keeps the order of a thousand at once', async () => {
    const [ann, bob] = [await enter(), await enter()]
    const messages = collect(bob.client)
    await Promise.all(Array.from({ length: 1_000 }, (_, i) => ann.client.send(bob.id, i)))
    await until(() => messages.length === 1_000)
    expect(messages.map(({ body }) => body)).toEqual(Array.from({ length: 1_000 }, (_, i) => i))
  })

  test('refuses at once what no server could take', async () => {
    const { client, id } = await enter()
    await expect(client.send('no id!', 1)).rejects.toMatchObject({ code: 'bad_id' })
    await expect(client.send(id, () => 1)).rejects.toMatchObject({ code: 'bad_body' })
    await expect(client.send(id, new Uint8Array(2_000_000))).rejects.toMatchObject({ code: 'too_large' })
    await expect(client.send(id, 1, { ttl: -1 })).rejects.toMatchObject({ code: 'bad_number' })
  })

  test('tells that nobody has the address, and the next message still arrives', async () => {
    const [ann, bob] = [await enter(), await enter()]
    await expect(ann.client.send('nobodyhere123456', 1)).rejects.toMatchObject({ code: 'unknown_recipient' })
    collect(bob.client)
    expect(await (await ann.client.send(bob.id, 1)).delivered).toBe('delivered')
  })
})

describe('message', () => {
  test('is tried again when its handler fails, and refused with the reason when it goes on failing', async () => {
    const [ann, bob] = [await enter(), await enter({ handlerPausesMs: [1, 1] })]
    let tries = 0
    bob.client.on('message', () => {
      tries++
      throw new Error('no room for it')
    })
    const ending = ann.client.send(bob.id, 1).then(
      sent => sent.delivered,
      (error: unknown) => String(error),
    )
    expect(await ending).toMatch(/rejected|no room for it/)
    expect(tries).toBe(3)
  })

  test('is not acked while nobody listens', async () => {
    const [ann, bob] = [await enter(), await enter()]
    const sent = ann.client.send(bob.id, 1).then(({ delivered }) => delivered)
    const early = new Promise(resolve => setTimeout(() => resolve('nothing'), 100))
    expect(await Promise.race([sent, early])).toBe('nothing')
    collect(bob.client)
    expect(await sent).toBe('delivered')
  })
})

describe('the connection', () => {
  test('stays away when another of the same identity took over, until it is told to come back', async () => {
    const dir = join(directory, 'carl')
    const first = await enter({ dir })
    await first.client.close()
    const [one, identity] = [
      await enter({ dir }),
      memoryIdentity(readIdentity(readFileSync(join(dir, 'identity.json'), 'utf8'))),
    ]
    const closed = nextStatus(one.client, 'closed')
    const other = await enter({ identity })
    expect(other.id).toBe(one.id)
    expect(await closed).toMatchObject({ state: 'closed', reason: 'replaced', error: { code: 'replaced' } })
    one.client.reconnect()
    expect(await one.client.ready()).toBe(other.id)
  })

  test('comes back when the server does, and sends what was waiting', async () => {
    const options = { dataDir: join(directory, 'restarted'), logLevel: 'silent' } as const
    const before = await startServer({ ...options, port: 0 })
    // The next server is on a port of its own: the first to close a TCP connection keeps its port busy for a while.
    let url = before.ws
    const backoff = { firstMs: 20, maxMs: 50 }
    const openSocket: OpenSocket = (_, events) => openNodeSocket(url, events)
    const ann = connect(before.ws, { backoff, openSocket })
    const bob = connect(before.ws, { backoff, openSocket })
    clients.push(ann, bob)
    const id = await bob.ready()
    await ann.ready()
    const messages = collect(bob)
    const waiting = nextStatus(ann, 'waiting')
    await before.close()
    expect(await waiting).toMatchObject({ reason: 'restart' })
    const sent = ann.send(id, 'while it was away')
    const after = await startServer({ ...options, port: 0 })
    url = after.ws
    expect(await (await sent).delivered).toBe('delivered')
    expect(messages).toMatchObject([{ body: 'while it was away' }])
    await after.close()
  })

  test('answers who is online, passes signals on and changes its secret', async () => {
    const [ann, bob] = [await enter(), await enter()]
    expect(await ann.client.presence([bob.id, 'nobody'])).toEqual({ [bob.id]: true, nobody: false })
    const heard = new Promise(resolve => bob.client.on('signal', resolve))
    expect(ann.client.signal(bob.id, 'typing')).toBe(true)
    expect(await heard).toEqual({ from: ann.id, to: bob.id, body: 'typing' })
    await expect(ann.client.rotateSecret()).resolves.toBeUndefined()
  })
})

describe('a directory', () => {
  test('keeps what was not sent for the next process, and its files from other users', async () => {
    const dir = join(directory, 'dora')
    const bob = await enter()
    const messages = collect(bob.client)
    const first = await enter({ dir })
    await first.client.send(bob.id, 'one')
    const lost = first.client.send(bob.id, 'two').catch(String)
    await first.client.close({ flushMs: 0, bye: false })
    await lost
    const second = await enter({ dir })
    await second.client.send(bob.id, 'three')
    await until(() => messages.length === 3)
    expect(messages.map(({ body }) => body)).toEqual(['one', 'two', 'three'])
    expect(statSync(join(dir, 'identity.json')).mode & 0o777).toBe(0o600)
  })

  test('that is put back as it was before, or has lost its last writes, loses nothing that is sent with it', async () => {
    const [dir, kept] = [join(directory, 'back'), join(directory, 'kept')]
    const [bob, cat] = [await enter(), await enter()]
    const all = [collect(bob.client), collect(cat.client)]
    const send = async (text: string, ...to: string[]): Promise<void> => {
      const { client } = await enter({ dir })
      for (const id of to) await (await client.send(id, text)).delivered
      await client.close()
    }
    await send('before', bob.id)
    cpSync(join(dir, 'journal'), kept)
    await send('meanwhile', bob.id, cat.id)
    cpSync(kept, join(dir, 'journal'))
    await send('after', cat.id, bob.id)
    const texts = all.map(messages => messages.map(({ body }) => body))
    expect(texts).toEqual([
      ['before', 'meanwhile', 'after'],
      ['meanwhile', 'after'],
    ])
  })

  test('has one user at a time', async () => {
    const dir = join(directory, 'emil')
    await enter({ dir })
    expect(() => connect(server.ws, { dir })).toThrow(expect.objectContaining({ code: 'in_use' }))
  })
})

test('close rejects what is open, and everything after it', async () => {
  const nowhere = connect('ws://127.0.0.1:9/ws')
  const open = nowhere.send('somebody', 1)
  const refused = expect(open).rejects.toMatchObject({ code: 'closed' })
  await nowhere.close({ flushMs: 0 })
  await refused
  await expect(nowhere.send('somebody', 1)).rejects.toMatchObject({ code: 'closed' })
  await expect(nowhere.ready()).rejects.toMatchObject({ code: 'closed' })
  await expect(nowhere.rooms.join('#tea')).rejects.toMatchObject({ code: 'closed' })
  await expect(nowhere.presence(['somebody'])).rejects.toMatchObject({ code: 'closed' })
  expect(() => nowhere.reconnect()).toThrow(expect.objectContaining({ code: 'closed' }))
})

test('an outbox that holds a thousand messages takes no more', async () => {
  const nowhere = connect('ws://127.0.0.1:9/ws')
  const open = Array.from({ length: 1_000 }, () => nowhere.send('somebody', 1).catch(() => {}))
  await expect(nowhere.send('somebody', 1)).rejects.toMatchObject({ code: 'outbox_full', retryable: true })
  await nowhere.close({ flushMs: 0 })
  await Promise.all(open)
})

describe('a server that has lost everything', () => {
  test('gives a new address, and what comes to it is shown though its numbers begin anew', async () => {
    const port = await freePort()
    const start = (): Promise<Server> =>
      startServer({ port, tcpPort: 'off', tlsPort: 'off', store: 'memory', logLevel: 'silent' })
    let forgetful = await start()
    const [ann, bob] = [connect(forgetful.ws), connect(forgetful.ws)]
    clients.push(ann, bob)
    const messages = collect(bob)
    for (const word of ['one', 'two']) await ann.send(await bob.ready(), word)
    await until(() => messages.length === 2)
    const before = bob.id
    const renewed = nextStatus(bob, 'connected')
    await forgetful.close()
    forgetful = await start()
    try {
      await renewed
      expect(await bob.ready()).not.toBe(before)
      const sent = await ann.send(await bob.ready(), 'three')
      expect(await sent.delivered).toBe('delivered')
      expect(messages.map(({ body }) => body)).toEqual(['one', 'two', 'three'])
    } finally {
      await Promise.all(clients.splice(0).map(client => client.close({ flushMs: 0 })))
      await forgetful.close()
    }
  })
})

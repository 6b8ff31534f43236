/** Rooms through the client library, on the real server over real sockets. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { connect, type Client, type NodeOptions, type Room } from '../../../src/client/index.node.ts'
import { startServer, type Server } from '../../../src/server.ts'

const directory = mkdtempSync(join(tmpdir(), 'ackd-rooms-'))
const clients: Client[] = []
let server: Server

function serve(port: number): Promise<Server> {
  return startServer({ port, tcpPort: 0, tlsPort: 0, dataDir: join(directory, 'data'), logLevel: 'silent' })
}

/** Ends the server, and starts it again where it was. */
async function restart(): Promise<void> {
  const { port } = new URL(server.ws)
  await server.close()
  server = await serve(Number(port))
}

beforeAll(async () => {
  server = await serve(0)
})

afterEach(async () => {
  await Promise.all(clients.splice(0).map(client => client.close({ flushMs: 0 })))
})

afterAll(async () => {
  await server.close()
  rmSync(directory, { recursive: true })
})

async function enter(options: NodeOptions = {}): Promise<Client> {
  const client = connect(server.ws, { backoff: { firstMs: 20, maxMs: 100 }, ...options })
  clients.push(client)
  await client.ready()
  return client
}

function collect(room: Room): unknown[] {
  const bodies: unknown[] = []
  room.on('message', ({ body }) => void bodies.push(body))
  return bodies
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 2_000 && !condition(); i++) await new Promise(resolve => setTimeout(resolve, 10))
  expect(condition()).toBe(true)
}

test('everybody in the lobby hears what is said there, its speaker too', async () => {
  const [ann, bob] = [await enter({ name: 'Ann' }), await enter({ name: 'Bob' })]
  const lobby = await ann.rooms.join('#lobby')
  const heard = [collect(lobby), collect(await bob.rooms.join('#lobby'))]
  expect((await lobby.send('hello')).status).toBe('stored')
  await until(() => heard.every(bodies => bodies.length === 1))
  expect(heard).toEqual([['hello'], ['hello']])
})

test('who comes and goes is told, once', async () => {
  const [ann, bob] = [await enter({ name: 'Ann' }), await enter({ name: 'Bob' })]
  await ann.rooms.create('#door')
  const door = await ann.rooms.join('#door')
  const events: string[] = []
  door.on('member', ({ event, id, name }) => events.push(`${event} ${name} ${id === bob.id}`))
  const his = await bob.rooms.join('#door')
  await until(() => events.length === 1)
  const { members } = await door.members()
  expect(members.map(({ name }) => name).sort()).toEqual(['Ann', 'Bob'])
  his.leave()
  await until(() => events.length === 2)
  expect(events).toEqual(['join Bob true', 'leave Bob true'])
})

test('what was said while a process was away comes when it is back, after what it had read', async () => {
  const dir = join(directory, 'reader')
  const ann = await enter()
  await ann.rooms.create('#news')
  const news = await ann.rooms.join('#news')
  const reader = await enter({ dir })
  const read = collect(await reader.rooms.join('#news'))
  await news.send(1)
  await until(() => read.length === 1)
  await reader.close()
  for (let i = 2; i <= 300; i++) void news.send(i)
  await news.send(301)
  const again = await enter({ dir })
  const rest = collect(await again.rooms.join('#news'))
  await until(() => rest.length >= 300)
  expect(rest).toEqual(Array.from({ length: 300 }, (_, i) => i + 2))
})

test('what was read is not shown again when neither the process nor the server is the one that it was', async () => {
  const dir = join(directory, 'returning')
  const ann = await enter()
  await ann.rooms.create('#restart')
  const room = await ann.rooms.join('#restart')
  const reader = await enter({ dir })
  const read = collect(await reader.rooms.join('#restart'))
  await room.send(1)
  await room.send(2)
  await until(() => read.length === 2)
  await reader.close()
  await restart()
  const again = await enter({ dir })
  const rest = collect(await again.rooms.join('#restart'))
  await room.send(3)
  await until(() => rest.includes(3))
  expect(rest).toEqual([3])
})

test('a message to a room that was sent without a connection is published when there is one again', async () => {
  const [ann, bob] = [await enter(), await enter()]
  await ann.rooms.create('#again')
  const hers = await ann.rooms.join('#again')
  const heard = collect(await bob.rooms.join('#again'))
  // The server takes a second connection of the same outbox for the newer one, so this one is cut off.
  const lost = new Promise<void>(resolve => {
    const off = ann.on('status', ({ state }) => {
      if (state !== 'waiting') return
      off()
      resolve()
    })
  })
  const { port } = new URL(server.ws)
  await server.close()
  await lost
  const sent = hers.send('still here')
  server = await serve(Number(port))
  expect((await sent).status).toBe('stored')
  await until(() => heard.length === 1)
  expect(heard).toEqual(['still here'])
})

test('a room with a password lets in who knows it', async () => {
  const [ann, bob] = [await enter(), await enter()]
  await ann.rooms.create('#secret', { private: true, password: 'open sesame' })
  await expect(bob.rooms.join('#secret')).rejects.toMatchObject({ code: 'bad_password' })
  await expect(bob.rooms.join('#secret', { password: 'guess' })).rejects.toMatchObject({ code: 'bad_password' })
  const room = await bob.rooms.join('#secret', { password: 'open sesame' })
  expect(room.present).toBe(true)
  expect((await bob.rooms.list()).rooms.map(({ room: name }) => name)).not.toContain('#secret')
})

test('a room that is deleted is left by all', async () => {
  const [ann, bob] = [await enter(), await enter()]
  await ann.rooms.create('#short')
  const his = await bob.rooms.join('#short')
  const left = new Promise(resolve => his.on('left', ({ error }) => resolve(error.code)))
  await expect(bob.rooms.delete('#short')).rejects.toMatchObject({ code: 'forbidden' })
  await ann.rooms.delete('#short')
  expect(await left).toBe('no_such_room')
})

test('history is read both ways', async () => {
  const ann = await enter()
  await ann.rooms.create('#log')
  const log = await ann.rooms.join('#log')
  for (let i = 1; i <= 9; i++) void log.send(i)
  await log.send(10)
  const bodies = async (options: Parameters<Room['history']>[0]): Promise<unknown[]> =>
    (await log.history(options)).messages.map(({ body }) => body)
  expect(await bodies({ limit: 3 })).toEqual([8, 9, 10])
  expect(await bodies({ before: 8, limit: 2 })).toEqual([6, 7])
  expect(await bodies({ after: 2, limit: 2 })).toEqual([3, 4])
})

/** A room as a value that changes, at a real server. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { connect, type Client } from '../../../src/client/index.node.ts'
import { RoomView, viewOf } from '../../../src/client/rooms/view.ts'
import { startServer, type Server } from '../../../src/server.ts'

let server: Server
let ann: Client
let bob: Client
let room = ''
let rooms = 0

beforeAll(async () => {
  server = await startServer({ port: 0, tcpPort: 'off', tlsPort: 'off', store: 'memory', logLevel: 'silent' })
})

beforeEach(async () => {
  ann = connect(server.ws)
  bob = connect(server.ws)
  await Promise.all([ann.ready(), bob.ready()])
  room = `#room-${++rooms}`
  await bob.rooms.create(room)
})

afterEach(async () => {
  await Promise.all([ann.close({ flushMs: 0 }), bob.close({ flushMs: 0 })])
})

afterAll(async () => {
  await server.close()
})

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 2_000 && !condition(); i++) await new Promise(resolve => setTimeout(resolve, 5))
  expect(condition(), condition.toString()).toBe(true)
}

const bodies = (view: RoomView): unknown[] => view.snapshot().messages.map(({ body }) => body)

test('shows the end of the past and then what comes, each message once and in order', async () => {
  const bobs = await bob.rooms.join(room)
  for (let i = 0; i < 5; i++) await bobs.send(i)
  const view = new RoomView(ann, room, { history: 3, keep: 4 })
  let changes = 0
  const end = view.subscribe(() => changes++)
  await until(() => view.snapshot().messages.length === 3)
  await bobs.send(5)
  await until(() => bodies(view).includes(5))
  await bobs.send(6)
  await until(() => bodies(view).includes(6))
  expect(bodies(view)).toEqual([3, 4, 5, 6])
  expect(view.snapshot()).toMatchObject({ present: true, behind: 0, error: null })
  expect(view.snapshot()).toBe(view.snapshot())
  expect(changes).toBeGreaterThan(3)
  end()
})

test('is entered with the first who looks and left with the last', async () => {
  const bobs = await bob.rooms.join(room)
  const view = new RoomView(ann, room)
  const ends = [view.subscribe(() => {}), view.subscribe(() => {})]
  await until(() => view.snapshot().present)
  const members = async (): Promise<number> => (await bobs.members()).members.length
  expect(await members()).toBe(2)
  ends[0]?.()
  await new Promise(resolve => setTimeout(resolve, 20))
  expect(view.snapshot().present).toBe(true)
  ends[1]?.()
  const again = view.subscribe(() => {})
  await new Promise(resolve => setTimeout(resolve, 20))
  expect(view.snapshot().present).toBe(true)
  again()
  await until(() => !view.snapshot().present)
  await expect.poll(members).toBe(1)
})

test('says why there is no room', async () => {
  const view = new RoomView(ann, '#nowhere')
  const end = view.subscribe(() => {})
  await until(() => view.snapshot().error !== null)
  expect(view.snapshot()).toMatchObject({ room: null, present: false, error: { code: 'no_such_room' } })
  end()
})

test('is one for all who ask for it', () => {
  expect(viewOf(ann, room, {})).toBe(viewOf(ann, room, { keep: 1 }))
  expect(viewOf(ann, room, {})).not.toBe(viewOf(bob, room, {}))
})

/** How a client enters rooms, comes back to them and is sent away, on a clock that is turned by hand. */
import { beforeEach, describe, expect, test } from 'vitest'
import {
  connect,
  memoryIdentity,
  type Client,
  type Keeper,
  type Room,
  type RoomEvents,
} from '../../../src/client/index.ts'
import type { RoomCursor } from '../../../src/client/rooms/feed.ts'
import { encodeBody } from '../../../src/protocol/values.ts'
import { connectedBy, pass, turnClockByHand } from '../turned-clock.ts'
import { Network } from '../wire.ts'

let network: Network
let client: Client
/** What the keeper was told of rooms. */
let kept: RoomCursor[]

turnClockByHand(() => client)

function keeper(rooms: readonly RoomCursor[]): Keeper {
  return {
    identity: memoryIdentity(),
    outbox: null,
    cursors: [],
    rooms,
    attach: () => {},
    changed: () => {},
    recorded: () => {},
    roomRecorded: cursor => void kept.push(cursor),
    commit: () => undefined,
    close: () => {},
  }
}

const connected = (): Promise<void> => connectedBy(network)

async function reconnected(): Promise<void> {
  network.last.drop()
  await pass(250)
  await connected()
}

/** A message as it stands in a page of history. */
function line(offset: number): unknown[] {
  return [offset, 'bob', 'bobsbox1', offset, 5, `m${offset}`]
}

function say(offset: number, n = offset): void {
  network.last.say(frames => frames.room('#tea', offset, 'bob', 'bobsbox1', n, 5, encodeBody(`m${offset}`, false)))
}

async function answer(value: unknown): Promise<void> {
  network.last.answer(value)
  await pass(1)
}

/** In the room, whose log ends at that offset. */
async function entered(offset = 0): Promise<Room> {
  const joining = client.rooms.join('#tea')
  await pass()
  await answer({ offset, epoch: 'e', recovered: true, members: 1 })
  return joining
}

function collect(room: Room): unknown[] {
  const bodies: unknown[] = []
  room.on('message', ({ body }) => void bodies.push(body))
  return bodies
}

function note<Name extends keyof RoomEvents>(room: Room, name: Name): RoomEvents[Name][] {
  const events: RoomEvents[Name][] = []
  room.on(name, event => void events.push(event))
  return events
}

function start(rooms: readonly RoomCursor[] = []): void {
  client = connect('ws://there/ws', { openSocket: network.openSocket, keeper: keeper(rooms), handlerPausesMs: [10] })
}

async function started(): Promise<void> {
  start()
  await connected()
}

beforeEach(() => {
  network = new Network()
  kept = []
})

describe('entering a room', () => {
  test('resolves when the server has let the client in, and is written before what is sent there', async () => {
    start()
    const joining = client.rooms.join('#tea', { password: 'milk' })
    void client.send('#tea', 'hello').catch(() => {})
    await connected()
    expect(network.last.heard).toEqual(['join #tea', 'send #tea 1'])
    expect(network.last.joins).toEqual([{ password: 'milk', epochs: true }])
    await answer({ offset: 7, epoch: 'e', recovered: true, members: 2 })
    const room = await joining
    expect([room.name, room.present, room.offset]).toEqual(['#tea', true, 7])
    expect(await client.rooms.join('#tea')).toBe(room)
  })

  test('rejects when the server refuses for good', async () => {
    await started()
    const joining = client.rooms.join('#tea')
    const refused = expect(joining).rejects.toMatchObject({ code: 'bad_password' })
    await pass()
    network.last.refuse('bad_password')
    await pass()
    await refused
    await expect(client.rooms.join('tea')).rejects.toMatchObject({ code: 'bad_id' })
  })

  test('is tried again when it is refused for now', async () => {
    await started()
    const joining = client.rooms.join('#tea')
    await pass()
    network.last.refuse('unavailable')
    await pass(499)
    expect(network.last.heard).toEqual(['join #tea'])
    await pass(2)
    expect(network.last.heard).toEqual(['join #tea', 'join #tea'])
    await answer({ offset: 0, epoch: 'e', recovered: true, members: 1 })
    expect((await joining).present).toBe(true)
  })

  test('can begin behind an offset', async () => {
    await started()
    client.rooms.join('#tea', { since: 0 }).catch(() => {})
    await pass()
    expect(network.last.joins).toEqual([{ since: 0, epochs: true }])
  })

  test('goes on where an earlier process had read', async () => {
    start([{ room: '#tea', epoch: 'e', offset: 3, time: 1 }])
    await connected()
    const joining = client.rooms.join('#tea')
    await pass()
    expect(network.last.joins).toEqual([{ since: 3, epoch: 'e', epochs: true }])
    say(4)
    await answer({ offset: 4, epoch: 'e', recovered: true, members: 1 })
    const bodies = collect(await joining)
    await pass(1)
    expect(bodies).toEqual(['m4'])
    expect(kept.at(-1)).toMatchObject({ room: '#tea', epoch: 'e', offset: 4 })
  })
})

describe('being in a room', () => {
  test('hands over what is said, one at a time and in order', async () => {
    await started()
    const room = await entered()
    const order: string[] = []
    room.on('message', async ({ offset }) => {
      order.push(`begin ${offset}`)
      await new Promise(resolve => setTimeout(resolve, 5))
      order.push(`end ${offset}`)
    })
    say(1)
    say(2)
    await pass(20)
    expect(order).toEqual(['begin 1', 'end 1', 'begin 2', 'end 2'])
    expect([room.offset, room.behind]).toEqual([2, 0])
  })

  test('tries a handler that fails again, then passes over the message and says so', async () => {
    await started()
    const room = await entered()
    const errors: string[] = []
    client.on('error', error => errors.push(error.code))
    const tries: number[] = []
    room.on('message', ({ offset }) => {
      tries.push(offset)
      if (offset === 1) throw new Error('on purpose')
    })
    say(1)
    say(2)
    await pass(50)
    expect(tries).toEqual([1, 1, 2])
    expect(errors).toEqual(['handler_failed', 'handler_failed'])
    expect(room.offset).toBe(2)
  })

  test('fetches what was missed', async () => {
    await started()
    const room = await entered()
    const bodies = collect(room)
    say(3)
    await pass(1)
    expect(network.last.heard.at(-1)).toBe('history #tea after 0')
    await answer({ messages: [line(1), line(2), line(3)], epoch: 'e' })
    expect(bodies).toEqual(['m1', 'm2', 'm3'])
  })

  test('tells what the room has not kept, and when it is another one', async () => {
    await started()
    const room = await entered()
    const gaps = note(room, 'gap')
    const lost = note(room, 'lost')
    collect(room)
    say(3)
    await pass(1)
    await answer({ messages: [], epoch: 'e' })
    expect(gaps).toEqual([{ room: '#tea', first: 1, last: 3 }])
    await reconnected()
    await answer({ offset: 0, epoch: 'f', recovered: false, members: 1 })
    expect(lost).toEqual([{ room: '#tea' }])
  })

  test('joins again behind what it has seen when its log has another epoch', async () => {
    await started()
    const room = await entered()
    const told = [note(room, 'gap'), note(room, 'lost')]
    const shown = collect(room)
    say(1)
    say(3)
    await pass(1)
    await answer({ messages: [line(2)], epoch: 'f' })
    expect(network.last.joins.at(-1)).toEqual({ since: 3, epoch: 'e', epochs: true })
    await answer({ offset: 3, epoch: 'f', recovered: true, members: 1 })
    await answer({ messages: [line(2), line(3)], epoch: 'f' })
    expect([shown.length, ...told]).toEqual([3, [], []])
  })

  test('tells who comes and goes', async () => {
    await started()
    const room = await entered()
    const members = note(room, 'member')
    network.last.say(frames => {
      frames.members('#tea', 'join', 'carol', 'Carol')
      frames.members('#tea', 'leave', 'carol', 'Carol')
      frames.members('#elsewhere', 'join', 'dave', '')
    })
    expect(members).toEqual([
      { event: 'join', id: 'carol', name: 'Carol' },
      { event: 'leave', id: 'carol', name: 'Carol' },
    ])
  })

  test('asks who is there', async () => {
    await started()
    const room = await entered()
    const asking = room.members({ limit: 2 })
    await pass()
    await answer({
      members: [
        ['carol', 'Carol'],
        ['me', ''],
      ],
      next: 'me',
    })
    expect(await asking).toEqual({
      members: [
        { id: 'carol', name: 'Carol' },
        { id: 'me', name: '' },
      ],
      next: 'me',
    })
  })

  test('goes on where it is when its log goes on under another epoch', async () => {
    await started()
    const room = await entered(5)
    const lost = note(room, 'lost')
    const bodies = collect(room)
    say(6)
    network.last.say(frames => frames.reply('join #tea', { offset: 6, epoch: 'e.2', recovered: true, members: 1 }))
    say(7)
    await pass(1)
    await reconnected()
    expect(network.last.joins).toEqual([{ since: 7, epoch: 'e.2', epochs: true }])
    expect([bodies, lost]).toEqual([['m6', 'm7'], []])
  })

  test('knows of which epoch it is what it is given on its way in, also when the reply never comes', async () => {
    await started()
    const room = await entered(5)
    const bodies = collect(room)
    const [lost, joined] = [note(room, 'lost'), note(room, 'joined')]
    await reconnected()
    network.last.say(frames => frames.reply('join #tea', { offset: 5, epoch: 'e.2', recovered: true }))
    say(6)
    await pass(1)
    expect([room.present, joined]).toEqual([false, []])
    expect(kept.at(-1)).toMatchObject({ epoch: 'e.2', offset: 6 })
    network.last.drop()
    await pass(1_000)
    await connected()
    expect(network.last.joins).toEqual([{ since: 6, epoch: 'e.2', epochs: true }])
    await answer({ offset: 6, epoch: 'e.3', recovered: true, members: 1 })
    expect([bodies, lost, room.present]).toEqual([['m6'], [], true])
  })

  test('outlives the connection', async () => {
    await started()
    const room = await entered(5)
    const bodies = collect(room)
    say(6)
    await pass(1)
    await reconnected()
    expect(room.present).toBe(false)
    expect(network.last.joins).toEqual([{ since: 6, epoch: 'e', epochs: true }])
    say(7)
    await answer({ offset: 7, epoch: 'e', recovered: true, members: 1 })
    expect(bodies).toEqual(['m6', 'm7'])
    expect(room.present).toBe(true)
  })
})

describe('leaving a room', () => {
  test('tells the server, and forgets how far it was read', async () => {
    await started()
    const room = await entered()
    const bodies = collect(room)
    room.leave()
    await pass(1)
    expect(network.last.heard.at(-1)).toBe('leave #tea')
    say(1)
    await answer(null)
    expect(bodies).toEqual([])
    expect(kept.at(-1)).toMatchObject({ room: '#tea', offset: -1 })
    await reconnected()
    expect(network.last.heard).toEqual([])
  })

  test('is not the end when the server sends the client away from a room that is there again', async () => {
    await started()
    const room = await entered()
    network.last.say(frames => frames.members('#tea', 'leave', 'me', ''))
    await pass()
    expect([room.present, network.last.heard.at(-1)]).toEqual([false, 'join #tea'])
    await answer({ offset: 0, epoch: 'f', recovered: false, members: 1 })
    expect(room.present).toBe(true)
  })

  test('is the end when there is no such room any more', async () => {
    await started()
    const room = await entered()
    const left = note(room, 'left')
    network.last.say(frames => frames.members('#tea', 'leave', 'me', ''))
    await pass()
    network.last.refuse('no_such_room')
    await pass()
    expect(left).toMatchObject([{ room: '#tea', error: { code: 'no_such_room' } }])
    const again = client.rooms.join('#tea')
    await pass()
    await answer({ offset: 0, epoch: 'f', recovered: true, members: 1 })
    expect(await again).not.toBe(room)
  })
})

test('rooms are made, listed and deleted', async () => {
  start()
  await connected()
  const made = client.rooms.create('#tea', { history: 10 })
  await pass()
  await answer(null)
  await made
  const listed = client.rooms.list()
  await pass()
  await answer({ rooms: [{ room: '#tea', members: 3, locked: true }], next: null })
  expect(await listed).toEqual({ rooms: [{ room: '#tea', members: 3, locked: true }], next: null })
  const gone = client.rooms.delete('#tea')
  const refused = expect(gone).rejects.toMatchObject({ code: 'forbidden' })
  await pass()
  network.last.refuse('forbidden')
  await pass()
  await refused
  expect(network.last.heard).toEqual(['create #tea', 'rooms', 'delete #tea'])
})

/** What becomes of messages to a room when that may be another one by now. */
import { beforeEach, describe, expect, test } from 'vitest'
import { connect, type Client, type Room } from '../../../src/client/index.ts'
import { RoomView } from '../../../src/client/rooms/view.ts'
import { encodeBody } from '../../../src/protocol/values.ts'
import { connectedBy, pass, turnClockByHand } from '../turned-clock.ts'
import { Network } from '../wire.ts'

let network: Network
let client: Client

turnClockByHand(() => client)

async function started(): Promise<void> {
  client = connect('ws://there/ws', { openSocket: network.openSocket })
  await connectedBy(network)
}

async function reconnected(): Promise<void> {
  network.last.drop()
  await pass(250)
  await connectedBy(network)
}

async function answer(value: unknown): Promise<void> {
  network.last.answer(value)
  await pass(1)
}

async function entered(): Promise<Room> {
  const joining = client.rooms.join('#tea')
  await pass()
  await answer({ offset: 0, epoch: 'e', recovered: true, members: 1 })
  return joining
}

beforeEach(() => {
  network = new Network()
})

describe('a room', () => {
  test('that was deleted is forgotten with all that was said there', async () => {
    await started()
    const room = await entered()
    const sending = room.send('for those who are here')
    await pass(1)
    network.last.say(frames => {
      frames.stored('#tea', 1)
      frames.members('#tea', 'leave', 'me', '')
    })
    await pass(1)
    network.last.refuse('no_such_room')
    await pass(1)
    expect((await sending).status).toBe('stored')
    await entered()
    await reconnected()
    expect(network.last.heard).toEqual(['join #tea'])
  })

  test('is sent nothing until the join says that it is still the one before, and then all of it', async () => {
    await started()
    const room = await entered()
    await reconnected()
    const sending = room.send('for those who are here')
    await pass(1)
    expect(network.last.heard).toEqual(['join #tea'])
    await answer({ offset: 0, epoch: 'e.2', recovered: true, members: 1 })
    expect(network.last.heard).toEqual(['join #tea', 'send #tea 1'])
    network.last.say(frames => frames.stored('#tea', 1))
    expect((await sending).status).toBe('stored')
  })

  test('that is another one is not sent what was for those in the one before', async () => {
    await started()
    const room = await entered()
    const stored = room.send('for those who are here')
    await pass(1)
    network.last.say(frames => frames.stored('#tea', 1))
    await stored
    await reconnected()
    const sending = room.send('for them, too')
    sending.catch(() => {})
    await pass(1)
    await answer({ offset: 0, epoch: 'f', recovered: false, members: 1 })
    await expect(sending).rejects.toMatchObject({ code: 'not_joined' })
    network.last.say(frames => frames.reply('sync #tea', { last: 0, delivered: 0 }))
    void room.send('for the others').catch(() => {})
    await pass(1)
    expect(network.last.heard).toEqual(['join #tea', 'sync #tea', 'send #tea 3'])
  })

  test('that lets nobody in any more is sent to again, so that the server says why not', async () => {
    await started()
    const room = await entered()
    await reconnected()
    const sending = room.send('for those who are here')
    await pass(1)
    network.last.refuse('forbidden')
    await pass(1)
    expect(network.last.heard).toEqual(['join #tea', 'send #tea 1'])
    network.last.say(frames => frames.failed('#tea', 1, 'not_joined'))
    await expect(sending).rejects.toMatchObject({ code: 'not_joined' })
  })

  test('that was left and is entered again is offered nothing if it is another one by then', async () => {
    await started()
    const room = await entered()
    const stored = room.send('for those who are here')
    await pass(1)
    network.last.say(frames => frames.stored('#tea', 1))
    await stored
    room.leave()
    await pass(1)
    await answer(null)
    const again = client.rooms.join('#tea')
    await pass()
    await answer({ offset: 0, epoch: 'f', recovered: true, members: 1 })
    await again
    await reconnected()
    expect(network.last.heard).toEqual(['join #tea'])
  })
})

test('a view of a room that is another one by now shows what is said in that, and nothing of the one before', async () => {
  await started()
  const view = new RoomView(client, '#tea', { keep: 2 })
  const end = view.subscribe(() => {})
  const bodies = (): unknown[] => view.snapshot().messages.map(({ body }) => body)
  const page = (...offsets: readonly number[]): unknown => ({
    messages: offsets.map(offset => [offset, 'bob', 'bobsbox1', offset, 5, `m${offset}`]),
    epoch: 'e',
  })
  await pass()
  await answer({ offset: 9, epoch: 'e', recovered: true, members: 2 })
  await answer(page(8, 9))
  expect(bodies()).toEqual(['m8', 'm9'])
  await reconnected()
  await answer({ offset: 1, epoch: 'f', recovered: false, members: 2 })
  const told = { messages: [[1, 'cat', 'catsbox1', 1, 6, 'to the others']], epoch: 'f' }
  while (network.last.refs.length > 0) await answer(told)
  expect(bodies()).toEqual(['to the others'])
  network.last.say(frames => frames.room('#tea', 2, 'cat', 'catsbox1', 2, 7, encodeBody('and more', false)))
  await pass(1)
  expect(bodies()).toEqual(['to the others', 'and more'])
  end()
})

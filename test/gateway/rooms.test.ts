/** Rooms through a whole gateway: frames in, frames out, real passwords. */
import { afterEach, describe, expect, test } from 'vitest'
import { MemoryStore } from '../../src/store/memory.ts'
import { House } from './house.ts'
import type { Peer } from './peer.ts'

let house: House
afterEach(() => house.close())

async function enter(peer: Peer, room: string, options: { since?: number; password?: string } = {}): Promise<unknown> {
  peer.say(frames => frames.join('join', room, options))
  const [, , reply] = await peer.next('reply')
  return reply
}

describe('rooms', () => {
  test.each([false, true])('carry messages to all members, in either encoding (first speaker text: %s)', async text => {
    house = new House()
    const [alice, bob] = [house.connect(text), house.connect(!text)]
    const { id } = await alice.hello({ outbox: 'alicesbox' })
    await bob.hello({ outbox: 'bobsoutbox' })
    expect(await enter(alice, '#lobby')).toMatchObject({ offset: 0, recovered: false, members: 1 })
    expect(await enter(bob, '#lobby')).toMatchObject({ offset: 0, members: 2 })
    const value = { text: 'hé', bytes: Uint8Array.of(1, 2) }
    alice.say(frames => frames.send(1, 1, '#lobby', 0, alice.body(value)))
    for (const peer of [alice, bob]) {
      expect(await peer.next('room')).toEqual([...['room', '#lobby', 1, id, 'alicesbox', 1], expect.any(Number), value])
    }
    expect(await alice.next('stored')).toEqual(['stored', '#lobby', 1])
    bob.say(frames => frames.history('history', '#lobby', {}))
    const [, , page] = await bob.next('reply')
    expect(page).toMatchObject({ messages: [[1, id, 'alicesbox', 1, expect.any(Number), value]], first: 1, last: 1 })
    bob.say(frames => frames.members('members', '#lobby', {}))
    const [, , members] = await bob.next('reply')
    expect(members).toMatchObject({ members: expect.arrayContaining([[id, '']]) as unknown, next: null })
  })

  test('have passwords, of which the store sees argon2id', async () => {
    const store = new MemoryStore()
    house = new House({}, store)
    const [alice, bob] = [house.connect(), house.connect()]
    await alice.hello()
    await bob.hello()
    alice.say(frames => frames.create('create', '#den', { password: 'open, sesame', private: true }))
    expect(await alice.next('reply')).toEqual(['reply', 'create', null])
    expect((await store.rooms.find('#den'))?.password).toMatch(/^\$argon2id\$/)
    bob.say(frames => frames.join('join', '#den', { password: 'open, melon' }))
    expect((await bob.next('error')).slice(1, 3)).toEqual(['join', 'bad_password'])
    expect(await enter(bob, '#den', { password: 'open, sesame' })).toMatchObject({ members: 1 })
    bob.say(frames => frames.rooms('rooms', {}))
    const [, , listed] = await bob.next('reply')
    expect(listed).toMatchObject({ rooms: [{ room: '#lobby', locked: false }], next: null })
  })

  test('take what was sent together with the hello and the join', async () => {
    house = new House()
    const alice = house.connect()
    alice.say(frames => {
      frames.hello({ v: 1, outbox: 'alicesbox', name: '  Alice\n' })
      frames.join('join', '#lobby', {})
      frames.send(1, 1, '#lobby', 0, alice.body('hi'))
    })
    expect((await alice.next('reply'))[2]).toMatchObject({ offset: 0 })
    expect((await alice.next('members')).slice(2)).toEqual(['join', expect.any(String), 'Alice'])
    expect(await alice.next('stored')).toEqual(['stored', '#lobby', 1])
  })

  test('end with their rooms', async () => {
    house = new House()
    const [alice, bob] = [house.connect(), house.connect()]
    const { id } = await alice.hello()
    await bob.hello()
    alice.say(frames => frames.create('create', '#tea', {}))
    await alice.next('reply')
    await enter(alice, '#tea')
    await enter(bob, '#tea')
    bob.say(frames => frames.leave('leave', '#tea'))
    await bob.next('reply')
    expect((await alice.next('members')).slice(1, 3)).toEqual(['#tea', 'join'])
    await enter(bob, '#tea')
    alice.say(frames => frames.delete('delete', '#tea'))
    expect(await alice.next('reply')).toEqual(['reply', 'delete', null])
    expect((await alice.next('members')).slice(1)).toEqual(['#tea', 'leave', id, ''])
    bob.say(frames => frames.join('join', '#tea', {}))
    expect((await bob.next('error')).slice(1, 3)).toEqual(['join', 'no_such_room'])
  })

  test('answer when the store does not', async () => {
    const store = new MemoryStore()
    const broken = (): Promise<never> => Promise.reject(new Error('away'))
    Object.assign(store, { rooms: { ...store.rooms, find: broken, list: broken, create: broken } })
    house = new House({}, store)
    const alice = house.connect()
    await alice.hello()
    alice.say(frames => {
      frames.join(1, '#tea', {})
      frames.rooms(2, {})
      frames.create(3, '#tea', {})
      frames.create(4, '#tea', { password: 'open, sesame' })
      frames.delete(5, '#tea')
    })
    const codes = new Map<unknown, unknown>()
    for (let i = 0; i < 5; i++) {
      const [, ref, code] = await alice.next('error')
      codes.set(ref, code)
    }
    expect([...codes.keys()].toSorted()).toEqual([1, 2, 3, 4, 5])
    expect(new Set(codes.values())).toEqual(new Set(['unavailable']))
  })
})

/** Messages that are posted over HTTP, and mailboxes that are discarded, on real servers over each store that keeps something. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Options } from '../../src/options.ts'
import { RedisServer } from '../support/redis.ts'
import { ApiCaller, refusedWith, type Answered } from './api-caller.ts'
import { connectBySocket } from './peer.ts'

interface Posted {
  readonly n: number
  readonly outbox: string
  readonly receipt: string
  readonly repeated: boolean
}

function describeMessages(name: string, open: () => Promise<Partial<Options>>): void {
  describe(`messages posted over HTTP, on ${name}`, () => {
    const callers: ApiCaller[] = []
    let options: Partial<Options> = {}

    beforeAll(async () => {
      options = await open()
    })

    afterEach(async () => {
      for (const caller of callers.splice(0)) await caller.close()
    })

    async function start(): Promise<ApiCaller> {
      const caller = await ApiCaller.start(options)
      callers.push(caller)
      return caller
    }

    const post = (api: ApiCaller, body: object, key = ''): Promise<Answered> =>
      api.ask('/api/messages', { method: 'POST', body, headers: key === '' ? {} : { 'idempotency-key': key } })

    it('reach whoever is there at once, and whoever is not when he comes, in order', async () => {
      const api = await start()
      const bob = await connectBySocket(api.server.ws)
      const { id, secret = '' } = await bob.hello()
      const answer = await post(api, { to: id, body: { $bin: 'AAEC' } })
      expect([answer.status, answer.value]).toMatchObject([
        201,
        { to: id, from: 'ackd:api', n: 1, receipt: 'stored', offset: null },
      ])
      const [, seq, from, outbox, n, , , body] = await bob.next('message')
      expect([from, outbox, n, body]).toEqual(['ackd:api', (answer.value as Posted).outbox, 1, Uint8Array.of(0, 1, 2)])
      bob.say(frames => frames.ack(Number(seq)))
      bob.hangUp()
      await bob.end()
      for (let i = 2; i <= 5; i++) expect((await post(api, { to: id, body: i })).value).toMatchObject({ n: i })
      const again = await connectBySocket(api.server.ws, true)
      await again.hello({ id, secret })
      const bodies: unknown[] = []
      while (bodies.at(-1) !== 5) bodies.push((await again.next('message'))[7])
      expect(bodies.filter(body => typeof body === 'number')).toEqual([2, 3, 4, 5])
    })

    it('are posted once under a key, also by a server that was started anew, and say what became of it', async () => {
      let api = await start()
      const bob = await connectBySocket(api.server.ws)
      const { id } = await bob.hello()
      const first = await post(api, { to: id, body: 'pay' }, 'order-1')
      const second = await post(api, { to: id, body: 'pay' }, 'order-1')
      expect([first.status, second.status]).toEqual([201, 200])
      expect(second.value).toMatchObject({ n: (first.value as Posted).n, repeated: true })
      const [, seq] = await bob.next('message')
      bob.say(frames => frames.ack(Number(seq)))
      // The ack is with the store before the connection ends.
      bob.say(frames => frames.bye())
      await bob.end()
      await callers.pop()?.close()
      api = await start()
      const third = await post(api, { to: id, body: 'pay' }, 'order-1')
      expect([third.status, third.value]).toMatchObject([200, { receipt: 'delivered', repeated: true }])
      expect(refusedWith(await post(api, { to: id, body: 'pay twice' }, 'order-1'))).toMatch(/^409 conflict/)
      expect((await api.ask(`/api/clients/${id}/mailbox`)).value).toEqual({ messages: [], next: null })
    })

    it('reach a room: its log first, then whoever is in it, once under a key', async () => {
      const api = await start()
      const alice = await connectBySocket(api.server.ws)
      await alice.hello({ outbox: 'alicesbox' })
      const room = '#posts'
      alice.say(frames => frames.create(1, room, {}))
      await alice.next('reply')
      alice.say(frames => frames.join(2, room, {}))
      await alice.next('reply')
      await alice.next('members')
      expect((await post(api, { to: room, body: 'first' })).value).toMatchObject({ n: 1, offset: 1, receipt: 'stored' })
      expect((await alice.next('room')).slice(1, 4)).toEqual([room, 1, 'ackd:api'])
      const keyed = await post(api, { to: room, body: 'second' }, 'a-key')
      const again = await post(api, { to: room, body: 'second' }, 'a-key')
      expect([keyed.value, again.value]).toMatchObject([{ offset: 2 }, { offset: null, repeated: true }])
      expect((await post(api, { to: room, body: 'third' })).value).toMatchObject({ n: 3, offset: 3 })
      expect((await alice.next('room'))[7]).toBe('second')
      expect((await alice.next('room'))[7]).toBe('third')
      const path = `/api/rooms/${room.slice(1)}`
      const seen = (await api.ask(path)).value
      expect(seen).toMatchObject({ room, members: 1, last: 3, private: false, locked: false })
      expect((await api.ask('/api/rooms')).value).toMatchObject({
        rooms: expect.arrayContaining([expect.objectContaining({ room })]) as unknown,
      })
      expect((await api.ask(`/api/rooms/${encodeURIComponent(room)}`, { method: 'DELETE' })).status).toBe(204)
      expect((await alice.next('members')).slice(1, 3)).toEqual([room, 'leave'])
      expect(refusedWith(await api.ask(path, { method: 'DELETE' }))).toMatch(/^404 no_such_room/)
      expect(refusedWith(await post(api, { to: room, body: 'fourth' }))).toMatch(/^404 no_such_room/)
    })

    it('that nobody can get are refused, and so is what is no message', async () => {
      const api = await start()
      expect(refusedWith(await post(api, { to: 'nobody', body: 1 }))).toMatch(/^404 unknown_recipient/)
      expect(refusedWith(await post(api, { to: '#nowhere', body: 1 }))).toMatch(/^404 no_such_room/)
      expect(refusedWith(await post(api, { to: 'ackd:api', body: 1 }))).toMatch(/^404 unknown_recipient/)
      for (const [body, said] of [
        [{ body: 1 }, 'body.to: name a client'],
        [{ to: 'two words', body: 1 }, 'body.to: name a client'],
        [{ to: 'bob' }, 'body.body: '],
        [{ to: 'bob', body: 1, ttl: 0 }, 'body.ttl: give a positive number of seconds'],
        [{ to: 'bob', body: 1, tll: 1 }, 'tll'],
        [{ to: 'bob', body: JSON.parse('['.repeat(17) + ']'.repeat(17)) as unknown }, 'body.body: '],
      ] as const) {
        const refused = refusedWith(await post(api, body))
        expect(refused).toMatch(/^400 bad_request/)
        expect(refused).toContain(said)
      }
      expect(refusedWith(await post(api, { to: 'bob', body: 1 }, 'x'.repeat(256)))).toMatch(/^400 .*Idempotency-Key/)
      const large = await post(api, { to: 'bob', body: 'x'.repeat(1024 * 1024) })
      expect(refusedWith(large)).toMatch(/^413 too_large/)
    })

    it('and others are discarded from a mailbox: their senders are told, and their numbers are not missed', async () => {
      const api = await start()
      const [alice, bob] = [await connectBySocket(api.server.ws), await connectBySocket(api.server.ws)]
      await alice.hello({ outbox: 'alicesbox' })
      const { id, secret = '' } = await bob.hello()
      bob.hangUp()
      await vi.waitFor(async () => {
        expect((await api.ask(`/api/clients/${id}`)).value).toMatchObject({ node: null })
      }, 10_000)
      alice.say(frames => {
        for (const n of [1, 2]) frames.send(n, 1, id, 0, alice.body(`unwanted ${n}`))
      })
      while ((await alice.next('stored'))[2] !== 2);
      const { outbox } = (await post(api, { to: id, body: 'unwanted too' }, 'a-key')).value as Posted
      const discarded = await api.ask(`/api/clients/${id}/mailbox`, { method: 'DELETE' })
      expect([discarded.status, discarded.value]).toEqual([200, { discarded: 3 }])
      const told = [await alice.next('ended'), await alice.next('ended')]
      expect(told).toEqual([1, 2].map(n => ['ended', 'expired', id, n, 'discarded by an operator']))
      expect((await post(api, { to: id, body: 'unwanted too' }, 'a-key')).value).toMatchObject({ receipt: 'expired' })
      alice.say(frames => frames.send(3, 3, id, 0, alice.body('wanted')))
      await alice.next('stored')
      const again = await connectBySocket(api.server.ws)
      await again.hello({ id, secret })
      const voids = [await again.next('void'), await again.next('void'), await again.next('void')]
      expect(voids.map(([, , , box, n, reason]) => [box, n, reason])).toEqual([
        ['alicesbox', 1, 'expired'],
        ['alicesbox', 2, 'expired'],
        [outbox, 1, 'expired'],
      ])
      expect((await again.next('message')).slice(3, 5)).toEqual(['alicesbox', 3])
      expect((await api.ask('/api/clients/nobody/mailbox', { method: 'DELETE' })).status).toBe(404)
    })
  })
}

const directory = mkdtempSync(join(tmpdir(), 'ackd-api-'))
let redis: RedisServer | null = null

afterAll(async () => {
  rmSync(directory, { recursive: true })
  await redis?.stop()
})

describeMessages('lmdb', () => Promise.resolve({ store: 'lmdb', dataDir: directory }))
describeMessages('redis', async () => {
  redis = await RedisServer.start()
  return { store: 'lmdb', redisUrl: redis.url }
})

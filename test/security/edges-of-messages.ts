/** What a limit of messages, of what they are kept in, and of requests does at its edge. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { MemoryStore } from '../../src/store/memory.ts'
import { defaultStoreLimits } from '../../src/store/store.ts'
import { bindRequest } from '../store/support.ts'
import { absent, alices, enter, places, send, start } from './stage.ts'

/** Of one limit or two that belong together. */
export const messageEdges: Record<string, () => Promise<void>> = {
  ackTimeout: async () => {
    await start({ ackTimeout: 1_000 })
    const [alice, bob] = [await enter(alices), await enter()]
    const sent = performance.now()
    send(alice, bob.id, 1)
    await bob.peer.next('message')
    expect((await bob.peer.next('close'))[1]).toBe('ack_timeout')
    expect(performance.now() - sent).toBeGreaterThan(990)
    await alice.peer.next('stored')
  },

  maxPacket: async () => {
    await start({ maxPacket: 8_192 })
    const alice = await enter()
    // An empty line of spaces is read as text, so only the size is judged.
    const fits = await enter()
    const body = 'x'.repeat(8_192 - 40)
    fits.peer.say(frames => frames.signal('nobody', fits.peer.body(body)))
    fits.peer.say(frames => frames.ping())
    await fits.peer.next('pong')
    alice.peer.say(frames => frames.signal('nobody', alice.peer.body(`${body}${'x'.repeat(60)}`)))
    expect((await alice.peer.end()).name).toBe('too_large')
  },

  sendWindow: async () => {
    await start({ sendWindow: 2 })
    const [alice, bob] = [await enter(alices), await enter()]
    send(alice, bob.id, 1, 3)
    expect((await alice.peer.next('retry')).slice(1, 4)).toEqual([bob.id, 3, 'window_exceeded'])
    await bob.peer.next('message')
    await bob.peer.next('message')
  },

  sendWindowBytes: async () => {
    await start({ sendWindowBytes: 1_024 })
    const [alice, bob] = [await enter(alices), await enter()]
    send(alice, bob.id, 1, 2, 500)
    send(alice, bob.id, 3, 3, 500)
    expect((await alice.peer.next('retry')).slice(1, 4)).toEqual([bob.id, 3, 'window_exceeded'])
  },

  window: async () => {
    await start({ window: 2 })
    const [alice, bob] = [await enter(alices), await enter()]
    send(alice, bob.id, 1, 3)
    for (let n = 1; n <= 2; n++) await bob.peer.next('message')
    bob.peer.say(frames => frames.ping())
    await bob.peer.next('pong')
    expect(bob.peer.heard.filter(([name]) => name === 'message').length).toBe(2)
    bob.peer.say(frames => frames.ack(2))
    expect((await bob.peer.next('message'))[4]).toBe(3)
  },

  windowBytes: async () => {
    await start({ windowBytes: 1_024 })
    const [alice, bob] = [await enter(alices), await enter()]
    send(alice, bob.id, 1, 3, 600)
    expect((await bob.peer.next('message'))[4]).toBe(1)
    bob.peer.say(frames => frames.ping())
    await bob.peer.next('pong')
    const sent = bob.peer.heard.filter(([name]) => name === 'message').length
    expect(sent).toBeLessThan(3)
    bob.peer.say(frames => frames.ack(sent))
    await bob.peer.next('message')
  },

  mailboxMessages: async () => {
    await start({ mailboxMessages: 2 })
    const [alice, bob] = [await enter(alices), await absent()]
    send(alice, bob.id, 1, 3)
    expect(await alice.peer.next('failed')).toEqual(['failed', bob.id, 3, 'mailbox_full'])
    expect(alice.peer.heard).toContainEqual(['stored', bob.id, 2])
  },

  mailboxBytes: async () => {
    await start({ mailboxBytes: 1_024 })
    const [alice, bob] = [await enter(alices), await absent()]
    send(alice, bob.id, 1, 3, 400)
    expect(await alice.peer.next('failed')).toEqual(['failed', bob.id, 3, 'mailbox_full'])
  },

  messageLife: async () => {
    await start({ messageLife: 1_000 })
    const [alice, bob] = [await enter(alices), await absent()]
    const sent = Date.now()
    send(alice, bob.id, 1)
    await alice.peer.next('stored')
    expect((await alice.peer.next('ended')).slice(1, 4)).toEqual(['expired', bob.id, 1])
    expect(Date.now() - sent).toBeGreaterThanOrEqual(990)
  },

  idLife: async () => {
    let now = 1_800_000_000_000
    const store = new MemoryStore({ ...defaultStoreLimits, idLifeMs: 60_000 }, () => now)
    for (const [wait, kind] of [
      [59_999, 'bound'],
      [60_000, 'unknown'],
    ] as const) {
      const bound = await store.bind(bindRequest('bob', { create: true }))
      if (bound.kind === 'bound') await store.unbind('bob', bound.token, 0)
      now += wait
      expect((await store.bind(bindRequest('bob'))).kind).toBe(kind)
      now += 100_000
      await store.sweep()
    }
  },

  heldBytes: async () => {
    const size = 300 * 1_024
    await start({ heldBytes: 1_024 * 1_024, sendWindowBytes: 16 * 1_024 * 1_024 })
    const [alice, bob] = [await enter(alices), await enter()]
    for (let n = 1; n <= 4; n++) send(alice, bob.id, n, n, size)
    expect((await alice.peer.next('retry')).slice(1, 4)).toEqual([bob.id, 4, 'overloaded'])
    for (let n = 1; n <= 3; n++) await bob.peer.next('message')
    bob.peer.say(frames => frames.ack(3))
    await alice.peer.next('delivered')
    send(alice, bob.id, 4, 4, size)
    await bob.peer.next('message')
  },

  frameRate: async () => {
    await start({ frameRate: 10 })
    const { peer } = await enter()
    peer.say(frames => {
      for (let i = 0; i < 21; i++) frames.ping()
    })
    expect((await peer.next('error')).slice(1, 3)).toEqual([null, 'rate_limited'])
    expect(peer.heard.filter(([name]) => name === 'pong').length).toBe(20)
  },

  newRecipientsRate: async () => {
    await start({ newRecipientsRate: 2 })
    const alice = await enter(alices)
    for (const target of ['one', 'two', 'three']) send(alice, target, 1)
    expect((await alice.peer.next('retry')).slice(1, 4)).toEqual(['three', 1, 'rate_limited'])
  },

  rememberedStreams: async () => {
    await start({ rememberedStreams: 1 })
    const alice = await enter(alices)
    send(alice, alice.id, 1)
    await alice.peer.next('message')
    alice.peer.say(frames => frames.ack(1))
    await alice.peer.next('delivered')
    expect(await (await fetch(`${places.http}/metrics`)).text()).toContain('\nackd_remembered_streams 1\n')
  },

  httpRate: async () => {
    await start({ httpRate: 10 })
    const ask = (): Promise<Response> => fetch(`${places.http}/api/openapi.json`)
    const since = performance.now()
    const answers = await Promise.all(Array.from({ length: 60 }, ask))
    const earned = ((performance.now() - since) * 10) / 1_000
    const served = answers.filter(({ status }) => status === 200).length
    expect([served >= 20, served <= 20 + earned + 1]).toEqual([true, true])
    const refused = answers.find(({ status }) => status === 429)
    await sleep(Number(refused?.headers.get('retry-after')) * 1_000)
    expect((await ask()).status).toBe(200)
  },

  roomsPerConnection: async () => {
    await start({ roomsPerConnection: 1 })
    const { peer } = await enter()
    peer.say(frames => frames.create(1, '#den', {}))
    await peer.next('reply')
    peer.say(frames => frames.join(2, '#den', {}))
    await peer.next('reply')
    peer.say(frames => frames.join(3, '#lobby', {}))
    expect((await peer.next('error')).slice(1, 3)).toEqual([3, 'forbidden'])
    peer.say(frames => frames.leave(4, '#den'))
    await peer.next('reply')
    peer.say(frames => frames.join(5, '#lobby', {}))
    expect((await peer.next('reply'))[1]).toBe(5)
  },

  rooms: async () => {
    await start({ rooms: 3 })
    const [alice, bob] = [await enter(), await enter()]
    for (const [ref, { peer }] of [alice, bob].entries()) {
      peer.say(frames => frames.create(ref, `#den-${ref}`, {}))
      await peer.next('reply')
    }
    alice.peer.say(frames => frames.create(3, '#more', {}))
    expect((await alice.peer.next('error')).slice(1)).toEqual([3, 'forbidden', expect.stringContaining('ACKD_ROOMS')])
    bob.peer.say(frames => frames.delete(4, '#den-1'))
    await bob.peer.next('reply')
    alice.peer.say(frames => frames.create(5, '#more', {}))
    expect((await alice.peer.next('reply'))[1]).toBe(5)
  },

  roomsPerOwner: async () => {
    await start({ roomsPerOwner: 1 })
    const [{ peer }, bob] = [await enter(), await enter()]
    peer.say(frames => frames.create(1, '#den', {}))
    await peer.next('reply')
    peer.say(frames => frames.create(2, '#more', {}))
    expect((await peer.next('error')).slice(1)).toEqual([2, 'forbidden', expect.stringContaining('delete one')])
    bob.peer.say(frames => frames.create(3, '#more', {}))
    expect((await bob.peer.next('reply'))[1]).toBe(3)
    peer.say(frames => frames.delete(4, '#den'))
    await peer.next('reply')
    peer.say(frames => frames.create(5, '#den', {}))
    expect((await peer.next('reply'))[1]).toBe(5)
  },

  roomMessages: async () => {
    await start({ roomMessages: 2 })
    const alice = await enter(alices)
    alice.peer.say(frames => frames.join(1, '#lobby', {}))
    await alice.peer.next('reply')
    send(alice, '#lobby', 1, 3)
    for (let n = 1; n <= 3; n++) await alice.peer.next('room')
    alice.peer.say(frames => frames.history(2, '#lobby', {}))
    const [, , page] = await alice.peer.next('reply')
    expect((page as { messages: unknown[][] }).messages.map(([offset]) => offset)).toEqual([2, 3])
  },

  roomLife: async () => {
    await start({ roomLife: 1_000 })
    const alice = await enter(alices)
    alice.peer.say(frames => frames.join(1, '#lobby', {}))
    await alice.peer.next('reply')
    send(alice, '#lobby', 1)
    await alice.peer.next('room')
    const kept = async (): Promise<number> => {
      alice.peer.say(frames => frames.history(2, '#lobby', {}))
      const [, , page] = await alice.peer.next('reply')
      return (page as { messages: unknown[] }).messages.length
    }
    expect(await kept()).toBe(1)
    await expect.poll(kept, { timeout: 10_000 }).toBe(0)
  },
}

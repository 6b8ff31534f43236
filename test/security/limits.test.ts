/**
 * Every limit of a server at its edge: what is just within it goes, what is one more meets what the table of limits says.
 *
 * One row for each option that is a limit; the first test says so, and is red when one has no row.
 */
import { connect as connectTcp } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../src/gateway/log.ts'
import { limitNames, type Options } from '../../src/options.ts'
import { startServer, type Server } from '../../src/server.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { defaultStoreLimits } from '../../src/store/store.ts'
import { connectBySocket, type Peer } from '../gateway/peer.ts'
import { bindRequest } from '../store/support.ts'
import { startVictim } from './server.ts'

let server: Server | null = null

async function start(more: Partial<Options>): Promise<Server> {
  server = await startVictim(more)
  return server
}

afterEach(async () => {
  await server?.close()
  server = null
})

interface Known {
  readonly peer: Peer
  readonly id: string
  readonly secret: string
}

async function enter(hello: Parameters<Peer['hello']>[0] = {}): Promise<Known> {
  const peer = await connectBySocket(server?.ws ?? '')
  const { id, secret = hello.secret ?? '' } = await peer.hello(hello)
  return { peer, id, secret }
}

const alices = { outbox: 'alicesbox' }

/** Somebody who has left, whose mail is parked. */
async function absent(): Promise<Known> {
  const known = await enter()
  known.peer.say(frames => frames.bye())
  await known.peer.end()
  return known
}

function send({ peer }: Known, target: string, from: number, to = from, size = 1): void {
  peer.say(frames => {
    for (let n = from; n <= to; n++) frames.send(n, 1, target, 0, peer.body('x'.repeat(size)))
  })
}

/** Keeps the event loop late, ms a time, until it is told to stop. */
function dawdle(ms: number): () => void {
  let on = true
  const loiter = (): void => {
    const end = performance.now() + ms
    while (performance.now() < end);
    if (on) setTimeout(loiter, 1)
  }
  loiter()
  return () => {
    on = false
  }
}

/** Of one limit or two that belong together. */
const edges: Record<string, () => Promise<void>> = {
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

  connectionsPerAddress: async () => {
    await start({ connectionsPerAddress: 2 })
    const [first] = [await enter(), await enter()]
    const third = await connectBySocket(server?.ws ?? '')
    const [, name, , retryAfterMs] = await third.next('close')
    expect([name, Number(retryAfterMs) > 0]).toEqual(['overloaded', true])
    first.peer.hangUp()
    await expect.poll(async () => (await enter().catch(() => null)) !== null, { timeout: 10_000 }).toBe(true)
  },

  connectRate: async () => {
    await start({ connectRate: 2 })
    const peers = await Promise.all([1, 2, 3].map(() => connectBySocket(server?.ws ?? '')))
    const closed = await Promise.race(peers.map(async peer => (await peer.next('close')).slice(1)))
    expect([closed[0], Number(closed[2]) > 0]).toEqual(['overloaded', true])
    await sleep(Number(closed[2]) + 1_100)
    await enter()
  },

  maxLag: async () => {
    await start({ maxLag: 10 })
    await enter()
    const stop = dawdle(60)
    const refused = async (): Promise<boolean> => {
      const peer = await connectBySocket(server?.ws ?? '')
      peer.say(frames => frames.hello({ v: 1 }))
      const ended = await Promise.race([
        peer.end().then(({ name }) => name),
        peer.next('welcome').then(() => 'welcome'),
      ])
      peer.hangUp()
      return ended === 'overloaded'
    }
    await expect.poll(refused, { timeout: 60_000, interval: 200 }).toBe(true)
    stop()
    await expect.poll(refused, { timeout: 60_000, interval: 200 }).toBe(false)
  },

  overloadLag: async () => {
    await start({ overloadLag: 10 })
    const [alice, bob] = [await enter(alices), await enter()]
    const stop = dawdle(60)
    let n = 0
    const refused = (): boolean => {
      // One at a time, so that no other limit is met.
      if (alice.peer.heard.filter(([name]) => name === 'delivered').length === n) send(alice, bob.id, ++n)
      const got = bob.peer.heard.filter(([name]) => name === 'message').length
      if (got > 0) bob.peer.say(frames => frames.ack(got))
      return alice.peer.heard.some(([name, , , code]) => name === 'retry' && code === 'overloaded')
    }
    await expect.poll(refused, { timeout: 60_000, interval: 100 }).toBe(true)
    stop()
  },

  replacementRate: async () => {
    await start({ replacementRate: 2 })
    const { id, secret } = await enter({ outbox: 'outbox-00' })
    const names: string[] = []
    for (let i = 1; i <= 3; i++) {
      const peer = await connectBySocket(server?.ws ?? '')
      peer.say(frames => frames.hello({ v: 1, id, secret, outbox: `outbox-0${i}` }))
      await expect.poll(() => peer.heard.length, { timeout: 10_000 }).toBeGreaterThan(0)
      const [[name, reason] = ['unknown']] = peer.heard
      names.push(name === 'close' ? String(reason) : name)
    }
    expect(names).toEqual(['welcome', 'welcome', 'flood'])
  },

  deadAfter: async () => {
    await start({ deadAfter: 1, ackTimeout: 1_000 })
    const [alice, bob] = [await enter(alices), await absent()]
    send(alice, bob.id, 1)
    await alice.peer.next('stored')
    const { peer } = await enter({ id: bob.id, secret: bob.secret })
    await peer.next('message')
    expect((await peer.next('close'))[1]).toBe('ack_timeout')
    expect((await alice.peer.next('ended')).slice(1, 4)).toEqual(['dead', bob.id, 1])
  },

  helloTimeout: async () => {
    await start({ helloTimeout: 300 })
    const peer = await connectBySocket(server?.ws ?? '')
    expect((await peer.next('close'))[1]).toBe('timeout')
    const slow = await connectBySocket(server?.ws ?? '')
    await sleep(50)
    await slow.hello()
  },

  handshakeTimeout: async () => {
    server = await startServer({ port: 0, store: 'memory', handshakeTimeout: 300 }, silentLog)
    const { hostname, port } = new URL(server.tls ?? '')
    const since = performance.now()
    const socket = connectTcp(Number(port), hostname)
    socket.on('error', () => {})
    await new Promise(resolve => socket.once('close', resolve))
    expect(performance.now() - since).toBeGreaterThan(290)
    expect(performance.now() - since).toBeLessThan(10_000)
  },

  pingInterval: async () => {
    await start({ pingInterval: 1_000 })
    const since = performance.now()
    const { peer } = await enter()
    await peer.next('ping')
    expect((await peer.next('close'))[1]).toBe('timeout')
    expect(performance.now() - since).toBeGreaterThan(1_990)
  },

  idleTimeout: async () => {
    await start({ idleTimeout: 1_000, pingInterval: 1_000 })
    const { peer } = await enter()
    const keepAlive = setInterval(() => peer.say(frames => frames.ping()), 100)
    expect((await peer.next('close'))[1]).toBe('idle')
    clearInterval(keepAlive)
  },
}

describe('the limits', () => {
  it('each have a row', () => {
    expect(Object.keys(edges).sort()).toEqual([...limitNames].sort())
  })

  it.each(Object.keys(edges))('%s', async name => {
    await edges[name]?.()
  })

  it('are said at the start', async () => {
    const said: Record<string, unknown>[] = []
    const log = {
      ...silentLog,
      info: (fields: object, text: string) => {
        if (text === 'limits') said.push({ ...fields })
      },
    }
    server = await startServer({ port: 0, store: 'memory', window: 77 }, log)
    expect(Object.keys(said[0] ?? {}).sort()).toEqual([...limitNames].sort())
    expect(said[0]?.['window']).toBe(77)
  })
})

/** What a limit of connections does at its edge. */
import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { expect } from 'vitest'
import { connectBySocket } from '../gateway/peer.ts'
import { attack, webSocketFrame } from './server.ts'
import { absent, alices, dawdle, enter, places, send, start } from './stage.ts'

/** Of one limit or two that belong together. */
export const connectionEdges: Record<string, () => Promise<void>> = {
  connectionsPerAddress: async () => {
    await start({ connectionsPerAddress: 2 })
    const [first] = [await enter(), await enter()]
    const third = await connectBySocket(places.ws)
    const [, name, , retryAfterMs] = await third.next('close')
    expect([name, Number(retryAfterMs) > 0]).toEqual(['overloaded', true])
    first.peer.hangUp()
    await expect.poll(async () => (await enter().catch(() => null)) !== null, { timeout: 10_000 }).toBe(true)
  },

  connectRate: async () => {
    await start({ connectRate: 2 })
    const peers = await Promise.all([1, 2, 3].map(() => connectBySocket(places.ws)))
    const closed = await Promise.race(peers.map(async peer => (await peer.next('close')).slice(1)))
    expect([closed[0], Number(closed[2]) > 0]).toEqual(['overloaded', true])
    await sleep(Number(closed[2]) + 1_100)
    await enter()
  },

  maxLag: async () => {
    // More than a busy machine is late by itself.
    await start({ maxLag: 200 })
    await enter()
    const stop = dawdle(400)
    const refused = async (): Promise<boolean> => {
      const peer = await connectBySocket(places.ws)
      peer.say(frames => frames.hello({ v: 1 }))
      const ended = await Promise.race([
        peer.end().then(({ name }) => name),
        peer.next('welcome').then(() => 'welcome'),
      ])
      peer.hangUp()
      return ended === 'overloaded'
    }
    await expect.poll(refused, { timeout: 60_000, interval: 200 }).toBe(true)
    // Whoever watches over it is answered all the same.
    const [health, ready, metrics] = await Promise.all(
      ['healthz', 'readyz', 'metrics'].map(path => fetch(`${places.http}/${path}`)),
    )
    expect([health?.status, ready?.status, metrics?.status]).toEqual([200, 503, 200])
    expect(await ready?.json()).toMatchObject({ ok: false, checks: { store: { ok: true }, lag: { ok: false } } })
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
      const peer = await connectBySocket(places.ws)
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

  unreadBytes: async () => {
    // Far from slow by itself.
    await start({ unreadBytes: 1024 * 1024, windowBytes: 64 * 1024 * 1024 })
    const [writer, neighbour, reader] = [await enter(), await enter(), await connectBySocket(places.ws)]
    const { id } = await reader.hello()
    reader.socket.pause()
    const body = writer.peer.body('x'.repeat(100_000))
    const cutOff = async (): Promise<boolean> => {
      for (let i = 0; i < 5; i++) writer.peer.say(frames => frames.signal(id, body))
      reader.say(frames => frames.ping())
      return (await (await fetch(`${places.http}/metrics`)).text()).includes('ackd_closes_total{reason="slow"} 1\n')
    }
    await expect.poll(cutOff, { timeout: 60_000, interval: 50 }).toBe(true)
    neighbour.peer.say(frames => frames.ping())
    await neighbour.peer.next('pong')
    expect(writer.peer.ended).toBeNull()
  },

  helloTimeout: async () => {
    await start({ helloTimeout: 300 })
    const peer = await connectBySocket(places.ws)
    expect((await peer.next('close'))[1]).toBe('timeout')
    const slow = await connectBySocket(places.ws)
    await sleep(50)
    await slow.hello()
  },

  handshakeTimeout: async () => {
    const server = await start({ handshakeTimeout: 300 })
    const { hostname, port } = new URL(server.tls ?? '')
    const since = performance.now()
    const socket = connectTcp(Number(port), hostname)
    socket.on('error', () => {})
    await new Promise(resolve => socket.once('close', resolve))
    expect(performance.now() - since).toBeGreaterThan(290)
    expect(performance.now() - since).toBeLessThan(10_000)
  },

  handshakes: async () => {
    const server = await start({ handshakes: 2 })
    const { hostname, port } = new URL(server.tls ?? '')
    const open = (): Socket => connectTcp(Number(port), hostname).on('error', () => {})
    const [first, second] = [open(), open()]
    await Promise.all([first, second].map(socket => once(socket, 'connect')))
    await once(open(), 'close')
    expect([first, second].map(socket => socket.closed)).toEqual([false, false])
    first.destroy()
    const shakes = (): Promise<boolean> =>
      new Promise(resolve => {
        const socket = connectTls({ host: hostname, port: Number(port), rejectUnauthorized: false })
        socket.on('error', () => {}).on('close', () => resolve(false))
        socket.on('secureConnect', () => {
          resolve(true)
          socket.destroy()
        })
      })
    await expect.poll(shakes).toBe(true)
    second.destroy()
  },

  controlFrames: async () => {
    const attacker = await attack(await start({ controlFrames: 10 }))
    const pings = (count: number): Buffer =>
      Buffer.concat(new Array<Buffer>(count).fill(webSocketFrame(Buffer.of(1), { opcode: 9 })))
    const says = (text: string): Buffer => webSocketFrame(Buffer.from(text), { opcode: 1 })
    attacker.socket.write(Buffer.concat([pings(10), says('["hello",{"v":1}]'), pings(10), says('["ping"]')]))
    await expect.poll(() => attacker.received().toString()).toContain('["pong"]')
    attacker.socket.write(pings(11))
    await attacker.closed
    expect(attacker.received().toString()).toContain('"bad_frame"')
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

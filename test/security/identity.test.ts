/** Attempts to be somebody else, over a real socket. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Server } from '../../src/server.ts'
import { connectBySocket } from '../gateway/peer.ts'
import { startVictim, stillWorks } from './server.ts'

function medianOf(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? NaN
}

describe('an identity', () => {
  let server: Server

  beforeEach(async () => {
    server = await startVictim()
  })

  afterEach(async () => {
    await stillWorks(server)
    await server.close()
  })

  it.each([
    ['no secret', undefined],
    ['an empty secret', ''],
    ['a wrong secret', 'wrong'],
    ['a secret of a megabyte less a hello', 'x'.repeat(4_000)],
  ])('is not given for %s, and its owner is not disturbed', async (_, secret) => {
    const owner = await connectBySocket(server.ws)
    const { id } = await owner.hello()
    const thief = await connectBySocket(server.ws)
    thief.say(frames => frames.hello(secret === undefined ? { v: 1, id } : { v: 1, id, secret }))
    expect((await thief.next('close'))[1]).toBe('bad_secret')
    expect(await thief.end()).toEqual({ number: 4501, name: 'bad_secret' })
    owner.say(frames => frames.ping())
    await owner.next('pong')
  })

  it('is refused to a wrong secret in the time in which it is given for a right one', async () => {
    await server.close()
    server = await startVictim({ trustProxy: ['127.0.0.1'], connectRate: 100_000 })
    const took: Record<'right' | 'wrong', number[]> = { right: [], wrong: [] }
    // Each from an address and at an id of its own, so that no guess is slowed down for those before it.
    for (let i = 0; i < 60; i++) {
      const headers = { 'x-forwarded-for': `198.51.100.${i}` }
      const owner = await connectBySocket(server.ws, false, headers)
      const { id, secret = '' } = await owner.hello()
      owner.say(frames => frames.bye())
      await owner.end()
      for (const kind of ['right', 'wrong'] as const) {
        const peer = await connectBySocket(server.ws, false, headers)
        const since = performance.now()
        peer.say(frames => frames.hello({ v: 1, id, secret: kind === 'right' ? secret : secret.replace(/.$/, '~') }))
        await new Promise(resolve => peer.socket.once('message', resolve))
        took[kind].push(performance.now() - since)
        expect(peer.heard[0]?.slice(0, 2)).toEqual(
          kind === 'right' ? ['welcome', expect.anything()] : ['close', 'bad_secret'],
        )
        peer.hangUp()
      }
    }
    const [right, wrong] = [medianOf(took.right), medianOf(took.wrong)]
    // Both are a millisecond or so; a look through other secrets, a hash of a password or a pause would be more.
    expect(Math.abs(right - wrong)).toBeLessThan(Math.max(right, wrong) * 0.75 + 2)
  })

  it('is slow to be guessed at, and never refused to its owner', async () => {
    const owner = await connectBySocket(server.ws)
    const { id, secret = '' } = await owner.hello()
    const start = performance.now()
    for (let i = 0; i < 8; i++) {
      const thief = await connectBySocket(server.ws)
      thief.say(frames => frames.hello({ v: 1, id, secret: `guess ${i}` }))
      expect((await thief.end()).name).toBe('bad_secret')
    }
    // 250, 500 and 1,000 ms for the sixth, seventh and eighth.
    expect(performance.now() - start).toBeGreaterThan(1_700)
    const back = await connectBySocket(server.ws)
    expect((await back.hello({ id, secret })).resumed).toBe(true)
  })

  it('is what the server says it is: the sender of a message cannot be forged', async () => {
    const mallory = await connectBySocket(server.ws, true)
    const bob = await connectBySocket(server.ws)
    const { id: from } = await mallory.hello({ outbox: 'mallorysbox' })
    const { id: to } = await bob.hello()
    mallory.write(
      new TextEncoder().encode(`["send", 1, 1, "${to}", {"from": "alice", "outbox": "alicesbox"}, "hi"]`),
      true,
    )
    expect((await bob.next('message')).slice(2, 4)).toEqual([from, 'mallorysbox'])
  })

  it('cannot search for others: new recipients are rationed', async () => {
    const prober = await connectBySocket(server.ws)
    await prober.hello({ outbox: 'probersbox' })
    for (let i = 0; i < 200; i++) {
      prober.say(frames => frames.send(1, 1, `nobody-${i}`, 0, prober.body(1)))
      if (i % 50 === 49) await new Promise(resolve => setTimeout(resolve, 20))
    }
    prober.say(frames => frames.send(1, 1, 'one-too-many', 0, prober.body(1)))
    const [, target, , code] = await prober.next('retry')
    expect([target, code]).toEqual(['one-too-many', 'rate_limited'])
  })

  it('changes hands only so often', async () => {
    const first = await connectBySocket(server.ws)
    const { id, secret = '' } = await first.hello({ outbox: 'outbox-000' })
    let flooded = 0
    for (let i = 1; i <= 8; i++) {
      const peer = await connectBySocket(server.ws)
      peer.say(frames => frames.hello({ v: 1, id, secret, outbox: `outbox-00${i}` }))
      while (peer.ended === null && peer.heard.length === 0) await new Promise(resolve => setTimeout(resolve, 5))
      if (peer.heard[0]?.[0] === 'close' && peer.heard[0][1] === 'flood') flooded++
    }
    expect(flooded).toBe(3)
  })
})

import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { exchange, House } from './house.ts'

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('a connection', () => {
  let house = new House()

  function build(...args: ConstructorParameters<typeof House>): House {
    house.close()
    house = new House(...args)
    return house
  }

  afterEach(() => build())

  it.each([false, true])('carries a message, its ack and its receipt (text: %s)', async text => {
    const alice = house.connect(text)
    const bob = house.connect(text)
    const { id: from } = await alice.hello({ outbox: 'alicesbox' })
    const { id: to } = await bob.hello()
    alice.say(frames => frames.send(1, 1, to, 0, alice.body({ hello: 'Bob' })))
    const [, seq, sender, outbox, n, , , body] = await bob.next('message')
    expect([seq, sender, outbox, n, body]).toEqual([1, from, 'alicesbox', 1, { hello: 'Bob' }])
    bob.say(frames => frames.ack(1))
    expect(await alice.next('delivered')).toEqual(['delivered', to, 1])
  })

  it('transcodes between a binary and a text client', async () => {
    const [alice, bob] = [house.connect(false), house.connect(true)]
    await alice.hello({ outbox: 'alicesbox' })
    const { id } = await bob.hello()
    alice.say(frames => frames.send(1, 1, id, 0, alice.body(Uint8Array.of(1, 2, 3))))
    const heard = await bob.next('message')
    expect(heard.at(-1)).toEqual(Uint8Array.of(1, 2, 3))
  })

  it('takes frames that follow the hello in its packet, after the welcome', async () => {
    const peer = house.connect()
    peer.say(frames => {
      frames.hello({ v: 1 })
      frames.presence(7, ['nobody'])
    })
    await peer.next('welcome')
    expect(await peer.next('reply')).toEqual(['reply', 7, { nobody: false }])
  })

  it('takes packets that come before the welcome, in order, after it', async () => {
    const peer = house.connect(true)
    peer.say(frames => frames.hello({ v: 1 }))
    peer.say(frames => frames.presence(1, []))
    peer.say(frames => frames.presence(2, []))
    await peer.next('welcome')
    expect((await peer.next('reply'))[1]).toBe(1)
    expect((await peer.next('reply'))[1]).toBe(2)
  })

  it('resumes an id by its secret', async () => {
    const first = house.connect()
    const { id, secret = '', resumed } = await first.hello()
    expect([resumed, secret.length]).toEqual([false, 43])
    const again = await house.connect().hello({ id, secret })
    expect([again.id, again.resumed, again.secret]).toEqual([id, true, undefined])
    expect(await first.end()).toEqual({ number: 4500, name: 'replaced' })
  })

  it('gives a new id for one that is malformed or unknown', async () => {
    const malformed = await house.connect().hello({ id: 'with a space', secret: 'x' })
    const unknown = await house.connect().hello({ id: 'AAAAAAAAAAAAAAAA', secret: 'x' })
    expect(malformed.id).toMatch(/^[\w-]{16}$/)
    expect(unknown.id).not.toBe('AAAAAAAAAAAAAAAA')
    expect([malformed.resumed, unknown.resumed]).toEqual([false, false])
  })

  it('says goodbye cleanly to who says bye', async () => {
    const peer = house.connect()
    await peer.hello()
    peer.say(frames => frames.bye())
    expect(await peer.end()).toEqual({ number: 1000, name: '' })
    expect(peer.heard.some(([name]) => name === 'close')).toBe(false)
  })

  it('answers a ping, and an unknown frame with an error that names it', async () => {
    const peer = house.connect(true)
    await peer.hello()
    peer.say(frames => frames.ping())
    await peer.next('pong')
    peer.write(utf8('["frobnicate", 5]'), true)
    const [, ref, code, text] = await peer.next('error')
    expect([ref, code]).toEqual([5, 'unknown_op'])
    expect(text).toContain('frobnicate')
  })

  it.each([
    ['no hello first', '["ping"]', 'bad_frame'],
    ['another version', '["hello", {"v": 2}]', 'version'],
    ['a token that nobody can check', '["hello", {"v": 1, "token": "abc"}]', 'unauthorized'],
    ['too much before welcome', `["hello", {"v": 1, "agent": "${'x'.repeat(4096)}"}]`, 'too_large'],
    ['no frame at all', 'nonsense', 'bad_frame'],
  ])('closes at %s', async (_, packet, name) => {
    const peer = house.connect(true)
    peer.write(utf8(packet), true)
    expect((await peer.next('close'))[1]).toBe(name)
    expect((await peer.end()).name).toBe(name)
    await exchange(() => house.connect())
  })

  it('closes at a second hello', async () => {
    const peer = house.connect()
    await peer.hello()
    peer.say(frames => frames.hello({ v: 1 }))
    expect((await peer.end()).name).toBe('bad_frame')
  })

  it('closes at a packet in the other encoding', async () => {
    const peer = house.connect()
    await peer.hello()
    peer.write(utf8('["ping"]'), true)
    expect((await peer.end()).name).toBe('bad_frame')
  })

  it('closes at a packet above the limit', async () => {
    build({ connections: { maxPacket: 8_192 } })
    const peer = house.connect()
    await peer.hello()
    peer.say(frames => frames.signal('somebody', peer.body(new Uint8Array(8_192))))
    expect((await peer.end()).name).toBe('too_large')
  })

  it('closes when no hello comes in time', async () => {
    build({ helloTimeoutMs: 300 })
    const peer = house.connect()
    expect((await peer.end()).name).toBe('timeout')
  })

  it('closes who says nothing but pings, when a time-out for that is set', async () => {
    build({ connections: { pingIntervalMs: 1_000, idleTimeoutMs: 1_500 } })
    const idle = house.connect()
    const busy = house.connect()
    const refusing = house.connect()
    expect((await idle.hello()).idleTimeout).toBe(1_500)
    await busy.hello({ outbox: 'busysbox' })
    const { id } = await refusing.hello()
    busy.say(frames => {
      for (let n = 1; n <= 64; n++) frames.send(n, 1, id, 0, busy.body(n))
    })
    for (let n = 1; n <= 64; n++) await refusing.next('message')
    let refused = 0
    const pinging = setInterval(() => idle.say(frames => frames.ping()), 300)
    const asking = setInterval(() => busy.say(frames => frames.presence('who', [])), 300)
    const refusals = setInterval(() => refusing.say(frames => frames.nack(++refused, 'no room')), 300)
    expect((await idle.end()).name).toBe('idle')
    for (const one of [pinging, asking, refusals]) clearInterval(one)
    expect([busy.ended, refusing.ended]).toEqual([null, null])
  })

  it('pings who is silent, and closes who stays silent', async () => {
    build({ connections: { pingIntervalMs: 1_000 } })
    const silent = house.connect()
    const lively = house.connect()
    await silent.hello()
    await lively.hello()
    const answering = setInterval(() => lively.say(frames => frames.pong()), 300)
    await silent.next('ping')
    expect((await silent.end()).name).toBe('timeout')
    await lively.next('ping')
    clearInterval(answering)
    expect(lively.ended).toBeNull()
  })

  it('hands back what is above the rate, and closes who never slows down', async () => {
    build({ connections: { frameRate: 20 } })
    const peer = house.connect()
    await peer.hello({ outbox: 'alicesbox' })
    peer.say(frames => {
      for (let i = 0; i < 45; i++) frames.ping()
      frames.send(1, 1, 'AAAAAAAAAAAAAAAA', 0, peer.body(1))
    })
    expect((await peer.next('error')).slice(1, 3)).toEqual([null, 'rate_limited'])
    expect((await peer.next('retry')).slice(1)).toEqual(['AAAAAAAAAAAAAAAA', 1, 'rate_limited', 1_000])
    expect(peer.ended).toBeNull()
    peer.say(frames => {
      for (let i = 0; i < 200; i++) frames.ping()
    })
    expect((await peer.end()).name).toBe('flood')
  })

  it('closes who does not read, and parks what was sent to it', async () => {
    build({ connections: { slowBytes: 10_000 }, core: { windowBytes: 1024 * 1024 } })
    const alice = house.connect()
    const bob = house.connect(false, undefined, 40_000)
    await alice.hello({ outbox: 'alicesbox' })
    const { id, secret = '' } = await bob.hello()
    alice.say(frames => frames.send(1, 1, id, 0, alice.body(0)))
    await bob.next('message')
    bob.say(frames => frames.ack(1))
    await alice.next('delivered')
    bob.link.pause()
    for (let n = 2; n < 10; n++) {
      alice.say(frames => frames.send(n, n - 1, id, 0, alice.body(new Uint8Array(20_000))))
      await sleep(1)
    }
    await alice.next('stored')
    expect(house.gateway.counters.writesDropped).toBe(1)
    const again = house.connect()
    expect((await again.hello({ id, secret })).parked).toBe(8)
  })

  it('answers a wrong secret and a missing one with bad_secret', async () => {
    const { id } = await house.connect().hello()
    for (const secret of ['wrong', undefined]) {
      const guesser = house.connect()
      guesser.say(frames => frames.hello({ v: 1, id, ...(secret === undefined ? {} : { secret }) }))
      expect((await guesser.end()).name).toBe('bad_secret')
    }
  })

  it('slows down who guesses on, and nobody who knows', async () => {
    const { id, secret = '' } = await house.connect().hello()
    const times: number[] = []
    for (let i = 0; i < 7; i++) {
      const guesser = house.connect()
      const start = performance.now()
      guesser.say(frames => frames.hello({ v: 1, id, secret: 'wrong' }))
      await guesser.end()
      times.push(performance.now() - start)
    }
    // The machine may be busy for one of them, and not for the quickest.
    expect(Math.min(...times.slice(0, 5))).toBeLessThan(200)
    expect(Math.min(...times.slice(5))).toBeGreaterThanOrEqual(240)
    const known: number[] = []
    for (let i = 0; i < 5; i++) {
      const start = performance.now()
      await house.connect().hello({ id, secret })
      known.push(performance.now() - start)
    }
    expect(Math.min(...known)).toBeLessThan(200)
  })

  it('turns away more from one address than it may have, and tells when to come back', async () => {
    build({ admission: { connectionsPerAddress: 1 } })
    const first = house.connect(false, '10.0.0.1')
    const second = house.connect(false, '10.0.0.1')
    const [, name, , retryAfterMs] = await second.next('close')
    expect([name, retryAfterMs]).toEqual(['overloaded', expect.any(Number)])
    await first.hello()
    await house.connect(false, '10.0.0.2').hello()
    first.hangUp()
    await sleep(20)
    await house.connect(false, '10.0.0.1').hello()
  })

  it('outlives an exception: that connection is told, all others go on', async () => {
    const faulty = build()
    const peer = faulty.connect()
    const { id } = await peer.hello()
    const session = faulty.gateway.hub.session(id)
    Object.defineProperty(session, 'presence', {
      value: () => {
        throw new Error('on purpose')
      },
    })
    peer.say(frames => frames.presence(1, []))
    expect((await peer.next('error'))[2]).toBe('internal')
    expect((await peer.end()).name).toBe('unavailable')
    expect(faulty.gateway.counters.exceptions).toBe(1)
    await exchange(() => faulty.connect())
  })
})

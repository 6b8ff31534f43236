/** Tokens, good and bad, over real sockets. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Options } from '../../src/options.ts'
import type { WelcomeOptions } from '../../src/protocol/frames.ts'
import type { Server } from '../../src/server.ts'
import { connectBySocket, type Peer } from '../gateway/peer.ts'
import { base64url, inSeconds, Issuer, secret, tokenOf } from '../support/issuer.ts'
import { startVictim, stillWorks } from './server.ts'

let issuer: Issuer
let server: Server | null = null

beforeAll(async () => {
  issuer = await Issuer.start()
  await issuer.make('rsa', 'RS256')
})

afterAll(() => issuer.stop())

async function start(more: Partial<Options> = {}): Promise<Server> {
  server = await startVictim({ auth: 'both', jwtSecret: secret, jwtLeeway: 0, ...more })
  return server
}

afterEach(async () => {
  if (server !== null) await stillWorks(server)
  await server?.close()
  server = null
})

async function say(token: string, more: { readonly id?: string; readonly outbox?: string } = {}): Promise<Peer> {
  const peer = await connectBySocket(server?.ws ?? '')
  peer.say(frames => frames.hello({ v: 1, token, ...more }))
  return peer
}

async function enter(token: string, more: { readonly id?: string; readonly outbox?: string } = {}): Promise<Peer> {
  const peer = await say(token, more)
  await peer.next('welcome')
  return peer
}

describe('a token', () => {
  it('gives its sub as the id, and no secret; whatever id was asked for', async () => {
    await start()
    const welcomes: unknown[] = []
    for (let time = 0; time < 2; time++) {
      const peer = await say(tokenOf({ sub: 'alice@example.org' }), { id: 'somebody-else' })
      welcomes.push((await peer.next('welcome'))[1])
      peer.hangUp()
    }
    expect(welcomes).toMatchObject([
      { id: 'alice@example.org', resumed: false },
      { id: 'alice@example.org', resumed: true },
    ])
    for (const welcome of welcomes) expect(welcome).not.toHaveProperty('secret')
  })

  it('protects its sub from whoever has none', async () => {
    const { ws } = await start()
    await enter(tokenOf({ sub: 'alice' }))
    for (const guess of ['', 'guess']) {
      const thief = await connectBySocket(ws)
      thief.say(frames => frames.hello({ v: 1, id: 'alice', secret: guess }))
      expect((await thief.end()).name).toBe('bad_secret')
    }
    const rotating = await enter(tokenOf({ sub: 'alice' }))
    rotating.say(frames => frames.rotate(1))
    expect(await rotating.next('error')).toMatchObject(['error', 1, 'forbidden', expect.any(String)])
  })

  it('says whom its bearer may send to', async () => {
    await start()
    const bob = await enter(tokenOf({ sub: 'bob' }))
    const alice = await enter(tokenOf({ sub: 'alice', ackd: { targets: ['bob'] } }), { outbox: 'alicesbox' })
    alice.say(frames => frames.send(1, 1, 'bob', 0, alice.body('hi')))
    alice.say(frames => frames.send(1, 1, 'carol', 0, alice.body('hi')))
    expect(await alice.next('failed')).toEqual(['failed', 'carol', 1, 'forbidden'])
    expect((await bob.next('message'))[2]).toBe('alice')
  })

  const wanted = { jwtIssuer: 'https://id.example', jwtAudience: 'ackd' }
  const good = { sub: 'alice', iss: wanted.jwtIssuer, aud: wanted.jwtAudience }
  const unsigned = (alg: string): string => `${base64url({ alg })}.${base64url({ ...good, exp: inSeconds(60) })}.`

  it.each<[string, () => string | Promise<string>, RegExp]>([
    ['alg none', () => unsigned('none'), /algorithm/],
    ['alg None', () => unsigned('None'), /algorithm/],
    ['no signature', () => unsigned('HS256'), /signature/],
    ['RS swapped for HS', async () => tokenOf(good, { kid: 'rsa' }, await issuer.pem('rsa')), /signature/],
    ['a secret that is empty', () => tokenOf(good, {}, ''), /signature/],
    ['a wrong issuer', () => tokenOf({ ...good, iss: 'https://id.example.evil' }), /issuer/],
    ['no issuer', () => tokenOf({ ...good, iss: undefined }), /issuer/],
    ['a wrong audience', () => tokenOf({ ...good, aud: ['other', 'ackd2'] }), /aud/],
    ['an expiry that has passed', () => tokenOf({ ...good, exp: inSeconds(-1) }), /expired/],
    ['no expiry', () => tokenOf({ ...good, exp: undefined }), /exp/],
    ['an expiry that is text', () => tokenOf({ ...good, exp: 'never' }), /wrong form|exp/],
    ['a kid that leads out of a folder', () => issuer.sign('rsa', good, { kid: '../../../../dev/null' }), /key/],
    ['a kid that is an address', () => issuer.sign('rsa', good, { kid: 'file:///etc/passwd' }), /key/],
    ['a sub that is no id', () => tokenOf({ ...good, sub: '../alice' }), /sub/],
    ['a sub that is a list', () => tokenOf({ ...good, sub: ['alice'] }), /sub/],
    ['noise', () => 'x'.repeat(3_000), /Web Token/],
    ['dots', () => '.'.repeat(3_000), /Web Token/],
  ])('with %s is refused, and told why without being repeated', async (_, make, text) => {
    await start({ ...wanted, jwksUrl: issuer.url })
    const token = await make()
    const peer = await say(token)
    const [, name, said] = await peer.next('close')
    expect([name, said]).toEqual(['unauthorized', expect.stringMatching(text)])
    expect(said).not.toContain(token.slice(0, 20))
    expect(await peer.end()).toEqual({ number: 4502, name: 'unauthorized' })
  })

  it('is taken when all that is wanted is there, by a secret and by a public key', async () => {
    await start({ ...wanted, jwksUrl: issuer.url })
    await enter(tokenOf(good))
    await enter(await issuer.sign('rsa', { ...good, aud: ['other', 'ackd'] }))
  })

  it('that is not there is missed by a server that wants one', async () => {
    server = await startVictim({ auth: 'token', jwtSecret: secret })
    const peer = await connectBySocket(server.ws)
    peer.say(frames => frames.hello({ v: 1 }))
    expect((await peer.next('close')).slice(1, 3)).toEqual(['unauthorized', expect.stringMatching(/wants a token/)])
    await enter(tokenOf({ sub: 'alice' }))
    await server.close()
    server = null
  })

  it('of 4 KiB does not fit into a hello', async () => {
    await start()
    const peer = await say(tokenOf({ sub: 'alice', padding: 'x'.repeat(4_096) }))
    expect((await peer.end()).name).toBe('too_large')
  })

  it('of nearly 4 KiB does', async () => {
    await start()
    const token = tokenOf({ sub: 'alice', padding: 'x'.repeat(2_850) })
    expect(token.length).toBeGreaterThan(3_900)
    await enter(token)
  })

  it('is not refused for good while the keys cannot be fetched', async () => {
    const away = await Issuer.start()
    await away.make('rsa', 'RS256')
    const token = await away.sign('rsa', good)
    away.answer = { status: 503, body: '' }
    await start({ jwksUrl: away.url })
    expect((await (await say(token)).end()).name).toBe('unavailable')
    await away.stop()
  })
})

describe('keys that come a byte at a time', () => {
  it('keep nobody waiting whose key is known, and are given up', async () => {
    const slow = await Issuer.start()
    await slow.make('known', 'ES256')
    const victim = await start({ jwksUrl: slow.url })
    slow.drips = true
    victim.reload()
    await expect.poll(() => slow.dripping, { timeout: 10_000 }).toBe(1)
    const strangers = await Promise.all(
      Array.from({ length: 20 }, async (_, i) =>
        say(await slow.sign('known', { sub: 'alice' }, { kid: `unknown-${i}` })),
      ),
    )
    // Over the same sockets and in the same order, so that the strangers are asked about first.
    await enter(tokenOf({ sub: 'alice' }))
    await enter(await slow.sign('known', { sub: 'bob' }))
    expect([slow.dripping, strangers.flatMap(({ heard }) => heard)]).toEqual([1, []])
    await expect.poll(() => slow.dripping, { timeout: 60_000 }).toBe(0)
    for (const stranger of strangers) expect((await stranger.end()).name).toBe('unavailable')
    await enter(await slow.sign('known', { sub: 'bob' }))
    await slow.stop()
  })
})

describe('a token over TCP', () => {
  async function answer(token: string): Promise<unknown[]> {
    const { hostname, port } = new URL(server?.tcp ?? '')
    const socket = connect(Number(port), hostname)
    socket.write(`${JSON.stringify(['hello', { v: 1, token }])}\n`)
    const [line] = (await once(createInterface(socket), 'line')) as [string]
    socket.destroy()
    return JSON.parse(line) as unknown[]
  }

  it('is what it is over WebSocket', async () => {
    await start()
    expect(await answer(tokenOf({ sub: 'alice' }))).toMatchObject(['welcome', { id: 'alice' }])
    expect((await answer(tokenOf({ sub: 'alice', exp: inSeconds(-1) }))).slice(0, 2)).toEqual(['close', 'unauthorized'])
    expect((await answer(tokenOf({ sub: 'alice', padding: 'x'.repeat(4_096) }))).slice(0, 2)).toEqual([
      'close',
      'too_large',
    ])
  })
})

describe('the end of a token', () => {
  it('is the end of its connection', async () => {
    await start()
    const exp = inSeconds(2)
    const peer = await enter(tokenOf({ sub: 'alice', exp }))
    const [, name, text] = await peer.next('close')
    expect([name, text]).toEqual(['unauthorized', expect.stringMatching(/expired/)])
    expect(Date.now()).toBeGreaterThanOrEqual(exp * 1_000)
  })

  it('is put off by another token of the same client, whose rights take the place of the old ones', async () => {
    await start()
    const bob = await enter(tokenOf({ sub: 'bob' }))
    const exp = inSeconds(2)
    const alice = await enter(tokenOf({ sub: 'alice', exp, ackd: { targets: [] } }), { outbox: 'alicesbox' })
    alice.say(frames => frames.send(1, 1, 'bob', 0, alice.body('hi')))
    expect((await alice.next('failed'))[3]).toBe('forbidden')
    alice.say(frames => frames.token(7, tokenOf({ sub: 'alice' })))
    expect(await alice.next('reply')).toEqual(['reply', 7, null])
    alice.say(frames => frames.send(1, 1, 'bob', 0, alice.body('hi')))
    await bob.next('message')
    await sleep(exp * 1_000 + 1_500 - Date.now())
    alice.say(frames => frames.ping())
    await alice.next('pong')
  })

  it('that is put off by one with fewer rooms is the end of those: its bearer is out, and is told', async () => {
    await start()
    const bob = await enter(tokenOf({ sub: 'bob', name: 'Bob' }))
    bob.say(frames => frames.create(1, '#news', {}))
    await bob.next('reply')
    const alice = await enter(tokenOf({ sub: 'alice', name: 'Alice', ackd: { rooms: ['#lobby', '#news'] } }))
    for (const peer of [bob, alice]) {
      peer.say(frames => frames.join(2, '#news', {}))
      await peer.next('reply')
    }
    const told = (peer: Peer, event: string): Promise<void> =>
      expect.poll(() => peer.heard, { timeout: 10_000 }).toContainEqual(['members', '#news', event, 'alice', 'Alice'])
    await told(bob, 'join')
    alice.say(frames => frames.token(3, tokenOf({ sub: 'alice', ackd: { rooms: ['#lobby'] } })))
    for (const peer of [alice, bob]) await told(peer, 'leave')
    alice.say(frames => frames.join(4, '#news', {}))
    expect((await alice.next('error')).slice(1, 3)).toEqual([4, 'forbidden'])
  })

  it.each<[string, () => string, RegExp]>([
    ['another client', () => tokenOf({ sub: 'bob' }), /another client/],
    ['nobody', () => 'noise', /Web Token/],
    ['the past', () => tokenOf({ sub: 'alice', exp: inSeconds(-1) }), /expired/],
    ['5 KiB', () => tokenOf({ sub: 'alice', padding: 'x'.repeat(5_000) }), /at most 4096/],
  ])('is not put off by a token of %s, which costs nothing else', async (_, make, text) => {
    await start()
    const peer = await enter(tokenOf({ sub: 'alice', exp: inSeconds(600) }))
    peer.say(frames => frames.token('r', make()))
    expect(await peer.next('error')).toEqual(['error', 'r', 'forbidden', expect.stringMatching(text)])
    peer.say(frames => frames.ping())
    await peer.next('pong')
  })

  it('cannot be put off a thousand times at once', async () => {
    await start()
    const peer = await enter(tokenOf({ sub: 'alice' }))
    peer.say(frames => {
      for (let i = 0; i < 500; i++) frames.token(i, tokenOf({ sub: 'alice' }))
    })
    await peer.next('reply')
    expect(peer.heard.filter(([name, , code]) => name === 'error' && code === 'rate_limited').length).toBe(499)
  })

  it('is not searched for without end: the tenth wrong one closes the connection', async () => {
    await start()
    const peer = await enter(tokenOf({ sub: 'alice' }))
    for (let i = 0; i < 10; i++) {
      peer.say(frames => frames.token(i, tokenOf({ sub: 'alice' }, {}, `a wrong secret of forty bytes, ${i} times`)))
      expect((await peer.next('error')).slice(1, 3)).toEqual([i, 'forbidden'])
    }
    expect((await peer.end()).name).toBe('flood')
  })

  it('does not exist where there was no token', async () => {
    const { ws } = await start()
    const peer = await connectBySocket(ws)
    await peer.hello()
    peer.say(frames => frames.token(1, tokenOf({ sub: 'alice' })))
    expect((await peer.next('error'))[2]).toBe('forbidden')
  })
})

describe('mail to a sub that never connected', () => {
  async function sendTo(target: string): Promise<Peer> {
    const alice = await enter(tokenOf({ sub: 'alice' }), { outbox: 'alicesbox' })
    alice.say(frames => {
      for (const n of [1, 2, 3]) frames.send(n, 1, target, 0, alice.body(n))
    })
    return alice
  }

  it('is refused', async () => {
    await start()
    const alice = await sendTo('carol')
    expect(await alice.next('failed')).toEqual(['failed', 'carol', 1, 'unknown_recipient'])
  })

  it('waits for it where the server was told so', async () => {
    await start({ unknownRecipients: 'park' })
    const alice = await sendTo('carol')
    expect(await alice.next('stored')).toEqual(['stored', 'carol', 3])
    const carol = await say(tokenOf({ sub: 'carol' }))
    const [, welcome] = await carol.next('welcome')
    expect(welcome as WelcomeOptions).toMatchObject({ id: 'carol', parked: 3 })
    for (const n of [1, 2, 3]) expect((await carol.next('message')).at(-1)).toBe(n)
  })
})

/** Accounts, over real HTTP where a person would use it, and their throttle by itself. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { networkOf } from '../../src/gateway/network.ts'
import { Throttle } from '../../src/gateway/throttle.ts'
import type { WelcomeOptions } from '../../src/protocol/frames.ts'
import { secret } from '../support/issuer.ts'
import { ApiCaller, refusedWith, type Answered } from './api-caller.ts'
import { connectBySocket } from './peer.ts'

const password = 'correct horse battery'

describe('the network of an address', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:2::', '2001:db8:1:2::/64'],
    ['2001:db8::1:2:3:4', '2001:db8:0:0::/64'],
    ['2001:db8::1:2:3:4:5', '2001:db8:0:1::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::ffff:192.0.2.7', '0:0:0:0::/64'],
    ['not an address', 'not an address'],
  ])('of %s is %s', (address, network) => {
    expect(networkOf(address)).toBe(network)
  })
})

describe('a throttle', () => {
  const rates = {
    pair: { most: 2, spanMs: 60_000 },
    network: { most: 4, spanMs: 60_000 },
    name: { most: 3, spanMs: 60_000 },
    registration: { most: 2, spanMs: 60_000 },
  }

  function fails(throttle: Throttle, address: string, name: string): boolean {
    return 'retryAfterMs' in throttle.attempt(address, name)
  }

  it('lets a network fail so often at a name', () => {
    const throttle = new Throttle(rates)
    const refused = [1, 2, 3].map(() => fails(throttle, '192.0.2.1', 'alice'))
    expect(refused).toEqual([false, false, true])
    expect(fails(throttle, '192.0.2.1', 'bob')).toBe(false)
    expect(fails(throttle, '192.0.2.2', 'alice')).toBe(false)
  })

  it('lets a network fail so often at all', () => {
    const throttle = new Throttle(rates)
    const refused: boolean[] = []
    for (const name of ['a', 'b', 'c', 'd', 'e']) refused.push(fails(throttle, '2001:db8::1', name))
    expect(refused).toEqual([false, false, false, false, true])
    expect(fails(throttle, '2001:db8::2', 'f')).toBe(true)
  })

  it('lets a name be failed at so often, but keeps nobody out who has been right before', () => {
    const throttle = new Throttle(rates)
    const own = throttle.attempt('198.51.100.7', 'alice')
    if ('succeeded' in own) own.succeeded()
    const refused: boolean[] = []
    for (let i = 0; i < 4; i++) refused.push(fails(throttle, `192.0.2.${i}`, 'alice'))
    expect(refused).toEqual([false, false, false, true])
    expect(fails(throttle, '198.51.100.7', 'alice')).toBe(false)
  })

  it('counts only what fails', () => {
    const throttle = new Throttle(rates)
    for (let i = 0; i < 20; i++) {
      const attempt = throttle.attempt('192.0.2.1', 'alice')
      if ('retryAfterMs' in attempt) throw new Error(`refused at ${i}`)
      attempt.succeeded()
    }
  })

  it('lets a network register so often, and says when again', () => {
    const throttle = new Throttle(rates)
    expect([throttle.register('192.0.2.1'), throttle.register('192.0.2.1')]).toEqual([null, null])
    const refusal = throttle.register('192.0.2.1')
    expect(refusal?.retryAfterMs).toBeGreaterThan(50_000)
    expect(throttle.register('192.0.2.2')).toBeNull()
  })
})

describe('an account', () => {
  let folder = ''
  let caller: ApiCaller

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ackd-accounts-'))
    const auditLog = join(folder, 'audit.log')
    caller = await ApiCaller.start({ auth: 'both', jwtSecret: secret, accounts: 'on', tokenLife: 60_000, auditLog })
  })

  afterEach(async () => {
    await caller.close()
    rmSync(folder, { recursive: true })
  })

  const post = (path: string, body: unknown, token: string | null = null): Promise<Answered> =>
    caller.ask(path, { method: 'POST', token, body })

  const claimsOf = (token: string): unknown =>
    JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())

  async function granted(path: string, body: unknown): Promise<string> {
    const { value } = await post(path, body)
    return (value as { token: string }).token
  }

  async function idOf(token: string): Promise<string> {
    const peer = await connectBySocket(caller.server.ws)
    peer.say(frames => frames.hello({ v: 1, token }))
    const [, welcome] = await peer.next('welcome')
    peer.hangUp()
    return (welcome as WelcomeOptions).id
  }

  function audited(): string[] {
    const lines = readFileSync(join(folder, 'audit.log'), 'utf8').trim().split('\n')
    return lines.map(line => (JSON.parse(line) as { event: string }).event)
  }

  it('is made, and gives a token that lets its owner in', async () => {
    const before = Date.now()
    const { status, value } = await post('/api/register', { id: 'alice', password })
    const { id, token, expires } = value as { id: string; token: string; expires: number }
    expect([status, id]).toEqual([201, 'alice'])
    expect(expires).toBeGreaterThanOrEqual(before + 60_000)
    expect(await idOf(token)).toBe('alice')
    expect(await idOf(await granted('/api/login', { id: 'alice', password }))).toBe('alice')
    expect(audited()).toEqual(['registered', 'login'])
  })

  it('is made once', async () => {
    await post('/api/register', { id: 'alice', password })
    expect(refusedWith(await post('/api/register', { id: 'alice', password }))).toMatch(/^409 conflict: .*another name/)
    expect(await idOf(await granted('/api/login', { id: 'alice', password }))).toBe('alice')
  })

  it.each([
    ['the form of an assigned id', { id: 'AAAAAAAAAAAAAAAA', password }, /^400 .*take another/],
    ['the form of no id', { id: 'no id', password }, /^400 .*1 to 64/],
    ['the name of a room', { id: '#room', password }, /^400 .*1 to 64/],
    ['a password of 7', { id: 'alice', password: 'x'.repeat(7) }, /^400 .*8 to 200/],
    ['a password of 201', { id: 'alice', password: 'x'.repeat(201) }, /^400 .*8 to 200/],
    ['its name as the password', { id: 'alice-cooper', password: 'alice-cooper' }, /^400 .*something else/],
    ['more than is asked for', { id: 'alice', password, admin: true }, /^400/],
    ['a password that is no text', { id: 'alice', password: { length: 9 } }, /^400/],
    ['5 KiB', { id: 'alice', password, more: 'x'.repeat(5_000) }, /^413/],
    ['no JSON', '{', /^400/],
  ])('is not made with %s', async (_, body, text) => {
    expect(refusedWith(await post('/api/register', body))).toMatch(text)
  })

  it('may have a password of 8 and of 200', async () => {
    for (const [id, length] of [
      ['a', 8],
      ['b', 200],
    ] as const) {
      await post('/api/register', { id, password: 'x'.repeat(length) })
      expect((await post('/api/login', { id, password: 'x'.repeat(length) })).status).toBe(200)
    }
  })

  it('does not show whether it exists: the same words, and the same time', async () => {
    await post('/api/register', { id: 'alice', password })
    const times: Record<string, number[]> = { alice: [], nobody: [] }
    for (let i = 0; i < 5; i++) {
      for (const id of ['alice', 'nobody']) {
        const start = performance.now()
        const answered = await post('/api/login', { id, password: 'wrong horse battery' })
        times[id]?.push(performance.now() - start)
        expect(refusedWith(answered)).toBe('401 unauthorized: The name or the password is wrong.')
      }
    }
    const [wrong = 0, unknown = 0] = ['alice', 'nobody'].map(id => times[id]?.sort((a, b) => a - b)[0])
    expect(unknown / wrong).toBeGreaterThan(0.3)
    expect(unknown / wrong).toBeLessThan(3)
    expect(audited().filter(event => event === 'login_failed').length).toBe(10)
  })

  it('cannot be guessed at: the sixth wrong password within a minute is not looked at, nor is the right one', async () => {
    await post('/api/register', { id: 'alice', password })
    for (let i = 0; i < 5; i++)
      expect((await post('/api/login', { id: 'alice', password: `wrong ${i}!!!` })).status).toBe(401)
    const answered = await post('/api/login', { id: 'alice', password })
    expect(refusedWith(answered)).toMatch(/^429 rate_limited: .*after \d+ s/)
    expect(Number(answered.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(audited().at(-1)).toBe('throttled')
  })

  it('gets another password from who knows the old one, which ends its tokens within a second', async () => {
    const old = await granted('/api/register', { id: 'alice', password })
    const peer = await connectBySocket(caller.server.ws)
    peer.say(frames => frames.hello({ v: 1, token: old }))
    await peer.next('welcome')
    const wrong = await post('/api/password', { id: 'alice', password: 'wrong horse', newPassword: 'brand new horse' })
    expect(wrong.status).toBe(401)
    const start = performance.now()
    const fresh = await granted('/api/password', { id: 'alice', password, newPassword: 'brand new horse' })
    expect((await peer.next('close')).slice(1, 3)).toEqual(['unauthorized', expect.stringMatching(/revoked/)])
    // A second, and what a busy machine adds to it.
    expect(performance.now() - start).toBeLessThan(3_000)
    expect(await idOf(fresh)).toBe('alice')
    expect((await post('/api/login', { id: 'alice', password })).status).toBe(401)
    expect((await post('/api/login', { id: 'alice', password: 'brand new horse' })).status).toBe(200)
    const late = await connectBySocket(caller.server.ws)
    late.say(frames => frames.hello({ v: 1, token: old }))
    expect((await late.end()).name).toBe('unauthorized')
  })

  it('is made, and given another password, by an operator', async () => {
    const admin = (path: string, body: unknown): Promise<Answered> => caller.ask(path, { method: 'POST', body })
    expect((await admin('/api/accounts', { id: 'bob', password })).status).toBe(201)
    expect((await admin('/api/accounts/bob/password', { password: 'brand new horse' })).status).toBe(204)
    expect((await admin('/api/accounts/carol/password', { password: 'brand new horse' })).status).toBe(404)
    expect((await post('/api/accounts', { id: 'eve', password })).status).toBe(401)
    expect((await post('/api/login', { id: 'bob', password: 'brand new horse' })).status).toBe(200)
    expect(audited()).toEqual(['admin', 'registered', 'admin', 'password_changed', 'admin', 'admin_refused', 'login'])
  })

  it.each(['ackd:api', 'ackd:anything'])('cannot be called %s, as the server itself is', async id => {
    expect(refusedWith(await post('/api/register', { id, password }))).toMatch(/^400 bad_request: .*ackd:/)
    const made = await caller.ask('/api/accounts', { method: 'POST', body: { id, password } })
    expect(made.status).toBe(400)
  })

  it('is listed, made that of an admin, disabled and removed by an operator', async () => {
    const admin = (path: string, method: string, body?: unknown): Promise<Answered> =>
      caller.ask(path, { method, ...(body !== undefined && { body }) })
    for (const id of ['carol', 'alice', 'bob']) await admin('/api/accounts', 'POST', { id, password })
    await admin('/api/accounts', 'POST', { id: 'dave', password, admin: true })
    const page = (await admin('/api/accounts?limit=3', 'GET')).value as { accounts: { id: string }[]; next: string }
    expect([page.accounts.map(({ id }) => id), page.next]).toEqual([['alice', 'bob', 'carol'], 'carol'])
    const rest = await admin(`/api/accounts?after=${page.next}`, 'GET')
    const times = { created: expect.any(Number) as unknown, changed: expect.any(Number) as unknown }
    expect(rest.value).toEqual({ accounts: [{ id: 'dave', admin: true, disabled: false, ...times }], next: null })
    expect((await admin('/api/accounts/bob', 'PATCH', { admin: true })).value).toMatchObject({ admin: true })
    const token = await granted('/api/login', { id: 'bob', password })
    expect(claimsOf(token)).toMatchObject({ sub: 'bob', ackd: { admin: true } })

    const peer = await connectBySocket(caller.server.ws)
    peer.say(frames => frames.hello({ v: 1, token }))
    await peer.next('welcome')
    expect((await admin('/api/accounts/bob', 'PATCH', { disabled: true })).status).toBe(200)
    expect((await peer.end()).name).toBe('unauthorized')
    expect(refusedWith(await post('/api/login', { id: 'bob', password }))).toMatch(/^403 .*disabled/)
    expect(refusedWith(await post('/api/login', { id: 'bob', password: 'a wrong password' }))).toMatch(/^401 /)
    expect((await post('/api/register', { id: 'bob', password })).status).toBe(409)
    await admin('/api/accounts/bob', 'PATCH', { disabled: false, admin: false })
    expect(claimsOf(await granted('/api/login', { id: 'bob', password }))).not.toHaveProperty('ackd')

    expect((await admin('/api/accounts/bob', 'DELETE')).status).toBe(204)
    expect((await admin('/api/accounts/bob', 'GET')).status).toBe(404)
    expect((await post('/api/login', { id: 'bob', password })).status).toBe(401)
    expect(audited().filter(event => event.startsWith('account'))).toEqual([
      ...['account_changed', 'account_changed', 'account_changed', 'account_removed'],
    ])
  })

  it.each([
    ['PATCH', '/api/accounts/nobody', { admin: true }, 404],
    ['DELETE', '/api/accounts/nobody', undefined, 404],
    ['GET', '/api/accounts/nobody', undefined, 404],
    ['PATCH', '/api/accounts/nobody', {}, 400],
    ['PATCH', '/api/accounts/nobody', { password }, 400],
    ['PATCH', '/api/accounts/nobody', { admin: 'yes' }, 400],
  ])('is not changed by %s %s %j', async (method, path, body, status) => {
    expect((await caller.ask(path, { method, ...(body !== undefined && { body }) })).status).toBe(status)
    expect((await caller.ask(path, { method, token: 'wrong', ...(body !== undefined && { body }) })).status).toBe(401)
  })

  it('is not there on a server without accounts', async () => {
    const plain = await ApiCaller.start()
    for (const path of ['register', 'login', 'password']) {
      const body = { id: 'alice', password, ...(path === 'password' ? { newPassword: password } : {}) }
      const answered = await plain.ask(`/api/${path}`, { method: 'POST', token: null, body })
      expect(refusedWith(answered)).toMatch(/^403 forbidden: .*ACKD_ACCOUNTS=on/)
    }
    await plain.close()
  })
})

describe('a revocation', () => {
  it('of one token ends that one within a second, and is listed', async () => {
    const caller = await ApiCaller.start({ auth: 'token', jwtSecret: secret, accounts: 'on' })
    const { value } = await caller.ask('/api/register', {
      method: 'POST',
      token: null,
      body: { id: 'alice', password },
    })
    const { token } = value as { token: string }
    const { jti } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { jti: string }
    const peer = await connectBySocket(caller.server.ws)
    peer.say(frames => frames.hello({ v: 1, token }))
    await peer.next('welcome')
    const made = await caller.ask('/api/revocations', { method: 'POST', body: { kind: 'token', value: jti } })
    expect(made.status).toBe(201)
    expect((await peer.end()).name).toBe('unauthorized')
    expect((await caller.ask('/api/revocations')).value).toEqual({ revocations: [made.value], next: null })
    const page = await caller.ask('/api/revocations?limit=1')
    const { next } = page.value as { next: string }
    expect((await caller.ask(`/api/revocations?after=${next}`)).value).toEqual({ revocations: [], next: null })
    await caller.close()
  })

  it.each([
    [{ kind: 'token', value: '' }, 400],
    [{ kind: 'client', value: 'no id' }, 400],
    [{ kind: 'all', value: 'x' }, 400],
  ])('of %j is refused', async (body, status) => {
    const caller = await ApiCaller.start({ auth: 'token', jwtSecret: secret })
    expect((await caller.ask('/api/revocations', { method: 'POST', body })).status).toBe(status)
    await caller.close()
  })

  it('needs tokens', async () => {
    const caller = await ApiCaller.start()
    expect(refusedWith(await caller.ask('/api/revocations'))).toMatch(/^403 .*ACKD_AUTH/)
    await caller.close()
  })
})

/** Tokens of a client: at hello, in band, and when there is none. On a clock that is turned by hand. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { AckdError, connect, memoryIdentity, type Client, type Status } from '../../src/client/index.ts'
import { expiryOf, Renewal } from '../../src/client/token.ts'
import { base64url } from '../support/issuer.ts'
import { Network, type Peer } from './wire.ts'

let network: Network
let client: Client
let errors: AckdError[]
let states: Status['state'][]
/** What the function gives, one after the other; then it fails. */
let tokens: (string | Error)[]
let asked: number

/** Seconds after the welcome, by the server's clock, which is that of 1970 here. */
const token = (exp: number, name = 'ann'): string => `${base64url({})}.${base64url({ exp, name })}.x`

function start(given: string | (() => Promise<string> | string) = nextToken): void {
  client = connect('ws://there/ws', { openSocket: network.openSocket, identity: memoryIdentity(), token: given })
  client.on('error', error => errors.push(error))
  client.on('status', ({ state }) => states.push(state))
}

function nextToken(): Promise<string> {
  asked++
  const next = tokens.shift() ?? new Error('logged out')
  return typeof next === 'string' ? Promise.resolve(next) : Promise.reject(next)
}

async function pass(seconds = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(seconds * 1_000)
}

async function connected(): Promise<Peer> {
  await pass()
  network.last.open()
  network.last.welcome()
  await pass()
  return network.last
}

/** As the server does, so that the silence is no reason to end. */
async function live(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    network.last.say(frames => frames.ping())
    await pass(1)
  }
}

const renewals = (peer: Peer): string[] => peer.heard.filter(frame => frame.startsWith('token '))

beforeEach(() => {
  vi.useFakeTimers()
  vi.spyOn(Math, 'random').mockReturnValue(0.999999)
  network = new Network()
  errors = []
  states = []
  tokens = []
  asked = 0
})

afterEach(async () => {
  const closed = client.close({ flushMs: 0 })
  await pass(5)
  await closed
  vi.restoreAllMocks()
  vi.useRealTimers()
})

describe('at each connection', () => {
  test('a function is asked for one, and no id is shown', async () => {
    tokens = ['token 1', 'token 2']
    start()
    await pass()
    network.last.open()
    network.last.drop()
    await pass(1)
    network.last.open()
    expect(network.peers.map(({ hellos }) => hellos[0]?.token)).toEqual(['token 1', 'token 2'])
    expect(network.last.hellos[0]).not.toHaveProperty('id')
  })

  test('a function that fails is asked again after pauses that grow to 20 s, and each failure is told', async () => {
    start()
    await pass()
    expect(network.peers).toEqual([])
    expect(client.status).toMatchObject({ state: 'waiting', reason: 'no_token' })
    expect(errors).toMatchObject([{ code: 'no_token', retryable: true, detail: 'logged out' }])
    await pass(600)
    expect(asked).toBeGreaterThan(600 / 20)
    expect(asked).toBeLessThan(600 / 20 + 9)
    expect(errors).toHaveLength(asked)
    tokens = [token(100)]
    await pass(20)
    await connected()
    expect(client.status.state).toBe('connected')
  })

  test('an error that says that it is for good ends it, until the application connects again', async () => {
    tokens = []
    let isOut = true
    start(() => {
      if (isOut) throw new AckdError('unauthorized', 'logged out')
      return token(100)
    })
    const ready = client.ready()
    ready.catch(() => {})
    await pass(600)
    expect(client.status).toMatchObject({ state: 'closed', reason: 'unauthorized' })
    await expect(ready).rejects.toMatchObject({ code: 'unauthorized', detail: 'logged out' })
    isOut = false
    client.reconnect()
    await connected()
    expect(client.status.state).toBe('connected')
  })

  test.each([
    ['nothing', undefined],
    ['the empty string', ''],
    ['what is too long', 'x'.repeat(4_097)],
    ['a number', 7],
  ])('%s is no token', async (_, given) => {
    start(() => given as string)
    await pass()
    expect(errors).toMatchObject([{ code: 'no_token', detail: 'it did not give a string of 1 to 4096 characters' }])
    expect(network.peers).toEqual([])
  })

  test('a function that takes longer than 30 s has failed, and only one is asked at a time', async () => {
    start(() => {
      asked++
      return new Promise(() => {})
    })
    for (let i = 0; i < 10; i++) client.reconnect()
    await pass(29)
    expect([asked, errors]).toEqual([1, []])
    await pass(2)
    expect(asked).toBe(2)
    expect(errors).toMatchObject([{ code: 'no_token', detail: 'no token came within 30 s' }])
  })

  test('one that the server does not take is replaced by another, twice', async () => {
    tokens = ['a', 'b', 'c', 'd']
    start()
    for (const left of [3, 2, 1]) {
      await pass(1)
      expect(tokens).toHaveLength(left)
      network.last.open()
      network.last.say(frames => frames.close('unauthorized', 'expired', null))
    }
    await pass(600)
    expect(client.status).toMatchObject({ state: 'closed', reason: 'unauthorized' })
    client.reconnect()
    await pass()
    expect(tokens).toHaveLength(0)
  })

  test('a string that the server does not take is not shown again', async () => {
    start('fixed')
    network.last.open()
    network.last.say(frames => frames.close('unauthorized', 'expired', null))
    await pass(600)
    expect([client.status.state, network.peers.length]).toEqual(['closed', 1])
  })
})

describe('before a token expires', () => {
  test('another one is shown, over the same connection, again and again', async () => {
    tokens = [token(100), token(200), token(300)]
    start()
    const peer = await connected()
    await live(74)
    expect([asked, renewals(peer)]).toEqual([1, []])
    await live(2)
    expect(renewals(peer)).toEqual([`token ${token(200)}`])
    peer.answer(null)
    await live(92)
    expect(asked).toBe(2)
    await live(2)
    expect(renewals(peer)).toEqual([`token ${token(200)}`, `token ${token(300)}`])
    expect([network.peers.length, errors]).toEqual([1, []])
  })

  test('a function that fails is asked again while there is time, with growing pauses', async () => {
    tokens = [token(400), new Error('offline'), new Error('offline'), token(800)]
    start()
    const peer = await connected()
    await live(300)
    await live(2)
    expect([asked, errors.length]).toEqual([3, 1 + 1])
    await live(3)
    expect(renewals(peer)).toEqual([`token ${token(800)}`])
    peer.answer(null)
    await live(100)
    expect(states.filter(state => state === 'connected')).toHaveLength(1)
  })

  test('one that is refused, or lasts no longer, is not the end: the next is tried', async () => {
    tokens = [token(400), token(401, 'bob'), token(400), token(800)]
    start()
    const peer = await connected()
    await live(301)
    expect(renewals(peer)).toEqual([`token ${token(401, 'bob')}`])
    peer.refuse('forbidden')
    await live(8)
    expect(renewals(peer)).toEqual([`token ${token(401, 'bob')}`, `token ${token(800)}`])
    expect(errors.map(({ code }) => code)).toEqual(['no_token', 'no_token'])
  })

  test('in vain: the tries end with the life of the token, and the next connection begins with a new one', async () => {
    tokens = [token(100)]
    start()
    await connected()
    await live(100)
    const tries = asked
    expect(tries).toBeGreaterThan(3)
    expect(tries).toBeLessThan(9)
    await live(20)
    expect(asked).toBe(tries)
    tokens = [token(300)]
    network.last.say(frames => frames.close('unauthorized', 'expired', null))
    await pass(1)
    expect(network.last.hellos).toEqual([])
    await connected()
    expect(network.last.hellos).toMatchObject([{ token: token(300) }])
  })

  test('nothing is asked for after the connection is gone, and an answer that comes too late is dropped', async () => {
    let give: (token: string) => void = () => {}
    tokens = [token(100)]
    start(() => (tokens.length > 0 ? nextToken() : new Promise(resolve => (give = resolve))))
    const first = await connected()
    await live(76)
    first.drop()
    give(token(500))
    await pass()
    expect(renewals(first)).toEqual([])
  })

  test.each([
    ['a string', () => token(100)],
    ['a function whose tokens do not say when', () => () => 'opaque'],
  ])('%s is left alone', async (_, given) => {
    start(given())
    const peer = await connected()
    await live(300)
    expect([renewals(peer), errors, network.peers.length]).toEqual([[], [], 1])
  })

  test('a life that is longer than a timer can wait is waited for all the same', async () => {
    start('fixed')
    await client.close({ flushMs: 0 })
    const day = 86_400
    const shown: string[] = []
    const renewal = new Renewal(() => token(900 * day), { turn: () => {}, failed: error => errors.push(error) })
    renewal.opened({ token: (_, fresh) => void shown.push(fresh) }, token(400 * day), 0)
    await pass(299 * day)
    expect(shown).toEqual([])
    await pass(2 * day)
    expect([shown, errors]).toEqual([[token(900 * day)], []])
    renewal.closed()
  })
})

test.each([
  ['', null],
  ['opaque', null],
  ['a.b.c', null],
  [`x.${base64url('7')}.x`, null],
  [`x.${base64url({ exp: 'soon' })}.x`, null],
  [`x.${base64url({ exp: 12, name: 'ä?>~' })}.x`, 12_000],
])('%j expires at %s', (text, expires) => {
  expect(expiryOf(text)).toBe(expires)
})

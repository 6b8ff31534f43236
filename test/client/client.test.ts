/** How a client connects, comes back and stays away, on a clock that is turned by hand. */
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { connect, memoryIdentity, type Client, type Keeper, type Status } from '../../src/client/index.ts'
import type { ClientOptions } from '../../src/client/client.ts'
import { encodeBody } from '../../src/protocol/values.ts'
import { connectedBy, pass, turnClockByHand } from './turned-clock.ts'
import { Network } from './wire.ts'

let network: Network
let client: Client
let states: Status[]

function start(options: Partial<ClientOptions> = {}): void {
  client = connect('ws://there/ws', { openSocket: network.openSocket, identity: memoryIdentity(), ...options })
  states = []
  client.on('status', status => states.push(status))
}

turnClockByHand(() => client)
const connected = (): Promise<void> => connectedBy(network)

beforeEach(() => {
  network = new Network()
})

describe('connecting', () => {
  test('says hello with the identity it has, and remembers the one it is given', async () => {
    const identity = memoryIdentity()
    start({ identity, name: 'Ann', agent: 'test' })
    expect(client.id).toBeNull()
    network.last.open()
    expect(network.last.hellos).toMatchObject([{ v: 1, name: 'Ann', agent: 'test', window: 256, attempt: 1 }])
    network.last.welcome({ id: 'fresh', secret: 'hush' })
    expect(await client.ready()).toBe('fresh')
    expect(identity.load()).toEqual({ id: 'fresh', secret: 'hush' })
    network.last.drop()
    await pass(250)
    network.last.open()
    expect(network.last.hellos).toMatchObject([{ id: 'fresh', secret: 'hush', attempt: 2 }])
  })

  test('gives up a socket that brings no welcome', async () => {
    start()
    network.last.open()
    await pass(9_999)
    expect(client.status.state).toBe('connecting')
    await pass(1)
    expect(client.status).toMatchObject({ state: 'waiting', reason: 'timeout' })
    expect(network.last.closed).toBe(true)
  })

  test('refuses an address that cannot be one', () => {
    start()
    expect(() => connect('http://there')).toThrow(expect.objectContaining({ code: 'bad_url' }))
    expect(() => connect('nonsense')).toThrow(expect.objectContaining({ code: 'bad_url' }))
  })
})

describe('coming back', () => {
  test('waits longer after each failure, and not at all longer than 20 s', async () => {
    start()
    const waits: number[] = []
    for (let i = 0; i < 10; i++) {
      network.last.drop()
      const status = client.status
      const wait = status.state === 'waiting' ? status.retryAt - Date.now() : 0
      waits.push(wait)
      await pass(wait)
    }
    expect(waits.slice(0, 4)).toEqual([250, 500, 1_000, 2_000])
    expect(waits.at(-1)).toBe(20_000)
  })

  test('stays away from a server that wants it for longer than a timer can wait', async () => {
    start()
    await connected()
    network.last.say(frames => frames.close('restart', 'going', 2 ** 40))
    await pass(60_000)
    expect(network.peers).toHaveLength(1)
  })

  test('waits in peace with a message that is handed back for longer than a timer can wait', async () => {
    start()
    await connected()
    client.send('bob', 'hello').catch(() => {})
    await pass()
    network.last.say(frames => frames.retry('bob', 1, 'overloaded', 2 ** 40))
    for (let i = 0; i < 3; i++) {
      await pass(15_000)
      network.last.say(frames => frames.ping())
    }
    const timers = vi.spyOn(globalThis, 'setTimeout')
    await pass(1_000)
    expect(timers.mock.calls.length).toBeLessThan(10)
  })

  test('obeys what the server says about when', async () => {
    start()
    await connected()
    network.last.say(frames => frames.close('restart', 'going', 7_000))
    expect(client.status).toMatchObject({ state: 'waiting', reason: 'restart', retryAt: Date.now() + 7_000 })
    await pass(6_999)
    expect(network.peers).toHaveLength(1)
    await pass(1)
    expect(network.peers).toHaveLength(2)
  })

  test.each([
    ['a frame', () => network.last.say(frames => frames.close('replaced', 'elsewhere', null))],
    ['a number', () => network.last.drop(4500, 'replaced')],
  ])('does not happen after a close that forbids it, told by %s', async (_, close) => {
    start()
    await connected()
    close()
    await pass(60_000)
    expect(client.status).toMatchObject({ state: 'closed', reason: 'replaced', error: { code: 'replaced' } })
    expect(network.peers).toHaveLength(1)
    await expect(client.ready()).rejects.toMatchObject({ code: 'replaced' })
    client.reconnect()
    expect(network.peers).toHaveLength(2)
  })

  test('happens after two silent ping intervals, and any packet counts as life', async () => {
    start()
    await connected()
    for (let i = 0; i < 5; i++) {
      await pass(15_000)
      network.last.say(frames => frames.ping())
      await pass()
      expect(network.last.heard.at(-1)).toBe('pong')
    }
    await pass(34_999)
    expect(client.status.state).toBe('connected')
    await pass(1)
    expect(client.status).toMatchObject({ state: 'waiting', reason: 'timeout' })
  })

  test('follows what is not a frame', async () => {
    start()
    await connected()
    network.last.garble()
    expect(client.status).toMatchObject({ state: 'waiting', reason: 'bad_frame' })
  })

  test('obeys a server that says so in text, since it has not heard how it is spoken to', async () => {
    start()
    network.last.open()
    network.last.write('["close","overloaded","later",3000]')
    expect(client.status).toMatchObject({ state: 'waiting', reason: 'overloaded', retryAt: Date.now() + 3_000 })
    await pass(3_000)
    network.last.open()
    network.last.write('["close","version","never",null]')
    expect(client.status).toMatchObject({ state: 'closed', reason: 'version' })
  })

  test.each(['hello', '["ping"]', '["close",7]'])('follows a text that is none of that: %s', async text => {
    start()
    await connected()
    network.last.write(text)
    expect(client.status).toMatchObject({ state: 'waiting', reason: 'bad_frame' })
  })

  test('by hand does not wait', async () => {
    start()
    network.last.drop()
    client.reconnect()
    expect(network.peers).toHaveLength(2)
    await pass(60_000)
    expect(network.peers.length).toBeLessThan(9)
  })
})

describe('what was promised', () => {
  test('goes out once per turn and is kept over connections', async () => {
    start()
    await connected()
    const sent = client.send('bob', 1)
    expect(network.last.heard).toEqual([])
    await pass()
    network.last.drop()
    await pass(250)
    await connected()
    expect(network.peers.map(({ heard }) => heard)).toEqual([['send bob 1'], ['send bob 1']])
    network.last.say(frames => frames.stored('bob', 1))
    const { status, n, delivered } = await sent
    expect([status, n]).toEqual(['stored', 1])
    network.last.say(frames => frames.ended('expired', 'bob', 1, 'expired'))
    expect(await delivered).toBe('expired')
  })

  test('is refused with the reason', async () => {
    start()
    await connected()
    const sent = client.send('bob', 1)
    const refused = expect(sent).rejects.toMatchObject({
      code: 'rejected',
      message: expect.stringMatching('too odd') as string,
    })
    await pass()
    network.last.say(frames => frames.ended('rejected', 'bob', 1, 'too odd'))
    await refused
  })

  test('answers are lost with the connection', async () => {
    start()
    await expect(client.presence(['bob'])).rejects.toMatchObject({ code: 'not_connected' })
    await connected()
    const ids = Array.from({ length: 201 }, (_, i) => `id${i}`)
    const presence = client.presence(ids)
    await pass(1)
    await pass(1)
    expect(Object.keys(await presence)).toHaveLength(201)
    expect(network.last.heard).toEqual(['presence 200', 'presence 1'])
    const rotated = expect(client.rotateSecret()).rejects.toMatchObject({ code: 'forbidden' })
    await pass(1)
    await rotated
    const lost = expect(client.presence(['bob'])).rejects.toMatchObject({ code: 'not_connected' })
    network.last.drop()
    await lost
  })

  test('bye is said at the end', async () => {
    start()
    await connected()
    const closed = client.close()
    await pass()
    await closed
    expect(network.last.heard).toEqual(['bye'])
    expect(client.status).toMatchObject({ state: 'closed', reason: 'closed' })
  })

  test('close waits for what is open, but not for ever', async () => {
    start()
    await connected()
    const refused = expect(client.send('bob', 1)).rejects.toMatchObject({ code: 'closed' })
    const closed = client.close({ flushMs: 300 })
    await pass(299)
    expect(client.status.state).toBe('connected')
    await pass(1)
    await closed
    await refused
  })
})

describe('the message handler', () => {
  const body = encodeBody({ text: 'hi' }, false)

  test('is one, and its promise is what an ack waits for', async () => {
    start()
    await connected()
    let done = (): void => {}
    client.on('message', () => new Promise<void>(resolve => (done = resolve)))
    expect(() => client.on('message', () => {})).toThrow(expect.objectContaining({ code: 'busy' }))
    network.last.say(frames => frames.message(1, 'ann', 'outbox-b', 1, 5, 1, body))
    await pass(1_000)
    expect(network.last.heard).toEqual([])
    done()
    await pass()
    expect(network.last.heard).toEqual(['ack 1'])
  })

  test('is tried three times more before the message is refused', async () => {
    start()
    await connected()
    const errors: string[] = []
    let tries = 0
    client.on('error', error => errors.push(error.code))
    client.on('message', () => {
      tries++
      throw new Error('broken')
    })
    network.last.say(frames => frames.message(1, 'ann', 'outbox-b', 1, 5, 0, body))
    await pass(5_250)
    await pass(1)
    expect(network.last.heard).toEqual(['nack 1 broken'])
    expect(tries).toBe(4)
    expect(errors).toEqual(['handler_failed', 'handler_failed', 'handler_failed', 'handler_failed'])
  })
})

test('a place for the identity that does not work is told, and the client goes on', async () => {
  start({
    identity: {
      load: () => null,
      save: () => {
        throw new Error('no room')
      },
    },
  })
  const errors: string[] = []
  client.on('error', error => errors.push(error.code))
  network.last.open()
  network.last.welcome({ id: 'fresh', secret: 'hush' })
  await pass()
  expect(client.id).toBe('fresh')
  expect(errors).toEqual(['not_kept'])
})

test('nothing leaves that could not be kept, and it leaves when it can be', async () => {
  let works = true
  const keeper: Keeper = {
    identity: memoryIdentity(),
    outbox: null,
    cursors: [],
    rooms: [],
    attach: () => {},
    changed: () => {},
    recorded: () => {},
    roomRecorded: () => {},
    commit: () => {
      if (!works) throw new Error('disk full')
      return undefined
    },
    close: () => {},
  }
  start({ keeper })
  await connected()
  const errors: string[] = []
  client.on('error', error => errors.push(error.code))
  works = false
  const sent = client.send('bob', 1)
  await pass(1)
  expect(network.last.heard).toEqual([])
  expect(client.status).toMatchObject({ state: 'waiting', reason: 'not_kept' })
  expect(new Set(errors)).toEqual(new Set(['not_kept']))
  works = true
  await pass(250)
  await connected()
  network.last.say(frames => frames.delivered('bob', 1))
  expect(await sent).toMatchObject({ status: 'delivered' })
})

test('a message has a key, which its receipts carry and no other message on its way has', async () => {
  start()
  await connected()
  const receipts: unknown[] = []
  client.on('receipt', receipt => receipts.push(receipt))
  const sent = client.send('bob', 1, { key: 'mine' })
  await expect(client.send('bob', 1, { key: 'mine' })).rejects.toMatchObject({ code: 'bad_key' })
  await expect(client.send('bob', 1, { key: '' })).rejects.toMatchObject({ code: 'bad_key' })
  await pass()
  network.last.say(frames => frames.delivered('bob', 1))
  expect(await sent).toMatchObject({ key: 'mine', status: 'delivered' })
  expect(receipts).toMatchObject([{ key: 'mine', status: 'delivered', to: 'bob', n: 1 }])
  client.send('bob', 1, { key: 'mine' }).catch(() => {})
})

/** What a client makes of a network that comes and goes, and of a clock that jumps, on a clock that is turned by hand. */
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { Client } from '../../src/client/client.ts'
import { memoryIdentity } from '../../src/client/identity.ts'
import { Office } from '../../src/client/browser/office.ts'
import { Tab } from './origin.ts'
import { connectedBy, pass, turnClockByHand } from './turned-clock.ts'
import { Network } from './wire.ts'

let network: Network
let client: Client
let tab: Tab
let openedAt: number[]

turnClockByHand(() => client)

beforeEach(() => {
  network = new Network()
  tab = new Tab()
  openedAt = []
  const start = performance.now()
  const openSocket: Network['openSocket'] = (url, events) => {
    openedAt.push(Math.round(performance.now() - start))
    return network.openSocket(url, events)
  }
  const options = { openSocket, identity: memoryIdentity(), page: tab.page }
  client = new Client(events => new Office('ws://there/ws', options, events))
})

const connected = (): Promise<void> => connectedBy(network)

/** The machine sleeps: the clock goes on, timers do not. */
function sleep(ms: number): void {
  const now = performance.now.bind(performance)
  vi.spyOn(performance, 'now').mockImplementation(() => now() + ms)
}

describe('a network that comes and goes ten times a second', () => {
  async function flap(seconds: number): Promise<void> {
    for (let i = 0; i < seconds * 10; i++) {
      tab[i % 2 === 0 ? 'offline' : 'online']()
      await pass(100)
      if (client.status.state === 'connecting') network.last.drop()
    }
  }

  test('makes no storm of connections, and does not keep it from trying either', async () => {
    network.last.drop()
    await flap(60)
    expect(openedAt.length).toBeGreaterThan(50)
    expect(openedAt.length).toBeLessThan(100)
  })

  test('is asked about once at a time while there is a connection', async () => {
    await connected()
    await flap(4)
    expect([network.peers.length, network.last.heard]).toEqual([1, ['ping']])
  })
})

describe('a sign', () => {
  test('brings the next attempt forward', async () => {
    for (let i = 0; i < 7; i++) {
      network.last.drop()
      await pass(20_000)
    }
    network.last.drop()
    const tried = openedAt.length
    await pass(2_000)
    expect(openedAt).toHaveLength(tried)
    tab.online()
    await pass(0)
    expect(openedAt).toHaveLength(tried + 1)
  })

  test('does not put it off', async () => {
    network.last.drop()
    tab.online()
    await pass(0)
    network.last.drop()
    // Due in 250 ms.
    await pass(200)
    tab.online()
    await pass(60)
    expect(openedAt).toEqual([0, 0, 250])
  })

  test('changes nothing about when the server wants to be left alone', async () => {
    await connected()
    network.last.say(frames => frames.close('restart', 'later', 8_000))
    await pass(0)
    for (let i = 0; i < 7; i++) {
      tab.online()
      await pass(1_000)
    }
    expect(openedAt).toHaveLength(1)
    await pass(1_000)
    expect(openedAt).toHaveLength(2)
  })
})

describe('a machine that slept for an hour', () => {
  test('asks the server before it gives up the connection', async () => {
    await connected()
    sleep(3_600_000)
    await pass(30_001)
    expect(network.last.heard).toEqual(['ping'])
    network.last.say(frames => frames.pong())
    await pass(10_000)
    expect([client.status.state, network.peers.length]).toEqual(['connected', 1])
  })

  test('asks again when it slept while it waited for the answer', async () => {
    await connected()
    tab.online()
    await pass(1_000)
    sleep(3_600_000)
    await pass(4_001)
    expect(network.last.heard).toEqual(['ping', 'ping'])
    network.last.say(frames => frames.pong())
    await pass(5_000)
    expect([client.status.state, network.peers.length]).toEqual(['connected', 1])
  })

  test('gives up a server that does not answer then either', async () => {
    await connected()
    tab.online()
    await pass(1_000)
    sleep(3_600_000)
    await pass(4_000 + 4_999)
    expect(client.status.state).toBe('connected')
    await pass(1)
    expect(client.status).toMatchObject({ state: 'waiting', reason: 'timeout' })
  })
})

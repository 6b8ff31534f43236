/** What an office lets out, and when, with a keeper that takes its time. */
import { beforeEach, describe, expect, test } from 'vitest'
import { connect, memoryIdentity, type Client, type Keeper } from '../../../src/client/index.ts'
import { connectedBy, pass, turnClockByHand } from '../turned-clock.ts'
import { Network } from '../wire.ts'

let network: Network
let client: Client

turnClockByHand(() => client)
const connected = (): Promise<void> => connectedBy(network)

beforeEach(() => {
  network = new Network()
})

describe('a keeper that takes its time', () => {
  let commits: { resolve: () => void; reject: (error: Error) => void }[]
  let told: number

  beforeEach(async () => {
    commits = []
    told = 0
    const keeper: Keeper = {
      identity: memoryIdentity(),
      outbox: null,
      cursors: [],
      rooms: [],
      attach: () => {},
      changed: () => {
        told++
      },
      roomRecorded: () => {},
      recorded: () => {
        told++
      },
      commit: () => {
        if (told === 0) return undefined
        told = 0
        return new Promise((resolve, reject) => commits.push({ resolve, reject }))
      },
      close: () => {},
    }
    client = connect('ws://there/ws', { openSocket: network.openSocket, keeper })
    expect(network.peers).toHaveLength(0)
    await kept()
    await connected()
  })

  async function kept(): Promise<void> {
    commits.shift()?.resolve()
    await pass()
  }

  test('is waited for before anything leaves, and what comes meanwhile waits for its own turn', async () => {
    client.send('bob', 1).catch(() => {})
    await pass()
    client.send('bob', 2).catch(() => {})
    await pass()
    expect(network.last.heard).toEqual([])
    await kept()
    expect(network.last.heard).toEqual(['send bob 1'])
    await kept()
    expect(network.last.heard).toEqual(['send bob 1', 'send bob 2'])
    expect(commits).toEqual([])
  })

  test('takes what it did not keep another time, on another connection', async () => {
    client.send('bob', 1).catch(() => {})
    await pass()
    commits.shift()?.reject(new Error('disk full'))
    await pass()
    expect(client.status).toMatchObject({ state: 'waiting', reason: 'not_kept' })
    expect(network.last.heard).toEqual([])
  })

  test('holds nothing for a connection that is gone', async () => {
    client.send('bob', 1).catch(() => {})
    await pass()
    network.last.drop()
    await pass(250)
    await kept()
    await kept()
    await connected()
    expect(network.peers.map(({ heard }) => heard)).toEqual([[], ['send bob 1']])
  })
})

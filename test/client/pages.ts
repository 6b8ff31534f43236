/**
 * Pages with the client in them, in tabs of one origin that is played in one process, at a real server; and Bob, who is elsewhere.
 */
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { Client, type Receipt } from '../../src/client/client.ts'
import { memoryIdentity, type IdentityStore } from '../../src/client/identity.ts'
import type { Status } from '../../src/client/connector.ts'
import type { AckdError } from '../../src/client/errors.ts'
import { connect } from '../../src/client/index.node.ts'
import { openNodeSocket } from '../../src/client/sockets.node.ts'
import { Tabs } from '../../src/client/browser/tabs.ts'
import { startServer, type Server } from '../../src/server.ts'
import { Origin, Tab } from './origin.ts'

export let server: Server
export let origin: Origin
export let identity: IdentityStore
export let bob: Client
export let bobId: string
export let atBob: unknown[]
let open: Page[]

/** A tab with a client in it. */
export class Page {
  readonly tab = new Tab()
  readonly client: Client
  readonly shown: unknown[] = []
  readonly states: Status[] = []
  readonly errors: AckdError[] = []
  readonly receipts: Receipt[] = []
  missed = 0
  sockets = 0
  /** When it opened the last one. */
  openedAt = 0
  readonly #live = new Set<{ close(): void }>()

  constructor({ locks = true, listens = true, askMs = 700 } = {}) {
    const openSocket: typeof openNodeSocket = (url, events) => {
      if (this.tab.dead) return { send: () => {}, close: () => {} }
      const socket = openNodeSocket(url, {
        opened: () => this.tab.hear(() => events.opened()),
        packet: (bytes, text) => this.tab.hear(() => events.packet(bytes, text)),
        closed: (number, name) => this.tab.hear(() => events.closed(number, name)),
      })
      this.sockets++
      this.openedAt = performance.now()
      this.#live.add(socket)
      return {
        ...socket,
        send: packet => {
          if (!this.tab.dead) socket.send(packet)
        },
      }
    }
    const options = { url: server.ws, name: 'ackd test', identity, browser: origin.browser(this.tab, locks), askMs }
    const office = { openSocket, backoff: { firstMs: 20, maxMs: 100 } }
    this.client = new Client(events => new Tabs({ ...options, office }, events))
    this.client.on('status', status => this.states.push(status))
    this.client.on('error', error => this.errors.push(error))
    this.client.on('receipt', receipt => this.receipts.push(receipt))
    this.client.on('missed', () => this.missed++)
    this.tab.die = () => this.kill()
    if (listens) this.listen()
    open.push(this)
  }

  listen(): () => void {
    return this.client.on('message', async message => {
      if (this.tab.dead) await new Promise<void>(() => {})
      this.shown.push(message.body)
    })
  }

  /** The process of the tab is killed. */
  kill(): void {
    for (const socket of this.#live) socket.close()
    origin.kill(this.tab)
  }

  get state(): Status['state'] {
    return this.client.status.state
  }
}

export async function until(condition: () => boolean, what = ''): Promise<void> {
  const last = performance.now() + 50_000
  while (performance.now() < last && !condition()) await new Promise(resolve => setTimeout(resolve, 5))
  expect(condition(), what || condition.toString()).toBe(true)
}

/** Turns of the loop in which all is written that was to be: a step of a database takes one. */
const TURNS = 100

/** Waits until what was begun is over. So many ms alone may be no turn at all on a busy machine. */
export async function settle(): Promise<void> {
  await new Promise(resolve => setTimeout(resolve, 50))
  for (let turn = 0; turn < TURNS; turn++) await new Promise(resolve => setImmediate(resolve))
}

beforeAll(async () => {
  // On a busy machine this very program is late, and the server with it: that is not what is tried here.
  const quiet = { store: 'memory', logLevel: 'silent', maxLag: 60_000, overloadLag: 60_000 } as const
  server = await startServer({ port: 0, tcpPort: 'off', tlsPort: 'off', ...quiet })
})

beforeEach(async () => {
  origin = new Origin()
  identity = memoryIdentity()
  open = []
  atBob = []
  bob = connect(server.ws)
  bobId = await bob.ready()
  bob.on('message', ({ body }) => void atBob.push(body))
})

afterEach(async () => {
  await Promise.all([...open.map(({ client }) => client.close({ flushMs: 0 })), bob.close({ flushMs: 0 })])
})

afterAll(async () => {
  await server.close()
})

/** A server of the test's own and who is connected to it, for tests of its limits. */
import { startVictim } from './server.ts'
import { connectBySocket, type Peer } from '../gateway/peer.ts'
import type { Options } from '../../src/options.ts'
import type { Server } from '../../src/server.ts'

let server: Server | null = null

export async function start(more: Partial<Options>): Promise<Server> {
  server = await startVictim(more)
  return server
}

/** Ends it; after each test. */
export async function stop(): Promise<void> {
  await server?.close()
  server = null
}

/** Where it is. */
export const places = {
  get ws(): string {
    return server?.ws ?? ''
  },
  get http(): string {
    return server?.http ?? ''
  },
}

export interface Known {
  readonly peer: Peer
  readonly id: string
  readonly secret: string
}

export async function enter(hello: Parameters<Peer['hello']>[0] = {}): Promise<Known> {
  const peer = await connectBySocket(places.ws)
  const { id, secret = hello.secret ?? '' } = await peer.hello(hello)
  return { peer, id, secret }
}

export const alices = { outbox: 'alicesbox' }

/** Somebody who has left, whose mail is parked. */
export async function absent(): Promise<Known> {
  const known = await enter()
  known.peer.say(frames => frames.bye())
  await known.peer.end()
  return known
}

export function send({ peer }: Known, target: string, from: number, to = from, size = 1): void {
  peer.say(frames => {
    for (let n = from; n <= to; n++) frames.send(n, 1, target, 0, peer.body('x'.repeat(size)))
  })
}

/** Keeps the event loop late, ms a time, until it is told to stop. */
export function dawdle(ms: number): () => void {
  let on = true
  const loiter = (): void => {
    const end = performance.now() + ms
    while (performance.now() < end);
    if (on) setTimeout(loiter, 1)
  }
  loiter()
  return () => {
    on = false
  }
}

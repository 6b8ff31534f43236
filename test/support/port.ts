/** Ports for servers that are told theirs, and that keep them while they are away. */
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below those that a system gives by itself, as are those ten thousand above, at which a Redis of a cluster talks to the others. */
const PORTS = [12_000, 22_000] as const

/** A port that nobody has, and that nobody is given who asks for any, between now and when it is used or while a server is away. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS[0] + Math.floor(Math.random() * (PORTS[1] - PORTS[0]))
    const trial = createServer()
    const isFree = await new Promise<boolean>(resolve => {
      trial.once('error', () => resolve(false))
      trial.listen(port, '127.0.0.1', () => resolve(true))
    })
    if (!isFree) continue
    trial.close()
    await once(trial, 'close')
    return port
  }
}

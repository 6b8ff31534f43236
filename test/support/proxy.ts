/**
 * A way between two that can be made bad: what passes can be delayed, cut, or lost in one direction, from one moment to the next.
 */
import { connect, createServer, type Server, type Socket } from 'node:net'
import { once } from 'node:events'

export class Proxy {
  /** ms that everything takes, there and back. */
  delayMs = 0
  /** What is said to the far end stays on the way until it is released, even if who said it is gone by then. */
  holdsCalls = false
  /** What the far end answers is thrown away, though it did what it was asked. */
  losesReplies = false
  /** Replies are thrown away from now and then on, and the connection ends with them: one in so many. 0: never. */
  cutsOneReplyIn = 0
  cuts = 0
  /** Is asked before a call passes, which waits until it has answered. Null: nobody is asked. */
  before: ((call: Buffer) => Promise<unknown>) | null = null
  /** Where connections to come lead. */
  farPort: number
  readonly #server: Server
  readonly #pairs = new Set<readonly [Socket, Socket]>()
  readonly #held = new Map<Socket, Buffer[]>()

  private constructor(server: Server, farPort: number) {
    this.#server = server
    this.farPort = farPort
  }

  static async start(farPort: number): Promise<Proxy> {
    const server = createServer()
    const proxy = new Proxy(server, farPort)
    server.on('connection', near => proxy.#join(near, connect(proxy.farPort, '127.0.0.1')))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return proxy
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  /** Ends every connection. */
  cut(): void {
    for (const [near, far] of this.#pairs) {
      near.destroy()
      far.destroy()
    }
  }

  /** Lets what was held arrive, and its connections end. */
  async release(): Promise<void> {
    const ends: Promise<unknown>[] = []
    for (const [far, calls] of this.#held) {
      if (!far.destroyed) ends.push(once(far, 'close'))
      far.end(Buffer.concat(calls))
    }
    this.#held.clear()
    await Promise.all(ends)
  }

  async close(): Promise<void> {
    for (const far of this.#held.keys()) far.destroy()
    this.cut()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #join(near: Socket, far: Socket): void {
    const pair = [near, far] as const
    this.#pairs.add(pair)
    const end = (): void => {
      near.destroy()
      if (!this.#held.has(far)) far.destroy()
      this.#pairs.delete(pair)
    }
    for (const socket of pair) {
      socket.setNoDelay(true)
      socket.on('error', end)
      socket.on('close', end)
    }
    near.on('data', bytes => {
      const held = this.#held.get(far)
      if (held !== undefined) held.push(bytes)
      else if (this.holdsCalls) this.#held.set(far, [bytes])
      else if (this.before === null) this.#pass(far, bytes)
      else void this.#passAfter(this.before, near, far, bytes)
    })
    far.on('data', bytes => {
      if (this.losesReplies) return
      if (this.cutsOneReplyIn > 0 && Math.random() * this.cutsOneReplyIn < 1) {
        this.cuts++
        end()
      } else this.#pass(near, bytes)
    })
  }

  async #passAfter(before: (call: Buffer) => Promise<unknown>, near: Socket, far: Socket, call: Buffer): Promise<void> {
    near.pause()
    await before(call)
    this.#pass(far, call)
    near.resume()
  }

  #pass(to: Socket, bytes: Buffer): void {
    if (this.delayMs === 0) to.write(bytes)
    else setTimeout(() => to.write(bytes), this.delayMs)
  }
}

/**
 * A pipe without a network: two ends in one process, for tests that need a connection but no socket.
 *
 * It keeps the contract of real transports where they are awkward: a packet is copied when it is written and lent when it is
 * delivered, delivery waits for a later turn of the loop, and the end comes after everything that was written before it. A reader
 * can be paused, and then what is written to it counts as buffered until the bound is reached and packets are dropped.
 */
import type { Accept, Pipe, PipeEvents } from './transport.ts'

export interface MemoryClosed {
  readonly number: number
  readonly name: string
}

interface Packet {
  readonly bytes: Uint8Array
  readonly text: boolean
}

const DESTROYED: MemoryClosed = { number: 1006, name: '' }

class MemoryPipe implements Pipe {
  readonly transport = 'memory'
  readonly address: string
  readonly #maxBuffered: number
  readonly #queue: Packet[] = []
  #buffered = 0
  #open = true
  #paused = false
  #scheduled = false
  #ended: MemoryClosed | null = null
  #events: PipeEvents | null = null
  /** Set right after construction; the pipes of a pair name each other. */
  #peer: MemoryPipe | null = null

  /** How the other side ended the pipe; null while it has not. */
  endedBy: MemoryClosed | null = null

  constructor(address: string, maxBuffered: number) {
    this.address = address
    this.#maxBuffered = maxBuffered
  }

  join(peer: MemoryPipe, events: PipeEvents): void {
    this.#peer = peer
    this.#events = events
    if (!this.#open) events.closed()
  }

  write(packet: Uint8Array, text: boolean): boolean {
    if (!this.#open) return true
    if (this.#buffered + packet.length > this.#maxBuffered) return false
    this.#queue.push({ bytes: packet.slice(), text })
    this.#buffered += packet.length
    this.#schedule()
    return true
  }

  cork(writes: () => void): void {
    if (this.#open) writes()
  }

  buffered(): number {
    return this.#buffered
  }

  end(number: number, name: string): void {
    if (!this.#open) return
    this.#ended = { number, name }
    this.#schedule()
    this.#close()
  }

  destroy(): void {
    if (!this.#open) return
    this.#queue.length = 0
    this.#buffered = 0
    this.#ended = DESTROYED
    this.#schedule()
    this.#close()
  }

  /** Lets nothing of what is written here reach the other side until `resume`. */
  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#schedule()
  }

  #close(): void {
    this.#open = false
    this.#events?.closed()
    this.#events = null
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.#deliver())
  }

  #deliver(): void {
    this.#scheduled = false
    if (this.#paused) return
    for (const { bytes, text } of this.#queue.splice(0)) {
      this.#buffered -= bytes.length
      this.#peer?.receive(bytes, text)
    }
    if (this.#ended !== null) this.#peer?.hangUp(this.#ended)
  }

  receive(bytes: Uint8Array, text: boolean): void {
    this.#events?.packet(bytes, text)
    // What was lent is gone after the call, as with a socket; whoever kept it without copying shall see that in a test.
    bytes.fill(0)
  }

  hangUp(how: MemoryClosed): void {
    this.endedBy ??= how
    if (this.#open) this.#close()
  }
}

/** The client's end of a connection that was made in memory. */
export interface MemoryClient extends Pipe {
  readonly endedBy: MemoryClosed | null
}

/** What the two ends of a connection in memory are given. */
export interface MemoryLink {
  readonly client: MemoryClient
  /** Stops and restarts the reading of the client. */
  pause(): void
  resume(): void
}

/** Connects `events` to an acceptor, as a client from `address`. */
export function connectMemory(
  accept: Accept,
  events: PipeEvents,
  address = '127.0.0.1',
  maxBuffered = 64 * 1024 * 1024,
): MemoryLink {
  const client = new MemoryPipe(address, maxBuffered)
  const server = new MemoryPipe(address, maxBuffered)
  client.join(server, events)
  server.join(client, accept(server))
  return { client, pause: () => server.pause(), resume: () => server.resume() }
}

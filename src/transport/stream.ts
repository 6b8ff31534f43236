/**
 * Pipes over byte streams, the whole of what TCP and TLS have in common: packets by `protocol/framing.ts`, one write per packet or
 * cork, and an end to everything that could last.
 *
 * A connection costs no timer. What must end by itself (a packet that does not get whole, a socket whose peer does not close) is
 * watched by one timer of the listener. After `end` the socket is read on and what comes is thrown away until the peer closes too:
 * a socket that is closed with bytes unread resets the connection, and the goodbye with it.
 *
 * Flow control has two halves. What a client may have open is a matter of credit, and is answered alike on every transport
 * (`retry`, then `flood`). What it makes the server say is a matter of the stream: while more is waiting for its reader than its
 * window can fill, nothing is read from it, so that it cannot make the server say more.
 */
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { Socket, type Server } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { framedSize, StreamDecoder, writeFramed, type StreamEvents } from '../protocol/framing.ts'
import { MAX_BEFORE_WELCOME } from '../protocol/limits.ts'
import { cannotListen, codeOf } from './ports.ts'
import { type Accept, type Listener, type Pipe, type PipeEvents } from './transport.ts'

/** How long a packet may take to get whole, ms; and the pace, in bytes per ms, at which it may take longer. */
const PARTIAL_MS = 10_000
const PARTIAL_PACE = 16
/** How long the peer may take to close what was closed here, ms, and how many may be at it; others are cut off at once. */
const LINGER_MS = 2_000
const MAX_LINGERING = 1_000
const WATCH_MS = 250
/** Connections that the kernel may have ready for us. */
const BACKLOG = 1_024
/** ms of silence after which the kernel looks whether the peer's machine is there. Pings find a silent peer sooner. */
const KEEP_ALIVE_MS = 60_000

/** What a server of either kind is made with. Small packets leave at once: they were gathered already. */
export const socketOptions = { noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS } as const

export interface StreamOptions {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** Bytes. */
  readonly maxPacket: number
  /** Bytes written and not taken by the network at which a pipe is given up. */
  readonly maxBuffered: number
  /** Bytes written and not taken by the network at which nothing more is read until all of them are. */
  readonly maxUnread: number
  /** How long a packet may take to get whole, ms; ten seconds. */
  readonly partialMs?: number
  /** A connection could not be taken, for want of descriptors or by a TLS handshake; may come very often. */
  readonly onTrouble: (error: Error) => void
}

const ignore = (): void => {}

/** What a pipe needs of its listener. */
interface Keeper {
  readonly options: StreamOptions
  watch(pipe: StreamPipe): void
  unwatch(pipe: StreamPipe): void
  /** False: too many linger already. */
  linger(pipe: StreamPipe): boolean
  gone(pipe: StreamPipe): void
}

class StreamPipe implements Pipe, StreamEvents {
  readonly transport: string
  readonly address: string
  readonly provenId: string | null
  readonly #socket: Socket
  readonly #keeper: Keeper
  readonly #decoder: StreamDecoder
  #events: PipeEvents | null = null
  #over = false
  #paused = false
  /** A packet got whole since the last look. */
  #whole = false
  /** When what is unfinished has to be finished; 0: nothing is. */
  #deadline = 0

  constructor(transport: string, address: string, provenId: string | null, socket: Socket, keeper: Keeper) {
    this.transport = transport
    this.address = address
    this.provenId = provenId
    this.#socket = socket
    this.#keeper = keeper
    this.#decoder = new StreamDecoder(this, keeper.options.maxPacket, MAX_BEFORE_WELCOME)
  }

  open(accept: Accept): void {
    const socket = this.#socket
    handOnReads(socket, chunk => this.#received(chunk))
    socket.on('end', () => this.#leave())
    // A close always follows.
    socket.on('error', ignore)
    socket.on('close', () => this.#closed())
    const events = accept(this)
    // The owner may have refused the pipe while it accepted it.
    if (this.#over) events.closed()
    else this.#events = events
  }

  // ── for the owner ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  write(packet: Uint8Array, text: boolean): boolean {
    if (this.#over) return true
    const { maxBuffered, maxUnread } = this.#keeper.options
    const socket = this.#socket
    if (socket.writableLength > maxBuffered) return false
    const framed = Buffer.allocUnsafe(framedSize(packet, text))
    writeFramed(packet, text, framed, 0)
    socket.write(framed)
    if (socket.writableLength > maxUnread && !this.#paused) this.#pause()
    return true
  }

  cork(writes: () => void): void {
    if (this.#over) return
    this.#socket.cork()
    try {
      writes()
    } finally {
      this.#socket.uncork()
    }
  }

  buffered(): number {
    return this.#over ? 0 : this.#socket.writableLength
  }

  end(): void {
    this.#leave()
  }

  destroy(): void {
    if (this.#over) return
    this.#socket.destroy()
    this.#finish()
  }

  // ── for the decoder ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  packet(bytes: Uint8Array, text: boolean): void {
    this.#whole = true
    this.#events?.packet(bytes, text)
  }

  broken(reason: 'bad_frame' | 'too_large'): void {
    this.#events?.broken(reason, this.#decoder.text)
  }

  // ── for the listener ────────────────────────────────────────────────────────────────────────────────────────────────────────

  overdue(now: number): void {
    if (now < this.#deadline) return
    this.#settle()
    if (this.#over) this.#socket.destroy()
    else this.#events?.broken('timeout', this.#decoder.text)
  }

  /** Closes at once, also what has ended and lingers. */
  cut(): void {
    this.#socket.destroy()
    this.#finish()
  }

  // ── inside ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  #received(chunk: Buffer): void {
    if (this.#isOver()) return
    this.#whole = false
    this.#decoder.push(chunk)
    if (this.#decoder.partial) this.#expectRest(chunk.length)
    else if (this.#deadline > 0 && !this.#isOver()) this.#settle()
  }

  #isOver(): boolean {
    return this.#over
  }

  /** A packet has begun or goes on: it has its time, and a little more for every byte, so that a thin line may carry a large one. */
  #expectRest(bytes: number): void {
    if (this.#whole || this.#deadline === 0) {
      this.#deadline = performance.now() + (this.#keeper.options.partialMs ?? PARTIAL_MS)
      this.#keeper.watch(this)
    } else this.#deadline += bytes / PARTIAL_PACE
  }

  #settle(): void {
    this.#deadline = 0
    this.#keeper.unwatch(this)
  }

  #pause(): void {
    this.#paused = true
    this.#socket.pause()
    this.#socket.once('drain', () => {
      this.#paused = false
      this.#socket.resume()
    })
  }

  #leave(): void {
    if (this.#over) return
    this.#socket.end()
    this.#finish()
    if (!this.#keeper.linger(this)) return void this.#socket.destroy()
    this.#deadline = performance.now() + LINGER_MS
    this.#socket.resume()
  }

  #finish(): void {
    if (this.#over) return
    this.#over = true
    this.#decoder.stop()
    this.#settle()
    this.#events?.closed()
    this.#events = null
  }

  #closed(): void {
    this.#finish()
    this.#keeper.gone(this)
  }
}

/**
 * Hands on what a socket reads as soon as it is read. A stream would make an event of each chunk, and plan a look whether there is room for
 * more, which is most of what a small packet costs in it. `push` is where a socket gives its chunks to the stream that it is; it still gets the end, and what
 * is to wait because the socket was paused.
 */
function handOnReads(socket: Socket, received: (chunk: Buffer) => void): void {
  socket.on('data', received)
  socket.push = (chunk: Buffer | null) => {
    if (chunk === null || socket.readableFlowing !== true || socket.readableLength > 0) {
      return Socket.prototype.push.call(socket, chunk)
    }
    received(chunk)
    return true
  }
}

/** The listening half, which both transports give their sockets to. */
export class StreamListener implements Listener, Keeper {
  readonly url: string
  readonly options: StreamOptions
  readonly #transport: 'tcp' | 'tls'
  readonly #server: Server
  readonly #pipes = new Set<StreamPipe>()
  readonly #watched = new Set<StreamPipe>()
  readonly #lingering = new Set<StreamPipe>()
  readonly #timer: NodeJS.Timeout
  #stopped = false

  constructor(transport: 'tcp' | 'tls', url: string, server: Server, options: StreamOptions) {
    this.url = url
    this.options = options
    this.#transport = transport
    this.#server = server
    this.#timer = setInterval(() => this.#look(), WATCH_MS).unref()
  }

  /** Makes a pipe of a socket that is ready to be spoken on. */
  take(socket: Socket, accept: Accept, provenId: string | null): void {
    const { remoteAddress } = socket
    // It is gone already.
    if (remoteAddress === undefined) return void socket.on('error', ignore).destroy()
    const address = remoteAddress.replace(/^::ffff:(?=\d+\.)/, '')
    const pipe = new StreamPipe(this.#transport, address, provenId, socket, this)
    this.#pipes.add(pipe)
    pipe.open(accept)
  }

  stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#server.close()
  }

  async close(): Promise<void> {
    this.stop()
    for (const pipe of [...this.#pipes]) pipe.destroy()
    const end = performance.now() + LINGER_MS
    while (this.#pipes.size > 0 && performance.now() < end) await sleep(5)
    for (const pipe of [...this.#pipes]) pipe.cut()
    clearInterval(this.#timer)
  }

  watch(pipe: StreamPipe): void {
    this.#watched.add(pipe)
  }

  unwatch(pipe: StreamPipe): void {
    this.#watched.delete(pipe)
  }

  linger(pipe: StreamPipe): boolean {
    if (this.#lingering.size >= MAX_LINGERING) return false
    this.#lingering.add(pipe)
    return true
  }

  gone(pipe: StreamPipe): void {
    this.#pipes.delete(pipe)
    this.#lingering.delete(pipe)
  }

  #look(): void {
    const now = performance.now()
    for (const pipe of this.#watched) pipe.overdue(now)
    for (const pipe of this.#lingering) pipe.overdue(now)
  }
}

/**
 * Opens the port of a server, whose sockets the caller then gives to the listener. Rejects with `ListenError` when it is taken or
 * the host is not an address of this machine.
 */
export async function listenStream(
  server: Server,
  transport: 'tcp' | 'tls',
  options: StreamOptions,
): Promise<StreamListener> {
  const { host, port, onTrouble } = options
  server.listen({ host, port, backlog: BACKLOG, exclusive: true })
  try {
    await once(server, 'listening')
  } catch (error) {
    throw cannotListen(host, port, transport === 'tcp' ? 'ACKD_TCP_PORT' : 'ACKD_TLS_PORT', codeOf(error))
  }
  server.on('error', onTrouble)
  const address = server.address()
  const name = host.includes(':') ? `[${host}]` : host
  const listening = typeof address === 'object' && address !== null ? address.port : port
  return new StreamListener(transport, `${transport}://${name}:${listening}`, server, options)
}

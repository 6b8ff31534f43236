/**
 * Those who write and those who read: loops round real clients, which put everything that happens into a history.
 *
 * A body is the number of the message in what its sender wrote to its recipient, and random bytes; the hash in the history is that of
 * all of it. Half of the sizes are below 400 bytes, the largest are 8 KiB, and one in a hundred is 64 KiB.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { AckdError, type Client, type Message } from '../../src/client/index.node.ts'
import type { OpenSocket } from '../../src/client/sockets.ts'
import { PACKET_CEILING } from '../../src/protocol/limits.ts'
import type { Random } from '../simulation/random.ts'
import { hashOf, type History, type HistoryEvent } from './history.ts'

/** ms; a client of a fault run is back soon. */
export const quickBackoff = { firstMs: 50, maxMs: 1_000 }

/** Sends without a receipt, so that the outbox is never full. */
const MAX_OPEN = 50
const LARGE = 65_536
/** Exponents of 2: 16 B to 8 KiB. */
const SIZES = [4, 13] as const

export function makeBody(k: number, random: Random): Uint8Array {
  const exponent = SIZES[0] + random.next() * (SIZES[1] - SIZES[0])
  const body = new Uint8Array(random.chance(0.01) ? LARGE : Math.floor(2 ** exponent))
  const words = new Uint32Array(body.buffer, 0, Math.floor(body.length / 4))
  for (const index of words.keys()) words[index] = Math.floor(random.next() * 2 ** 32)
  words[0] = k
  return body
}

/** The number in a body; 0 when it is none that was made here. */
export function numberIn(body: unknown): number {
  if (!(body instanceof Uint8Array) || body.length < 4) return 0
  return new DataView(body.buffer, body.byteOffset).getUint32(0, true)
}

export interface Writer {
  readonly client: Client
  readonly id: string
  readonly history: History
  readonly random: Random
}

export class Sender {
  /** Sends that were neither receipted nor refused. */
  open = 0
  readonly #writer: Writer
  /** By recipient: the last number. */
  readonly #last = new Map<string, number>()
  #stopped = false

  /** `earlier`: what the processes before this one wrote; numbers go on from there. */
  constructor(writer: Writer, earlier: readonly HistoryEvent[] = []) {
    this.#writer = writer
    for (const { what, stream, k } of earlier) {
      if (what === 'send') this.#last.set(stream.split('>')[1] ?? '', k)
    }
  }

  /** Writes to one after another, `pauseMs` apart on average, until it is stopped. */
  async run(recipients: readonly string[], pauseMs: number): Promise<void> {
    const { random } = this.#writer
    while (!this.#stopped) {
      const to = random.pick(recipients)
      if (to !== undefined && this.open < MAX_OPEN) this.send(to)
      await sleep(random.next() * 2 * pauseMs)
    }
  }

  send(to: string): void {
    const { client, id, history, random } = this.#writer
    const k = (this.#last.get(to) ?? 0) + 1
    this.#last.set(to, k)
    const body = makeBody(k, random)
    const about = { who: id, stream: `${id}>${to}`, k }
    history.note({ ...about, what: 'send', hash: hashOf(body) })
    const told = (detail: string): void => {
      history.note({ ...about, what: 'receipt', detail })
    }
    this.open++
    client
      .send(to, body)
      .then(
        sent => {
          told(sent.status)
          if (sent.status === 'stored') void sent.delivered.then(ending => ending === 'unknown' || told(ending))
        },
        // A message that a closed client still held is in its journal, or gone with it; nothing was said about it.
        (error: unknown) => codeOf(error) === 'closed' || told(codeOf(error)),
      )
      .finally(() => this.open--)
  }

  stop(): void {
    this.#stopped = true
  }
}

function codeOf(error: unknown): string {
  return error instanceof AckdError ? error.code : String(error)
}

export interface Reader {
  readonly client: Client
  readonly id: string
  readonly history: History
  /** Each message takes so long. */
  readonly slowMs?: number
  /** Is told of each message that is shown. */
  readonly onShown?: (message: Message, k: number) => void
}

/** Reads, and notes what is shown; returns what stops it. */
export function read({ client, id, history, slowMs = 0, onShown }: Reader): () => void {
  client.on('gap', ({ from, first, last, reason }) =>
    history.note({ who: id, what: 'gap', stream: `${from}>${id}`, detail: `${first} to ${last} ${reason}` }),
  )
  client.on('status', status => {
    if (status.state === 'waiting') history.note({ who: id, what: 'close', detail: status.reason })
  })
  return client.on('message', async message => {
    const { from, body } = message
    const k = numberIn(body)
    const hash = body instanceof Uint8Array ? hashOf(body) : 'no bytes'
    history.note({ who: id, what: 'surface', stream: `${from}>${id}`, k, hash })
    onShown?.(message, k)
    if (slowMs > 0) await sleep(slowMs)
  })
}

export interface Line {
  readonly openSocket: OpenSocket
  /** Ends the connection without a goodbye. */
  cut(): void
  /** Stops reading from it, or goes on. */
  hold(held: boolean): void
}

/** The library's way to a server, which can be cut and held up. */
export function breakableLine(): Line {
  let current: WebSocket | null = null
  const openSocket: OpenSocket = (url, events) => {
    const socket = new WebSocket(url, { perMessageDeflate: false, maxPayload: PACKET_CEILING })
    current = socket
    socket.on('open', () => events.opened())
    socket.on('message', (data: Buffer, isBinary) => events.packet(data, !isBinary))
    socket.on('error', () => {})
    socket.on('close', (number, name) => events.closed(number, name.toString()))
    return {
      send: packet => socket.send(packet),
      close: () => socket.terminate(),
    }
  }
  return {
    openSocket,
    cut: () => current?.terminate(),
    hold: held => {
      if (held) current?.pause()
      else current?.resume()
    },
  }
}

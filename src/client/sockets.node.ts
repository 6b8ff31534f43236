/**
 * Pipes to a server on Node: WebSockets by the `ws` package, since Node 20 has none of its own and this one says more about what goes
 * wrong, and plain TCP and TLS by Node's own sockets.
 */
import { Buffer } from 'node:buffer'
import { connect, type Socket as TcpSocket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { WebSocket } from 'ws'
import { framedSize, StreamDecoder, writeFramed } from '../protocol/framing.ts'
import { PACKET_CEILING } from '../protocol/limits.ts'
import type { OpenSocket, Socket, SocketEvents } from './sockets.ts'
import { silentEnd, strangeEnd, troubleOf } from './troubles.node.ts'

/** ms that the server may take to close what was closed here. */
const CLOSE_MS = 2_000

/** Where a server listens that was not told otherwise. */
const TCP_PORT = 2500
const TLS_PORT = 2501

/** For `wss://` and `tls://`, as PEM. */
export interface TlsTrust {
  /** Whose certificates the server may show, instead of those that Node knows: for a certificate of one's own. */
  readonly ca?: string
  /** What this client shows, to a server that asks for it. */
  readonly cert?: string
  readonly key?: string
}

/** Also speaks text, for those who want to see what they say. */
export interface NodeSocket extends Socket {
  send(packet: Uint8Array, text?: boolean): void
}

/** What URLs may begin with. */
export const nodeProtocols: readonly string[] = ['ws:', 'wss:', 'tcp:', 'tls:']

/** What servers gave to be shown at the next connection, by their addresses. */
type Tickets = Map<string, Buffer>

/** Opens a socket of the kind that the URL names. */
export function openNodeSocket(
  url: string,
  events: SocketEvents,
  trust: TlsTrust = {},
  tickets: Tickets = new Map(),
): NodeSocket {
  const { protocol } = new URL(url)
  if (protocol !== 'tcp:' && protocol !== 'tls:') return openWebSocket(url, events, trust)
  return openStream(url, events, trust, tickets)
}

/** Its TLS connections resume each other, which saves the server a fifth of a handshake or more when many come back. */
export function nodeSockets(trust: TlsTrust): OpenSocket {
  const tickets = new Map<string, Buffer>()
  return (url, events) => openNodeSocket(url, events, trust, tickets)
}

function openWebSocket(url: string, events: SocketEvents, trust: TlsTrust): NodeSocket {
  const socket = new WebSocket(url, { perMessageDeflate: false, maxPayload: PACKET_CEILING, ...trust })
  socket.on('open', () => events.opened())
  socket.on('message', (data: Buffer, isBinary) => events.packet(data, !isBinary))
  let why: string | undefined
  // A close always follows.
  socket.on('error', error => (why = troubleOf(error, new URL(url))))
  socket.on('close', (number, name) => events.closed(number, name.toString(), why))
  return {
    // It is copied within the call, to be masked.
    send: (packet, text = false) => socket.send(packet, { binary: !text }),
    close: () => {
      socket.close()
      setTimeout(() => socket.terminate(), CLOSE_MS).unref()
    },
  }
}

function openStream(url: string, events: SocketEvents, trust: TlsTrust, tickets: Tickets): NodeSocket {
  const at = new URL(url)
  // Holds until anything is heard, or something else is known.
  let why: string | undefined = silentEnd()
  const socket = connectStream(at, trust, tickets, () => events.opened())
  const decoder = new StreamDecoder(
    {
      packet: (bytes, text) => events.packet(bytes.slice(), text),
      // What is said after it could not be understood.
      broken: () => {
        why = strangeEnd(at)
        socket.destroy()
      },
    },
    PACKET_CEILING - 1,
  )
  socket.setNoDelay(true)
  socket.once('data', () => (why = undefined))
  // As bare bytes, whose `slice` makes a copy; that of a Buffer does not.
  socket.on('data', (chunk: Buffer) => decoder.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length)))
  // A close always follows.
  socket.on('error', error => (why = troubleOf(error, at)))
  socket.on('close', () => events.closed(0, '', why))
  return {
    send: (packet, text = false) => {
      const framed = Buffer.allocUnsafe(framedSize(packet, text))
      writeFramed(packet, text, framed, 0)
      socket.write(framed)
    },
    close: () => {
      socket.end()
      setTimeout(() => socket.destroy(), CLOSE_MS).unref()
    },
  }
}

function connectStream(
  { protocol, hostname, host, port }: URL,
  trust: TlsTrust,
  tickets: Tickets,
  opened: () => void,
): TcpSocket {
  const address = hostname.replace(/^\[|\]$/g, '')
  if (protocol === 'tcp:') return connect({ host: address, port: port === '' ? TCP_PORT : Number(port) }, opened)
  const session = tickets.get(host)
  tickets.delete(host)
  const socket = connectTls(
    {
      host: address,
      port: port === '' ? TLS_PORT : Number(port),
      minVersion: 'TLSv1.2',
      ...trust,
      ...(session && { session }),
    },
    opened,
  )
  // Each is good for one connection, and the newest may be good for longest.
  socket.on('session', (ticket: Buffer) => tickets.set(host, ticket))
  return socket
}

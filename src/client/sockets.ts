/**
 * Pipes to a server, seen from the client: the one shape that a connection needs, and its form over WebSocket.
 *
 * Another transport, or a test, brings its own `OpenSocket`.
 */

/** Packets go as they are; a string is a text packet. */
export interface Socket {
  send(packet: Uint8Array): void
  /** Closes after what was sent. `closed` is still told. */
  close(): void
}

export interface SocketEvents {
  opened(): void
  /** The bytes are never changed again. */
  packet(bytes: Uint8Array, text: boolean): void
  /**
   * Exactly once, last, also when it was never open. `number` and `name` are those of a WebSocket close, 0 and '' elsewhere. `why`: what
   * became of a connection that nobody closed, for people, where that is known; browsers tell nobody.
   */
  closed(number: number, name: string, why?: string): void
}

/** May throw when the address is of no use to it. Tells its events later, never from within the call. */
export type OpenSocket = (url: string, events: SocketEvents) => Socket

/** What is used of a WebSocket: the browser's, Node's, or that of `ws`. */
export interface WebSocketLike {
  binaryType: string
  onopen: ((event: never) => void) | null
  onmessage: ((event: { data: unknown }) => void) | null
  onclose: ((event: { code: number; reason: string }) => void) | null
  onerror: ((event: never) => void) | null
  send(data: Uint8Array): void
  close(): void
}

export type WebSocketClass = new (url: string) => WebSocketLike

/** Sockets of one WebSocket class. */
export function webSockets(WebSocket: WebSocketClass): OpenSocket {
  return (url, events) => {
    const socket = new WebSocket(url)
    socket.binaryType = 'arraybuffer'
    socket.onopen = () => events.opened()
    socket.onmessage = ({ data }) => {
      if (typeof data === 'string') events.packet(new TextEncoder().encode(data), true)
      else if (data instanceof ArrayBuffer) events.packet(new Uint8Array(data), false)
    }
    // A close always follows an error, and says more than it.
    socket.onerror = () => {}
    socket.onclose = ({ code, reason }) => events.closed(code, reason)
    return {
      // The packet is lent; a WebSocket may keep what it is given until it is written.
      send: packet => socket.send(packet.slice()),
      close: () => socket.close(),
    }
  }
}

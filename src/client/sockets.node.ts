/** WebSockets on Node, by the `ws` package: Node 20 has none of its own, and this one says more about what goes wrong. */
import { WebSocket } from 'ws'
import { PACKET_CEILING } from '../protocol/limits.ts'
import type { OpenSocket } from './sockets.ts'

/** ms that the server may take to close what was closed here. */
const CLOSE_MS = 2_000

export const openWebSocket: OpenSocket = (url, events) => {
  const socket = new WebSocket(url, { perMessageDeflate: false, maxPayload: PACKET_CEILING })
  socket.on('open', () => events.opened())
  socket.on('message', (data: Buffer, isBinary) => events.packet(data, !isBinary))
  // A close always follows.
  socket.on('error', () => {})
  socket.on('close', (number, name) => events.closed(number, name.toString()))
  return {
    // It is copied within the call, to be masked.
    send: packet => socket.send(packet),
    close: () => {
      socket.close()
      setTimeout(() => socket.terminate(), CLOSE_MS).unref()
    },
  }
}

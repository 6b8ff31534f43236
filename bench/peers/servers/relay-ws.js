/**
 * The ceiling: a relay on uWebSockets.js without any logic. `node relay-ws.js [corked]` prints the port that it listens on.
 *
 * All that a connection is to be told in one turn of the loop leaves as one WebSocket message; `corked`, as a message for each frame, in one
 * write. See `relay-frames.js` for what it passes on.
 */
import process from 'node:process'
import uws from 'uWebSockets.js'
import { PREFIX, Relay } from './relay-frames.js'

const corked = process.argv[2] === 'corked'
const relay = new Relay()

function writer(socket) {
  if (!corked) return (bytes, end) => socket.send(bytes.subarray(PREFIX, end), true)
  return (bytes, end, starts) =>
    socket.cork(() => {
      for (let i = 0; i < starts.length; i++) socket.send(bytes.subarray(starts[i], starts[i + 1] ?? end), true)
    })
}

uws
  .App()
  .ws('/*', {
    compression: uws.DISABLED,
    maxPayloadLength: 16 * 1024 * 1024,
    maxBackpressure: 64 * 1024 * 1024,
    idleTimeout: 0,
    open: socket => {
      socket.connection = relay.enter(writer(socket))
    },
    message: (socket, bytes) => relay.packet(socket.connection, new Uint8Array(bytes)),
    close: socket => relay.leave(socket.connection),
  })
  .listen('127.0.0.1', 0, socket =>
    process.stdout.write(`${JSON.stringify({ port: uws.us_socket_local_port(socket) })}\n`),
  )

process.once('SIGTERM', () => process.exit(0))

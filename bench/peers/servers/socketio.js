/**
 * Socket.IO as one would use it: `node socketio.js [uws]` prints the port that it listens on. On ws, or on uWebSockets.js.
 *
 * A message is passed on to its recipient with an ack, and the ack is passed back, so its receipt is the recipient's.
 */
import { createServer } from 'node:http'
import process from 'node:process'
import { Server } from 'socket.io'
import uws from 'uWebSockets.js'

const io = new Server({ transports: ['websocket'], serveClient: false, perMessageDeflate: false })

io.on('connection', socket => {
  if (socket.handshake.auth.room === true) socket.join('room')
  socket.on('message', (to, body, done) => io.sockets.sockets.get(to)?.emit('message', body, done))
  socket.on('room', body => socket.to('room').emit('message', body))
})

const ready = port => process.stdout.write(`${JSON.stringify({ port })}\n`)

if (process.argv[2] === 'uws') {
  const app = uws.App()
  io.attachApp(app)
  app.listen('127.0.0.1', 0, socket => ready(uws.us_socket_local_port(socket)))
} else {
  const server = createServer()
  io.attach(server)
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, () => ready(server.address().port))
}

process.once('SIGTERM', () => process.exit(0))

/**
 * A relay on the sockets of Node without any logic: `node relay-net.js` prints the port that it listens on.
 *
 * A packet is a length (u32) and frames; all that a connection is to be told in one turn of the loop leaves as one packet. See
 * `relay-frames.js` for what it passes on.
 */
import { Buffer } from 'node:buffer'
import { createServer } from 'node:net'
import process from 'node:process'
import { PREFIX, Relay } from './relay-frames.js'

const relay = new Relay()

const server = createServer({ noDelay: true }, socket => {
  let left = null
  const connection = relay.enter((bytes, end) => {
    bytes.writeUInt32BE(end - PREFIX, 0)
    socket.write(Buffer.from(bytes.subarray(0, end)))
  })
  socket.on('data', chunk => {
    const bytes = left === null ? chunk : Buffer.concat([left, chunk])
    let at = 0
    while (at + PREFIX <= bytes.length) {
      const end = at + PREFIX + bytes.readUInt32BE(at)
      if (end > bytes.length) break
      relay.packet(connection, bytes.subarray(at + PREFIX, end))
      at = end
    }
    left = at < bytes.length ? Buffer.from(bytes.subarray(at)) : null
  })
  socket.on('error', () => {})
  socket.on('close', () => relay.leave(connection))
})

server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, () => {
  process.stdout.write(`${JSON.stringify({ port: server.address().port })}\n`)
})

process.once('SIGTERM', () => process.exit(0))

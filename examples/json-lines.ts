/** The protocol by hand: JSON over a bare WebSocket, as a client in any language may speak it (docs/protocol.md). */
import { WebSocket } from 'ws'

const url = process.env['ACKD_URL'] ?? 'ws://127.0.0.1:5000/ws'
const socket = new WebSocket(url)
const say = (frame: unknown[]): void => socket.send(JSON.stringify(frame))

socket.on('open', () => say(['hello', { v: 1, outbox: 'by-hand-0001' }]))

socket.on('error', error => {
  console.error(`cannot connect to ${url}: ${error.message}`)
  process.exitCode = 1
})

socket.on('message', (data: Buffer) => {
  const [op, ...rest] = JSON.parse(data.toString()) as [string, ...unknown[]]
  switch (op) {
    case 'welcome': {
      const [{ id }] = rest as [{ id: string }]
      // One may write to oneself: number 1 of the stream from this outbox to this address, and nothing below it is held.
      say(['send', 1, 1, id, null, 'a note to myself'])
      break
    }
    case 'message': {
      const [seq, , , n, , , body] = rest
      console.log(`message ${String(n)}: ${String(body)}`)
      say(['ack', seq])
      break
    }
    case 'receipt':
      console.log(`receipt: ${String(rest[0])}`)
      if (rest[0] === 'delivered') say(['bye'])
      break
    case 'ping':
      say(['pong'])
      break
    case 'close':
    case 'error':
      console.error(op, ...rest)
      process.exitCode = 1
  }
})

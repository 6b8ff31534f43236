/**
 * Plain TCP, by Node's own sockets: for devices, scripts and test harnesses. All that it does is in `stream.ts`.
 */
import { createServer } from 'node:net'
import { listenStream, socketOptions, type StreamOptions } from './stream.ts'
import type { Accept, Listener } from './transport.ts'

/** Opens the port. Rejects with `ListenError` when it is taken or the host is not an address of this machine. */
export async function listenTcp(options: StreamOptions, accept: Accept): Promise<Listener> {
  const server = createServer(socketOptions)
  const listener = await listenStream(server, 'tcp', options)
  server.on('connection', socket => listener.take(socket, accept, null))
  return listener
}

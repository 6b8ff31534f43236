/** The client's side of a stream, for tests: packets over a bare socket. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { framedSize, StreamDecoder, writeFramed } from '../../src/protocol/framing.ts'
import type { Client } from './contract.ts'

export function framed(packet: Uint8Array, text: boolean): Uint8Array {
  const bytes = new Uint8Array(framedSize(packet, text))
  writeFramed(packet, text, bytes, 0)
  return bytes
}

/** A socket that is connected, and for TLS past its handshake. Whose certificate the server shows is not asked. */
export async function openSocket(url: string): Promise<Socket> {
  const { protocol, hostname, port } = new URL(url)
  const place = { host: hostname, port: Number(port) }
  const secure = protocol === 'tls:'
  const socket = secure ? connectTls({ ...place, rejectUnauthorized: false }) : connect(place)
  await once(socket, secure ? 'secureConnect' : 'connect')
  socket.on('error', () => {})
  return socket
}

export interface StreamClient extends Client {
  readonly socket: Socket
}

export async function openStreamClient(url: string): Promise<StreamClient> {
  const socket = await openSocket(url)
  const received: string[] = []
  const client: StreamClient & { ended: Client['ended'] } = {
    socket,
    received,
    ended: null,
    send: (bytes, text) => void socket.write(framed(bytes, text)),
    destroy: () => socket.destroy(),
  }
  const decoder = new StreamDecoder(
    {
      packet: (bytes, text) => received.push(`${text ? 'text' : 'binary'}: ${Buffer.from(bytes).toString('hex')}`),
      broken: reason => received.push(`broken: ${reason}`),
    },
    8 * 1024 * 1024,
  )
  socket.on('data', chunk => decoder.push(chunk))
  socket.on('close', () => {
    client.ended = { number: 0, name: '' }
  })
  return client
}

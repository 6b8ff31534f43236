/**
 * TLS 1.2 and later over TCP, by Node's own sockets. A connection is accepted once its handshake is done, for which it has ten
 * seconds; everything after it is in `stream.ts`.
 *
 * Certificates are exchanged while it runs: connections that are there keep the old one, which they do not need any more.
 */
import type { Socket } from 'node:net'
import { createServer, type TLSSocket } from 'node:tls'
import { listenStream, socketOptions, type StreamOptions } from './stream.ts'
import type { Accept, Certificate, RenewableListener } from './transport.ts'

const HANDSHAKE_MS = 10_000
const MAX_HANDSHAKES = 512

export interface TlsOptions extends StreamOptions {
  readonly certificate: Certificate
  /** Bounds a handshake, ms. */
  readonly handshakeMs?: number
  /** Handshakes under way; more connections are cut off, since each of them costs a millisecond and nobody has proved anything. */
  readonly maxHandshakes?: number
}

/** Opens the port. Rejects with `ListenError` when it is taken, and throws when the certificate is none. */
export async function listenTls(options: TlsOptions, accept: Accept): Promise<RenewableListener> {
  const { certificate, handshakeMs = HANDSHAKE_MS, maxHandshakes = MAX_HANDSHAKES, onTrouble } = options
  const server = createServer({
    ...socketOptions,
    ...certificate,
    minVersion: 'TLSv1.2',
    handshakeTimeout: handshakeMs,
    requestCert: certificate.ca !== undefined,
  })
  // By the end of the peer, which is the same for the socket and for the secure one that takes its place.
  const handshakes = new Set<string>()
  server.on('connection', (socket: Socket) => {
    if (handshakes.size >= maxHandshakes) return void socket.destroy()
    const name = peerOf(socket)
    handshakes.add(name)
    socket.once('close', () => handshakes.delete(name))
  })
  server.on('tlsClientError', (error, socket) => {
    // Nobody else does it, whether the handshake failed or took too long.
    socket.destroy()
    onTrouble(error)
  })
  const listener = await listenStream(server, 'tls', options)
  server.on('secureConnection', socket => {
    handshakes.delete(peerOf(socket))
    listener.take(socket, accept, certificate.ca === undefined ? null : commonName(socket))
  })
  return {
    url: listener.url,
    stop: () => listener.stop(),
    close: () => listener.close(),
    renew: renewed => server.setSecureContext(renewed),
  }
}

function peerOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}

/** Of a certificate that was verified. */
function commonName(socket: TLSSocket): string {
  const { CN: name } = socket.getPeerCertificate().subject
  return typeof name === 'string' ? name : ''
}

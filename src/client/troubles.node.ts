/**
 * What kept a connection from being made, or broke it, in a sentence that says what to do about it.
 *
 * Node and the `ws` package tell it by an error whose code is for programs. The code stands in the sentence too, since it is what one looks
 * up; what nothing can be done about but starting the server (or waiting for it) has no advice after a semicolon.
 */

/** Whoever wants to connect would rather read a sentence than a page. */
const MOST = 200

const networkCodes = ['EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN', 'ETIMEDOUT']

/** What verifying a certificate can end with, besides codes that begin like `CERT_HAS_EXPIRED` and `ERR_TLS_CERT_ALTNAME_INVALID`. */
const untrusted = [
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]

/** Of a server that takes connections, and says nothing of what it was asked. */
export function silentEnd(): string {
  return `The other side closed the connection and said nothing; ${otherPort}`
}

/** Of a server that sends what cannot be packets. */
export function strangeEnd(url: URL): string {
  return `What answered is no ackd spoken to over ${url.protocol}//; ${otherPort}`
}

/** Of an error of Node or of `ws`. */
export function troubleOf(error: Error, url: URL): string {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const { host, hostname } = url
  if (code === 'ECONNREFUSED') return `Nothing listens at ${host} (${code}).`
  if (code === 'ENOTFOUND') return `There is no host by the name of ${hostname} (${code}); correct the address.`
  if (code === 'EAI_AGAIN')
    return `The name ${hostname} could not be looked up (${code}); see whether the network and its name server work.`
  if (networkCodes.includes(code))
    return `${host} does not answer (${code}); see whether the address is right, and what is between you and it.`
  if (untrusted.includes(code))
    return `The certificate of ${host} is not trusted (${code}); name whose to trust: as tls: { ca } in a program, with --ca on a command line, or in NODE_EXTRA_CA_CERTS.`
  if (/^(CERT_|ERR_TLS_CERT_)/.test(code))
    return `The certificate of ${host} does not hold (${code}: ${short(error.message)}); it is for its operator to renew, or the address is another one.`
  const status = /^Unexpected server response: (\d+)$/.exec(error.message)?.[1]
  if (status !== undefined) return answered(status, url)
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) return noTls(url, code)
  if (code.startsWith('HPE_')) return strangeEnd(url)
  if (error.message === 'socket hang up') return silentEnd()
  if (code === 'ECONNRESET' || code === 'EPIPE') return `The connection was broken off (${code}).`
  return `The connection was lost or could not be made: ${short(error.message)}`
}

/** Of an answer to a WebSocket that is none. */
function answered(status: string, { host, pathname }: URL): string {
  if (status === '403') return `${host} takes no connections from here (HTTP 403); its operator names who may connect.`
  if (status === '200' || status === '404')
    return `${host} has no WebSocket at ${pathname} (HTTP ${status}); the path of an ackd is /ws.`
  return `${host} opens no WebSocket now (HTTP ${status}); see what it is, or what is in front of it.`
}

function noTls({ protocol, host }: URL, code: string): string {
  const plain = protocol === 'tls:' ? 'tcp' : 'ws'
  return `TLS with ${host} could not be begun (${code}); if that port speaks no TLS, write ${plain}://.`
}

/** What to do where a port is spoken to in a way that it does not know. */
const otherPort =
  'each of ws://, tcp:// and tls:// has a port of its own (5000, 2500 and 2501 unless the server was told otherwise).'

function short(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, MOST)
}

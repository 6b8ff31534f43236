/**
 * Where the other transports listen: where they were told to, or those over streams by themselves at their usual ports; and why one
 * cannot be listened on.
 */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { ListenError } from './transport.ts'

/** Where clients look when an address names no port. */
const TCP_PORT = 2500
const TLS_PORT = 2501

export interface AskedPorts {
  /** Of HTTP and WebSocket; 0: any free one. */
  readonly port: number
  readonly wssPort: number | 'off'
  readonly tcpPort: number | 'off' | 'auto'
  readonly tlsPort: number | 'off' | 'auto'
}

/** 0: any free one; null: off. */
export interface OtherPorts {
  readonly wss: number | null
  readonly tcp: number | null
  readonly tls: number | null
}

/** Whoever takes any free port may not be alone here, and so does not take the usual ones. */
export function otherPorts({ port, wssPort, tcpPort, tlsPort }: AskedPorts): OtherPorts {
  const portOf = (asked: number | 'off' | 'auto', usual: number): number | null => {
    if (asked === 'off') return null
    if (asked !== 'auto') return asked
    return port === 0 ? 0 : usual
  }
  return { wss: wssPort === 'off' ? null : wssPort, tcp: portOf(tcpPort, TCP_PORT), tls: portOf(tlsPort, TLS_PORT) }
}

/** The option that names a port. */
export type PortOption = 'ACKD_PORT' | 'ACKD_WSS_PORT' | 'ACKD_TCP_PORT' | 'ACKD_TLS_PORT'

/** `code`: that of the error; one that is not known leaves open which of the two reasons it was. */
export function cannotListen(host: string, port: number, option: PortOption, code: string): ListenError {
  const off = option === 'ACKD_PORT' ? '' : ', or off'
  const other = `choose another ${option} (0 for any free one${off})`
  const [why, fix] =
    code === 'EADDRINUSE'
      ? ['the port is taken', `Stop the other server, or ${other}.`]
      : code === 'EACCES'
        ? [
            'this user may not listen on that port',
            `Choose 1024 or more as ${option}, or grant it CAP_NET_BIND_SERVICE.`,
          ]
        : ['EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN', 'EINVAL'].includes(code)
          ? [
              'the host is no address of this machine',
              'Correct ACKD_HOST: 127.0.0.1 for this machine alone, 0.0.0.0 for all.',
            ]
          : [
              'the port is taken, or the host is no address of this machine',
              `Stop the other server, ${other}, or correct ACKD_HOST.`,
            ]
  return new ListenError(`Cannot listen on ${host}:${port}: ${why}.`, fix)
}

/** Why a port could not be listened on, found out by listening on it once more: the code of that error, '' when there is none now. */
export async function whyNot(host: string, port: number): Promise<string> {
  const probe = createServer()
  try {
    await once(probe.listen({ host, port, exclusive: true }), 'listening')
    probe.close()
    return ''
  } catch (error) {
    return codeOf(error)
  }
}

export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

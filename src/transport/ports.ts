/** Where the other transports listen: where they were told to, or those over streams by themselves at their usual ports. */

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

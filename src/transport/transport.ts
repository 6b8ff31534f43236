/**
 * How bytes come and go: the one shape that every transport gives to its connections, so that nothing above knows which it is.
 *
 * A packet is one WebSocket message, or one length-prefixed or newline-ended unit of a stream. Transports know packets, never
 * frames. The transport that also speaks HTTP hands those requests on in the neutral shape at the end of this file.
 */
import type { TrustedProxies } from './proxies.ts'

/** A live connection, seen from above. */
export interface Pipe {
  /** `ws`, `wss`, `tcp`, `tls`, `memory`: a label of metrics and logs. */
  readonly transport: string
  /** The address of the client, without a port: that of the peer, unless this is a proxy that is trusted. */
  readonly address: string
  /** The client id that the peer has proved to the transport, by a client certificate. It need not have the form of one. */
  readonly provenId?: string | null
  /**
   * Writes one packet; the bytes may be reused after the call. False: it was dropped, or will be; the pipe must then be
   * destroyed, since what follows could arrive without it. After `end`, `destroy` or `closed` it does nothing and answers true.
   */
  write(packet: Uint8Array, text: boolean): boolean
  /** Runs `writes` at once and hands what it wrote to the network in one go where the transport can. */
  cork(writes: () => void): void
  /** Bytes that were written and not yet taken by the network. */
  buffered(): number
  /** Closes cleanly after what was written, with the number and the name of the close where the transport can carry them. */
  end(number: number, name: string): void
  /** Closes at once; what was written may be lost. */
  destroy(): void
}

/**
 * What the owner of a pipe is told. `closed` comes exactly once, last, however the pipe ended; nothing is called after it. It may
 * come from within `end` or `destroy`.
 */
export interface PipeEvents {
  /** `bytes` is only lent for the time of the call. */
  packet(bytes: Uint8Array, text: boolean): void
  /**
   * The peer broke the rules of the transport before a packet was whole, or took too long over it. The owner answers with a close.
   * `text` is the encoding in which the peer spoke; true where that cannot be told.
   */
  broken(reason: 'bad_frame' | 'too_large' | 'timeout', text: boolean): void
  closed(): void
}

export type Accept = (pipe: Pipe) => PipeEvents

export interface Listener {
  /** Where it listens, as a URL that a client takes. */
  readonly url: string
  /** Stops accepting; the connections that are there stay. */
  stop(): void
  /** Ends what is left and frees the port. */
  close(): Promise<void>
}

/** What a server proves itself with, as PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
  /** Of whom a certificate must be that a client has to show; absent: clients show none. */
  readonly ca?: string
}

/** One that speaks TLS. */
export interface RenewableListener extends Listener {
  /**
   * Takes another certificate for connections to come. Throws when it is none, and keeps the old one. A transport that has to open its port anew for it
   * tells its owner when it cannot, and goes on trying.
   */
  renew(certificate: Certificate): void
}

/** A listener could not be opened. `fix` says what an operator can do about it. */
export class ListenError extends Error {
  readonly fix: string

  constructor(message: string, fix: string) {
    super(message)
    this.name = 'ListenError'
    this.fix = fix
  }
}

/** Whom to believe and whom to let in from the web. It is read at every request, so that it may change while the server runs. */
export interface WebRules {
  /** Web origins that may connect; empty: all. A client that names no origin is no browser, and may always. */
  readonly origins: readonly string[]
  readonly proxies: TrustedProxies
}

/** A web page that wanted to connect and may not. */
export interface ForeignPage {
  /** As its browser says: never trust it. */
  readonly origin: string
  /** The network address of the client, without a port. */
  readonly address: string
  readonly transport: string
}

/** An HTTP request, whose head is there and whose body may still be on its way. */
export interface HttpRequest {
  /** In capitals. */
  readonly method: string
  /** Without the query, as it was sent: percent-encoded. */
  readonly path: string
  /** What follows the question mark, as it was sent; '' for none. */
  readonly query: string
  /** The network address of the client, without a port: that of the peer, unless this is a proxy that is trusted. */
  readonly address: string
  /** The value of a header, named in small letters; '' when it was not sent. What was sent more than once is joined by commas. */
  header(name: string): string
  /**
   * The whole body. Must be asked for before the answering function first waits: what nobody has asked for by then is thrown away.
   * Rejects with `BodyError` when it is larger than `limit` bytes, of which no more are then kept, or when the peer hangs up.
   */
  body(limit: number): Promise<Uint8Array>
}

/** A body that cannot be had. */
export class BodyError extends Error {
  readonly reason: 'too_large' | 'aborted'

  constructor(reason: 'too_large' | 'aborted') {
    super(reason === 'too_large' ? 'The body is larger than allowed.' : 'The peer hung up before the body was whole.')
    this.name = 'BodyError'
    this.reason = reason
  }
}

export interface HttpAnswer {
  readonly status: number
  readonly type: string
  /** For HEAD as well: only its length is then sent. */
  readonly body: string
  /** Instead of `body`. */
  readonly bytes?: Uint8Array
  readonly headers?: Readonly<Record<string, string>>
}

/** A rejected promise is answered with 500. */
export type AnswerHttp = (request: HttpRequest) => Promise<HttpAnswer>

/**
 * WebSocket and HTTP on one port, by uWebSockets.js, which only this file and `http.ts` know. With a certificate it is the same over TLS.
 *
 * One WebSocket message is one packet. Compression is off: it costs memory per connection, and bodies are opaque. uWebSockets.js
 * drops what goes over `maxBackpressure` and may send later messages all the same, so the bound is far above what the windows
 * allow, and a drop is reported as the end of the pipe. Its idle time-out is only the net below the pings of the gateway; it also
 * frees the sockets whose peers never answer a close. `publish` is not used, since its drops are not reported.
 *
 * An app of uWebSockets.js keeps the certificate that it was made with, so another certificate is another app on the same port. The
 * connections of the one before stay with it until they end. The port is shut for the moment in between; whoever takes it then has it, and it is
 * tried again, with the new certificate, until it is free.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
// A CommonJS module whose names only its default export has.
import uws from 'uWebSockets.js'
import type {
  HttpRequest as UwsRequest,
  HttpResponse as UwsResponse,
  TemplatedApp,
  WebSocket,
  us_listen_socket,
  us_socket_context_t,
} from 'uWebSockets.js'
import { answerRequest, clientAddress, readHeaders } from './http.ts'
import { cannotListen, codeOf, whyNot } from './ports.ts'
import {
  type Accept,
  type AnswerHttp,
  type Certificate,
  type ForeignPage,
  type ListenError,
  type Pipe,
  type PipeEvents,
  type RenewableListener,
  type WebRules,
} from './transport.ts'

/** LIBUS_LISTEN_EXCLUSIVE_PORT: without it a second server on the port starts silently and takes half of the connections. */
const EXCLUSIVE_PORT = 1

const MAX_CONTROL_FRAMES = 1_000

/** ms until a port that was lost is tried again: twice as many each time, up to the most. */
const FIRST_RETRY_MS = 250
const MOST_RETRY_MS = 30_000

const SENT_DROPPED = 2

// The implementation takes a host together with listen options, and a socket is its own user data; the type declarations that come with it
// forget this form, and give the data by a call into native code, which costs as much as all else that is done here for a packet.
declare module 'uWebSockets.js' {
  interface WebSocket<UserData> {
    readonly pipe: UserData extends { readonly pipe: infer Pipe } ? Pipe : never
  }
  interface TemplatedApp {
    listen(
      host: string,
      port: number,
      options: number,
      listening: (socket: us_listen_socket | false) => void,
    ): TemplatedApp
  }
}

export interface WebSocketOptions {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** Bytes; the owner of a pipe refuses packets above it by a close. */
  readonly maxPacket: number
  /** Bytes written and not taken by the network at which a pipe is given up. */
  readonly maxBuffered: number
  /** ms without any traffic after which the socket itself is closed; far above the ping interval of the gateway. */
  readonly idleTimeoutMs: number
  /** Pings and pongs of the WebSocket layer between two packets; more is a flood. Keep-alive is by frames. */
  readonly maxControls?: number
  readonly rules: WebRules
  /** Speaks TLS; clients need to show no certificate. */
  readonly certificate?: Certificate
  /** Is told of a page that was not let in. */
  readonly onForeign?: (page: ForeignPage) => void
  /** Is told that the port was lost while its certificate was renewed, each time that it cannot be had: nobody can connect until it is tried again, in so many ms. */
  readonly onLost?: (error: ListenError, retryMs: number) => void
  /** Is told that a port that was lost is open again. */
  readonly onRegained?: () => void
}

/** uWebSockets.js copies the fields of what it is given to hold, and so would lose the methods of a class. */
interface Held {
  readonly pipe: WebSocketPipe
}

class WebSocketPipe implements Pipe {
  readonly transport: string
  readonly address: string
  #socket: WebSocket<Held> | null = null
  #events: PipeEvents | null = null
  #controls = 0

  constructor(transport: string, address: string) {
    this.transport = transport
    this.address = address
  }

  write(packet: Uint8Array, text: boolean): boolean {
    return this.#socket === null || this.#socket.send(packet, !text) !== SENT_DROPPED
  }

  cork(writes: () => void): void {
    this.#socket?.cork(writes)
  }

  buffered(): number {
    return this.#socket?.getBufferedAmount() ?? 0
  }

  end(number: number, name: string): void {
    this.#socket?.end(number, name)
  }

  destroy(): void {
    this.#socket?.close()
  }

  opened(socket: WebSocket<Held>, accept: Accept): void {
    this.#socket = socket
    const events = accept(this)
    // The owner may have refused the pipe while it accepted it.
    if (this.gone()) events.closed()
    else this.#events = events
  }

  gone(): boolean {
    return this.#socket === null
  }

  received(bytes: ArrayBuffer, text: boolean): void {
    this.#controls = 0
    this.#events?.packet(new Uint8Array(bytes), text)
  }

  controlled(most: number): void {
    if (++this.#controls === most + 1) this.#events?.broken('bad_frame', true)
  }

  closed(): void {
    this.#socket = null
    this.#events?.closed()
    this.#events = null
  }
}

/** Opens the port. Rejects with `ListenError` when it is taken or the host is not an address of this machine. */
export async function listenWebSocket(
  options: WebSocketOptions,
  accept: Accept,
  answer: AnswerHttp,
): Promise<RenewableListener> {
  const port = options.port === 0 ? await freePort(options) : options.port
  const listener = new WebSocketListener({ ...options, port }, accept, answer)
  if (!listener.listen()) throw troubleOf(options, await whyNot(options.host, port))
  return listener
}

class WebSocketListener implements RenewableListener {
  readonly url: string
  readonly #options: WebSocketOptions
  readonly #accept: Accept
  readonly #answer: AnswerHttp
  /** The last one is listening; those before it still have connections, or had some when it came. */
  #apps: App[] = []
  #socket: us_listen_socket | null = null
  #retry: NodeJS.Timeout | null = null

  constructor(options: WebSocketOptions, accept: Accept, answer: AnswerHttp) {
    const { host, port, certificate } = options
    const name = host.includes(':') ? `[${host}]` : host
    this.url = `${certificate === undefined ? 'ws' : 'wss'}://${name}:${port}/ws`
    this.#options = options
    this.#accept = accept
    this.#answer = answer
    this.#apps.push(this.#makeApp(certificate))
  }

  renew(certificate: Certificate): void {
    const renewed = this.#makeApp(certificate)
    this.stop()
    this.#apps = [...this.#apps.filter(({ connections }) => connections > 0), renewed]
    if (!this.listen()) this.#listenLater(FIRST_RETRY_MS)
  }

  stop(): void {
    if (this.#retry !== null) clearTimeout(this.#retry)
    this.#retry = null
    if (this.#socket !== null) uws.us_listen_socket_close(this.#socket)
    this.#socket = null
  }

  close(): Promise<void> {
    this.stop()
    for (const { app } of this.#apps) app.close()
    return Promise.resolve()
  }

  /** Whether it listens. */
  listen(): boolean {
    const { host, port } = this.#options
    // The answer comes within the call.
    this.#apps.at(-1)?.app.listen(host, port, EXCLUSIVE_PORT, socket => {
      this.#socket = socket === false ? null : socket
    })
    return this.#socket !== null
  }

  /** Goes on until it is stopped: with an address that comes and goes, or a program that took the port, nobody else would open it again. */
  #listenLater(retryMs: number): void {
    const { onLost, onRegained } = this.#options
    onLost?.(troubleOf(this.#options), retryMs)
    this.#retry = setTimeout(() => {
      this.#retry = null
      if (this.listen()) onRegained?.()
      else this.#listenLater(Math.min(retryMs * 2, MOST_RETRY_MS))
    }, retryMs)
  }

  #makeApp(certificate: Certificate | undefined): App {
    const { maxPacket, maxBuffered, idleTimeoutMs, maxControls = MAX_CONTROL_FRAMES } = this.#options
    const made = { app: certificate === undefined ? uws.App() : secureApp(certificate), connections: 0 }
    const transport = certificate === undefined ? 'ws' : 'wss'
    made.app.ws<Held>('/ws', {
      compression: uws.DISABLED,
      // Twice the limit, so that what is a little too large can be answered with the close that says so.
      maxPayloadLength: maxPacket * 2,
      maxBackpressure: maxBuffered,
      idleTimeout: idleSeconds(idleTimeoutMs),
      sendPingsAutomatically: false,
      upgrade: (response, request, context) => upgrade(response, request, context, transport, this.#options),
      open: socket => {
        made.connections++
        socket.pipe.opened(socket, this.#accept)
      },
      message: (socket, bytes, binary) => socket.pipe.received(bytes, !binary),
      ping: socket => socket.pipe.controlled(maxControls),
      pong: socket => socket.pipe.controlled(maxControls),
      close: socket => {
        made.connections--
        socket.pipe.closed()
      },
    })
    made.app.any('/*', (response, request) =>
      answerRequest(response, request, this.#options.rules.proxies, this.#answer),
    )
    return made
  }
}

interface App {
  readonly app: TemplatedApp
  connections: number
}

/** uWebSockets.js takes certificates as files only, and reads them within the call. */
function secureApp({ cert, key }: Certificate): TemplatedApp {
  const directory = mkdtempSync(join(tmpdir(), 'ackd-tls-'))
  const [certFile, keyFile] = [join(directory, 'cert.pem'), join(directory, 'key.pem')]
  try {
    writeFileSync(certFile, cert)
    writeFileSync(keyFile, key, { mode: 0o600 })
    return uws.SSLApp({ cert_file_name: certFile, key_file_name: keyFile })
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/**
 * A port that is free now. uWebSockets.js could choose one itself, but without SO_REUSEADDR: a server that was killed could then not
 * come back on that port until its last connections have left TIME_WAIT.
 */
function freePort(options: WebSocketOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', error => reject(troubleOf(options, codeOf(error))))
    probe.listen({ host: options.host, port: 0 }, () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

function troubleOf({ host, port, certificate }: WebSocketOptions, code = ''): ListenError {
  return cannotListen(host, port, certificate === undefined ? 'ACKD_PORT' : 'ACKD_WSS_PORT', code)
}

/** uWebSockets.js ends the process at anything outside 8–960. */
function idleSeconds(ms: number): number {
  return Math.min(Math.max(Math.ceil(ms / 1000), 8), 960)
}

const noHeaders: ReadonlyMap<string, string> = new Map<string, string>()

function upgrade(
  response: UwsResponse,
  request: UwsRequest,
  context: us_socket_context_t,
  transport: string,
  { rules: { origins, proxies }, onForeign }: WebSocketOptions,
): void {
  // Reading them costs a call and two strings for each, and most servers ask for none.
  const headers = origins.length > 0 || proxies.areTrusted ? readHeaders(request) : noHeaders
  const address = clientAddress(response, headers, proxies)
  const origin = headers.get('origin') ?? ''
  if (origins.length > 0 && origin !== '' && !origins.includes(origin)) {
    onForeign?.({ origin, address, transport })
    response.cork(() => {
      response.writeStatus('403 Forbidden').writeHeader('Content-Type', 'application/json')
      response.end('{"error":{"code":"forbidden","text":"This origin may not connect; add it to ACKD_ORIGINS."}}')
    })
    return
  }
  response.upgrade(
    { pipe: new WebSocketPipe(transport, address) },
    request.getHeader('sec-websocket-key'),
    '',
    request.getHeader('sec-websocket-extensions'),
    context,
  )
}

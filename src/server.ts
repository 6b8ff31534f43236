/**
 * The composition root: the only file that names implementations. Options go in, a running server comes out.
 *
 * The order of starting is store, gateway, listener, so that nobody is let in before everything is there; the order of stopping is
 * the reverse, after everything held was parked and everybody was told.
 */
import { nanoid } from 'nanoid'
import type { CoreOptions } from './core/effects.ts'
import { Gateway, type GatewayOptions } from './gateway/gateway.ts'
import { createHttp } from './gateway/http.ts'
import { createLog, type Log } from './gateway/log.ts'
import { readOptions, type Options } from './options.ts'
import { openLmdbStore } from './store/lmdb.ts'
import { MemoryStore } from './store/memory.ts'
import { defaultStoreLimits, type Store, type StoreLimits } from './store/store.ts'
import type { Listener } from './transport/transport.ts'
import { listenWebSocket } from './transport/websocket.ts'

const NODE_NAME_LENGTH = 10
/** ms; the last resort of a shutdown, in which everything else has its own limit. */
const SHUTDOWN_MS = 25_000

export interface Server {
  /** What clients connect to. */
  readonly ws: string
  /** Where health and metrics are. */
  readonly http: string
  readonly pid: number
  /**
   * Parks what is held, sends the receipts, sends the clients away, closes the store. Resolves within 25 s. Calling it again
   * gives the same promise.
   */
  close(): Promise<void>
}

/** Starts a server. Rejects with an error that says what to do: the port is taken, the store cannot be opened. */
export async function startServer(given: Partial<Options> = {}, log?: Log): Promise<Server> {
  const options: Options = { ...readOptions(), ...given }
  const logger = log ?? createLog(options.logLevel)
  const store = await openStore(options, logger)
  const gateway = new Gateway(store, gatewayOptions(options, store), logger)
  try {
    const listener = await listenWebSocket(
      listenerOptions(options, gateway),
      gateway.accept,
      createHttp(gateway, store, options.maxLag),
    )
    gateway.start()
    return new RunningServer(store, gateway, listener)
  } catch (error) {
    await store.close()
    throw error
  }
}

/** The line that says that a server is ready, for whoever started the process. */
export function readyLine(server: Server): string {
  const { ws, http, pid } = server
  return JSON.stringify({ msg: 'ready', ws, http, pid })
}

/**
 * Closes the server at SIGTERM or SIGINT and exits with 0; a second signal exits at once with 1, which loses nothing either, only
 * the goodbyes.
 */
export function closeOnSignals(server: Server): void {
  let closing = false
  const onSignal = (): void => {
    if (closing) process.exit(1)
    closing = true
    setTimeout(() => process.exit(0), SHUTDOWN_MS).unref()
    server.close().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
}

class RunningServer implements Server {
  readonly ws: string
  readonly http: string
  readonly pid = process.pid
  readonly #store: Store
  readonly #gateway: Gateway
  readonly #listener: Listener
  #closed: Promise<void> | null = null

  constructor(store: Store, gateway: Gateway, listener: Listener) {
    this.#store = store
    this.#gateway = gateway
    this.#listener = listener
    this.ws = listener.url
    this.http = listener.url.replace(/^ws:/, 'http:').replace(/\/ws$/, '')
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    this.#listener.stop()
    await this.#gateway.drain()
    await this.#listener.close()
    this.#gateway.stop()
    await this.#store.close()
  }
}

async function openStore(options: Options, log: Log): Promise<Store> {
  const limits: StoreLimits = {
    ...defaultStoreLimits,
    mailboxMessages: options.mailboxMessages,
    mailboxBytes: options.mailboxBytes,
    messageLifeMs: options.messageLife,
    idLifeMs: options.idLife,
  }
  if (options.store === 'memory') {
    log.warn({}, 'messages and identities are kept in memory only: nothing survives the end of this process')
    return new MemoryStore(limits)
  }
  return openLmdbStore({ directory: options.dataDir, limits, onNote: note => log.warn({}, note) })
}

/** Bytes waiting for a reader at which it counts as slow: twice what may be un-acked, and room for everything else. */
function slowBytes(options: Options): number {
  return options.windowBytes * 2 + options.maxPacket * 2
}

function gatewayOptions(options: Options, store: Store): GatewayOptions {
  const core: CoreOptions = {
    node: nanoid(NODE_NAME_LENGTH),
    ackTimeoutMs: options.ackTimeout,
    window: options.window,
    windowBytes: options.windowBytes,
    sendWindow: options.sendWindow,
    sendWindowBytes: options.sendWindowBytes,
    heldBytes: options.heldBytes,
    newRecipients: options.newRecipientsRate,
    pollMs: store.shared ? 10_000 : 0,
    maxPacket: options.maxPacket,
    pingIntervalMs: options.pingInterval,
  }
  return {
    core,
    connections: {
      maxPacket: options.maxPacket,
      frameRate: options.frameRate,
      pingIntervalMs: options.pingInterval,
      slowBytes: slowBytes(options),
    },
    admission: {
      connectionsPerAddress: options.connectionsPerAddress,
      connectRate: options.connectRate,
      maxLagMs: options.maxLag,
    },
    helloTimeoutMs: options.helloTimeout,
  }
}

function listenerOptions(options: Options, gateway: Gateway): Parameters<typeof listenWebSocket>[0] {
  return {
    host: options.host,
    port: options.port,
    origins: options.origins,
    maxPacket: options.maxPacket,
    maxBuffered: gateway.limits.slowBytes * 4,
    idleTimeoutMs: options.pingInterval * 3,
  }
}

/**
 * The composition root: the only file that names implementations. Options go in, a running server comes out.
 *
 * The order of starting is store, gateway, listener, so that nobody is let in before everything is there; the order of stopping is
 * the reverse, after everything held was parked and everybody was told.
 */
import { fileURLToPath } from 'node:url'
import { nanoid } from 'nanoid'
import type { CoreOptions } from './core/effects.ts'
import { Accounts } from './gateway/accounts.ts'
import { AdminToken } from './gateway/api/admin-token.ts'
import { apiRoutes } from './gateway/api/routes.ts'
import { Api } from './gateway/api.ts'
import { STORE_LIMIT_MS } from './gateway/effects.ts'
import { Gateway, type GatewayOptions } from './gateway/gateway.ts'
import { openGuard, type Guard } from './gateway/guard.ts'
import { HttpRate } from './gateway/http-rate.ts'
import { createHttp } from './gateway/http.ts'
import { createLog, errorFields, type LeveledLog, type Log } from './gateway/log.ts'
import { readPages } from './gateway/pages.ts'
import { Passwords } from './gateway/passwords.ts'
import { Throttle, throttleRates } from './gateway/throttle.ts'
import { Sparing } from './gateway/sparing.ts'
import { changesBetween } from './option-changes.ts'
import { completeOptions, OptionError } from './option-sources.ts'
import { limitNames, type Options } from './options.ts'
import { openLmdbStore } from './store/lmdb.ts'
import { MemoryStore } from './store/memory.ts'
import { openRedisStore } from './store/redis.ts'
import { defaultStoreLimits, type Store, type StoreLimits } from './store/store.ts'
import type {
  AnswerHttp,
  Certificate,
  ForeignPage,
  Listener,
  RenewableListener,
  WebRules,
} from './transport/transport.ts'
import { developmentCertificate, developmentFile, readCertificate } from './transport/certificates.ts'
import { otherPorts } from './transport/ports.ts'
import { TrustedProxies } from './transport/proxies.ts'
import type { StreamOptions } from './transport/stream.ts'
import { listenTcp } from './transport/tcp.ts'
import { listenTls } from './transport/tls.ts'
import { listenWebSocket, type WebSocketOptions } from './transport/websocket.ts'
import { readVersion } from './version.ts'

const NODE_NAME_LENGTH = 10
/** What `npm run build` has written, whether this runs from there or from the sources. */
const pagesDirectory = fileURLToPath(new URL('../dist/web', import.meta.url))
/** ms that a write itself may take, once its turn has come, for an answer in time. */
const WRITING_MS = 500

export interface Server {
  /** What clients connect to. */
  readonly ws: string
  /** The same over TLS, TCP, and TCP with TLS; null: off. */
  readonly wss: string | null
  readonly tcp: string | null
  readonly tls: string | null
  /** Where health and metrics are. */
  readonly http: string
  readonly pid: number
  /**
   * Reads anew the TLS certificate, the secrets and the public keys of tokens, for connections to come, and opens the audit log again.
   * `read` gives the options anew, those that are left out as by default; what of them can change while the server runs holds from now on. The log
   * says what has changed and what waits for a restart. What cannot be read, or makes no sense, is in the log too, and the old stays.
   */
  reload(read?: () => Partial<Options>): void
  /**
   * Parks what is held, sends the receipts, sends the clients away, closes the store. Resolves within 25 s. Calling it again
   * gives the same promise.
   */
  close(): Promise<void>
}

/** Starts a server; durations are ms and sizes bytes. Rejects with an error that says what to do: an option cannot be, the port is taken, the store cannot be opened. */
export async function startServer(given: Partial<Options> = {}, log?: Log): Promise<Server> {
  const options = completeOptions(given)
  const own = createLog(options.logLevel)
  const logger = log ?? own
  const store = await openStore(options, logger)
  try {
    const guard = await openGuard(options, store.accounts, logger)
    const gateway = new Gateway(store, gatewayOptions(options, store), logger, guard)
    const doors: Doors = {
      rules: { origins: options.origins, proxies: new TrustedProxies(options.trustProxy) },
      admin: new AdminToken(options.adminToken),
      rate: new HttpRate(options.httpRate),
    }
    const parts = { ...doors, gateway, store, audit: guard.audit, pages: readPages(pagesDirectory, options.console) }
    const answer = createHttp({ ...parts, api: openApi(options, parts, guard) })
    const listeners = await openListeners(options, gateway, doors.rules, answer, logger)
    gateway.start()
    // In their units once they are read: ms and bytes.
    logger.info(Object.fromEntries(Object.entries(options).filter(([name]) => limitNames.includes(name))), 'limits')
    const reload = reloader(options, logger, renewed => {
      applyOptions(renewed, { ...parts, own, guard })
      renewCertificate(renewed, listeners, logger)
    })
    return new RunningServer(store, gateway, listeners, reload)
  } catch (error) {
    await store.close()
    throw error
  }
}

/** What decides who is answered over HTTP. It changes when the options do. */
interface Doors {
  readonly rules: { -readonly [Name in keyof WebRules]: WebRules[Name] }
  readonly admin: AdminToken
  readonly rate: HttpRate
}

interface Parts extends Doors {
  readonly gateway: Gateway
  readonly store: Store
}

/** What `Server.reload` does; `apply` is given options that make sense. */
function reloader(started: Options, log: Log, apply: (options: Options) => void): Server['reload'] {
  let current = started
  return read => {
    try {
      if (read !== undefined) {
        const { options, changed, waiting } = changesBetween(current, completeOptions(read()))
        current = options
        log.info({ changed }, 'the options were read anew')
        if (waiting.length > 0)
          log.warn({ options: waiting }, 'these options hold only after the server was started again')
      }
    } catch (error) {
      const fields = error instanceof OptionError ? { error: error.message } : errorFields(error)
      log.error(fields, 'the options could not be read anew; the old ones stay')
    }
    apply(current)
  }
}

/** `own` is the log unless somebody else's was given, whose level is his. */
function applyOptions(
  options: Options,
  { rules, admin, rate, gateway, store, guard, own }: Parts & { readonly guard: Guard; readonly own: LeveledLog },
): void {
  rules.origins = options.origins
  rules.proxies.trust(options.trustProxy)
  admin.renew(options.adminToken)
  rate.perSecond = options.httpRate
  own.level = options.logLevel
  store.limit(storeLimits(options))
  gateway.change(gatewayOptions(options, store, gateway.hub.options.node))
  guard.reload(options)
}

function openApi(
  { accounts: wanted, loginRate, registrationRate }: Options,
  { gateway, store, admin, rules }: Parts,
  guard: Guard,
): Api {
  const { tokens, audit } = guard
  const accounts =
    wanted === 'on' && tokens !== null
      ? new Accounts({
          store: store.accounts,
          passwords: new Passwords(),
          tokens,
          audit,
          throttle: new Throttle(throttleRates(loginRate, registrationRate)),
        })
      : null
  const failed = (error: unknown): void => gateway.failed(error)
  const routes = apiRoutes(gateway, store, readVersion(), accounts, guard)
  return new Api(routes, admin, { rules, audit, failed })
}

/** The line that says that a server is ready, for whoever started the process. */
export function readyLine(server: Server): string {
  const { ws, wss, tcp, tls, http, pid } = server
  const open = Object.fromEntries(Object.entries({ ws, wss, tcp, tls }).filter(([, url]) => url !== null))
  return JSON.stringify({ msg: 'ready', ...open, http, pid })
}

/** The open ports. */
interface Listeners {
  readonly ws: Listener
  readonly wss: RenewableListener | null
  readonly tcp: Listener | null
  readonly tls: RenewableListener | null
}

const present = ({ ws, wss, tcp, tls }: Listeners): Listener[] =>
  [ws, wss, tcp, tls].filter(listener => listener !== null)

class RunningServer implements Server {
  readonly ws: string
  readonly wss: string | null
  readonly tcp: string | null
  readonly tls: string | null
  readonly http: string
  readonly pid = process.pid
  readonly reload: Server['reload']
  readonly #store: Store
  readonly #gateway: Gateway
  readonly #listeners: readonly Listener[]
  #closed: Promise<void> | null = null

  constructor(store: Store, gateway: Gateway, listeners: Listeners, reload: Server['reload']) {
    this.#store = store
    this.#gateway = gateway
    this.#listeners = present(listeners)
    this.ws = listeners.ws.url
    this.wss = listeners.wss?.url ?? null
    this.tcp = listeners.tcp?.url ?? null
    this.tls = listeners.tls?.url ?? null
    this.http = this.ws.replace(/^ws:/, 'http:').replace(/\/ws$/, '')
    this.reload = reload
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    for (const listener of this.#listeners) listener.stop()
    await this.#gateway.drain()
    await Promise.all(this.#listeners.map(listener => listener.close()))
    this.#gateway.stop()
    await this.#store.close()
  }
}

function storeLimits(options: Options): StoreLimits {
  return {
    ...defaultStoreLimits,
    mailboxMessages: options.mailboxMessages,
    mailboxBytes: options.mailboxBytes,
    messageLifeMs: options.messageLife,
    idLifeMs: options.idLife,
    replacementsPerMinute: options.replacementRate,
    headAttempts: options.deadAfter,
    rooms: {
      ...defaultStoreLimits.rooms,
      messages: options.roomMessages,
      lifeMs: options.roomLife,
      rooms: options.rooms,
      owned: options.roomsPerOwner,
    },
  }
}

async function openStore(options: Options, log: Log): Promise<Store> {
  const limits = storeLimits(options)
  if (options.store === 'memory') {
    log.warn({}, 'messages and identities are kept in memory only: nothing survives the end of this process')
    return new MemoryStore(limits)
  }
  const onNote = (note: string): void => log.warn({}, note)
  const { redisUrl: url, redisCa: caFile } = options
  if (url !== '') return openRedisStore({ url, caFile, limits, onNote })
  return openLmdbStore({ directory: options.dataDir, limits, onNote, patienceMs: STORE_LIMIT_MS - WRITING_MS })
}

/** Bytes waiting for a reader at which it counts as slow: twice what may be un-acked, and room for everything else. */
function slowBytes(options: Options): number {
  return options.windowBytes * 2 + options.maxPacket * 2
}

function gatewayOptions(options: Options, store: Store, node = nanoid(NODE_NAME_LENGTH)): GatewayOptions {
  const core: CoreOptions = {
    node,
    ackTimeoutMs: options.ackTimeout,
    window: options.window,
    windowBytes: options.windowBytes,
    sendWindow: options.sendWindow,
    sendWindowBytes: options.sendWindowBytes,
    heldBytes: options.heldBytes,
    newRecipients: options.newRecipientsRate,
    rememberedStreams: options.rememberedStreams,
    roomsPerConnection: options.roomsPerConnection,
    roomMessages: options.roomMessages,
    soleOwner: !store.shared,
    pollMs: store.shared ? 10_000 : 0,
    maxPacket: options.maxPacket,
    pingIntervalMs: options.pingInterval,
    trace: options.trace,
  }
  return {
    core,
    connections: {
      maxPacket: options.maxPacket,
      frameRate: options.frameRate,
      pingIntervalMs: options.pingInterval,
      idleTimeoutMs: options.idleTimeout,
      slowBytes: slowBytes(options),
      unreadBytes: options.unreadBytes,
    },
    admission: {
      connectionsPerAddress: options.connectionsPerAddress,
      connectRate: options.connectRate,
      maxLagMs: options.maxLag,
    },
    roomMakingRate: options.roomMakingRate,
    roomPasswordRate: options.roomPasswordRate,
    helloTimeoutMs: options.helloTimeout,
    overloadLagMs: options.overloadLag,
    parksUnknown: options.unknownRecipients === 'park',
  }
}

/** Opens all ports or none. */
async function openListeners(
  options: Options,
  gateway: Gateway,
  rules: WebRules,
  answer: AnswerHttp,
  log: Log,
): Promise<Listeners> {
  const { host, port, maxPacket } = options
  const ports = otherPorts(options)
  const { accept } = gateway
  const maxBuffered = gateway.limits.slowBytes * 4
  const idleTimeoutMs = options.pingInterval * 3
  const sparing = new Sparing()
  const stream: Omit<StreamOptions, 'port'> = {
    host,
    maxPacket,
    maxBuffered,
    maxUnread: gateway.limits.slowBytes / 2,
    onTrouble: error =>
      sparing.say(gateway.clock.now, unsaid =>
        log.info({ unsaid, error: error.message }, 'a connection was not taken'),
      ),
  }
  const onForeign = (page: ForeignPage): void => gateway.foreign(page)
  const maxControls = options.controlFrames
  const webSocket = { host, rules, maxPacket, maxBuffered, idleTimeoutMs, maxControls, onForeign }
  let open: Listeners = {
    ws: await listenWebSocket({ ...webSocket, port }, accept, answer),
    wss: null,
    tcp: null,
    tls: null,
  }
  try {
    if (ports.tcp !== null) open = { ...open, tcp: await listenTcp({ ...stream, port: ports.tcp }, accept) }
    if (ports.tls === null && ports.wss === null) return open
    const certificate = certificateOf(options, log)
    if (ports.tls !== null)
      open = {
        ...open,
        tls: await listenTls(
          {
            ...stream,
            port: ports.tls,
            certificate,
            handshakeMs: options.handshakeTimeout,
            maxHandshakes: options.handshakes,
          },
          accept,
        ),
      }
    if (ports.wss !== null) {
      const secure = { ...webSocket, ...lossOf(log), port: ports.wss, certificate }
      open = { ...open, wss: await listenWebSocket(secure, accept, answer) }
    }
  } catch (error) {
    await Promise.all(present(open).map(listener => listener.close()))
    throw error
  }
  return open
}

const lossOf = (log: Log): Pick<WebSocketOptions, 'onLost' | 'onRegained'> => ({
  onLost: (lost, retryMs) => log.error({ lost: lost.message, fix: lost.fix, retryMs }, 'nobody can connect by wss'),
  onRegained: () => log.warn({}, 'the port of wss is open again, with the new certificate'),
})

function certificateOf(
  { tlsCert: cert, tlsKey: key, tlsClientCa: clientCa, ...options }: Options,
  log: Log,
): Certificate {
  if (cert !== '' || key !== '') return readCertificate({ cert, key, clientCa })
  // A store that keeps nothing has no directory either.
  const directory = options.store === 'memory' ? null : options.dataDir
  const trust = directory === null ? {} : { trust: developmentFile(directory) }
  log.info(trust, 'TLS runs on a development certificate made here; set ACKD_TLS_CERT and ACKD_TLS_KEY for a real one')
  return developmentCertificate(directory, clientCa)
}

function renewCertificate(options: Options, { wss, tls }: Listeners, log: Log): void {
  if (options.tlsCert === '' || (wss === null && tls === null)) return
  try {
    const certificate = certificateOf(options, log)
    tls?.renew(certificate)
    wss?.renew(certificate)
    log.info({}, 'the TLS certificate was read anew')
  } catch (error) {
    log.error(errorFields(error), 'the TLS certificate could not be read anew; the old one stays')
  }
}

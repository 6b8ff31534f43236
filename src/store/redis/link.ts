/**
 * The way to Redis, and the only file that knows the driver, but for the one that listens.
 *
 * Calls of one turn of the loop leave in one write: the sockets are corked at the first call and uncorked when the turn is over. The
 * driver's own pipelines were not taken: each waits for the answers of the one before it, and in a cluster they give up where a
 * single command is redirected.
 *
 * A call is answered within two seconds or rejected, and then the connection is given up: what is written after it on a
 * connection that has stalled would only pile up. What was given up may be on its way still, and must not take effect later: scripts are told
 * until when they may, and when Redis is reached again, the first thing it is told is to forget the connection before. Nothing is queued while Redis is away; the driver connects again by itself. A server counts as
 * reached when its settings have been judged and it knows the scripts; one that forgets them later is given all of them
 * again, and nothing overtakes what it has missed.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Cluster, Redis } from 'ioredis'
import type { RedisWay } from './address.ts'
import { judgeRedis, readInfo, redisError, UnfitRedis } from './settings.ts'
import type { Script, Scripts } from './scripts.ts'
import { StoreError } from '../store.ts'

export type Argument = string | number | Buffer

export interface LinkOptions extends RedisWay {
  readonly scripts: Scripts
  /** The key that says in which form things are stored; null: nothing is going to be stored. */
  readonly formatKey: string | null
  /** Is told, in a sentence, each change of state and what is wrong with the settings. */
  readonly onNote: (note: string) => void
}

/** ms until a call counts as lost. */
const CALL_MS = 2_000
/** ms for TCP and TLS to connect. */
const CONNECT_MS = 2_000
/** ms between attempts to connect, at most, and between looks at a server that is not fit. */
const RETRY_MS = 2_000
/** ms for which nobody can have made the server a replica, filled it from another one, and made it a master again, unseen. */
const STINT_MS = 1_000
/** The form of everything that the scripts store. Who changes it writes another one here. */
const FORMAT = '1'
/** Calls without an answer, at most. The hub has one of a kind for each client under way. */
const MAX_OPEN = 200_000

export class RedisLink {
  readonly #driver: Redis | Cluster
  #scripts: Scripts
  readonly #formatKey: string | null
  readonly #authenticated: boolean
  readonly #onNote: (note: string) => void
  readonly #shown: string
  #up = false
  #closed = false
  /** Why calls are not taken. */
  #trouble: StoreError
  /** What was told last, so that each change is told once. */
  #told: 'nothing' | 'up' | 'away' | 'unfit' = 'nothing'
  #open = 0
  #corked: { uncork(): void }[] = []
  /** A server that had forgotten the scripts is being given them again; null: all know them, as far as this is known. */
  #teaching: Promise<unknown> | null = null
  #timer: NodeJS.Timeout | null = null
  /** How far the clock of Redis is ahead of `performance.now()`, at least, ms; in a cluster, that of the server that is furthest ahead. Null: not known. */
  #ahead: number | null = null
  #stint = ''
  #stintEnds = 0
  /** The connection to each server, as that calls it. */
  readonly #connections = new WeakMap<Redis, { readonly run: string; readonly id: string }>()
  #verdict: () => void = () => {}
  /** Resolves when Redis was reached for the first time, or could not be. */
  readonly tried: Promise<void>

  constructor({ address, ca, scripts, formatKey, onNote }: LinkOptions) {
    this.#scripts = scripts
    this.#formatKey = formatKey
    this.#onNote = onNote
    this.#shown = address.shown
    this.#authenticated = address.password !== '' || address.kind === 'socket'
    this.#trouble = new StoreError('Redis is not connected yet.', 'Wait a moment.')
    this.tried = new Promise(resolve => {
      this.#verdict = resolve
    })
    this.#driver = createDriver({ address, ca })
    this.#driver.on('ready', () => void this.#prepare())
    this.#driver.on('error', error => this.#failed(error))
    this.#driver.on('close', () => this.#failed(null))
  }

  /** Why Redis cannot be used now; null when it can. */
  get trouble(): StoreError | null {
    return this.#up ? null : this.#trouble
  }

  /**
   * A random word for one second of one connection to one server: what a script has found out about that server holds for others of this stint.
   * '' in a cluster, where calls go to many servers, any of which may be another one in between.
   */
  get stint(): string {
    if (this.isCluster) return ''
    const now = performance.now()
    if (now > this.#stintEnds) {
      this.#stint = randomBytes(6).toString('base64url')
      this.#stintEnds = now + STINT_MS
    }
    return this.#stint
  }

  /** Whether keys of two clients may be in one call. */
  get isCluster(): boolean {
    return this.#driver instanceof Cluster
  }

  /** Calls without an answer yet. */
  get pending(): number {
    return this.#open
  }

  /** A connection more, not connected yet, that ends when it is lost; null: no server can be used now. */
  another(): Redis | null {
    const servers = this.#masters().filter(({ status }) => status === 'ready')
    const server = servers[Math.floor(Math.random() * servers.length)]
    if (!this.#up || server === undefined) return null
    const options = { lazyConnect: true, retryStrategy: () => null, autoResubscribe: false, enableReadyCheck: false }
    return server.duplicate({ ...options, readOnly: false, connectionName: 'ackd-listener' })
  }

  /** Calls other scripts by those names from now on, of which every server is told first: one that was not would take later calls before them. */
  renew(scripts: Scripts): void {
    this.#scripts = scripts
    for (const server of this.#masters()) if (server.status === 'ready') teach(server, scripts).catch(() => {})
  }

  /** Runs a script; the keys are all in one slot. Rejects with `StoreError`. */
  run(name: keyof Scripts, keys: readonly string[], ...args: Argument[]): Promise<unknown> {
    const script = this.#scripts[name]
    return this.#timed(() => this.#evaluate(script, keys, args))
  }

  /** Sends one command. Rejects with `StoreError`. */
  send(command: string, ...args: Argument[]): Promise<unknown> {
    return this.#timed(() => this.#write(command, args))
  }

  /** Until when a call that begins now may be done, as scripts take it. */
  bound(): string {
    return this.#ahead === null ? '' : `<${Math.floor(performance.now() + this.#ahead + CALL_MS)}`
  }

  /** Clocks drift apart, and some are set. A server that does not answer is passed over. */
  async compareClocks(): Promise<void> {
    const servers = this.#masters().filter(({ status }) => status === 'ready')
    const told = await Promise.allSettled(servers.map(clockOf))
    const aheads = told.filter(one => one.status === 'fulfilled').map(({ value }) => value)
    if (this.#up && aheads.length > 0) this.#ahead = Math.max(...aheads)
  }

  /** Waits for what is under way, at most as long as a call may take. */
  async close(): Promise<void> {
    const end = performance.now() + CALL_MS
    while (this.#open > 0 && performance.now() < end) await new Promise(resolve => setTimeout(resolve, 5))
    this.#closed = true
    this.#up = false
    this.#trouble = new StoreError('The store is closed.', 'Start ackd again.')
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#driver.disconnect()
  }

  #timed(start: () => Promise<unknown>): Promise<unknown> {
    if (!this.#up) return Promise.reject(this.#trouble)
    if (this.#open >= MAX_OPEN)
      return Promise.reject(new StoreError('Redis is too slow.', 'Give it more of the machine.'))
    this.#cork()
    this.#open++
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        fail(new StoreError(`Redis took longer than ${CALL_MS} ms.`, 'See its log and the load of its machine.'))
        // In a cluster the other servers may be well; the driver ends a connection on which nothing comes.
        if (this.#up && this.#driver instanceof Redis) this.#driver.disconnect(true)
      }, CALL_MS)
      const fail = (error: unknown): void => {
        clearTimeout(timer)
        this.#open--
        reject(redisError(error))
      }
      start().then(value => {
        clearTimeout(timer)
        this.#open--
        resolve(value)
      }, fail)
    })
  }

  async #evaluate(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    const rest = [keys.length, ...keys, ...args]
    if (this.#teaching !== null) await this.#teaching
    try {
      return await this.#write('evalsha', [script.sha, ...rest])
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
      this.#teachAgain()
      return this.#write('eval', [script.source, ...rest])
    }
  }

  /**
   * All scripts at once: if only the one that was missed were known again, a call of it would overtake one of another that is missed next. What
   * was asked before comes back and is asked again in its order, and what is asked from now on waits until that is done.
   */
  #teachAgain(): void {
    if (this.#teaching !== null) return
    const servers = this.#masters().filter(({ status }) => status === 'ready')
    const taught = Promise.allSettled(servers.map(server => teach(server, this.#scripts)))
    // Of a connection that is lost meanwhile no answer may ever come.
    const late = sleep(CALL_MS, null, { ref: false })
    this.#teaching = Promise.race([taught, late])
    // Who waits goes first, and who comes meanwhile goes behind.
    void this.#teaching.then(() =>
      setImmediate(() => {
        this.#teaching = null
      }),
    )
  }

  #write(command: string, args: Argument[]): Promise<unknown> {
    return this.#driver.callBuffer(command, args)
  }

  #cork(): void {
    if (this.#corked.length > 0) return
    for (const { stream, status } of this.#masters()) {
      if (status !== 'ready') continue
      stream.cork()
      this.#corked.push(stream)
    }
    setImmediate(() => {
      for (const stream of this.#corked) stream.uncork()
      this.#corked = []
    })
  }

  #masters(): readonly Redis[] {
    return this.#driver instanceof Redis ? [this.#driver] : this.#driver.nodes('master')
  }

  /** Judges every server and gives it the scripts; from then on calls are taken. */
  async #prepare(): Promise<void> {
    try {
      const notes = await this.#judgeAll()
      if (this.#formatKey !== null) await this.#judgeFormat(this.#formatKey)
      if (this.#closed || this.#driver.status !== 'ready') return
      this.#up = true
      this.#tell('up', `Redis at ${this.#shown} is there.`)
      for (const note of notes) this.#onNote(note)
    } catch (error) {
      this.#failed(error)
      // The connection may be good and the server not fit: then nobody else asks again.
      if (!this.#closed) this.#timer = setTimeout(() => void this.#again(), RETRY_MS)
    }
    this.#verdict()
  }

  async #again(): Promise<void> {
    if (!this.#up && this.#driver.status === 'ready') await this.#prepare()
  }

  /** One server that cannot be asked does not keep the others of a cluster away; it is given the scripts when it lacks them. */
  async #judgeAll(): Promise<ReadonlySet<string>> {
    this.#ahead = null
    this.#stintEnds = 0
    const notes = new Set<string>()
    const failures: unknown[] = []
    for (const judged of await Promise.allSettled(this.#masters().map(server => this.#judge(server)))) {
      if (judged.status === 'fulfilled') for (const note of judged.value) notes.add(note)
      else failures.push(judged.reason)
    }
    const refusal = failures.find(failure => failure instanceof StoreError)
    if (refusal !== undefined) throw refusal
    if (failures.length > 0 && failures.length === this.#masters().length) throw redisError(failures[0])
    return notes
  }

  /**
   * What cannot be asked or written now is asked at the next connection. It is written before it is read, since of two versions that start at once
   * on an empty Redis each could read that there is nothing.
   */
  async #judgeFormat(key: string): Promise<void> {
    await this.#driver.set(key, FORMAT, 'NX').catch(() => null)
    const kept = await this.#driver.get(key).catch(() => null)
    if (kept !== null && kept !== FORMAT) throw otherFormat(kept)
  }

  async #judge(server: Redis): Promise<readonly string[]> {
    const info = readInfo(await server.info())
    await this.#forgetConnection(server, info.get('run_id') ?? '')
    this.#ahead = Math.max(await clockOf(server), this.#ahead ?? -Infinity)
    const policy = await server.config('GET', 'appendfsync').catch(() => null)
    const appendfsync = Array.isArray(policy) && typeof policy[1] === 'string' ? policy[1] : null
    const { refusal, notes } = judgeRedis(info, appendfsync, this.#authenticated)
    if (refusal !== null) throw refusal
    await teach(server, this.#scripts)
    return notes
  }

  /** Where it is not allowed, there are still the bounds of the calls. */
  async #forgetConnection(server: Redis, run: string): Promise<void> {
    const before = this.#connections.get(server)
    if (before?.run === run) await server.client('KILL', 'ID', before.id).catch(() => {})
    const id = await server.client('ID').catch(() => null)
    if (id === null) this.#connections.delete(server)
    else this.#connections.set(server, { run, id: String(id) })
  }

  /** Null: the connection ended, and whatever was the reason was told before. */
  #failed(error: unknown): void {
    if (this.#closed) return
    // A server of a cluster may fail by itself; the calls that it does not answer say so.
    if (this.#up && this.#driver.status === 'ready' && error !== null) return
    if (error !== null) this.#trouble = redisError(error)
    else if (this.#up) this.#trouble = redisError(new Error('the connection ended.'))
    this.#up = false
    this.#tell(this.#trouble instanceof UnfitRedis ? 'unfit' : 'away', this.#trouble.words)
    this.#verdict()
  }

  #tell(state: 'up' | 'away' | 'unfit', note: string): void {
    if (state === this.#told) return
    this.#told = state
    this.#onNote(note)
  }
}

function otherFormat(format: string): UnfitRedis {
  return new UnfitRedis(
    `What is in this Redis was written by another version of ackd, in format ${format}.`,
    'Start that version, or give this one another Redis, or another database of it.',
  )
}

/** Lets a server know the scripts, before all that it is asked after. */
async function teach(server: Redis, scripts: Scripts): Promise<void> {
  await Promise.all(Object.values(scripts).map(({ source }) => server.script('LOAD', source)))
}

/** How far it is ahead of `performance.now()`, at least. */
async function clockOf(server: Redis): Promise<number> {
  const [seconds, microseconds] = await server.time()
  return Number(seconds) * 1_000 + Number(microseconds) / 1_000 - performance.now()
}

function createDriver({ address, ca }: RedisWay): Redis | Cluster {
  const { hosts, path, username, password, db, tls, group } = address
  const options = {
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
    ...(tls ? { tls: ca === '' ? {} : { ca } } : {}),
    db,
    connectTimeout: CONNECT_MS,
    socketTimeout: CALL_MS,
    disconnectTimeout: 100,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectionName: 'ackd',
  }
  const retryStrategy = (times: number): number =>
    Math.min(20 * 2 ** Math.min(times, 10), RETRY_MS) * (0.75 + Math.random() / 4)
  switch (address.kind) {
    case 'single':
      return new Redis({ ...options, ...hosts[0], retryStrategy })
    case 'socket':
      return new Redis({ ...options, path, retryStrategy })
    case 'sentinel':
      return new Redis({
        ...options,
        retryStrategy,
        sentinels: [...hosts],
        name: group,
        sentinelRetryStrategy: retryStrategy,
        failoverDetector: true,
        enableTLSForSentinelMode: tls,
        // The server that answers so was the master: ask the sentinels who is.
        reconnectOnError: error => error.message.startsWith('READONLY'),
      })
    case 'cluster':
      return new Cluster([...hosts], {
        redisOptions: options,
        enableOfflineQueue: false,
        maxRedirections: 5,
        clusterRetryStrategy: retryStrategy,
        slotsRefreshInterval: 10_000,
      })
  }
}

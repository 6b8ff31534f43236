/**
 * What is published on channels of a Redis, heard on a connection of its own: a connection that subscribes takes no calls, and one that
 * reads slowly is cut off by Redis.
 *
 * In a cluster whatever is published anywhere is told to every server, so any of them will do. The connection is not mended but opened again,
 * wherever the calls go then. Whoever listens is told when something may have been missed: after each beginning. A connection on which
 * nothing comes for two pings is given up.
 */
import type { Redis } from 'ioredis'

/** ms between two looks at the connection, at each of which it is pinged. */
const LOOK_MS = 1_000
/** Channels in one command. */
const AT_ONCE = 1_000

export interface Listening {
  heard(channel: string, message: Buffer): void
  /** Null: on all of them. */
  missed(channel: string | null): void
}

export class RedisListener {
  /** A new connection to a server that takes calls; null: there is none now. */
  readonly #open: () => Redis | null
  readonly #listening: Listening
  readonly #channels = new Set<string>()
  /** Those that Redis was not told of yet. */
  #fresh: string[] = []
  #connection: Redis | null = null
  #isReady = false
  readonly #timer: NodeJS.Timeout

  constructor(open: () => Redis | null, listening: Listening) {
    this.#open = open
    this.#listening = listening
    this.#timer = setInterval(() => this.#look(), LOOK_MS)
    this.#timer.unref()
  }

  follow(channel: string): void {
    if (this.#channels.has(channel)) return
    this.#channels.add(channel)
    if (this.#connection === null) return this.#look()
    if (!this.#isReady) return
    if (this.#fresh.push(channel) === 1) setImmediate(() => void this.#subscribe(this.#fresh.splice(0), false))
  }

  unfollow(channel: string): void {
    this.#channels.delete(channel)
    if (this.#isReady) this.#connection?.unsubscribe(channel).catch(() => {})
  }

  close(): void {
    clearInterval(this.#timer)
    this.#channels.clear()
    this.#drop(this.#connection)
  }

  #look(): void {
    if (this.#isReady) this.#connection?.ping().catch(() => {})
    if (this.#connection !== null || this.#channels.size === 0) return
    const connection = this.#open()
    if (connection === null) return
    this.#connection = connection
    connection.on('error', () => {})
    connection.on('end', () => this.#drop(connection))
    connection.on('messageBuffer', (channel: Buffer, message: Buffer) => {
      this.#listening.heard(channel.toString(), message)
    })
    connection.on('ready', () => {
      this.#isReady = true
      this.#fresh = []
      void this.#subscribe([...this.#channels], true)
    })
    connection.connect().catch(() => this.#drop(connection))
  }

  async #subscribe(channels: readonly string[], isAll: boolean): Promise<void> {
    const connection = this.#connection
    const wanted = channels.filter(channel => this.#channels.has(channel))
    try {
      for (let at = 0; at < wanted.length; at += AT_ONCE) await connection?.subscribe(...wanted.slice(at, at + AT_ONCE))
    } catch {
      this.#drop(connection)
      return
    }
    if (isAll) this.#listening.missed(null)
    else for (const channel of wanted) this.#listening.missed(channel)
  }

  /** The next look opens another one. */
  #drop(connection: Redis | null): void {
    connection?.disconnect()
    if (connection !== this.#connection) return
    this.#connection = null
    this.#isReady = false
  }
}

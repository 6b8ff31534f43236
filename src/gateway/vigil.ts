/**
 * What the silence of one connection means: when to ping, and when to give it up. It only notes times and is asked now and then.
 *
 * Any traffic is life (§4), keep-alive frames too; only the idle policy of a server, which is off by default, asks for more than
 * that. A reader is slow when more than it may has been waiting for it for ten seconds, and too slow at once when all
 * together leave too much unread and it leaves more than its share (`unread.ts`).
 */
import type { Pipe } from '../transport/transport.ts'
import type { Unread } from './unread.ts'

/** How long more than `slowBytes` may wait for a reader, ms. */
const SLOW_MS = 10_000

export interface VigilLimits {
  readonly pingIntervalMs: number
  /** ms without a frame other than keep-alive after which the connection is ended; 0: never. */
  readonly idleTimeoutMs: number
  /** Bytes written and not read at which a reader counts as slow. */
  readonly slowBytes: number
  /** Bytes written and not read, of all connections together. */
  readonly unreadBytes: number
}

/** A pipe, which is only asked when it was written to. */
type Buffering = Pick<Pipe, 'buffered'>

export type Verdict = 'ping' | 'slow' | 'crowded' | 'timeout' | 'idle' | null

export class Vigil {
  #heardAt: number
  #wroteAt: number
  #pingedAt: number
  #activeAt: number
  /** Something was written since the last look at what is buffered. */
  #wrote = false
  #slowSince = 0
  /** Bytes that were unread at the last look. */
  #unread = 0

  constructor(now: number) {
    this.#heardAt = this.#wroteAt = this.#pingedAt = this.#activeAt = now
  }

  /** A packet came. */
  heard(now: number): void {
    this.#heardAt = now
  }

  /** It held more than keep-alive. */
  active(now: number): void {
    this.#activeAt = now
  }

  wrote(now: number): void {
    this.#wroteAt = now
    this.#wrote = true
  }

  /**
   * What is to be done now. Silence before `awakeSince` does not count: this process stood still, and what the peer said then has not
   * been read yet. `all` is what everybody leaves unread.
   */
  judge(now: number, awakeSince: number, limits: VigilLimits, pipe: Buffering, all: Unread): Verdict {
    const { pingIntervalMs, idleTimeoutMs, slowBytes, unreadBytes } = limits
    const silent = now - Math.max(this.#heardAt, awakeSince)
    if (this.#wrote || this.#unread > 0) this.#look(now, slowBytes, pipe.buffered(), all)
    if (all.exceeds(this.#unread, unreadBytes)) return 'crowded'
    if (this.#slowSince > 0 && now - this.#slowSince > SLOW_MS) return 'slow'
    if (silent >= 2 * pingIntervalMs) return 'timeout'
    if (idleTimeoutMs > 0 && now - Math.max(this.#activeAt, awakeSince) >= idleTimeoutMs) return 'idle'
    // The peer, too, gives up on a side from which nothing comes.
    const still = Math.max(silent, now - this.#wroteAt)
    if (still < pingIntervalMs || now - this.#pingedAt < pingIntervalMs) return null
    this.#pingedAt = now
    return 'ping'
  }

  /** The connection is over, and nobody waits for it to read. */
  end(all: Unread): void {
    all.change(this.#unread, 0)
    this.#unread = 0
  }

  #look(now: number, slowBytes: number, unread: number, all: Unread): void {
    this.#wrote = false
    all.change(this.#unread, unread)
    this.#unread = unread
    if (unread <= slowBytes) this.#slowSince = 0
    else if (this.#slowSince === 0) this.#slowSince = now
  }
}

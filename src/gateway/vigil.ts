/**
 * What the silence of one connection means: when to ping, and when to give it up. It only notes times and is asked now and then.
 *
 * Any traffic is life (§4), keep-alive frames too; only the idle policy of a server, which is off by default, asks for more than
 * that. A reader is slow when more than it may has been waiting for it for ten seconds.
 */

/** How long more than `slowBytes` may wait for a reader, ms. */
const SLOW_MS = 10_000

export interface VigilLimits {
  readonly pingIntervalMs: number
  /** ms without a frame other than keep-alive after which the connection is ended; 0: never. */
  readonly idleTimeoutMs: number
  /** Bytes written and not read at which a reader counts as slow. */
  readonly slowBytes: number
}

export type Verdict = 'ping' | 'slow' | 'timeout' | 'idle' | null

export class Vigil {
  #heardAt: number
  #wroteAt: number
  #pingedAt: number
  #activeAt: number
  /** Something was written since the last look at what is buffered. */
  #wrote = false
  #slowSince = 0

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
   * been read yet.
   */
  judge(now: number, awakeSince: number, limits: VigilLimits, buffered: () => number): Verdict {
    const { pingIntervalMs, idleTimeoutMs, slowBytes } = limits
    const silent = now - Math.max(this.#heardAt, awakeSince)
    if (this.#isSlow(now, slowBytes, buffered)) return 'slow'
    if (silent >= 2 * pingIntervalMs) return 'timeout'
    if (idleTimeoutMs > 0 && now - Math.max(this.#activeAt, awakeSince) >= idleTimeoutMs) return 'idle'
    // The peer, too, gives up on a side from which nothing comes.
    const still = Math.max(silent, now - this.#wroteAt)
    if (still < pingIntervalMs || now - this.#pingedAt < pingIntervalMs) return null
    this.#pingedAt = now
    return 'ping'
  }

  #isSlow(now: number, slowBytes: number, buffered: () => number): boolean {
    if (!this.#wrote && this.#slowSince === 0) return false
    this.#wrote = false
    if (buffered() <= slowBytes) this.#slowSince = 0
    else if (this.#slowSince === 0) this.#slowSince = now
    return this.#slowSince > 0 && now - this.#slowSince > SLOW_MS
  }
}

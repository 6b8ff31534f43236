/**
 * Who lives, of the processes that share a Redis.
 *
 * A process takes a lease, a random name, and keeps it alive; whoever owns a client does so under the lease of its process. When a
 * process is killed, its lease ends, and from then on what it owned is owned by nobody. Fencing does not rest on it: a token is good
 * until another one is given out, however late its process is.
 */
import { randomBytes } from 'node:crypto'
import { listOf, textOf } from './records.ts'
import type { RedisLink } from './link.ts'

/** ms between two signs of life, and how long the last one counts. */
const BEAT_MS = 3_000
/** ms for which what was learnt of others is good enough. */
const FRESH_MS = 1_000
const LIFE_MS = 15_000
/** ms without a sign of life of anybody that are the fault of Redis: two beats, and what they may be late. */
const GAP_MS = 2 * BEAT_MS + 500

export class Leases {
  /** Of this process. */
  readonly own = randomBytes(9).toString('base64url')
  /** Is told that a process, of those that lived, lives no more. */
  onLapse: () => void = () => {}
  readonly #link: RedisLink
  readonly #key: string
  #live: ReadonlySet<string> = new Set()
  /** When another process was heard last. */
  #heard = -Infinity
  #timer: NodeJS.Timeout | null = null
  #learnt = 0
  #beating: Promise<void> | null = null

  constructor(link: RedisLink, key: string) {
    this.#link = link
    this.#key = key
  }

  start(): void {
    const beat = (): void => void this.beat().catch(() => {})
    this.#timer = setInterval(beat, BEAT_MS)
    this.#timer.unref()
    beat()
  }

  /** Whether that process lives. */
  async lives(lease: string): Promise<boolean> {
    if (lease === this.own) return true
    if (!this.#live.has(lease) || performance.now() - this.#learnt > FRESH_MS) await this.beat()
    return this.#live.has(lease)
  }

  /**
   * Whether no other process lives. False while that is not known; one that came within the last beat, and has said nothing yet, may not
   * be known of.
   */
  get isAlone(): boolean {
    return this.#live.size === 1 && this.#live.has(this.own) && performance.now() - this.#heard > LIFE_MS
  }

  /** The others that live, as they are now. */
  async others(): Promise<readonly string[]> {
    await this.beat()
    return [...this.#live].filter(lease => lease !== this.own)
  }

  /** Another process has said something. */
  heard(): void {
    this.#heard = performance.now()
  }

  /** Gives a sign of life, and learns who else does. Who asks while that is under way gets the same answer. */
  beat(): Promise<void> {
    this.#beating ??= this.#extend(LIFE_MS).finally(() => {
      this.#beating = null
    })
    return this.#beating
  }

  async end(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer)
    await this.#extend(0)
  }

  async #extend(ms: number): Promise<void> {
    void this.#link.compareClocks()
    const names = listOf(await this.#link.run('lease', [this.#key], '', this.own, ms, GAP_MS))
    const before = this.#live
    this.#live = new Set(names.map(textOf))
    this.#learnt = performance.now()
    if ([...before].some(lease => !this.#live.has(lease))) this.onLapse()
  }
}

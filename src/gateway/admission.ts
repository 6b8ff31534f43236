/**
 * Who may connect: so many per address, so many in a second, and nobody while the event loop is late.
 *
 * Who is turned away is told when to come back, at random within a span that grows with the number turned away, so that a storm of
 * clients after a deploy comes back as a drizzle.
 */
import { networkOf } from './network.ts'

const SECOND_MS = 1_000
const LONGEST_SPREAD_MS = 30_000

export interface AdmissionLimits {
  readonly connectionsPerAddress: number
  /** New connections in a second. */
  readonly connectRate: number
  /** ms that the event loop may be late. */
  readonly maxLagMs: number
}

export class Admission {
  /** ms that the event loop is late; set by whoever measures it. */
  lagMs = 0
  readonly #limits: AdmissionLimits
  readonly #random: () => number
  readonly #perAddress = new Map<string, number>()
  #second = 0
  #admitted = 0
  #refused = 0

  constructor(limits: AdmissionLimits, random: () => number = Math.random) {
    this.#limits = limits
    this.#random = random
  }

  /** Null: admitted, and `left` must be called once. Else the ms after which the client may come back. */
  enter(address: string, now: number): number | null {
    this.#pass(now)
    const { connectionsPerAddress, connectRate, maxLagMs } = this.#limits
    const network = networkOf(address)
    const there = this.#perAddress.get(network) ?? 0
    if (this.#admitted >= connectRate || there >= connectionsPerAddress || this.lagMs > maxLagMs) {
      this.#refused++
      return this.spread(this.#refused)
    }
    this.#admitted++
    this.#perAddress.set(network, there + 1)
    return null
  }

  left(address: string): void {
    const network = networkOf(address)
    const there = this.#perAddress.get(network) ?? 0
    if (there <= 1) this.#perAddress.delete(network)
    else this.#perAddress.set(network, there - 1)
  }

  /** A time to come back for one of `crowd` clients that all want to, ms. */
  spread(crowd: number): number {
    const span = Math.min((2 * SECOND_MS * crowd) / this.#limits.connectRate + SECOND_MS, LONGEST_SPREAD_MS)
    return Math.round(SECOND_MS / 2 + this.#random() * span)
  }

  /** A new second: the crowd that was turned away thins out at the rate at which it may come in. */
  #pass(now: number): void {
    const seconds = Math.trunc((now - this.#second) / SECOND_MS)
    if (seconds < 1) return
    this.#second += seconds * SECOND_MS
    this.#admitted = 0
    this.#refused = Math.max(0, this.#refused - seconds * this.#limits.connectRate)
  }
}

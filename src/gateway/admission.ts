/**
 * Who may connect: so many per address, so many in a second, and nobody while the event loop is late.
 *
 * The rate holds for any second, not for those of a clock: a storm that comes at the turn of one would else be twice as large. Who is turned away is told when to come back, at random within a span that grows with the number turned away, so that a storm of
 * clients after a deploy comes back as a drizzle.
 */
import { networkOf } from './network.ts'

const SECOND_MS = 1_000
const LONGEST_SPREAD_MS = 30_000
/** A second is counted in slots of 100 ms, and one more, so that the newest need not be whole. */
const SLOT_MS = 100
const SLOTS = SECOND_MS / SLOT_MS + 1

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
  limits: AdmissionLimits
  readonly #random: () => number
  readonly #perAddress = new Map<string, number>()
  /** New connections by slot, a ring. */
  readonly #slots = new Array<number>(SLOTS).fill(0)
  #slot = 0
  /** The sum of the slots. */
  #admitted = 0
  #refused = 0

  constructor(limits: AdmissionLimits, random: () => number = Math.random) {
    this.limits = limits
    this.#random = random
  }

  /** Null: admitted, and `left` must be called once. Else the ms after which the client may come back. */
  enter(address: string, now: number): number | null {
    this.#pass(now)
    const { connectionsPerAddress, connectRate, maxLagMs } = this.limits
    const network = networkOf(address)
    const there = this.#perAddress.get(network) ?? 0
    if (this.#admitted >= connectRate || there >= connectionsPerAddress || this.lagMs > maxLagMs) {
      this.#refused++
      return this.spread(this.#refused)
    }
    this.#admitted++
    this.#slots[this.#slot % SLOTS] = (this.#slots[this.#slot % SLOTS] ?? 0) + 1
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
    const span = Math.min((2 * SECOND_MS * crowd) / this.limits.connectRate + SECOND_MS, LONGEST_SPREAD_MS)
    return Math.round(SECOND_MS / 2 + this.#random() * span)
  }

  /** Forgets the slots that have passed; the crowd that was turned away thins out at the rate at which it may come in. */
  #pass(now: number): void {
    const slot = Math.trunc(now / SLOT_MS)
    const passed = slot - this.#slot
    if (passed < 1) return
    for (let i = 1; i <= Math.min(passed, SLOTS); i++) {
      const place = (this.#slot + i) % SLOTS
      this.#admitted -= this.#slots[place] ?? 0
      this.#slots[place] = 0
    }
    this.#slot = slot
    this.#refused = Math.max(0, this.#refused - (passed * this.limits.connectRate * SLOT_MS) / SECOND_MS)
  }
}

/**
 * I1 at one connection: every send that reaches a living node ends within the ack timeout and two seconds, as long as the
 * connection and the node live. After a refusal, silence about higher numbers is an end too, until the refused number comes again.
 */
import type { World } from './world.ts'

/** ms that a sender is promised beyond the ack timeout (§5.1). */
const SLACK_MS = 2_000

export class Promises {
  readonly #world: World
  /** By target and number: when it was sent. */
  readonly #open = new Map<string, Map<number, number>>()
  readonly #refused = new Map<string, number>()
  #void = false

  constructor(world: World) {
    this.#world = world
  }

  /** Above a refused number that its sender still holds, which its floor says, nothing is promised (§4). */
  made(target: string, n: number, floor: number): void {
    const refused = this.#refused.get(target)
    if (refused !== undefined && n > refused && floor <= refused) return
    this.#refused.delete(target)
    let open = this.#open.get(target)
    if (open === undefined) this.#open.set(target, (open = new Map<number, number>()))
    const since = this.#world.now
    open.set(n, since)
    this.#world.schedule.after(this.#world.scenario.ackTimeoutMs + SLACK_MS, () => {
      if (this.#void || open.get(n) !== since || this.#world.history.wasPaused(since, this.#world.now)) return
      this.#world.history.wrong(`I1: message ${n} to ${target}, sent at ${since}, had no end`)
    })
  }

  kept(target: string, n: number): void {
    this.#open.get(target)?.delete(n)
  }

  keptUpTo(target: string, n: number): void {
    const open = this.#open.get(target)?.keys() ?? []
    for (const number of [...open]) if (number <= n) this.kept(target, number)
    if (n >= (this.#refused.get(target) ?? Infinity)) this.#refused.delete(target)
  }

  refused(target: string, n: number): void {
    this.#refused.set(target, Math.min(n, this.#refused.get(target) ?? Infinity))
    const open = this.#open.get(target)?.keys() ?? []
    for (const number of [...open]) if (number >= n) this.kept(target, number)
  }

  /** The connection or its node is gone, and with it what they had promised. */
  void(): void {
    this.#void = true
  }
}

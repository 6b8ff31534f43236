/**
 * How late the event loop is: the 99th percentile over spans of five seconds, so that a single pause turns nobody away.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'

const RESOLUTION_MS = 20
const SPAN_MS = 5_000
const NS_PER_MS = 1e6

export class LoopLag {
  readonly #delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  #since = 0
  #last = 0

  start(): void {
    this.#delays.enable()
  }

  stop(): void {
    this.#delays.disable()
  }

  /** ms, of the last whole span. */
  read(now: number): number {
    if (now - this.#since < SPAN_MS) return this.#last
    this.#since = now
    // What is measured is the pause between two looks; they are a resolution apart when nothing is late.
    this.#last = Math.max(0, this.#delays.percentile(99) / NS_PER_MS - RESOLUTION_MS)
    this.#delays.reset()
    return this.#last
  }
}

/**
 * How late the event loop is: the 99th percentile over spans of five seconds, and never the longest pause of a span, so that a single
 * one turns nobody away. After a stop of the whole process that one would otherwise be a large share of a span with few looks in it.
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
    this.#last = Math.max(0, this.#mostly() / NS_PER_MS - RESOLUTION_MS)
    this.#delays.reset()
    return this.#last
  }

  /** ns that 99 of 100 pauses do not exceed, or all but the longest when there are fewer. */
  #mostly(): number {
    const { count } = this.#delays
    if (count < 2) return 0
    return this.#delays.percentile(Math.min(99, 100 * (1 - 1 / count)))
  }
}

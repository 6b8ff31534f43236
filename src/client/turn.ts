/**
 * The time, and the end of this turn of the event loop. What is written in one turn leaves as one packet; a microtask would come too early for the
 * acks of handlers that await something.
 */
declare const setImmediate: ((run: () => void) => unknown) | undefined
declare const MessageChannel:
  | (new () => {
      readonly port1: { onmessage: (() => void) | null }
      readonly port2: { postMessage(message: null): void }
    })
  | undefined

/** Calls `run` after what is under way now, once; timers are the last resort, since hidden tabs delay them. */
export const afterTurn: (run: () => void) => void =
  typeof setImmediate === 'function' ? run => void setImmediate(run) : viaMessageChannel()

function viaMessageChannel(): (run: () => void) => void {
  if (typeof MessageChannel === 'undefined') return run => void setTimeout(run, 0)
  const { port1, port2 } = new MessageChannel()
  const waiting: (() => void)[] = []
  port1.onmessage = () => waiting.shift()?.()
  return run => {
    waiting.push(run)
    port2.postMessage(null)
  }
}

/** ms that a timer can wait; one that is to wait longer would end at once. A server that asks for more is taken for one that asks for this. */
export const LONGEST_MS = 2 ** 31 - 1

/** ms since the epoch, roughly; never runs back, whatever happens to the clock of the machine. */
export function now(): number {
  return performance.timeOrigin + performance.now()
}

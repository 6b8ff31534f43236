/**
 * How long it takes until another tab is connected, once the one that leads is gone: by the clocks of the two pages, which are the same
 * clock, and without what has nothing to do with them.
 *
 * The tab that leads beats every 10 ms for as long as it lives; the other notes the last beat, when it was connected, and how long the
 * machine kept its own timers waiting meanwhile. That waiting is not counted: while it lasts nobody's page could have done anything.
 */
import { expect } from 'vitest'
import type { Tab } from './chromium.ts'

/** What is promised, in ms. */
export const PROMISED = 3_000
const BEAT_MS = 10

const beat = `void (() => {
  const channel = new BroadcastChannel('beats of a test')
  setInterval(() => channel.postMessage(Date.now()), ${BEAT_MS})
})()`

const listen = `void (() => {
  const watch = (window.watch = { alive: 0, connected: [], stalls: [] })
  new BroadcastChannel('beats of a test').onmessage = ({ data }) => (watch.alive = Math.max(watch.alive, data))
  t.client.on('status', ({ state }) => state === 'connected' && watch.connected.push(Date.now()))
  let last = Date.now()
  setInterval(() => {
    const now = Date.now()
    if (now - last > 5 * ${BEAT_MS}) watch.stalls.push([last + ${BEAT_MS}, now])
    last = now
  }, ${BEAT_MS})
})()`

interface Watch {
  readonly alive: number
  readonly connected: readonly number[]
  readonly stalls: readonly (readonly [from: number, to: number])[]
}

export async function watchTakeover(leader: Tab, other: Tab): Promise<void> {
  await other.eval(listen)
  await leader.eval(beat)
  await other.until('watch.alive > 0')
}

/** Waits until the other tab is connected by itself, and returns ms since the last sign of life of the one that led. */
export async function takeoverOf(other: Tab, how: string): Promise<number> {
  await expect.poll(() => other.sockets, { timeout: 60_000, interval: 20 }).toBe(1)
  await other.until(`watch.connected.some(at => at > watch.alive) && t.client.status.state === 'connected'`)
  const { alive, connected, stalls } = await other.eval<Watch>('watch')
  const end = connected.find(at => at > alive) ?? Infinity
  const stalled = stalls.reduce((sum, [from, to]) => sum + Math.max(0, Math.min(to, end) - Math.max(from, alive)), 0)
  process.stdout.write(`taken over from a tab that ${how} after ${end - alive} ms, ${stalled} of them not its own\n`)
  return end - alive - stalled
}

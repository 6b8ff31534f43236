/** For tests of a client on a clock that is turned by hand, without chance, and with a network whose other end is played. */
import { afterEach, beforeEach, vi } from 'vitest'
import type { Client } from '../../src/client/client.ts'
import type { Network } from './wire.ts'

/** Of each test of the file; the client that it has made by then is closed at its end. */
export function turnClockByHand(client: () => Client): void {
  beforeEach(() => {
    vi.useFakeTimers()
    vi.spyOn(Math, 'random').mockReturnValue(0.999999)
  })

  afterEach(async () => {
    const closed = client().close({ flushMs: 0 })
    await pass(5_000)
    await closed
    vi.restoreAllMocks()
    vi.useRealTimers()
  })
}

/** Lets everything that is due happen, and so much time pass. */
export async function pass(ms = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms)
}

/** The last connection opens, and is welcomed. */
export async function connectedBy(network: Network): Promise<void> {
  network.last.open()
  network.last.welcome()
  await pass()
}

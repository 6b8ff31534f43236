/** How long to wait before the next attempt to connect: full jitter, so that clients that were lost together do not come back together. */
export interface BackoffOptions {
  readonly firstMs: number
  readonly maxMs: number
}

export const defaultBackoff: BackoffOptions = { firstMs: 250, maxMs: 20_000 }

/** ms; `attempt` counts from 0, `random` is at least 0 and below 1. */
export function backoff(attempt: number, random: number, { firstMs, maxMs }: BackoffOptions): number {
  return Math.round(random * Math.min(maxMs, firstMs * 2 ** Math.min(attempt, 30)))
}

/**
 * What a node answers over HTTP: whether the process lives, whether it can serve, and what it counts.
 *
 * `/healthz` does not ask the store: a process that is restarted because its store is away only makes things worse. `/readyz` does,
 * and says why not. Everything else is 404 with a hint.
 */
import type { Store } from '../store/store.ts'
import type { AnswerHttp, HttpAnswer } from '../transport/transport.ts'
import type { Gateway } from './gateway.ts'
import { createMetrics } from './metrics.ts'

/** How long `/readyz` waits for the store, ms. */
const CHECK_MS = 2_000

interface Check {
  readonly ok: boolean
  readonly detail: string
}

export function createHttp(gateway: Gateway, store: Store, maxLagMs: number): AnswerHttp {
  const metrics = createMetrics(gateway)
  return async ({ method, path }) => {
    if (method !== 'GET' && method !== 'HEAD')
      return json(405, { error: `There is nothing to ${method} here; use GET.` })
    switch (path) {
      case '/healthz':
        return json(200, { ok: true })
      case '/readyz':
        return readiness(gateway, store, maxLagMs)
      case '/metrics':
        return { status: 200, type: metrics.contentType, body: await metrics.text() }
      default:
        return json(404, {
          error: `There is nothing at this path; see /healthz, /readyz, /metrics and the WebSocket at /ws.`,
        })
    }
  }
}

async function readiness(gateway: Gateway, store: Store, maxLagMs: number): Promise<HttpAnswer> {
  const lag = Math.round(gateway.lagMs)
  const checks: Record<string, Check> = {
    store: await checkStore(store),
    draining: { ok: !gateway.draining, detail: gateway.draining ? 'the server is shutting down' : 'no' },
    lag: { ok: lag <= maxLagMs, detail: `${lag} ms` },
  }
  const ok = Object.values(checks).every(check => check.ok)
  return json(ok ? 200 : 503, { ok, checks })
}

async function checkStore(store: Store): Promise<Check> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${CHECK_MS} ms`)), CHECK_MS)
  })
  try {
    await Promise.race([store.check(), late])
    return { ok: true, detail: store.name }
  } catch (error) {
    return { ok: false, detail: error instanceof Error ? error.message : 'it failed' }
  } finally {
    clearTimeout(timer)
  }
}

function json(status: number, value: object): HttpAnswer {
  return { status, type: 'application/json', body: JSON.stringify(value) }
}

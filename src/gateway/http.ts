/**
 * What a node answers over HTTP: whether the process lives, whether it can serve, what it counts, under /api whatever backends and
 * operators want of it (`api.ts`), and what browsers load (`pages.ts`).
 *
 * `/healthz` does not ask the store: a process that is restarted because its store is away only makes things worse. `/readyz` does,
 * and says why not. Everything else is 404 with a hint.
 */
import type { Store } from '../store/store.ts'
import type { AnswerHttp, HttpAnswer } from '../transport/transport.ts'
import type { ApiErrorCode } from './api/route.ts'
import type { Api } from './api.ts'
import type { Gateway } from './gateway.ts'
import { createMetrics } from './metrics.ts'
import { Pages } from './pages.ts'

/** How long `/readyz` waits for the store, ms. */
const CHECK_MS = 2_000

interface Check {
  readonly ok: boolean
  readonly detail: string
}

export function createHttp(
  gateway: Gateway,
  store: Store,
  maxLagMs: number,
  api: Api,
  pages = new Pages(new Map()),
): AnswerHttp {
  const metrics = createMetrics(gateway)
  return async request => {
    const { method, path } = request
    if (path.startsWith('/api/')) return api.answer(request)
    if (method !== 'GET' && method !== 'HEAD')
      return refused(405, 'bad_method', `There is nothing to ${method} here; use GET.`, { Allow: 'GET, HEAD' })
    switch (path) {
      case '/healthz':
        return json(200, { ok: true })
      case '/readyz':
        return readiness(gateway, store, maxLagMs)
      case '/metrics':
        return { status: 200, type: metrics.contentType, body: await metrics.text() }
      default:
        return (
          pages.answer(request) ??
          refused(
            404,
            'not_found',
            'There is nothing at this path; see /client.js, /healthz, /readyz, /metrics, /api/openapi.json and the WebSocket at /ws.',
          )
        )
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

function refused(
  status: number,
  code: ApiErrorCode,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): HttpAnswer {
  return { ...json(status, { error: { code, text } }), headers }
}

function json(status: number, value: object): HttpAnswer {
  return { status, type: 'application/json', body: JSON.stringify(value) }
}

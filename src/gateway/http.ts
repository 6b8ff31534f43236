/**
 * What a node answers over HTTP: whether the process lives, whether it can serve, what it counts, under /api whatever backends and
 * operators want of it (`api.ts`), and what browsers load (`pages.ts`).
 *
 * `/healthz` does not ask the store: a process that is restarted because its store is away only makes things worse. `/readyz` does,
 * and says why not. Everything else is 404 with a hint.
 *
 * Requests are limited per address (`http-rate.ts`), but for those two: who watches over the server may share an address with who floods it,
 * and must not take it for dead. Their cost is bounded in another way, since the store is not asked twice at a time. Without a body (HEAD) they are
 * counted all the same: nothing else bounds how many answers wait for who does not read them.
 */
import type { Store } from '../store/store.ts'
import type { AnswerHttp, HttpAnswer, HttpRequest } from '../transport/transport.ts'
import type { AdminToken } from './api/admin-token.ts'
import type { ApiErrorCode } from './api/route.ts'
import type { Api } from './api.ts'
import type { Audit } from './audit.ts'
import type { Gateway } from './gateway.ts'
import type { HttpRate } from './http-rate.ts'
import { createMetrics } from './metrics.ts'
import { Pages } from './pages.ts'

/** How long `/readyz` waits for the store, ms. */
const CHECK_MS = 2_000

/** What is asked for by those who watch over the server. */
const watched: readonly string[] = ['/healthz', '/readyz']

interface Check {
  readonly ok: boolean
  readonly detail: string
}

/** What is put together to answer. */
export interface HttpParts {
  readonly gateway: Gateway
  readonly store: Store
  readonly api: Api
  readonly admin: AdminToken
  readonly rate: HttpRate
  readonly audit: Audit
  readonly pages?: Pages
}

export function createHttp({ gateway, store, api, pages = new Pages(new Map()), ...doors }: HttpParts): AnswerHttp {
  const metrics = createMetrics(gateway)
  const readiness = new Readiness(gateway, store)
  return async request => {
    const { method, path } = request
    const late = watched.includes(path) && method !== 'HEAD' ? null : tooMuch(request, gateway, doors)
    if (late !== null) return { ...late, headers: { ...late.headers, ...api.crossOrigin(request) } }
    if (path.startsWith('/api/')) return api.answer(request)
    if (method !== 'GET' && method !== 'HEAD')
      return refused(405, 'bad_method', `There is nothing to ${method} here; use GET.`, { Allow: 'GET, HEAD' })
    switch (path) {
      case '/healthz':
        return json(200, { ok: true })
      case '/readyz':
        return readiness.answer()
      case '/metrics':
        return { status: 200, type: metrics.contentType, body: await metrics.text() }
      default:
        return (
          pages.answer(request) ??
          refused(
            404,
            'not_found',
            'There is nothing at this path; see /, /console, /client.js, /healthz, /readyz, /metrics, /api/openapi.json and the WebSocket at /ws.',
          )
        )
    }
  }
}

/** Null: the request may be answered. Else what is answered instead. */
function tooMuch(
  request: HttpRequest,
  { clock, counters }: Gateway,
  { admin, rate, audit }: Pick<HttpParts, 'admin' | 'rate' | 'audit'>,
): HttpAnswer | null {
  if (admin.proves(request)) return null
  const { address, method, path } = request
  const refusal = rate.take(address, clock.now)
  if (refusal === null) return null
  counters.requestsLimited++
  // A flood must not flood the audit log, too.
  if (refusal.first) audit.note('throttled', { address, method, path })
  const seconds = Math.max(1, Math.ceil(refusal.retryAfterMs / 1_000))
  const text = `Too many requests came from this address; at most ${rate.perSecond} a second are answered. Try again after ${seconds} s.`
  return refused(429, 'rate_limited', text, { 'Retry-After': String(seconds) })
}

/** Whether the server can serve. Who asks while the store is asked is given that answer. */
class Readiness {
  readonly #gateway: Gateway
  readonly #store: Store
  #asking: Promise<Check> | null = null

  constructor(gateway: Gateway, store: Store) {
    this.#gateway = gateway
    this.#store = store
  }

  async answer(): Promise<HttpAnswer> {
    const { draining, lagMs, maxLagMs } = this.#gateway
    this.#asking ??= checkStore(this.#store).finally(() => {
      this.#asking = null
    })
    const lag = Math.round(lagMs)
    const checks: Record<string, Check> = {
      store: await this.#asking,
      draining: { ok: !draining, detail: draining ? 'the server is shutting down' : 'no' },
      lag: { ok: lag <= maxLagMs, detail: `${lag} ms` },
    }
    const ok = Object.values(checks).every(check => check.ok)
    return json(ok ? 200 : 503, { ok, checks })
  }
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

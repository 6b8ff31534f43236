/**
 * The HTTP API: finds the operation that a request means, sees to it that the caller may use it, reads the body, and answers.
 *
 * The head decides everything that it can: an unknown path, a foreign method, a wrong token and a body that is too large are
 * answered before a byte of the body was kept. Answers are JSON; every refusal is `{error: {code, text}}` (`api-route.ts`). Pages of
 * other origins are let in only if they are listed in ACKD_ORIGINS: then the headers of CORS say so, else there are none.
 */
import { StoreError } from '../store/store.ts'
import { BodyError, type HttpAnswer, type HttpRequest, type WebRules } from '../transport/transport.ts'
import type { AdminToken } from './api/admin-token.ts'
import type { Audit } from './audit.ts'
import { apiErrors, ApiError, type ApiAnswer, type Route } from './api/route.ts'

const JSON_TYPE = 'application/json'

export interface ApiOptions {
  /** The web origins in it are those whose pages may use the API; empty: none. */
  readonly rules: Pick<WebRules, 'origins'>
  readonly audit: Audit
  /** Is told of what was thrown that is no refusal. */
  failed(error: unknown): void
}

interface Match {
  readonly route: Route
  readonly params: Readonly<Record<string, string>>
}

interface Place {
  readonly parts: readonly string[]
  readonly route: Route
}

export class Api {
  readonly #places: readonly Place[]
  readonly #admin: AdminToken
  readonly #options: ApiOptions

  constructor(routes: readonly Route[], admin: AdminToken, options: ApiOptions) {
    this.#places = routes.map(route => ({ parts: route.path.split('/'), route }))
    this.#admin = admin
    this.#options = options
  }

  /** Answers whatever lies under /api. */
  async answer(request: HttpRequest): Promise<HttpAnswer> {
    const cross = this.crossOrigin(request)
    let answer: HttpAnswer
    try {
      answer = jsonAnswer(await this.#run(request))
    } catch (error) {
      if (!isRefusal(error)) this.#options.failed(error)
      answer = refusal(error)
    }
    return { ...answer, headers: { ...answer.headers, ...cross } }
  }

  async #run(request: HttpRequest): Promise<ApiAnswer> {
    const { method, path } = request
    const found = this.#find(path)
    if (found.length === 0) throw new ApiError('not_found', `There is nothing at ${path}; see /api/openapi.json.`)
    const allowed = allow(found)
    if (method === 'OPTIONS') return { status: 204, headers: { Allow: allowed } }
    const match = found.find(({ route }) => route.method === (method === 'HEAD' ? 'GET' : method))
    if (match === undefined)
      throw new ApiError('bad_method', `${path} takes ${allowed}, not ${method}.`, { Allow: allowed })
    const { route, params } = match
    // Nothing was waited for yet, so the body, if it is wanted, is not lost.
    if (route.access === 'admin' && !this.#proves(request)) return this.#admin.refuse(request)
    const body = route.maxBody > 0 ? await readJson(request, route.maxBody) : undefined
    return route.run({ params, query: readQuery(request.query), body }, request)
  }

  #proves(request: HttpRequest): boolean {
    const { method, path, address } = request
    const proved = this.#admin.proves(request)
    this.#options.audit.note(proved ? 'admin' : 'admin_refused', { method, path, address })
    return proved
  }

  #find(path: string): readonly Match[] {
    const parts = path.split('/')
    return this.#places.flatMap(({ parts: named, route }) => {
      const params = matched(named, parts)
      return params === null ? [] : [{ route, params }]
    })
  }

  /** What a browser has to be told before it lets a page see the answer. */
  crossOrigin(request: HttpRequest): Readonly<Record<string, string>> {
    const { origins } = this.#options.rules
    const origin = request.header('origin')
    if (origin === '' || !origins.includes(origin)) return origins.length > 0 ? { Vary: 'Origin' } : {}
    const headers = { Vary: 'Origin', 'Access-Control-Allow-Origin': origin }
    if (request.method !== 'OPTIONS') return headers
    return {
      ...headers,
      'Access-Control-Allow-Methods': allow(this.#find(request.path)),
      'Access-Control-Allow-Headers': 'Authorization, Content-Type, Idempotency-Key',
      'Access-Control-Max-Age': '600',
    }
  }
}

/** The parts that `named` names with a colon; null: another path. */
function matched(named: readonly string[], parts: readonly string[]): Readonly<Record<string, string>> | null {
  if (named.length !== parts.length) return null
  const params: Record<string, string> = {}
  for (const [i, name] of named.entries()) {
    const part = parts[i] ?? ''
    if (!name.startsWith(':')) {
      if (name !== part) return null
    } else params[name.slice(1)] = decoded(part)
  }
  return params
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new ApiError(
      'bad_request',
      `${part} in the path is no percent-encoded UTF-8; a # is written %23, a % is %25.`,
    )
  }
}

function allow(matches: readonly Match[]): string {
  const methods = matches.map(({ route }) => route.method)
  return [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ')
}

function readQuery(query: string): Readonly<Record<string, string>> {
  const read = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(query)) {
    if (read.has(name)) throw new ApiError('bad_request', `query.${name}: give it once.`)
    read.set(name, value)
  }
  return Object.fromEntries(read)
}

async function readJson(request: HttpRequest, limit: number): Promise<unknown> {
  const [type = ''] = request.header('content-type').split(';')
  if (type.trim().toLowerCase() !== JSON_TYPE) throw new ApiError('not_json')
  const bytes = await request.body(limit)
  try {
    const parsed: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    return parsed
  } catch {
    throw new ApiError('bad_request', 'The body is not valid JSON in UTF-8.')
  }
}

function jsonAnswer({ status, value, headers }: ApiAnswer): HttpAnswer {
  const body = value === undefined ? '' : JSON.stringify(value)
  return { status, type: value === undefined ? '' : JSON_TYPE, body, ...(headers === undefined ? {} : { headers }) }
}

/** Whether it is no fault of this program. */
function isRefusal(error: unknown): boolean {
  return error instanceof ApiError || error instanceof BodyError || error instanceof StoreError
}

function refusal(error: unknown): HttpAnswer {
  if (error instanceof StoreError) return refusal(new ApiError('unavailable', error.words))
  if (error instanceof BodyError) return refusal(new ApiError('too_large'))
  if (!(error instanceof ApiError)) return refusal(new ApiError('internal'))
  const { code, message, headers } = error
  return jsonAnswer({ status: apiErrors[code].status, value: { error: { code, text: message } }, headers })
}

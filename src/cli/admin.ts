/**
 * The HTTP API of a server, for the commands of an operator: who asks, what is asked, and what a refusal means at a terminal.
 *
 * The server is named as for all commands, by where clients connect; its API is on the same port. The token comes from the
 * environment, or from a flag, which others on the machine can read while the command runs.
 */
import { troubleOf } from '../client/troubles.node.ts'
import { unreachable } from './connecting.ts'
import { Failure, failureOf } from './failure.ts'
import type { Context } from './context.ts'
import type { Whose } from './profiles.ts'

export interface AdminFlags extends Whose {
  readonly adminToken?: string
  readonly json?: boolean
}

/** What an operation answers: an object with the fields that the documentation names. */
export type Fields = Readonly<Record<string, unknown>>

export class Admin {
  readonly #base: URL
  readonly #token: string

  constructor({ url, adminToken }: AdminFlags, { environment }: Context) {
    this.#base = apiOf(url)
    this.#token = adminToken ?? environment['ACKD_ADMIN_TOKEN'] ?? ''
    if (this.#token !== '') return
    throw new Failure('usage', 'there is no admin token', 'set ACKD_ADMIN_TOKEN to what the server was started with')
  }

  async ask(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: object): Promise<Fields> {
    const response = await this.#fetch(method, path, body)
    const answer: unknown = await response.json().catch(() => null)
    const fields = isFields(answer) ? answer : {}
    if (response.ok) return fields
    throw refusalOf(response.status, fields)
  }

  /** The items of a list, page after page, at most `count`. */
  async *list(path: string, name: string, count: number): AsyncGenerator<Fields> {
    let after = ''
    for (let left = count; left > 0;) {
      const query = new URLSearchParams({ limit: String(Math.min(left, 1_000)), ...(after !== '' && { after }) })
      const page = await this.ask('GET', `${path}${path.includes('?') ? '&' : '?'}${query.toString()}`)
      for (const item of listOfFields(page[name])) {
        yield item
        left--
      }
      if (typeof page['next'] !== 'string') return
      after = page['next']
    }
  }

  async #fetch(method: string, path: string, body: object | undefined): Promise<Response> {
    try {
      return await fetch(new URL(path, this.#base), {
        method,
        headers: {
          authorization: `Bearer ${this.#token}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : new Error(String(error))
      throw unreachable(this.#base.origin, troubleOf(cause, this.#base))
    }
  }
}

/** `ws://host:5000/ws` is `http://host:5000`. */
function apiOf(url: string): URL {
  const { protocol, host } = new URL(url)
  const http = { 'ws:': 'http:', 'wss:': 'https:', 'http:': 'http:', 'https:': 'https:' }[protocol]
  if (http !== undefined) return new URL(`${http}//${host}`)
  throw new Failure('usage', `${url} is no port with an HTTP API`, 'name the port of HTTP and WebSocket: --url ws://…')
}

function refusalOf(status: number, fields: Fields): Failure {
  const error = fields['error']
  const text = isFields(error) && typeof error['text'] === 'string' ? error['text'] : `the server answered ${status}`
  if (status === 401)
    return new Failure('refused', 'the admin token is wrong', 'set ACKD_ADMIN_TOKEN to that of the server')
  return failureOf(status === 404 ? 'failed' : 'refused', text.replace(/\.$/, ''), 'see docs/api.md')
}

/** Throws when it is no list of objects. */
export function listOfFields(value: unknown): readonly Fields[] {
  if (!Array.isArray(value) || !value.every(isFields)) throw strange()
  return value
}

function strange(): Failure {
  return new Failure('failed', 'the answer is not one of this API', 'use the version of ackd that the server is of')
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

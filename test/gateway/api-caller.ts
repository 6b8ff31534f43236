/** A real server with an admin token, and what it answers over real HTTP, for tests of the API. */
import { silentLog } from '../../src/gateway/log.ts'
import type { Options } from '../../src/options.ts'
import { startServer, type Server } from '../../src/server.ts'

export const ADMIN_TOKEN = 'an-admin-token-that-nobody-guesses'

export interface Answered {
  readonly status: number
  readonly value: unknown
  readonly headers: Headers
}

export interface Asking {
  readonly method?: string
  readonly token?: string | null
  /** Sent as JSON, unless it is a string. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export class ApiCaller {
  readonly server: Server

  private constructor(server: Server) {
    this.server = server
  }

  static async start(more: Partial<Options> = {}): Promise<ApiCaller> {
    const options = { port: 0, store: 'memory', maxLag: 60_000, adminToken: ADMIN_TOKEN, ...more } as const
    return new ApiCaller(await startServer(options, silentLog))
  }

  async ask(path: string, { method = 'GET', token = ADMIN_TOKEN, body, headers = {} }: Asking = {}): Promise<Answered> {
    const response = await fetch(`${this.server.http}${path}`, {
      method,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, value: text === '' ? null : JSON.parse(text), headers: response.headers }
  }

  close(): Promise<void> {
    return this.server.close()
  }
}

/** The code of a refusal, after its status. */
export function refusedWith({ status, value }: Answered): string {
  const { error } = value as { error: { code: string; text: string } }
  return `${status} ${error.code}: ${error.text}`
}

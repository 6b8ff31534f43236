/**
 * Every operation of the OpenAPI document, called on a real server: it answers with a status that the document names, and with what the document
 * says of it. The document is read as a generator of clients would, by its own JSON Schemas.
 */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { z } from 'zod'
import { secret } from '../support/issuer.ts'
import { ADMIN_TOKEN, ApiCaller } from './api-caller.ts'
import { connectBySocket } from './peer.ts'

interface Answer {
  readonly content?: { readonly 'application/json': { readonly schema: object } }
}

interface Described {
  readonly operationId: string
  readonly responses: Readonly<Record<string, Answer>>
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>
  readonly components: { readonly schemas: Readonly<Record<string, object>> }
}

interface Sample {
  readonly params?: Readonly<Record<string, string>>
  readonly query?: string
  readonly body?: unknown
  readonly status: number
  /** Instead of that of the admin. */
  readonly token?: null
}

const password = 'correct horse battery'
const everyone = { token: null } as const

/** In the order in which they are called. `{client}` is somebody who is connected, `{place}` where the first of what is parked for him is. */
const samples: readonly (readonly [operation: string, Sample])[] = [
  ['getOpenApi', { ...everyone, status: 200 }],
  ['getAsyncApi', { ...everyone, status: 200 }],
  ['register', { ...everyone, body: { id: 'alice', password }, status: 201 }],
  ['register', { ...everyone, body: { id: 'alice', password }, status: 409 }],
  ['register', { ...everyone, body: { id: 'alice' }, status: 400 }],
  ['logIn', { ...everyone, body: { id: 'alice', password }, status: 200 }],
  ['logIn', { ...everyone, body: { id: 'alice', password: 'a wrong password' }, status: 401 }],
  ['changePassword', { ...everyone, body: { id: 'alice', password, newPassword: `${password}!` }, status: 200 }],
  ['addAccount', { body: { id: 'bob', password, admin: true }, status: 201 }],
  ['addAccount', { ...everyone, body: { id: 'eve', password }, status: 401 }],
  ['listAccounts', { query: '?limit=1', status: 200 }],
  ['getAccount', { params: { id: 'bob' }, status: 200 }],
  ['getAccount', { params: { id: 'nobody' }, status: 404 }],
  ['changeAccount', { params: { id: 'bob' }, body: { disabled: true }, status: 200 }],
  ['changeAccount', { params: { id: 'bob' }, body: {}, status: 400 }],
  ['setPassword', { params: { id: 'bob' }, body: { password: `${password}?` }, status: 204 }],
  ['removeAccount', { params: { id: 'bob' }, status: 204 }],
  ['removeAccount', { params: { id: 'bob' }, status: 404 }],
  ['revoke', { body: { kind: 'client', value: 'mallory' }, status: 201 }],
  ['listRevocations', { status: 200 }],
  ['listClients', { query: '?online=true', status: 200 }],
  ['listClients', { query: '?parked=true', status: 200 }],
  ['listClients', { query: '?parked=true&online=true', status: 400 }],
  ['getClient', { params: { id: '{client}' }, status: 200 }],
  ['getClient', { params: { id: 'nobody' }, status: 404 }],
  ['postMessage', { body: { to: '{client}', body: { text: 'hello' } }, status: 201 }],
  ['postMessage', { body: { to: '#lobby', body: 1 }, status: 201 }],
  ['postMessage', { body: { to: 'nobody', body: 1 }, status: 404 }],
  ['getMailbox', { params: { id: '{client}' }, status: 200 }],
  ['getParkedMessage', { params: { id: '{client}', place: '{place}' }, status: 200 }],
  ['getParkedMessage', { params: { id: '{client}', place: '9' }, status: 404 }],
  ['discardMailbox', { params: { id: '{client}' }, status: 200 }],
  ['traceMessage', { params: { from: 'ackd:api', outbox: 'an-outbox', n: '1' }, query: '?to={client}', status: 200 }],
  ['listNodes', { status: 200 }],
  ['listRooms', { status: 200 }],
  ['getRoom', { params: { room: 'lobby' }, status: 200 }],
  ['getRoom', { params: { room: 'nowhere' }, status: 404 }],
  ['listMembers', { params: { room: 'lobby' }, query: '?limit=1', status: 200 }],
  ['listMembers', { params: { room: 'nowhere' }, status: 404 }],
  ['deleteRoom', { params: { room: 'lobby' }, status: 204 }],
  ['kickClient', { params: { id: '{client}' }, status: 200 }],
  ['kickClient', { params: { id: 'nobody' }, status: 404 }],
]

let caller: ApiCaller
let document: Document
let client: string

beforeAll(async () => {
  caller = await ApiCaller.start({ auth: 'both', jwtSecret: secret, accounts: 'on' })
  document = (await caller.ask('/api/openapi.json')).value as Document
  const peer = await connectBySocket(caller.server.ws)
  client = (await peer.hello()).id
  peer.say(frames => frames.join(1, '#lobby', {}))
  await peer.next('reply')
})

afterAll(() => caller.close())

/** Where an operation is. */
function placeOf(name: string): { path: string; method: string; described: Described } {
  for (const [path, item] of Object.entries(document.paths))
    for (const [method, described] of Object.entries(item))
      if (described.operationId === name) return { path, method: method.toUpperCase(), described }
  throw new Error(`The document has no operation ${name}.`)
}

/** What the document says of an answer, as a check; null: it has no content. */
function formOf({ content }: Answer): z.ZodType | null {
  if (content === undefined) return null
  const { schema } = content['application/json']
  // References lead into the document.
  const whole = JSON.stringify({ ...schema, $defs: document.components.schemas })
  return z.fromJSONSchema(
    JSON.parse(whole.replaceAll('#/components/schemas/', '#/$defs/')) as Parameters<typeof z.fromJSONSchema>[0],
  )
}

async function firstPlace(): Promise<string> {
  const { value } = await caller.ask(`/api/clients/${client}/mailbox?limit=1`)
  return String((value as { messages: { place: number }[] }).messages[0]?.place)
}

it('is each called here', () => {
  const named = Object.values(document.paths).flatMap(item => Object.values(item).map(one => one.operationId))
  expect([...new Set(samples.map(([name]) => name))].sort()).toEqual(named.sort())
})

it.each(samples)(
  '%s answers as it is described: %j',
  async (name, { params = {}, query = '', body, status, token }) => {
    const { path, method, described } = placeOf(name)
    const filled = path.replace(/\{(\w+)\}/g, (_, key: string) => encodeURIComponent(params[key] ?? ''))
    const place = params['place'] === '{place}' ? await firstPlace() : ''
    const own = (text: string): string =>
      text.replaceAll(/%7Bclient%7D|\{client\}/g, client).replaceAll('%7Bplace%7D', place)
    const answered = await caller.ask(own(filled + query), {
      method,
      token: token === null ? null : ADMIN_TOKEN,
      ...(body !== undefined && { body: own(JSON.stringify(body)) }),
    })
    expect([answered.status, answered.value === null]).toEqual([status, status === 204])
    const answer = described.responses[String(status)]
    if (answer === undefined) throw new Error(`${name} answers ${status}, which the document does not name.`)
    const form = formOf(answer)
    expect(form === null ? answered.value : form.safeParse(answered.value).error?.issues).toBe(
      form === null ? null : undefined,
    )
  },
)

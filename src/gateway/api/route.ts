/**
 * What one operation of the HTTP API is: where it is, who may use it, what it takes and gives, and what it does.
 *
 * Input is described by schemas, from which come the checks, the types that the operation sees, and the OpenAPI document; so none of
 * the three can say something else than the others. A schema's own messages are what the caller reads: they say what to do.
 */
import { z } from 'zod'
import type { HttpRequest } from '../../transport/transport.ts'

/** Every way in which the API says no: its status, and what it means to the caller. Codes that the protocol has too mean the same here. */
export const apiErrors = {
  bad_request: { status: 400, text: 'Something in the request is not as it should be; the text says what.' },
  unauthorized: { status: 401, text: 'The admin token is missing or wrong; send it as Authorization: Bearer TOKEN.' },
  forbidden: { status: 403, text: 'This is not allowed; the text says what would allow it.' },
  not_found: { status: 404, text: 'There is no such thing; the text says where to look.' },
  unknown_recipient: { status: 404, text: 'No client has this id, or it has lapsed; check the address.' },
  no_such_room: { status: 404, text: 'There is no such room; create it first or check its name.' },
  bad_method: { status: 405, text: 'The path does not take this method; the header Allow lists those that it takes.' },
  conflict: { status: 409, text: 'It is already there, or was used for something else; the text says which.' },
  too_large: { status: 413, text: 'The body is larger than this server takes; split it or send a link.' },
  not_json: { status: 415, text: 'The body must be JSON; send Content-Type: application/json.' },
  rate_limited: { status: 429, text: 'Too much in too short a time; try again after the seconds in Retry-After.' },
  internal: { status: 500, text: 'The server failed at this request; its log says why.' },
  overloaded: { status: 503, text: 'The server has as much to do as it may; try again later.' },
  unavailable: { status: 503, text: 'The store cannot be reached, or the server is shutting down; try again later.' },
  mailbox_full: { status: 507, text: 'The mailbox of the recipient is full; send again when it has read some.' },
} as const satisfies Record<string, { readonly status: number; readonly text: string }>

export type ApiErrorCode = keyof typeof apiErrors

/** An operation was refused. Without a text of its own it says what its code means. */
export class ApiError extends Error {
  readonly code: ApiErrorCode
  readonly headers: Readonly<Record<string, string>>

  constructor(code: ApiErrorCode, text: string = apiErrors[code].text, headers: Readonly<Record<string, string>> = {}) {
    super(text)
    this.name = 'ApiError'
    this.code = code
    this.headers = headers
  }
}

export const errorSchema = z.object({
  error: z.object({ code: z.string().describe('For programs.'), text: z.string().describe('For people.') }),
})

/** What an operation answers: JSON, or nothing with 204. */
export interface ApiAnswer {
  readonly status: number
  readonly value?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export type Json = Readonly<Record<string, unknown>>

/** A schema as JSON Schema 2020-12. `input`: what may be given; `output`: what comes of it. */
export function jsonSchema(schema: z.core.$ZodType, io: 'input' | 'output'): Json {
  const whole: Json = z.toJSONSchema(schema, { target: 'draft-2020-12', io, unrepresentable: 'any' })
  // A document names its dialect once, for all of them.
  return Object.fromEntries(Object.entries(whole).filter(([key]) => key !== '$schema'))
}

/** For what an operation does not take. */
export const none = z.strictObject({})
export const noBody = z.undefined()

/** What most operations are: for admins, without anything to take. */
export const forAdmins = {
  access: 'admin',
  params: none,
  query: none,
  body: noBody,
  maxBody: 0,
  headers: {},
  errors: [],
} as const

export interface Call<Params extends z.ZodObject, Query extends z.ZodObject, Body extends z.ZodType> {
  /** The parts of the path that are named in it. */
  readonly params: z.output<Params>
  readonly query: z.output<Query>
  readonly body: z.output<Body>
  readonly request: HttpRequest
}

/** What a status means, and the shape of what comes with it; null: nothing does. */
export interface AnswerForm {
  readonly text: string
  readonly schema: z.ZodType | null
}

interface Operation<Params extends z.ZodObject, Query extends z.ZodObject, Body extends z.ZodType> {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** Such as `/api/clients/:id`. */
  readonly path: string
  /** Unique: the `operationId` of the document, and what generated clients call it. */
  readonly name: string
  /** What it does, and its limits, in whole sentences; the first one is its summary. */
  readonly text: string
  /** `admin`: whoever has the admin token. `everyone`: needs none, and must bound by itself what it costs. */
  readonly access: 'admin' | 'everyone'
  readonly params: Params
  /** Unknown ones are refused. */
  readonly query: Query
  readonly body: Body
  /** Bytes of the body, at most; larger ones are refused before they are read. 0: it takes none. */
  readonly maxBody: number
  /** Headers that it understands, with their meaning. */
  readonly headers: Readonly<Record<string, string>>
  /** By status. */
  readonly answers: Readonly<Record<number, AnswerForm>>
  /** Besides bad_request, rate_limited and internal, and unauthorized and forbidden where the admin token is wanted. */
  readonly errors: readonly ApiErrorCode[]
}

/** An operation whose types are known only to itself. */
export interface Route extends Operation<z.ZodObject, z.ZodObject, z.ZodType> {
  /** Checks what was given, and does it. Rejects with `ApiError`. */
  run(given: Input, request: HttpRequest): Promise<ApiAnswer>
}

/** What a request holds, unchecked. */
export interface Input {
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
  /** Parsed; undefined for none. */
  readonly body: unknown
}

export interface RouteForm<
  Params extends z.ZodObject,
  Query extends z.ZodObject,
  Body extends z.ZodType,
> extends Operation<Params, Query, Body> {
  answer(call: Call<Params, Query, Body>): Promise<ApiAnswer>
}

export function route<Params extends z.ZodObject, Query extends z.ZodObject, Body extends z.ZodType>(
  form: RouteForm<Params, Query, Body>,
): Route {
  const { params, query, body } = form
  return {
    ...form,
    run: async (given, request) =>
      form.answer({
        params: checked(params, given.params, 'path'),
        query: checked(query, given.query, 'query'),
        body: checked(body, given.body, 'body'),
        request,
      }),
  }
}

/** Throws `bad_request` with all that is wrong, each with its place. */
function checked<Schema extends z.ZodType>(schema: Schema, given: unknown, where: string): z.output<Schema> {
  const result = schema.safeParse(given)
  if (result.success) return result.data
  const wrong = result.error.issues.map(({ path, message }) => `${[where, ...path.map(String)].join('.')}: ${message}`)
  throw new ApiError('bad_request', wrong.join('; '))
}

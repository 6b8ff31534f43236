/**
 * The OpenAPI 3.1 document of the HTTP API, made from the routes themselves: what it says of an input is the very schema by which
 * that input is checked.
 */
import { z } from 'zod'
import { apiErrors, errorSchema, type ApiErrorCode, type Route, jsonSchema, type Json } from './route.ts'

const JSON_TYPE = 'application/json'
const common: readonly ApiErrorCode[] = ['bad_request', 'rate_limited', 'internal']
const guarded: readonly ApiErrorCode[] = ['unauthorized', 'forbidden']

export function openApiDocument(routes: readonly Route[], version: string): Json {
  const paths: Record<string, Record<string, Json>> = {}
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) }
  }
  return {
    openapi: '3.1.0',
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    info: {
      title: 'ackd',
      version,
      summary: 'The HTTP API for backends and operators of an ackd server.',
      description:
        'Bodies and answers are JSON. Whatever is refused is answered {"error": {"code", "text"}}: the code is for programs, the text says what to do. The client side of the server is described by /api/asyncapi.json.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      securitySchemes: {
        adminToken: { type: 'http', scheme: 'bearer', description: 'The value of ACKD_ADMIN_TOKEN.' },
      },
      schemas: { Error: jsonSchema(errorSchema, 'output') },
    },
  }
}

function operation(route: Route): Json {
  const { name, text, access, maxBody, body } = route
  const [summary = ''] = /^.*?[.:](?= |$)/.exec(text) ?? [text]
  return {
    operationId: name,
    summary: summary.replace(/[.:]$/, ''),
    description: text,
    ...(access === 'admin' ? { security: [{ adminToken: [] }] } : { security: [] }),
    parameters: [
      ...parameters(route.params, 'path'),
      ...parameters(route.query, 'query'),
      ...Object.entries(route.headers).map(([header, description]) => ({
        name: header,
        in: 'header',
        required: false,
        description,
        schema: { type: 'string' },
      })),
    ],
    ...(maxBody > 0 && {
      requestBody: {
        required: true,
        description: `At most ${maxBody} bytes.`,
        content: { [JSON_TYPE]: { schema: jsonSchema(body, 'input') } },
      },
    }),
    responses: responses(route),
  }
}

function parameters(schema: z.ZodObject, place: 'path' | 'query'): readonly Json[] {
  return Object.entries<z.core.$ZodType>(schema.shape).map(([name, one]) => {
    const { description, ...rest } = jsonSchema(one, 'input')
    return {
      name,
      in: place,
      required: place === 'path' || !z.safeParse(one, undefined).success,
      ...(description === undefined ? {} : { description }),
      schema: rest,
    }
  })
}

function responses({ answers, errors, access }: Route): Json {
  const given: Record<string, Json> = {}
  for (const [status, { text, schema }] of Object.entries(answers)) {
    given[status] = {
      description: text,
      ...(schema === null ? {} : { content: { [JSON_TYPE]: { schema: jsonSchema(schema, 'output') } } }),
    }
  }
  const byStatus = new Map<number, ApiErrorCode[]>()
  for (const code of new Set([...common, ...(access === 'admin' ? guarded : []), ...errors])) {
    const { status } = apiErrors[code]
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  }
  for (const [status, codes] of byStatus) {
    given[String(status)] = {
      description: codes.map(code => `\`${code}\`: ${apiErrors[code].text}`).join(' '),
      content: { [JSON_TYPE]: { schema: { $ref: '#/components/schemas/Error' } } },
    }
  }
  return given
}

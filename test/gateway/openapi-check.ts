/** Whether a document is OpenAPI 3.1, as far as this API makes use of it: what is wrong, a sentence each. */
import { z } from 'zod'

const schema = z.record(z.string(), z.unknown())
const content = z.strictObject({ 'application/json': z.strictObject({ schema }) })

const operation = z.strictObject({
  operationId: z.string().regex(/^[a-z][A-Za-z]+$/),
  summary: z.string().min(1).max(200),
  description: z.string().min(1),
  security: z.array(z.record(z.string(), z.array(z.string()))),
  parameters: z
    .array(
      z.strictObject({
        name: z.string(),
        in: z.enum(['path', 'query', 'header']),
        required: z.boolean(),
        description: z.string().optional(),
        schema,
      }),
    )
    .default([]),
  requestBody: z.strictObject({ required: z.literal(true), description: z.string(), content }).optional(),
  responses: z.record(
    z.string().regex(/^[2-5]\d\d$/),
    z.strictObject({ description: z.string().min(1), content: content.optional() }),
  ),
})

const document = z.strictObject({
  openapi: z.literal('3.1.0'),
  jsonSchemaDialect: z.literal('https://json-schema.org/draft/2020-12/schema'),
  info: z.strictObject({
    title: z.string(),
    version: z.string(),
    summary: z.string(),
    description: z.string(),
    license: z.strictObject({ name: z.string(), identifier: z.string() }),
  }),
  servers: z.array(z.strictObject({ url: z.string() })),
  paths: z.record(
    z.string().startsWith('/api/'),
    z.record(z.enum(['get', 'post', 'patch', 'delete']).or(z.never()), operation.optional()),
  ),
  components: z.strictObject({
    securitySchemes: z.record(z.string(), z.looseObject({ type: z.string() })),
    schemas: z.record(z.string(), schema),
  }),
})

interface Described {
  readonly description?: string
}

export interface Operation {
  readonly operationId: string
  readonly description: string
  readonly security: readonly unknown[]
  readonly parameters: readonly (Described & {
    readonly name: string
    readonly in: string
    readonly required: boolean
  })[]
  readonly requestBody?: {
    readonly content: {
      readonly 'application/json': {
        readonly schema: {
          readonly properties?: Readonly<Record<string, Described>>
          readonly required?: readonly string[]
        }
      }
    }
  }
  readonly responses: Readonly<Record<string, { readonly description: string }>>
}

export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

export function checkOpenApi(given: unknown): readonly string[] {
  const read = document.safeParse(given)
  if (!read.success) return read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  const wrong: string[] = []
  for (const [path, item] of Object.entries(read.data.paths)) {
    for (const [method, described] of Object.entries(item)) {
      if (described === undefined) continue
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
      for (const name of named) {
        const times = described.parameters.filter(one => one.name === name && one.in === 'path' && one.required).length
        if (times !== 1) wrong.push(`${method} ${path}: {${name}} is described ${times} times`)
      }
      for (const one of described.parameters)
        if (one.in === 'path' && !named.includes(one.name))
          wrong.push(`${method} ${path}: ${one.name} is not in the path`)
      for (const scheme of described.security.flatMap(Object.keys))
        if (!(scheme in read.data.components.securitySchemes)) wrong.push(`${method} ${path}: ${scheme} is no scheme`)
    }
  }
  return [...wrong, ...danglingIn(given)]
}

/** References that lead nowhere. */
export function danglingIn(given: unknown): readonly string[] {
  const names = [...JSON.stringify(given).matchAll(/"\$ref":"([^"]*)"/g)].map(([, name = '']) => name)
  return [...new Set(names)].filter(name => {
    let at: unknown = given
    for (const part of name.replace(/^#\//, '').split('/'))
      at = typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[part] : undefined
    return at === undefined
  })
}

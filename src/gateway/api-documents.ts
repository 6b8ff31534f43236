/** The operations that describe all others: the OpenAPI document of the API itself, open to everyone, since it holds no secret. */
import { z } from 'zod'
import { forAdmins, route, type Route } from './api-route.ts'
import { openApiDocument } from './openapi.ts'

export function documentRoutes(operations: readonly Route[], version: string): readonly Route[] {
  const documents: readonly Route[] = [
    route({
      ...forAdmins,
      access: 'everyone',
      method: 'GET',
      path: '/api/openapi.json',
      name: 'getOpenApi',
      text: 'This document: OpenAPI 3.1, made from the code that answers.',
      answers: { 200: { text: 'The document.', schema: z.looseObject({ openapi: z.string() }) } },
      answer: () => Promise.resolve({ status: 200, value: openApi }),
    }),
  ]
  const openApi = openApiDocument([...operations, ...documents], version)
  return documents
}

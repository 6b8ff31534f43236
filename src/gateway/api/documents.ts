/** The operations that describe the server: this API as OpenAPI, and what clients speak as AsyncAPI. Open to everyone, for they hold no secret. */
import { z } from 'zod'
import { forAdmins, route, type Route } from './route.ts'
import { asyncApiDocument } from './asyncapi.ts'
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
    route({
      ...forAdmins,
      access: 'everyone',
      method: 'GET',
      path: '/api/asyncapi.json',
      name: 'getAsyncApi',
      text: 'What clients say and hear over WebSocket, TCP and TLS: AsyncAPI 3, made from the code that speaks.',
      answers: { 200: { text: 'The document.', schema: z.looseObject({ asyncapi: z.string() }) } },
      answer: () => Promise.resolve({ status: 200, value: asyncApi }),
    }),
  ]
  const asyncApi = asyncApiDocument(version)
  const openApi = openApiDocument([...operations, ...documents], version)
  return documents
}

/** The page docs/api.md, made from the OpenAPI document. `tsx test/support/api-page.ts` writes it; a test sees that it was. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { apiErrors } from '../../src/gateway/api/route.ts'
import { apiRoutes } from '../../src/gateway/api/routes.ts'
import { openApiDocument } from '../../src/gateway/api/openapi.ts'
import type { OpenApi, Operation } from '../gateway/openapi-check.ts'
import { House } from '../gateway/house.ts'

const path = fileURLToPath(new URL('../../docs/api.md', import.meta.url))

const INTRODUCTION = `# The HTTP API

For backends and operators, on the port of HTTP and WebSocket, under \`/api\`. Start the server with \`ACKD_ADMIN_TOKEN\` set to 32 or more random characters, and send it along:

\`\`\`sh
export ACKD_ADMIN_TOKEN=$(openssl rand -hex 32)
ackd serve &
curl -s --retry 9 --retry-connrefused http://127.0.0.1:5000/api/messages -H "Authorization: Bearer $ACKD_ADMIN_TOKEN" \\
  -H 'Content-Type: application/json' -d '{"to": "#lobby", "body": {"order": 7}}'
\`\`\`

It answers:

\`\`\`json
{"to":"#lobby","from":"ackd:api","outbox":"x3Vg_1aZ0qLmT7bd","n":1,"receipt":"stored","repeated":false,"offset":1,"time":1790000000000}
\`\`\`

- Without the option the API answers 403, with a wrong token 401, and after ten wrong ones in a minute from one address 429. The right one is never refused for what others did.
- Bodies are JSON, and need \`Content-Type: application/json\`. Unknown keys and queries are refused, so that a misspelt one is not silently without effect.
- A refusal is \`{"error": {"code", "text"}}\`: the code is for programs, the text says what to do.
- Lists come in pages: \`limit\` (100, at most 1,000) and \`after\`, which is \`next\` of the page before; \`next\` is null on the last one.
- Browsers may use it from the pages listed in \`ACKD_ORIGINS\` only. The token opens everything: do not put it into a page. The [console](console.md) asks for it.
- Machines read [OpenAPI 3.1](https://spec.openapis.org/oas/v3.1.0) at \`/api/openapi.json\`, and for what clients speak [AsyncAPI 3](https://www.asyncapi.com/docs/reference/specification/v3.0.0) at \`/api/asyncapi.json\`.

This page is made from the routes (\`npm run docs\`).

## Operations
`

export function apiPage(): string {
  const house = new House()
  const document = openApiDocument(apiRoutes(house.gateway, house.store, '0.0.0'), '0.0.0') as unknown as OpenApi
  house.close()
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).flatMap(([method, operation]) => section(method.toUpperCase(), path, operation)),
  )
  const codes = Object.entries(apiErrors).map(([code, { status, text }]) => `| \`${code}\` | ${status} | ${text} |`)
  return [
    INTRODUCTION,
    ...operations,
    '## Errors',
    '',
    '| code | status | means |',
    '| --- | --- | --- |',
    ...codes,
    '',
  ].join('\n')
}

function section(method: string, path: string, operation: Operation): string[] {
  const { description, security, parameters, requestBody, responses } = operation
  const given = parameters.map(({ name, in: place, required, description = '' }) => {
    return `- ${place} \`${name}\`${required ? '' : ' (optional)'}: ${description}`
  })
  const body = Object.entries(requestBody?.content['application/json'].schema.properties ?? {}).map(
    ([name, { description = '' }]) => {
      const required = requestBody?.content['application/json'].schema.required?.includes(name) === true
      return `- body \`${name}\`${required ? '' : ' (optional)'}: ${description}`
    },
  )
  const answers = Object.entries(responses)
    .filter(([status]) => status.startsWith('2'))
    .map(([status, { description }]) => `- ${status}: ${description}`)
  const who = security.length === 0 ? ' Needs no token.' : ''
  return [`### ${method} ${path}`, '', `${description}${who}`, '', ...given, ...body, ...answers, '']
}

export function writtenApiPage(): string {
  return readFileSync(path, 'utf8')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(path, apiPage())

/** The operations by which tokens are revoked that have not expired yet. */
import { z } from 'zod'
import { clientIdForm } from '../../protocol/names.ts'
import type { AccountStore, ListedRevocation } from '../../store/account-store.ts'
import type { Audit } from '../audit.ts'
import { ApiError, forAdmins, route, type Route } from './route.ts'
import { limitOf, next, numberInQuery, PAGE_LIMIT, time } from './shapes.ts'

const MAX_BODY = 4_096
const DEFAULT_LIFE_MS = 30 * 86_400_000

const revocation = z.object({
  kind: z
    .enum(['token', 'client'])
    .describe('token: the one with this jti; client: all of this sub that were issued until now'),
  value: z.string().describe('The jti, or the sub'),
  time: time.describe('When it was revoked, ms since the Unix epoch'),
  expires: time.describe('When it may be forgotten, ms since the Unix epoch'),
})

const asked = z
  .strictObject({
    kind: revocation.shape.kind,
    value: z.string().min(1, 'name the jti or the sub').max(256, 'at most 256 characters'),
    expires: z.int().optional().describe('When the last token that is meant has expired; 30 days from now by default'),
  })
  .refine(({ kind, value }) => kind === 'token' || clientIdForm.test(value), 'a sub is 1 to 64 of A-Za-z0-9_.:@-')

/** `store` null: there are no tokens here, or no place to keep what is revoked. */
export function revocationRoutes(store: AccountStore | null, audit: Audit): readonly Route[] {
  const open = (): AccountStore => {
    if (store !== null) return store
    throw new ApiError('forbidden', 'This server takes no tokens, so there are none to revoke; see ACKD_AUTH.')
  }
  return [
    route({
      ...forAdmins,
      method: 'POST',
      path: '/api/revocations',
      name: 'revoke',
      text: 'Revokes a token, or all tokens of a client. Every node holds it within a second, also against live connections.',
      maxBody: MAX_BODY,
      body: asked,
      answers: { 201: { text: 'It is revoked.', schema: revocation } },
      errors: ['overloaded', 'too_large', 'not_json', 'unavailable'],
      answer: async ({ body, request }) => {
        const now = Date.now()
        const made = { kind: body.kind, value: body.value, time: now, expires: body.expires ?? now + DEFAULT_LIFE_MS }
        if ((await open().revoke(made)) === 'full')
          throw new ApiError(
            'overloaded',
            'The list of revocations is full; wait until some have expired, or change the key.',
          )
        audit.note('revoked', { id: body.value, address: request.address, why: body.kind })
        return { status: 201, value: made }
      },
    }),
    route({
      ...forAdmins,
      method: 'GET',
      path: '/api/revocations',
      name: 'listRevocations',
      text: 'Lists what is revoked, the oldest first.',
      query: z.strictObject({
        after: numberInQuery(0, Number.MAX_SAFE_INTEGER).describe('Where to go on: `next` of the page before'),
        limit: numberInQuery(1, PAGE_LIMIT).describe(`At most so many, up to ${PAGE_LIMIT}; 100 by default`),
      }),
      answers: { 200: { text: 'A page of them.', schema: z.object({ revocations: z.array(revocation), next }) } },
      errors: ['unavailable'],
      answer: async ({ query }) => {
        const limit = limitOf(query.limit)
        const page = await open().revocations(query.after ?? 0, limit)
        const last = page.length < limit ? null : String(page.at(-1)?.s ?? '')
        return { status: 200, value: { revocations: page.map(listed), next: last } }
      },
    }),
  ]
}

/** Without its place, which is for nodes. */
function listed({ kind, value, time, expires }: ListedRevocation): z.output<typeof revocation> {
  return { kind, value, time, expires }
}

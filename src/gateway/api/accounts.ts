/** The operations by which people register and log in, and by which an operator sees to their accounts. */
import { z } from 'zod'
import { clientIdForm } from '../../protocol/names.ts'
import type { Accounts } from '../accounts.ts'
import { ApiError, forAdmins, route, type Route } from './route.ts'
import { clientId, time } from './shapes.ts'
import { MAX_PASSWORD, MIN_PASSWORD } from '../passwords.ts'

/** Bytes; twice two passwords of the longest form and a name. */
const MAX_BODY = 4_096

const password = z
  .string()
  .min(MIN_PASSWORD, `a password has ${MIN_PASSWORD} to ${MAX_PASSWORD} characters`)
  .max(MAX_PASSWORD, `a password has ${MIN_PASSWORD} to ${MAX_PASSWORD} characters`)
  .describe(`${MIN_PASSWORD} to ${MAX_PASSWORD} characters`)

const id = z
  .string()
  .regex(clientIdForm, 'a name is 1 to 64 of A-Za-z0-9_.:@-')
  .describe('The name of the account, which is its client id: 1 to 64 of A-Za-z0-9_.:@-')

const login = z.strictObject({ id, password })

const granted = z.object({
  id,
  token: z.string().describe('For `token` in hello, and in band before it expires'),
  expires: time.describe('When the token expires, ms since the Unix epoch'),
})

const forEveryone = { ...forAdmins, access: 'everyone', method: 'POST', maxBody: MAX_BODY } as const

const refusals = ['forbidden', 'overloaded', 'too_large', 'not_json', 'unavailable'] as const

/** Null: this server has no accounts. */
export function accountRoutes(accounts: Accounts | null): readonly Route[] {
  const open = (): Accounts => {
    if (accounts !== null) return accounts
    throw new ApiError('forbidden', 'This server has no accounts; start it with ACKD_ACCOUNTS=on to have some.')
  }
  return [...ownRoutes(open), ...adminRoutes(open)]
}

function ownRoutes(open: () => Accounts): readonly Route[] {
  return [
    route({
      ...forEveryone,
      path: '/api/register',
      name: 'register',
      text: 'Makes an account and gives a token for it. 20 an hour from one network.',
      body: login,
      answers: { 201: { text: 'It is made.', schema: granted } },
      errors: [...refusals, 'conflict'],
      answer: async ({ body, request: { address } }) => {
        const token = await open().register({ ...body, address })
        return { status: 201, value: { id: body.id, ...token } }
      },
    }),
    route({
      ...forEveryone,
      path: '/api/login',
      name: 'logIn',
      text: 'Gives a token to who knows the password. A name or a network that fails too often has to wait.',
      body: login,
      answers: { 200: { text: 'The password is right.', schema: granted } },
      errors: [...refusals, 'unauthorized'],
      answer: async ({ body, request: { address } }) => {
        const token = await open().login({ ...body, address })
        return { status: 200, value: { id: body.id, ...token } }
      },
    }),
    route({
      ...forEveryone,
      path: '/api/password',
      name: 'changePassword',
      text: 'Changes the password of who knows the old one, revokes all tokens of the account, and gives a new one.',
      body: login.extend({ newPassword: password }),
      answers: { 200: { text: 'It is changed.', schema: granted } },
      errors: [...refusals, 'unauthorized', 'not_found'],
      answer: async ({ body, request: { address } }) => {
        const token = await open().changePassword({ id: body.id, password: body.password, address }, body.newPassword)
        return { status: 200, value: { id: body.id, ...token } }
      },
    }),
  ]
}

function adminRoutes(open: () => Accounts): readonly Route[] {
  const errors = ['overloaded', 'too_large', 'not_json', 'unavailable'] as const
  return [
    route({
      ...forAdmins,
      method: 'POST',
      path: '/api/accounts',
      name: 'addAccount',
      text: 'Makes an account for somebody else.',
      maxBody: MAX_BODY,
      body: login,
      answers: { 201: { text: 'It is made.', schema: z.object({ id }) } },
      errors: [...errors, 'conflict'],
      answer: async ({ body, request }) => {
        await open().add(body.id, body.password, request.address)
        return { status: 201, value: { id: body.id } }
      },
    }),
    route({
      ...forAdmins,
      method: 'POST',
      path: '/api/accounts/:id/password',
      name: 'setPassword',
      text: 'Gives an account another password, and revokes all of its tokens.',
      params: z.strictObject({ id: clientId }),
      maxBody: MAX_BODY,
      body: z.strictObject({ password }),
      answers: { 204: { text: 'It is set.', schema: null } },
      errors: [...errors, 'not_found'],
      answer: async ({ params, body, request }) => {
        await open().setPassword(params.id, body.password, request.address)
        return { status: 204 }
      },
    }),
  ]
}

/** The operations by which people register and log in, and by which an operator sees to their accounts. */
import { z } from 'zod'
import { clientIdForm } from '../../protocol/names.ts'
import type { Account } from '../../store/account-store.ts'
import type { Accounts } from '../accounts.ts'
import { MAX_PASSWORD, MIN_PASSWORD } from '../passwords.ts'
import { asked } from './asking.ts'
import { ApiError, forAdmins, route, type Route } from './route.ts'
import { clientId, limitOf, next, pageQuery, time } from './shapes.ts'

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

const admin = z.boolean().describe('Its tokens give the rights of an admin, in every room those of its owner')

const disabled = z.boolean().describe('Nobody can log in with it; its name stays taken')

const account = z.object({
  id,
  admin,
  disabled,
  created: time.describe('When it was made, ms since the Unix epoch'),
  changed: time.describe('When its password was set, ms since the Unix epoch'),
})

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
  return [...ownRoutes(open), ...lookRoutes(open), ...adminRoutes(open), ...changeRoutes(open)]
}

function ownRoutes(open: () => Accounts): readonly Route[] {
  return [
    route({
      ...forEveryone,
      path: '/api/register',
      name: 'register',
      text: 'Makes an account and gives a token for it. 20 an hour from one network, unless ACKD_REGISTRATION_RATE says otherwise.',
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

const errors = ['overloaded', 'too_large', 'not_json', 'unavailable'] as const

const params = z.strictObject({ id: clientId })

function lookRoutes(open: () => Accounts): readonly Route[] {
  return [
    route({
      ...forAdmins,
      method: 'GET',
      path: '/api/accounts',
      name: 'listAccounts',
      text: 'Lists the accounts by name.',
      query: z.strictObject(pageQuery),
      answers: { 200: { text: 'A page of accounts.', schema: z.object({ accounts: z.array(account), next }) } },
      errors: ['unavailable'],
      answer: async ({ query }) => {
        const limit = limitOf(query.limit)
        const page = await asked(open().list(query.after ?? '', limit))
        const more = page.length === limit
        return { status: 200, value: { accounts: page.map(shown), next: more ? (page.at(-1)?.id ?? null) : null } }
      },
    }),
    route({
      ...forAdmins,
      method: 'GET',
      path: '/api/accounts/:id',
      name: 'getAccount',
      text: 'Tells what is known of an account.',
      params,
      answers: { 200: { text: 'The account.', schema: account } },
      errors: ['not_found', 'unavailable'],
      answer: async ({ params }) => ({ status: 200, value: shown(await asked(open().find(params.id))) }),
    }),
  ]
}

/** Without the hash of its password. */
function shown({ id, admin, disabled, created, changed }: Account): z.output<typeof account> {
  return { id, admin, disabled, created, changed }
}

function changeRoutes(open: () => Accounts): readonly Route[] {
  return [
    route({
      ...forAdmins,
      method: 'PATCH',
      path: '/api/accounts/:id',
      name: 'changeAccount',
      text: 'Makes an account that of an admin or of nobody special, disables or enables it. Tokens that give more than it may now are revoked.',
      params,
      maxBody: MAX_BODY,
      body: z
        .strictObject({ admin: admin.optional(), disabled: disabled.optional() })
        .refine(body => Object.keys(body).length > 0, 'give admin, disabled or both'),
      answers: { 200: { text: 'The account.', schema: account } },
      errors: [...errors, 'not_found'],
      answer: async ({ params, body: { admin, disabled }, request }) => {
        const rights = { ...(admin !== undefined && { admin }), ...(disabled !== undefined && { disabled }) }
        return { status: 200, value: shown(await open().change(params.id, rights, request.address)) }
      },
    }),
    route({
      ...forAdmins,
      method: 'DELETE',
      path: '/api/accounts/:id',
      name: 'removeAccount',
      text: 'Removes an account and revokes its tokens. Its mailbox stays, for whoever takes the name next; disable it instead to keep the name.',
      params,
      answers: { 204: { text: 'It is removed.', schema: null } },
      errors: ['not_found', 'overloaded', 'unavailable'],
      answer: async ({ params, request }) => {
        await open().remove(params.id, request.address)
        return { status: 204 }
      },
    }),
  ]
}

function adminRoutes(open: () => Accounts): readonly Route[] {
  return [
    route({
      ...forAdmins,
      method: 'POST',
      path: '/api/accounts',
      name: 'addAccount',
      text: 'Makes an account for somebody else.',
      maxBody: MAX_BODY,
      body: login.extend({ admin: admin.optional() }),
      answers: { 201: { text: 'It is made.', schema: z.object({ id }) } },
      errors: [...errors, 'conflict'],
      answer: async ({ body, request }) => {
        const { admin, ...login } = body
        await open().add({ ...login, address: request.address }, admin)
        return { status: 201, value: { id: body.id } }
      },
    }),
    route({
      ...forAdmins,
      method: 'POST',
      path: '/api/accounts/:id/password',
      name: 'setPassword',
      text: 'Gives an account another password, and revokes all of its tokens.',
      params,
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

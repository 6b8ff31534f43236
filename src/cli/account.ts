/** `ackd user`: accounts, by the HTTP API of a server. A password is typed, or is the first line of stdin; never a part of the command line. */
import { Admin, type AdminFlags } from './admin.ts'
import { toJson } from './bodies.ts'
import type { Context } from './context.ts'
import { Failure } from './failure.ts'
import { readLines } from './lines.ts'
import { cell, table, type ListFlags } from './operate.ts'

/** Bytes, more than any password has. */
const MAX_LINE = 4_096

export interface AddFlags extends AdminFlags {
  readonly admin?: boolean
}

/** What may become of an account by a word: what is asked for, and what is said then. */
const changes = {
  promote: { of: { admin: true }, done: 'is an admin' },
  demote: { of: { admin: false }, done: 'is no admin' },
  disable: { of: { disabled: true }, done: 'is disabled' },
  enable: { of: { disabled: false }, done: 'is enabled' },
} as const

export type ChangeName = keyof typeof changes

export async function addUser(id: string, { admin, ...flags }: AddFlags, context: Context): Promise<void> {
  const api = new Admin(flags, context)
  const account = { id, password: await readPassword(context), ...(admin === true && { admin }) }
  await api.ask('POST', '/api/accounts', account)
  await context.terminal.data(`added ${id}`)
}

export async function listUsers(flags: ListFlags, context: Context): Promise<void> {
  const items = new Admin(flags, context).list('/api/accounts', 'accounts', flags.count)
  await table(items, flags, context, ['name', 'kind', 'made', 'password set'], account => [
    cell(account['id']),
    [account['admin'] === true ? 'admin' : 'user', ...(account['disabled'] === true ? ['disabled'] : [])].join(', '),
    day(account['created']),
    day(account['changed']),
  ])
}

export async function changeUser(id: string, name: ChangeName, flags: AdminFlags, context: Context): Promise<void> {
  const { of, done } = changes[name]
  const account = await new Admin(flags, context).ask('PATCH', pathOf(id), of)
  await context.terminal.data(flags.json === true ? toJson(account) : `${id} ${done}`)
}

export async function removeUser(id: string, flags: AdminFlags, context: Context): Promise<void> {
  await new Admin(flags, context).ask('DELETE', pathOf(id))
  await context.terminal.data(`removed ${id}; its mailbox stays, for whoever takes the name next`)
}

function pathOf(id: string): string {
  return `/api/accounts/${encodeURIComponent(id)}`
}

function day(time: unknown): string {
  return typeof time === 'number' ? new Date(time).toISOString().slice(0, 10) : '-'
}

export async function setPassword(id: string, flags: AdminFlags, context: Context): Promise<void> {
  const admin = new Admin(flags, context)
  const password = await readPassword(context)
  await admin.ask('POST', `${pathOf(id)}/password`, { password })
  await context.terminal.data(`changed the password of ${id}; tokens it had are revoked`)
}

async function readPassword({ terminal }: Context): Promise<string> {
  const { stdin } = process
  if (stdin.isTTY) {
    terminal.status('password (is not shown):')
    stdin.setRawMode(true)
  }
  try {
    for await (const line of stdin.isTTY ? typedLine(stdin) : readLines(stdin, MAX_LINE)) return line
  } finally {
    if (stdin.isTTY) stdin.setRawMode(false)
    stdin.destroy()
  }
  throw new Failure('usage', 'there is no password', 'type it, or pipe it in: ackd user add alice < password.txt')
}

/** What is typed up to Enter. The terminal hands over every key by itself, so the usual ones are heeded here. */
async function* typedLine(input: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let line = ''
  for await (const chunk of input) {
    for (const key of Buffer.from(chunk).toString()) {
      if (key === '\r' || key === '\n') {
        yield line
        return
      }
      if (key === '\u0003' || key === '\u0004') return
      line = key === '\u007f' || key === '\b' ? line.slice(0, -1) : line + key
    }
  }
}

/** `ackd user`: accounts, by the HTTP API of a server. A password is typed, or is the first line of stdin; never a part of the command line. */
import { Admin, type AdminFlags } from './admin.ts'
import type { Context } from './context.ts'
import { Failure } from './failure.ts'
import { readLines } from './lines.ts'

/** Bytes, more than any password has. */
const MAX_LINE = 4_096

export async function addUser(id: string, flags: AdminFlags, context: Context): Promise<void> {
  const admin = new Admin(flags, context)
  await admin.ask('POST', '/api/accounts', { id, password: await readPassword(context) })
  await context.terminal.data(`added ${id}`)
}

export async function setPassword(id: string, flags: AdminFlags, context: Context): Promise<void> {
  const admin = new Admin(flags, context)
  const password = await readPassword(context)
  await admin.ask('POST', `/api/accounts/${encodeURIComponent(id)}/password`, { password })
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

/** `ackd presence` and `ackd history`: what any client may ask, as a profile. */
import { AckdError, type Client } from '../client/index.node.ts'
import { toJson, toText } from './bodies.ts'
import { openClient, refusal, within, type ConnectFlags } from './connecting.ts'
import type { Context } from './context.ts'
import { clientAt, roomName } from './names.ts'
import { Profiles } from './profiles.ts'
import { harmless } from './terminal.ts'

export interface LookFlags extends ConnectFlags {
  readonly json?: boolean
}

export interface HistoryFlags extends LookFlags {
  readonly count: number
  readonly before?: number
  readonly after?: number
  readonly from?: string
  readonly password?: string
}

const PAGE = 200

export async function presence(names: readonly string[], flags: LookFlags, context: Context): Promise<void> {
  const profiles = new Profiles(context.environment, flags)
  const ids = names.map(name => clientAt(profiles.resolve(name), name).id)
  const online = await asking(flags, context, client => client.presence(ids))
  for (const [i, id] of ids.entries()) {
    const is = online[id] === true
    const line = flags.json === true ? toJson({ id, online: is }) : `${is ? 'online ' : 'offline'}  ${names[i] ?? id}`
    await context.terminal.data(line)
  }
}

/** The newest messages, or those before or after an offset; printed oldest first. */
export async function history(name: string, flags: HistoryFlags, context: Context): Promise<void> {
  const room = roomName(name)
  const profiles = new Profiles(context.environment, flags)
  const from = flags.from === undefined ? {} : { from: profiles.resolve(flags.from).id }
  const messages = await asking(flags, context, async client => {
    const joined = await client.rooms.join(room, flags.password === undefined ? {} : { password: flags.password })
    const found = []
    let { before, after } = flags
    while (found.length < flags.count) {
      const limit = Math.min(PAGE, flags.count - found.length)
      const where = { ...(before !== undefined && { before }), ...(after !== undefined && { after }) }
      const page = await joined.history({ ...from, ...where, limit })
      if (flags.after === undefined) found.unshift(...page.messages)
      else found.push(...page.messages)
      if (page.messages.length < limit) break
      if (flags.after === undefined) before = page.messages[0]?.offset
      else after = page.messages.at(-1)?.offset
    }
    joined.leave()
    return found
  })
  for (const { offset, from, outbox, n, time, body } of messages) {
    if (flags.json === true) await context.terminal.data(toJson({ offset, from, outbox, n, time, body }))
    else {
      const who = profiles.nameOf(from) ?? from
      await context.terminal.data(`${offset}  ${new Date(time).toISOString()}  ${who}  ${harmless(toText(body))}`)
    }
  }
  if (messages.length === 0) context.terminal.nothing(`there is nothing to see in ${room}`)
}

/** Connects, asks, and leaves. */
async function asking<Answer>(
  flags: LookFlags,
  context: Context,
  ask: (client: Client) => Promise<Answer>,
): Promise<Answer> {
  const { timeout } = flags
  const profiles = new Profiles(context.environment, flags)
  const { client } = await openClient({ ...flags, waitMs: timeout }, profiles, context)
  try {
    return await within(timeout, 'answer', ask(client))
  } catch (error) {
    throw error instanceof AckdError ? refusal(error) : error
  } finally {
    await client.close()
  }
}

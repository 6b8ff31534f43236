/**
 * `ackd listen`: prints messages as they come and acks each once it is printed.
 *
 * The ack waits for the write, so whoever reads our output sets the pace, back to the sender. A kill between the two shows the message
 * again; nothing is ever acked unseen.
 */
import type { Client, Gap, Message } from '../client/index.node.ts'
import { toJson, toText } from './bodies.ts'
import { endedByServer, interrupted, openClient, type ConnectFlags } from './connecting.ts'
import { Profiles } from './profiles.ts'
import type { Context } from './context.ts'
import { harmless, type Terminal } from './terminal.ts'

export interface ListenFlags extends ConnectFlags {
  readonly ack: 'auto' | 'none'
  readonly count?: number
  readonly json?: boolean
  readonly raw?: boolean
}

export async function listen(flags: ListenFlags, context: Context): Promise<void> {
  const { terminal, environment } = context
  const profiles = new Profiles(environment, flags)
  const { client, profile } = await openClient({ ...flags, waitMs: 0 }, profiles, context)
  try {
    await introduce(client.id, profile, flags, terminal)
    await Promise.race([interrupted(), endedByServer(client), print(client, flags, profiles, terminal)])
  } finally {
    await client.close(flags.ack === 'none' ? { flushMs: 0 } : {})
  }
}

async function introduce(id: string | null, profile: string, flags: ListenFlags, terminal: Terminal): Promise<void> {
  if (flags.json === true) await terminal.data(toJson({ type: 'ready', id, profile }))
  terminal.status(`listening as ${terminal.tint('bold', profile)}: ${id ?? ''}`)
  terminal.status(terminal.tint('dim', `from another terminal: ackd send ${profile} "hello"   (Ctrl-C ends)`))
}

/** Resolves after as many messages as were asked for. */
function print(client: Client, flags: ListenFlags, profiles: Profiles, terminal: Terminal): Promise<void> {
  return new Promise((resolve, reject) => {
    let printed = 0
    client.on('message', async message => {
      await terminal.data(describeMessage(message, flags, profiles, terminal)).catch(reject)
      if (++printed === flags.count) setImmediate(resolve)
    })
    client.on('gap', gap => {
      const line = describeGap(gap, flags, terminal)
      if (flags.raw === true) terminal.complain(line)
      else terminal.data(line).catch(reject)
    })
  })
}

function describeMessage(message: Message, flags: ListenFlags, profiles: Profiles, terminal: Terminal): string {
  const { from, n, time, parked, repeated, body } = message
  if (flags.raw === true) return toText(body)
  const profile = profiles.nameOf(from)
  if (flags.json === true) return toJson({ type: 'message', from, profile, n, time, parked, repeated, body })
  const waited = parked ? terminal.paint('dim', ' (waited)') : ''
  return `${terminal.paint('cyan', profile ?? from)}${waited}  ${harmless(toText(body))}`
}

/** Raw output holds bodies only, so there a gap is told on stderr. */
function describeGap(gap: Gap, flags: ListenFlags, terminal: Terminal): string {
  const { from, first, last, reason } = gap
  if (flags.json === true) return toJson({ type: 'gap', from, first, last, reason })
  return terminal.paint('yellow', `${from}  messages ${first} to ${last} will not come: ${harmless(reason)}`)
}

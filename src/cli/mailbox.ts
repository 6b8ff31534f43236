/**
 * `ackd mailbox`: looks into the store from outside, without the server's help and without taking anything out.
 *
 * It reads what was committed when it was asked, so it works while the server runs, and when it does not start.
 */
import { openLmdbReader } from '../store/lmdb/reader.ts'
import { openRedisStore } from '../store/redis.ts'
import { decodeBody } from '../protocol/values.ts'
import { splitStream, type Entry } from '../protocol/mailbox.ts'
import { StoreError, type ClientRecord } from '../store/store.ts'
import { toJson, toText } from './bodies.ts'
import { Failure } from './failure.ts'
import { Profiles, type Whose } from './profiles.ts'
import type { Context } from './context.ts'
import { showBytes, showDuration } from './quantities.ts'
import { columns, harmless } from './terminal.ts'

export interface MailboxFlags {
  readonly dataDir: string
  /** 'none': the store is embedded. */
  readonly redisUrl: string
  /** 'none', or a file. */
  readonly redisCa: string
  readonly count: number
  readonly json?: boolean
}

/** The part of a store that only looks, and answers at once or later. */
interface Reader {
  mailboxes(after: string, limit: number): Answer<readonly ClientRecord[]>
  client(id: string): Answer<ClientRecord | null>
  view(id: string, after: number, limit: number): Answer<readonly Entry[]>
  close(): Promise<void>
}

type Answer<Value> = Value | Promise<Value>

export async function listMailboxes(flags: MailboxFlags, { terminal }: Context): Promise<void> {
  const clients = await reading(flags, reader => reader.mailboxes('', flags.count))
  if (flags.json === true) {
    for (const { id, parked, bytes, oldest, deadLetters } of clients) {
      await terminal.data(toJson({ id, parked, bytes, oldest, deadLetters }))
    }
    return
  }
  const rows = clients.map(({ id, parked, bytes, oldest }) => [id, String(parked), showBytes(bytes), age(oldest)])
  if (rows.length === 0) terminal.nothing('no mailboxes: nobody has messages waiting')
  else for (const line of columns([['id', 'waiting', 'bytes', 'oldest'], ...rows])) await terminal.data(line)
}

export async function viewMailbox(
  to: string,
  flags: MailboxFlags & Whose,
  { terminal, environment }: Context,
): Promise<void> {
  const profiles = new Profiles(environment, flags)
  const { id } = profiles.resolve(to)
  const entries = await reading(flags, async reader => {
    if ((await reader.client(id)) !== null) return reader.view(id, 0, flags.count)
    const place = flags.redisUrl === 'none' ? flags.dataDir : 'Redis'
    const fix = profiles.fixFor(to, 'see who has mail: ackd mailbox ls')
    throw new Failure('failed', `no client '${id}' is known in ${place}`, fix)
  })
  for (const entry of entries) await terminal.data(describeEntry(entry, flags))
  if (entries.length === 0) terminal.nothing('no messages are waiting')
}

async function reading<Value>(flags: MailboxFlags, ask: (reader: Reader) => Answer<Value>): Promise<Value> {
  try {
    const reader = await open(flags)
    try {
      return await ask(reader)
    } finally {
      await reader.close()
    }
  } catch (error) {
    throw error instanceof StoreError ? new Failure('failed', error.message, error.fix) : error
  }
}

function open({ redisUrl, redisCa, dataDir }: MailboxFlags): Answer<Reader> {
  return redisUrl === 'none'
    ? openLmdbReader(dataDir)
    : openRedisStore({ url: redisUrl, caFile: redisCa === 'none' ? '' : redisCa })
}

function describeEntry({ s, stream, n, time, body, reason }: Entry, flags: MailboxFlags): string {
  const [from, outbox] = splitStream(stream)
  const value = body === null ? null : decodeBody(body)
  if (flags.json === true) return toJson({ s, from, outbox, n, time, reason, body: value })
  return `${new Date(time).toISOString()}  ${from}  ${body === null ? `(${reason})` : harmless(toText(value))}`
}

function age(time: number): string {
  return `${showDuration(Math.max(0, Date.now() - time))} ago`
}

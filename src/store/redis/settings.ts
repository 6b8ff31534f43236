/**
 * What Redis says of itself, and whether the promise can be kept on it: what makes it impossible is a refusal, the rest is told.
 *
 * Everything but `appendfsync` is read from `INFO`, since managed servers often forbid `CONFIG`.
 */
import { StoreError } from '../store.ts'

/** Only an operator can mend it, so a server need not start. */
export class UnfitRedis extends StoreError {}

/** The fields of `INFO` by name. */
export type Info = ReadonlyMap<string, string>

export interface Verdict {
  /** Why the server cannot be used; null when it can. */
  readonly refusal: StoreError | null
  /** What an operator should know, a sentence and its fix each. */
  readonly notes: readonly string[]
}

const OLDEST = [6, 2] as const

export function readInfo(text: string): Info {
  const fields = new Map<string, string>()
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':')
    if (colon > 0 && !line.startsWith('#')) fields.set(line.slice(0, colon), line.slice(colon + 1))
  }
  return fields
}

/** `appendfsync` is null where Redis does not tell it. */
export function judgeRedis(info: Info, appendfsync: string | null, authenticated: boolean): Verdict {
  return { refusal: refusalOf(info), notes: notesOn(info, appendfsync, authenticated) }
}

function refusalOf(info: Info): StoreError | null {
  const version = info.get('redis_version') ?? ''
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (version !== '' && (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]))) {
    return new UnfitRedis(`Redis ${version} is too old.`, 'Use Redis 6.2 or newer, or Valkey.')
  }
  const policy = info.get('maxmemory_policy') ?? 'noeviction'
  if (policy !== 'noeviction') {
    return new UnfitRedis(
      `Redis may throw parked messages away: its maxmemory-policy is ${policy}.`,
      'Set maxmemory-policy noeviction, as in the redis.conf of ackd.',
    )
  }
  if (info.get('role') === 'slave') {
    return new StoreError(
      'This Redis is a replica, which takes no messages.',
      'Name its master, or the sentinels that know it.',
    )
  }
  return null
}

function notesOn(info: Info, appendfsync: string | null, authenticated: boolean): string[] {
  const notes: string[] = []
  if (info.get('aof_enabled') === '0') {
    notes.push('Redis writes no journal, so all that is parked is lost when it ends; set appendonly yes.')
  } else if (appendfsync === null) {
    notes.push(
      'Redis does not tell how it writes its journal; make sure that appendfsync is always, or everysec knowingly.',
    )
  } else if (appendfsync !== 'always') {
    const lost = appendfsync === 'everysec' ? 'the last second of' : 'half a minute of'
    notes.push(
      `A loss of power can take ${lost} what is parked (appendfsync ${appendfsync}), which careful senders then offer again; set appendfsync always to rule it out.`,
    )
  }
  if (!authenticated) {
    notes.push(
      'Redis asks for no password: whoever reaches it reads and writes every mailbox; set requirepass or an ACL.',
    )
  }
  return notes
}

const fixes: readonly (readonly [code: string, fix: string])[] = [
  ['LOADING', 'Redis is reading its journal; it answers when it has finished.'],
  ['READONLY', 'This Redis has become a replica: name its master, or the sentinels that know it.'],
  ['MASTERDOWN', 'This Redis is a replica without its master: name the master.'],
  ['OOM', 'Redis is out of memory: raise its maxmemory, or let clients drain their mailboxes.'],
  ['MISCONF', 'Redis cannot write to its disk: see its log, and free the disk.'],
  ['CLUSTERDOWN', 'The cluster lacks nodes: see CLUSTER INFO, and start them.'],
  ['LATE', 'Nothing was done; see the load of Redis, of its machine and of the network.'],
  ['BUSY', 'A script of somebody else keeps Redis busy: see its log; SCRIPT KILL ends it.'],
]

const unfit: readonly (readonly [code: string, fix: string])[] = [
  ['NOAUTH', 'Redis wants a password: give it in the URL, redis://user:password@host.'],
  ['WRONGPASS', 'Redis knows no such user and password: correct them in the URL.'],
  ['NOPERM', 'The ACL of this user lacks a permission: allow EVAL, EVALSHA, SCRIPT, INFO and the keys of ackd.'],
]

/** Names the fix for what went wrong, whether Redis said it or the network. */
export function redisError(error: unknown): StoreError {
  if (error instanceof StoreError) return error
  const message = error instanceof Error ? error.message : String(error)
  const fixOf = (table: typeof fixes): string | undefined => table.find(([code]) => message.startsWith(code))?.[1]
  const refusal = fixOf(unfit)
  if (refusal !== undefined) return new UnfitRedis(`Redis: ${message}`, refusal, error)
  const known = fixOf(fixes)
  if (known !== undefined) return new StoreError(`Redis: ${message}`, known, error)
  return new StoreError(
    `Redis cannot be reached: ${message}.`,
    'See that it runs, and that its address is right.',
    error,
  )
}

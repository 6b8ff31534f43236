/**
 * The forms in which Redis is named: one server, its TLS form, a socket file, a group watched by sentinels, a cluster.
 *
 *   redis://[user:password@]host[:6379][/db]      rediss://… over TLS      unix:///path/to/socket[?db=n]
 *   redis+sentinel://host[:26379],host…/name[/db]   rediss+sentinel://…
 *   redis+cluster://host[:6379],host…               rediss+cluster://…
 */
import { readFileSync } from 'node:fs'
import { StoreError } from '../store.ts'

export interface RedisAddress {
  readonly kind: 'single' | 'socket' | 'sentinel' | 'cluster'
  readonly tls: boolean
  readonly username: string
  readonly password: string
  /** At least one, except for a socket. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[]
  readonly path: string
  /** Of the group that the sentinels watch. */
  readonly group: string
  readonly db: number
  /** For people: without user and password. */
  readonly shown: string
}

const ADDRESS = /^(redis|rediss)(\+sentinel|\+cluster)?:\/\/(?:([^@/]*)@)?([^/?]*)(\/[^?]*)?$/
const SOCKET = /^unix:\/\/(?:([^@/]*)@)?(\/[^?]+)(?:\?db=(\d{1,4}))?$/
const HOST = /^(\[[0-9a-fA-F:.]+\]|[^:\s]+)(?::(\d{1,5}))?$/

export const redisAddressForms =
  'redis://host:6379, rediss://…, unix:///path, redis+sentinel://…/name or redis+cluster://…'

/** How it is reached. */
export interface RedisWay {
  readonly address: RedisAddress
  /** Whose certificates it may show over TLS, as PEM; '': those that Node knows. */
  readonly ca: string
}

/** `caFile` is a path, or ''. Throws `StoreError` when the URL has none of the forms or the file cannot be read. */
export function redisWay(url: string, caFile: string): RedisWay {
  const address = parseRedisAddress(url)
  if (address === undefined)
    throw new StoreError('ACKD_REDIS_URL is no address of a Redis.', `Write it like ${redisAddressForms}.`)
  try {
    return { address, ca: caFile === '' ? '' : readFileSync(caFile, 'utf8') }
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error)
    throw new StoreError(`ACKD_REDIS_CA cannot be read: ${said}.`, 'Correct the path, or let this user read it.')
  }
}

/** Undefined: it is none of the forms. */
export function parseRedisAddress(text: string): RedisAddress | undefined {
  const socket = SOCKET.exec(text)
  if (socket !== null) {
    const [, user = '', path = '', db = '0'] = socket
    return {
      kind: 'socket',
      tls: false,
      ...credentials(user),
      hosts: [],
      path,
      group: '',
      db: Number(db),
      shown: `unix://${path}`,
    }
  }
  const match = ADDRESS.exec(text)
  if (match === null) return undefined
  const [, scheme = '', mode = '', user = '', list = '', rest = ''] = match
  const kind = mode === '+sentinel' ? 'sentinel' : mode === '+cluster' ? 'cluster' : 'single'
  const hosts = list.split(',').map(host => readHost(host, kind === 'sentinel' ? 26_379 : 6_379))
  const path = rest.split('/').filter(part => part !== '')
  const group = kind === 'sentinel' ? (path.shift() ?? '') : ''
  const [db = '0', ...more] = path
  const whole = kind === 'single' ? hosts.length === 1 : kind === 'sentinel' ? group !== '' : db === '0'
  if (!whole || more.length > 0 || !/^\d{1,4}$/.test(db) || !hosts.every(host => host !== undefined)) return undefined
  return {
    kind,
    tls: scheme === 'rediss',
    ...credentials(user),
    hosts,
    path: '',
    group,
    db: Number(db),
    shown: `${scheme}${mode}://${list}${rest}`,
  }
}

function credentials(user: string): { username: string; password: string } {
  const colon = user.indexOf(':')
  return colon < 0
    ? { username: decoded(user), password: '' }
    : { username: decoded(user.slice(0, colon)), password: decoded(user.slice(colon + 1)) }
}

/** What is not percent-encoded text is taken as it is written. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

function readHost(text: string, preset: number): { host: string; port: number } | undefined {
  const match = HOST.exec(text)
  const port = Number(match?.[2] ?? preset)
  if (match === null || port < 1 || port > 65_535) return undefined
  return { host: (match[1] ?? '').replace(/^\[|\]$/g, ''), port }
}

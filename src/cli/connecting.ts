/**
 * A connected client for a command, and what its troubles mean to someone at a terminal.
 *
 * The client library never gives up on a server, which is right for a program that stays. A command is asked once and answers: it
 * ends when the first attempt finds nobody there. What was connected before may come back, and is waited for.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { AckdError, connect, type Client, type NodeOptions } from '../client/index.node.ts'
import type { Context } from './context.ts'
import { Failure, failureOf } from './failure.ts'
import { DEFAULT_PROFILE, unusable, type Profiles, type Whose } from './profiles.ts'
import { showDuration } from './quantities.ts'
import { subjectOf } from './names.ts'

/** Commands without `--as` that may run side by side, each under a spare profile. */
const SPARES = 16
const RETRY_MS = 50

/** What every command that connects may be told. */
export interface ConnectFlags extends Whose {
  /** The profile that was asked for; without one it is the default, or while that is in use the first spare that is free. */
  readonly as?: string
  /** Says who this is, instead of a profile; else `ACKD_TOKEN` does, if there is one. */
  readonly token?: string
  /** A file: whose TLS certificates to trust. */
  readonly ca?: string
  /** ms to wait for the server's welcome, and again for what it is asked. */
  readonly timeout: number
}

export interface Connecting extends ConnectFlags {
  /** ms to wait for a profile in use. */
  readonly waitMs: number
  readonly ack?: 'auto' | 'none'
  /** What others see of who this is. */
  readonly name?: string
}

export interface Connected {
  readonly client: Client
  readonly profile: string
}

/** Throws when nobody is there, when the server says no, and when the time is over. */
export async function openClient(
  asked: Connecting,
  profiles: Profiles,
  { terminal, environment }: Context,
): Promise<Connected> {
  const { url, timeout, waitMs, ack = 'auto', name, ca } = asked
  const trust = ca === undefined ? {} : { tls: { ca: readCa(ca) } }
  const options = { ack, ...(name !== undefined && { name }), ...trust }
  const token = asked.token ?? environment['ACKD_TOKEN']
  const as = token === undefined ? asked.as : whoseToken(token, asked.as)
  const proof = token === undefined ? {} : { token }
  const open = (profile: string): Client | null => {
    const dir = token === undefined ? profiles.folder(profile) : profiles.folderOfSubject(profile)
    return tryOpen(url, { ...options, ...proof, dir })
  }
  const connected = as === undefined ? takeAny(open) : await take(as, waitMs, open)
  const { client, profile } = connected
  const before = client.id
  try {
    const why = (): string => (client.status.state === 'waiting' ? client.status.text : '')
    await within(timeout, 'welcome', Promise.race([client.ready(), firstTrouble(client, url)]), { why })
  } catch (error) {
    await client.close()
    throw error instanceof AckdError ? refusal(error) : error
  }
  if (before !== null && before !== client.id)
    terminal.complain(`${url} does not know profile '${profile}' as ${before}; from now on it is ${client.id}`)
  client.on('status', status => {
    if (status.state === 'connected') terminal.status('connected again')
    if (status.state === 'waiting') terminal.status(`no connection, trying again: ${status.text}`)
  })
  return connected
}

/** A client with a token is who the token says. */
function whoseToken(token: string, as: string | undefined): string {
  if (as !== undefined)
    throw new Failure(
      'usage',
      'a token says who you are, so there is no profile to choose',
      'leave out --as or the token',
    )
  const subject = subjectOf(token)
  if (subject !== null) return subject
  throw new Failure('usage', 'the token is no JSON Web Token with a sub', 'make one: ackd token create ID')
}

/** Throws when it cannot be read. */
export function readCa(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    throw new Failure('usage', `--ca ${path} cannot be read (${why})`, 'name a file of certificates, as PEM')
  }
}

type Open = (profile: string) => Client | null

async function take(profile: string, waitMs: number, open: Open): Promise<Connected> {
  const deadline = performance.now() + waitMs
  for (;;) {
    const client = open(profile)
    if (client) return { client, profile }
    if (performance.now() >= deadline) {
      throw new Failure(
        'failed',
        `another command is using profile '${profile}'`,
        'end that one, or be somebody else: --as NAME',
      )
    }
    await pause(RETRY_MS)
  }
}

function takeAny(open: Open): Connected {
  for (let i = 1; i <= SPARES; i++) {
    const profile = i === 1 ? DEFAULT_PROFILE : `${DEFAULT_PROFILE}-${i}`
    const client = open(profile)
    if (client) return { client, profile }
  }
  throw new Failure('failed', `all ${SPARES} default profiles are in use`, 'give each command a name: --as NAME')
}

/** Null while another process uses the folder. */
function tryOpen(url: string, options: NodeOptions): Client | null {
  try {
    return connect(url, options)
  } catch (error) {
    if (!(error instanceof AckdError)) throw unusable(options.dir ?? '', error)
    if (error.code === 'in_use') return null
    throw failureOf('failed', error.message, 'see docs/client.md')
  }
}

/** The server is there, and says when to come back. */
const worthWaiting = ['restart', 'overloaded', 'unavailable']

/** Rejects when an attempt to connect finds nobody there. */
export function firstTrouble(client: Client, url: string): Promise<never> {
  return new Promise((_, reject) => {
    client.on('status', status => {
      if (status.state === 'waiting' && !worthWaiting.includes(status.reason)) reject(unreachable(url, status.text))
    })
  })
}

/** `why`: as a client tells it, with what to do after a semicolon where there is anything else to do than to start the server. */
export function unreachable(url: string, why: string): Failure {
  const fix = 'start a server with: ackd serve, or name another with --url or ACKD_URL'
  return failureOf('unreachable', `cannot connect to ${url}: ${why}`, fix)
}

/** The server's no as the end of a command. */
export function refusal(error: AckdError): Failure {
  if (error.code === 'unauthorized')
    return new Failure(
      'refused',
      error.detail === '' ? 'the token is missing, invalid or expired' : error.detail.replace(/\.$/, ''),
      'give one that is good: ACKD_TOKEN, or --token; whoever has the secret makes one: ackd token create ID',
    )
  return failureOf('refused', error.message, `see docs/protocol.md for ${error.code}`)
}

/** Rejects when the server ended it for good, such as when another command took over. */
export function endedByServer(client: Client): Promise<never> {
  return new Promise((_, reject) => {
    client.on('status', status => {
      if (status.state === 'closed') reject(refusal(status.error))
    })
  })
}

/** What is said when the time is over. */
interface Late {
  /** What is known by then of what is waited for, or ''. */
  readonly why?: () => string
  readonly fix?: string
}

/** Resolves like `work`, or fails when the time is over. */
export async function within<Value>(
  timeoutMs: number,
  what: string,
  work: Promise<Value>,
  { why = () => '', fix = 'give it more time: --timeout 60s' }: Late = {},
): Promise<Value> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const known = why() === '' ? '' : `: ${why()}`
      reject(new Failure('late', `no ${what} within ${showDuration(timeoutMs)}${known}`, fix))
    }, timeoutMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Resolves at the first Ctrl-C or SIGTERM. A second one ends the process as usual. */
export function interrupted(): Promise<void> {
  return new Promise(resolve => {
    const stop = (): void => {
      process.off('SIGINT', stop)
      process.off('SIGTERM', stop)
      resolve()
    }
    process.on('SIGINT', stop)
    process.on('SIGTERM', stop)
  })
}

/**
 * `ackd send`: hands over messages, one or a line each, and prints what became of every one, in their order.
 *
 * Many lines are on their way at once, bounded by number and bytes; the next one is read when there is room. The first refusal
 * ends the command, since what follows may depend on what was refused.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { AckdError, type Client } from '../client/index.node.ts'
import { parseJson, toJson } from './bodies.ts'
import { openClient, refusal, within, type ConnectFlags } from './connecting.ts'
import { Failure } from './failure.ts'
import { readLines } from './lines.ts'
import { clientAt } from './names.ts'
import { Profiles, type Address } from './profiles.ts'
import type { Context } from './context.ts'
import { showDuration } from './quantities.ts'
import type { Terminal } from './terminal.ts'

export interface SendFlags extends ConnectFlags {
  readonly bodyJson?: boolean
  /** ms */
  readonly ttl?: number
  readonly wait: 'stored' | 'delivered'
  readonly json?: boolean
}

/** ms; the first message to somebody who is there is stored, and acked at once. That is worth a moment. */
const GRACE_MS = 100

const MAX_LINE = 1024 * 1024
const MAX_UNDER_WAY = 64
const MAX_BYTES_UNDER_WAY = 4 * 1024 * 1024

export async function send(to: string, body: string | undefined, flags: SendFlags, context: Context): Promise<void> {
  const { terminal, environment } = context
  if (body === undefined && process.stdin.isTTY) {
    throw new Failure('usage', 'there is no body', `write it: ackd send ${to} "hello", or - to type one message a line`)
  }
  // What is wrong on the command line is said before anything is connected.
  if (body !== undefined && flags.bodyJson === true && body !== '-') parseJson(body)
  const profiles = new Profiles(environment, flags)
  const address = clientAt(profiles.resolve(to), to)
  const { client } = await openClient({ ...flags, waitMs: flags.timeout }, profiles, context)
  try {
    const count = await sendAll(readBodies(body), new Sender(client, address, flags, terminal, profiles))
    if (count === 0) terminal.nothing('no line came on stdin, so nothing was sent')
  } finally {
    await client.close()
    process.stdin.destroy()
  }
}

/** The body itself, or the lines of stdin. */
async function* readBodies(body: string | undefined): AsyncGenerator<string> {
  if (body !== undefined && body !== '-') yield body
  else yield* readLines(process.stdin, MAX_LINE)
}

/** Sends all, many at a time, and says how many. Throws at the first one that failed, also while it waits for the next line. */
async function sendAll(bodies: AsyncGenerator<string>, sender: Sender): Promise<number> {
  let count = 0
  const underWay: { readonly bytes: number; readonly told: Promise<void> }[] = []
  let bytes = 0
  let told: Promise<void> = Promise.resolve()
  let fail: (error: unknown) => void = () => {}
  const failed = new Promise<never>((_, reject) => (fail = reject))
  for (;;) {
    const next = await Promise.race([bodies.next(), failed])
    if (next.done === true) break
    count++
    told = sender.send(next.value, told)
    told.catch(fail)
    underWay.push({ bytes: next.value.length, told })
    bytes += next.value.length
    while (underWay.length >= MAX_UNDER_WAY || bytes > MAX_BYTES_UNDER_WAY) {
      const oldest = underWay.shift()
      await oldest?.told
      bytes -= oldest?.bytes ?? 0
    }
  }
  await told
  return count
}

/** Sends to one address and tells what became of each message. */
class Sender {
  readonly #client: Client
  readonly #address: Address
  readonly #flags: SendFlags
  readonly #terminal: Terminal
  readonly #profiles: Profiles

  constructor(client: Client, address: Address, flags: SendFlags, terminal: Terminal, profiles: Profiles) {
    this.#profiles = profiles
    this.#client = client
    this.#address = address
    this.#flags = flags
    this.#terminal = terminal
  }

  /** Resolves when it is printed, which happens after `before`. */
  async send(body: string, before: Promise<void>): Promise<void> {
    const value = this.#flags.bodyJson === true ? parseJson(body) : body
    const [sent] = await Promise.all([this.#deliver(value), before])
    await this.#terminal.data(this.#describe(sent))
  }

  async #deliver(body: unknown): Promise<Settled> {
    const { ttl, wait, timeout } = this.#flags
    const options = ttl === undefined ? {} : { ttl: ttl / 1000 }
    const start = performance.now()
    const elapsed = (): number => performance.now() - start
    try {
      const sent = await within(timeout, 'receipt', this.#client.send(this.#address.id, body, options))
      const { status, n } = sent
      const ms = elapsed()
      if (status === 'delivered') return { status, n, ms }
      const left = wait === 'delivered' ? timeout - ms : GRACE_MS
      const end = await Promise.race([sent.delivered, pause(left, null, { ref: false })])
      if (end === 'delivered') return { status: end, n, ms: elapsed() }
      if (wait === 'stored') return { status, n, ms }
      throw undelivered(end, timeout)
    } catch (error) {
      throw error instanceof AckdError ? this.#refusal(error) : error
    }
  }

  #refusal(error: AckdError): Failure {
    const { id, profile } = this.#address
    if (error.code !== 'unknown_recipient' && error.code !== 'bad_id') return refusal(error)
    const { server } = this.#profiles
    if (profile !== null)
      return new Failure(
        'refused',
        `${this.#flags.url} knows nobody by the id of profile '${profile}', ${id}`,
        `ask whether it is the server you mean; there, this makes a new one: ackd listen --as ${profile}`,
      )
    return new Failure(
      'refused',
      `nobody has the id '${id}', and no profile for ${server} has that name`,
      this.#profiles.fixFor(id, 'see which there are: ackd profile ls'),
    )
  }

  #describe({ status, n, ms }: Settled): string {
    const { id, profile } = this.#address
    if (this.#flags.json === true) return toJson({ status, to: id, profile, n, ms: Math.round(ms * 10) / 10 })
    const mark = this.#terminal.paint(status === 'delivered' ? 'green' : 'yellow', status === 'delivered' ? '✓' : '●')
    return `${mark} ${status} → ${profile ?? id}  ${this.#terminal.paint('dim', showDuration(ms))}`
  }
}

interface Settled {
  readonly status: 'delivered' | 'stored'
  readonly n: number
  /** From the call to the receipt that is told; a wait for a better one that did not come is not in it. */
  readonly ms: number
}

/** `end`: how a stored message ended, or null while it still waits. */
function undelivered(end: string | null, timeout: number): Failure {
  if (end !== null)
    return new Failure('refused', `the message was stored, and then ended as ${end}`, 'ask its recipient')
  const fix = 'it waits in the mailbox, and nothing need be done'
  return new Failure('late', `the message is stored, but was not acked within ${showDuration(timeout)}`, fix)
}

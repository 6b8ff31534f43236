/**
 * Many senders and recipients in this process, each a real client on a real socket. One recipient in ten loses its connection every
 * few moments, one in twenty is slow.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type Client } from '../../src/client/index.node.ts'
import { Random } from '../simulation/random.ts'
import { check, type Verdict } from './checker.ts'
import { readHistory, type History } from './history.ts'
import { breakableLine, quickBackoff, read, Sender, type Line } from './traffic.ts'

const FLAPPING_ONE_IN = 10
const SLOW_ONE_IN = 20
const SLOW_MS = 20
/** ms between one cut and the next, at most. */
const FLAP_MS = 2_000
/** ms without anything happening that count as quiet, how long to wait for what is missing, and how often to look. */
const QUIET_MS = 2_000
const HEAL_MS = 60_000
const LOOK_EVERY_MS = 1_000

export interface CrowdOptions {
  readonly url: string
  readonly history: History
  readonly seed: number
  readonly senders: number
  readonly recipients: number
  /** ms between two messages of a sender, on average. */
  readonly pauseMs: number
}

export class Crowd {
  readonly recipients: readonly string[]
  readonly clients: readonly Client[]
  readonly senders: readonly Sender[]
  readonly #options: CrowdOptions
  readonly #flapping: readonly Line[]
  readonly #random: Random
  #stopped = false
  #running: Promise<unknown> = Promise.resolve()

  private constructor(options: CrowdOptions, readers: readonly Member[], writers: readonly Member[]) {
    const { history, seed } = options
    this.#options = options
    this.#random = new Random(seed)
    this.recipients = readers.map(({ id }) => id)
    this.clients = [...readers, ...writers].map(({ client }) => client)
    this.senders = writers.map(
      ({ client, id }, index) => new Sender({ client, id, history, random: new Random(seed * 1_000 + index) }),
    )
    this.#flapping = readers.filter((_, index) => index % FLAPPING_ONE_IN === 1).map(({ line }) => line)
    for (const [index, { client, id }] of readers.entries()) {
      read({ client, id, history, slowMs: index % SLOW_ONE_IN === 2 ? SLOW_MS : 0 })
    }
  }

  /** Resolves when all are connected. */
  static async gather(options: CrowdOptions): Promise<Crowd> {
    const enter = (count: number): Promise<Member[]> =>
      Promise.all(Array.from({ length: count }, () => newMember(options.url)))
    return new Crowd(options, await enter(options.recipients), await enter(options.senders))
  }

  /** Starts to write, to the recipients of the crowd and to others. */
  begin(others: readonly string[] = []): void {
    const everybody = [...this.recipients, ...others]
    const loops = this.senders.map(sender => sender.run(everybody, this.#options.pauseMs))
    this.#running = Promise.all([...loops, this.#flap()])
  }

  /** Stops writing and flapping; what is under way goes on. */
  async stop(): Promise<void> {
    this.#stopped = true
    for (const sender of this.senders) sender.stop()
    await this.#running
  }

  async leave(): Promise<void> {
    await Promise.all(this.clients.map(client => client.close({ flushMs: 0 })))
  }

  async #flap(): Promise<void> {
    while (!this.#stopped && this.#flapping.length > 0) {
      await sleep(this.#random.next() * (FLAP_MS / this.#flapping.length))
      this.#random.pick(this.#flapping)?.cut()
    }
  }
}

export interface Member {
  readonly client: Client
  readonly id: string
  readonly line: Line
}

export async function newMember(url: string): Promise<Member> {
  const line = breakableLine()
  const client = connect(url, { openSocket: line.openSocket, backoff: quickBackoff })
  return { client, id: await client.ready(), line }
}

/**
 * After everything was healed: resolves when nothing is missing and nothing moves any more, and in any case after a minute; what is
 * missing then is for the judge to tell.
 */
export async function settled(directory: string, history: History): Promise<void> {
  for (let waited = 0; waited < HEAL_MS; waited += LOOK_EVERY_MS) {
    await sleep(LOOK_EVERY_MS)
    if (history.quietMs < QUIET_MS) continue
    if (check(readHistory(directory)).missing === 0) return
  }
}

/** Judges a run, and prints what there was to judge. */
export function judge(directory: string, title: string): Verdict {
  const verdict = check(readHistory(directory))
  const { sent, surfaced, shownAgain, refused, withdrawn, recoveriesMs } = verdict
  const slowest = Math.round(Math.max(0, ...recoveriesMs))
  const parts = [
    `${sent} sent`,
    `${surfaced} shown`,
    `${shownAgain} shown again to new processes`,
    `${refused} refused`,
    `${withdrawn} lost with their senders`,
    `${recoveriesMs.length} recoveries, the slowest ${slowest} ms`,
    `${verdict.wrong.length} promises broken`,
  ]
  process.stdout.write(`${title}: ${parts.join(', ')}\n`)
  return verdict
}

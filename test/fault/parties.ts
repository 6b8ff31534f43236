/**
 * Clients in processes of their own (`party.ts`), which can be killed, stopped and started again, and the run that they belong to.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { History } from './history.ts'
import { ServerProcess } from './server.ts'

/** A client that is killed now and then, and comes back to its directory. */
export class Party {
  id = ''
  kills = 0
  readonly #role: 'reader' | 'writer'
  readonly #run: Run
  readonly #name: string
  #recipients: readonly string[] = []
  #child: ChildProcess | null = null
  #life = 0

  constructor(role: 'reader' | 'writer', name: string, run: Run) {
    this.#role = role
    this.#name = name
    this.#run = run
  }

  /** Resolves when it is connected. */
  async start(recipients = this.#recipients): Promise<void> {
    this.#recipients = recipients
    const { directory, histories, seed } = this.#run
    const place = [join(directory, this.#name), histories, this.#name]
    const lifeSeed = `${seed * 100 + this.#life++}`
    const args = [this.#role, this.#run.server.url, ...place, lifeSeed, ...recipients]
    const child = spawn(process.execPath, ['--import', 'tsx', 'test/fault/party.ts', ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#child = child
    const [line] = (await Promise.race([
      once(createInterface({ input: child.stdout }), 'line'),
      once(child, 'exit').then(() => ['']),
    ])) as [string]
    if (line === '') throw new Error(`${this.#name} ended before it was connected.`)
    this.id ||= line
    if (line !== this.id) throw new Error(`${this.#name} was ${this.id}, and came back as ${line}.`)
  }

  signal(signal: NodeJS.Signals): void {
    this.#run.history.note({ who: this.id, what: 'fault', detail: signal })
    this.#child?.kill(signal)
  }

  async kill(): Promise<void> {
    if (this.#child === null) return
    this.signal('SIGKILL')
    await once(this.#child, 'exit')
    this.kills++
  }

  /** Lets it end by itself: a writer first hears of all that it wrote. */
  async end(): Promise<number | null> {
    if (this.#child === null || this.#child.exitCode !== null) return null
    this.#child.stdin?.end()
    await once(this.#child, 'exit')
    return this.#child.exitCode
  }

  discard(): void {
    this.#child?.kill('SIGKILL')
  }
}

export interface Run {
  readonly directory: string
  readonly histories: string
  readonly history: History
  readonly server: ServerProcess
  readonly seed: number
}

/** A run in a directory of its own, with a server that was not started yet. */
export function newRun(seed: number, serverOptions: readonly string[] = []): Run {
  const directory = mkdtempSync(join(tmpdir(), 'ackd-fault-'))
  const histories = join(directory, 'histories')
  mkdirSync(histories)
  const history = new History(histories, 'test')
  const server = new ServerProcess(join(directory, 'data'), serverOptions, history)
  return { directory, histories, history, server, seed }
}

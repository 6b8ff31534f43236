/**
 * The real server as a process of its own: the built command, on one port and one directory through all its lives, so that clients
 * find it again.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { freePort } from '../support/port.ts'
import type { History } from './history.ts'

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

/** Characters of the log that are kept. */
const MAX_LOG = 100_000
/** ms */
const PATIENCE_MS = 30_000

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export class ServerProcess {
  /** The end of what all lives wrote to their logs. */
  log = ''
  readonly #args: readonly string[]
  readonly #wrapper: readonly string[]
  readonly #history: History | null
  #port = 0
  #child: ChildProcess | null = null
  #pid = 0

  /** `wrapper`: a command that starts the server, such as a tracer. */
  constructor(
    dataDir: string,
    args: readonly string[] = [],
    history: History | null = null,
    wrapper: readonly string[] = [],
  ) {
    const quiet = ['--log-level', 'warn', '--max-lag', '60s', '--tcp-port', 'off', '--tls-port', 'off']
    this.#args = ['serve', '--data-dir', dataDir, ...quiet, ...args]
    this.#history = history
    this.#wrapper = wrapper
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#port}/ws`
  }

  get pid(): number {
    return this.#pid
  }

  /** Resolves when it is ready. */
  async start(): Promise<void> {
    if (!existsSync(main)) throw new Error('Build first: npm run build')
    this.#port ||= await freePort()
    const server = [process.execPath, main, ...this.#args, '--port', `${this.#port}`]
    const [command = process.execPath, ...rest]: readonly string[] = [...this.#wrapper, ...server]
    const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('ACKD_')))
    const child = spawn(command, rest, { env: clean, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    child.stderr.on('data', chunk => (this.log = (this.log + String(chunk)).slice(-MAX_LOG)))
    const ready = await Promise.race([once(child.stdout, 'data'), once(child, 'exit').then(() => null)])
    if (ready === null) throw new Error(`The server did not start: ${this.log}`)
    this.#pid = (JSON.parse(String(ready[0])) as { pid: number }).pid
    this.#history?.note({ who: 'server', what: 'ready' })
  }

  signal(signal: NodeJS.Signals): void {
    this.#history?.note({ who: 'server', what: 'fault', detail: signal })
    process.kill(this.#pid, signal)
    if (signal === 'SIGCONT') this.#history?.note({ who: 'server', what: 'ready' })
  }

  /** Resolves when the process is gone. */
  async ended(): Promise<Exit> {
    const child = this.#child
    if (child === null) throw new Error('The server was not started.')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    return { code: child.exitCode, signal: child.signalCode }
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<Exit> {
    this.signal(signal)
    return this.ended()
  }

  /** Ends it whatever its state, for the end of a test. */
  async discard(): Promise<void> {
    const child = this.#child
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    process.kill(this.#pid, 'SIGKILL')
    await this.ended()
  }

  /** The sum of a metric over its labels; `label` narrows it, such as `outcome="stored"`. */
  async metric(name: string, label = ''): Promise<number> {
    const text = await (await fetch(`http://127.0.0.1:${this.#port}/metrics`)).text()
    const lines = text.split('\n').filter(line => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    const matching = lines.filter(line => line.includes(label))
    return matching.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
  }

  /** Bytes of memory that the process has to itself; pages of the data file are not among them. */
  get memory(): number {
    const kib = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.#pid}/status`, 'utf8'))?.[1]
    return Number(kib) * 1024
  }

  get descriptors(): number {
    return readdirSync(`/proc/${this.#pid}/fd`).length
  }
}

/** Waits until it holds; throws with `what` when it does not. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  limitMs = PATIENCE_MS,
): Promise<void> {
  const end = performance.now() + limitMs
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`It did not come to pass within ${limitMs} ms: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

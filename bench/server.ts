/**
 * The server under measurement: the real command in a process of its own, and what the kernel says that it used.
 *
 * CPU comes from `/proc/PID/task/<tid>/schedstat`, which counts nanoseconds on a core for every thread, so that the threads of
 * the store are part of the bill. The limits that would rightly refuse a load generator are lifted; all else is as shipped.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createInterface } from 'node:readline'
import { transports, type Address, type Transport } from './pipe.ts'

const main = process.env['BENCH_MAIN'] ?? fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))

const lifted = {
  ACKD_PORT: '0',
  ACKD_CONNECTIONS_PER_ADDRESS: '100000',
  ACKD_CONNECT_RATE: '100000',
  ACKD_FRAME_RATE: '10000000',
  ACKD_NEW_RECIPIENTS_RATE: '100000',
  ACKD_MAX_LAG: '60s',
  ACKD_LOG_LEVEL: 'warn',
}

export class Server {
  readonly #ports: Readonly<Record<string, number>>
  readonly #process: ChildProcess
  readonly #pid: number
  readonly #dataDir: string

  private constructor(child: ChildProcess, pid: number, ports: Readonly<Record<string, number>>, dataDir: string) {
    this.#process = child
    this.#pid = pid
    this.#ports = ports
    this.#dataDir = dataDir
  }

  /** Starts it, behind `prefix` (such as `taskset -c 0`), and waits until it is ready. */
  static async start(prefix: readonly string[]): Promise<Server> {
    const dataDir = mkdtempSync(join(tmpdir(), 'ackd-bench-'))
    const [command, ...args] = [...prefix, process.execPath, main, 'serve']
    const child = spawn(command, args, {
      env: { ...process.env, ...lifted, ACKD_DATA_DIR: dataDir },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const lines = createInterface({ input: child.stdout })
    const line = await new Promise<string>((resolve, reject) => {
      lines.once('line', resolve)
      child.once('exit', code => reject(new Error(`the server ended with ${code} before it was ready`)))
    })
    return new Server(child, child.pid!, portsOf(line), dataDir)
  }

  address(transport: Transport): Address {
    const port = this.#ports[transport]
    if (port === undefined) throw new Error(`the server does not listen on ${transport}`)
    return { transport, port }
  }

  /** ns on a core so far, of all threads that live. */
  cpu(): number {
    let total = 0
    for (const thread of readdirSync(`/proc/${this.#pid}/task`)) {
      total += Number(readFileSync(`/proc/${this.#pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0])
    }
    return total
  }

  /** Bytes of memory that are its own: what it maps of files is not counted. */
  memory(): number {
    return this.#status('RssAnon')
  }

  /** Bytes of memory that it has at the moment, with what it maps of files. */
  resident(): number {
    return this.#status('VmRSS')
  }

  #status(name: string): number {
    const status = readFileSync(`/proc/${this.#pid}/status`, 'utf8')
    return Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) * 1024
  }

  async stop(): Promise<void> {
    const ended = new Promise(resolve => this.#process.once('exit', resolve))
    this.#process.kill('SIGTERM')
    const late = setTimeout(() => this.#process.kill('SIGKILL'), 30_000)
    await ended
    clearTimeout(late)
    rmSync(this.#dataDir, { recursive: true, force: true })
  }
}

/** The ports that a ready line names, by transport. */
function portsOf(line: string): Readonly<Record<string, number>> {
  const ready: unknown = JSON.parse(line)
  if (typeof ready !== 'object' || ready === null || !('ws' in ready)) throw new Error(`not a ready line: ${line}`)
  const urls = Object.entries(ready).filter(([name]) => transports.some(transport => transport === name))
  return Object.fromEntries(urls.map(([name, url]) => [name, Number(new URL(String(url)).port)]))
}

/**
 * The server under measurement: the real command in a process of its own, and what the kernel says that it used.
 *
 * The limits that would rightly refuse a load generator are lifted; all else is as shipped.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createInterface } from 'node:readline'
import { transports, wires, type Address, type Transport } from './pipe.ts'
import { cpuOf, memoryOf, residentOf } from './usage.ts'

/** The command under measurement. */
export const main: string = process.env['BENCH_MAIN'] ?? fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))

/** Limits that would rightly refuse a load generator, all of whose clients are at one address and never tire. */
export const lifted = {
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
    return { wire: wires[transport], port }
  }

  /** ns on a core so far. */
  cpu(): number {
    return cpuOf(this.#pid)
  }

  memory(): number {
    return memoryOf(this.#pid)
  }

  resident(): number {
    return residentOf(this.#pid)
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

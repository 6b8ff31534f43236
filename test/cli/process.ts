/** Runs the built command as a user would: a process of its own, its streams pipes, its profiles in a folder of the test. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const main = `${root}dist/cli/main.js`

export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface Surroundings {
  readonly home: string
  readonly url?: string
  readonly environment?: Record<string, string>
}

/** A command that runs. */
export class Running {
  readonly process: ChildProcessWithoutNullStreams
  readonly #lines: AsyncIterator<string>
  readonly #ended: Promise<Ended>

  constructor(command: readonly string[], surroundings: Surroundings) {
    const { home, url, environment } = surroundings
    const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('ACKD_')))
    this.process = spawn(process.execPath, command, {
      cwd: root,
      env: { ...clean, ACKD_HOME: home, ...(url !== undefined && { ACKD_URL: url }), ...environment },
    })
    let out = ''
    let err = ''
    this.process.stdout.on('data', chunk => (out += String(chunk)))
    this.process.stderr.on('data', chunk => (err += String(chunk)))
    this.#lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]()
    this.#ended = new Promise(resolve => this.process.on('close', code => resolve({ code, out, err })))
  }

  /** The next line of stdout. */
  async line(): Promise<string> {
    const next = await this.#lines.next()
    if (next.done === true) throw new Error(`it ended: ${JSON.stringify(await this.#ended)}`)
    return next.value
  }

  ended(): Promise<Ended> {
    return this.#ended
  }

  kill(signal: NodeJS.Signals): Promise<Ended> {
    this.process.kill(signal)
    return this.#ended
  }
}

export function start(args: readonly string[], surroundings: Surroundings): Running {
  if (!existsSync(main)) throw new Error('Build first: npm run build')
  return new Running([main, ...args], surroundings)
}

/** Runs it to its end, with `input` on stdin. */
export function ackd(args: readonly string[], surroundings: Surroundings, input = ''): Promise<Ended> {
  const running = start(args, surroundings)
  running.process.stdin.on('error', () => {})
  running.process.stdin.end(input)
  return running.ended()
}

/** Runs an example of the repository to its end. */
export function example(name: string, surroundings: Surroundings): Promise<Ended> {
  return new Running(['--import', 'tsx', `${root}examples/${name}`], surroundings).ended()
}

export interface Place {
  readonly running: Running
  readonly url: string
  readonly tcp: string
  readonly tls: string
  readonly http: string
}

/** A server on a free port, once it is ready. */
export async function serve(home: string, dataDir: string, ...args: string[]): Promise<Place> {
  const running = start(['serve', '--port', '0', '--data-dir', dataDir, ...args], { home })
  const ready = JSON.parse(await running.line()) as { ws: string; tcp: string; tls: string; http: string }
  const { ws: url, tcp, tls, http } = ready
  return { running, url, tcp, tls, http }
}

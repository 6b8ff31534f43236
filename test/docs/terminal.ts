/**
 * Terminals in which a page's commands are typed: real shells with `ackd` on the path, all on one server, with a home and a folder of
 * their own.
 *
 * A command runs as it stands on the page, but for what the page could not know: the ports, which are free ones here, and the names that
 * were made up. What it prints goes into a file, as both streams would go to one terminal, so commands that go on in the background are
 * heard too. Nothing here ends by time: whatever waits, waits for what a page says will come.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, vi } from 'vitest'
import { root } from '../support/sources.ts'
import { match } from './likeness.ts'
import type { Command } from './pages.ts'

/** Reads pairs of a file and a command from descriptor 4, runs them one after the other, and says on 3 how each ended. */
const loop = `while IFS= read -r -d '' -u 4 file && IFS= read -r -d '' -u 4 command; do
  exec >>"$file" 2>&1
  eval "$command" 3>&- 4<&-
  echo $? >&3
done`
const PATIENCE_MS = 120_000

export async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  await vi.waitUntil(holds, { timeout: PATIENCE_MS, interval: 20 }).catch((cause: unknown) => {
    throw new Error(`waited in vain: ${what}`, { cause })
  })
}

/** A command that was typed. */
export class Typed {
  readonly #file: string
  readonly ended: Promise<number>
  #hasEnded = false

  constructor(file: string, ended: Promise<number>) {
    this.#file = file
    this.ended = ended
    void ended.then(() => (this.#hasEnded = true))
  }

  /** What it has printed until now, without what a shell says of a job that was killed, which each shell words in its own way. */
  get printed(): string {
    return readFileSync(this.#file, 'utf8').replace(/^bash: line \d+: +\d+ Killed .*\n/gm, '')
  }

  /** Waits until it has printed this. What goes on in the background has ended before it has begun, for its shell. */
  async prints(what: RegExp, background = false): Promise<string> {
    await until(() => (this.#hasEnded && !background) || what.test(this.printed), String(what))
    expect(this.printed).toMatch(what)
    return what.exec(this.printed)?.[0] ?? ''
  }
}

export class Terminal {
  readonly #shell: ChildProcess
  readonly #codes: AsyncIterator<string>
  readonly #directory: string
  #count = 0

  constructor(directory: string, cwd: string, env: NodeJS.ProcessEnv) {
    this.#directory = directory
    // A group of its own, which is ended as one.
    const stdio = ['pipe', 'ignore', 'inherit', 'pipe', 'pipe'] as const
    this.#shell = spawn('bash', ['--norc', '-c', loop], { cwd, env, detached: true, stdio: [...stdio] })
    const codes = this.#shell.stdio[3]
    if (codes === null || codes === undefined || !('read' in codes)) throw new Error('The shell has no way to answer.')
    // When the group is killed.
    codes.on('error', () => {})
    this.#shell.stdin?.on('error', () => {})
    this.#codes = createInterface({ input: codes })[Symbol.asyncIterator]()
  }

  type(command: string): Typed {
    const file = join(this.#directory, `${process.hrtime.bigint()}-${this.#count++}.txt`)
    writeFileSync(file, '')
    const commands = this.#shell.stdio[4]
    if (commands === null || commands === undefined || !('write' in commands))
      throw new Error('The shell hears nothing.')
    commands.write(`${file}\0${command}\0`)
    const ended = this.#codes.next().then(({ value, done }) => (done === true ? -1 : Number(value)))
    return new Typed(file, ended)
  }

  /** A line for the command that runs. */
  say(line: string): void {
    this.#shell.stdin?.write(`${line}\n`)
  }

  /** Ctrl-D. */
  end(): void {
    this.#shell.stdin?.end()
  }

  /** Whatever still runs in it is killed. */
  async close(): Promise<void> {
    const { pid, exitCode, signalCode } = this.#shell
    if (pid === undefined) return
    const gone = exitCode === null && signalCode === null ? once(this.#shell, 'exit') : null
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // Its commands have ended by themselves, and so has the shell.
    }
    await gone
  }
}

export interface Places {
  readonly ws: string
  readonly tcp: string
  readonly http: string
  readonly pid: number
}

/** All that a page's commands take place on. */
export class Stage {
  readonly directory = mkdtempSync(join(tmpdir(), 'ackd-docs-'))
  /** What made-up names stand for. */
  readonly names = new Map<string, string>()
  /** What stands on the page, and what it is here. */
  readonly swaps = new Map<string, string>()
  readonly env: NodeJS.ProcessEnv
  readonly #terminals: Terminal[] = []

  constructor() {
    const bin = join(this.directory, 'bin')
    mkdirSync(bin)
    const main = join(root, 'dist/cli/main.js')
    writeFileSync(join(bin, 'ackd'), `#!/bin/sh\nexec node '${main}' "$@"\n`, { mode: 0o755 })
    const clean = Object.entries(process.env).filter(([name]) => !/^(ACKD|npm|VITEST|NODE_ENV)/.test(name))
    this.env = {
      ...Object.fromEntries(clean),
      ...{ PATH: `${bin}:${process.env['PATH']}`, NO_COLOR: '1' },
      ...{ ACKD_HOME: join(this.directory, 'home'), ACKD_DATA_DIR: join(this.directory, 'data') },
      // Then those of TCP and TLS are free ones, too.
      ACKD_PORT: '0',
      // A server that is late, because the machine is busy, goes on as if it were not.
      ...{ ACKD_MAX_LAG: '1m', ACKD_OVERLOAD_LAG: '1m' },
    }
  }

  /** Another terminal, in the folder of this stage unless it has to be that of the sources. */
  open(cwd = this.directory): Terminal {
    const terminal = new Terminal(this.directory, cwd, this.env)
    this.#terminals.push(terminal)
    return terminal
  }

  /** A line of a page as it is here. */
  here(text: string): string {
    let here = text
    for (const [shown, real] of [...this.swaps, ...this.names]) here = here.replaceAll(shown, real)
    return here
  }

  /** Runs a command of a page to its end; it has to print what the page shows, and to end with that code. */
  async run(terminal: Terminal, { text, answer }: Pick<Command, 'text' | 'answer'>, code = 0): Promise<void> {
    const typed = terminal.type(this.here(text))
    const ended = await typed.ended
    expect({ text, ended, printed: typed.printed }).toMatchObject({ ended: code })
    if (answer !== '') this.shows(answer, typed.printed)
  }

  async runAll(terminal: Terminal, commands: readonly Pick<Command, 'text' | 'answer'>[], code = 0): Promise<void> {
    for (const command of commands) await this.run(terminal, command, code)
  }

  /** What the page shows is what came. */
  shows(shown: string, came: string): void {
    const swapped = [...this.swaps].reduce((text, [page, real]) => text.replaceAll(page, real), shown)
    // Compared as texts only to say where they differ.
    if (match(swapped, came, this.names) === null) expect(came).toBe(swapped)
  }

  /** Waits until a server that was typed is there; its ports are those of the page from now on. */
  async serves(typed: Typed, background = false): Promise<string> {
    const line = await typed.prints(/^\{"msg":"ready".*\}\n/m, background)
    const { ws, tcp, tls, http } = JSON.parse(line) as Record<'ws' | 'tcp' | 'tls' | 'http', string>
    this.swaps.set('127.0.0.1:5000', new URL(http).host)
    this.swaps.set('127.0.0.1:2500', new URL(tcp).host)
    this.swaps.set('127.0.0.1:2501', new URL(tls).host)
    this.env['ACKD_URL'] = ws
    return line
  }

  /** Waits until so many clients are ready at the server. */
  present(count: number): Promise<void> {
    return this.counts('ackd_sessions', count)
  }

  /** Waits until the server says so of itself. */
  async counts(metric: string, count: number): Promise<void> {
    const url = `http://${this.swaps.get('127.0.0.1:5000')}/metrics`
    const metrics = (): Promise<string> => fetch(url).then(answer => answer.text())
    await until(async () => (await metrics()).includes(`\n${metric} ${count}\n`), `${metric} is ${count}`)
  }

  async close(): Promise<void> {
    await Promise.all(this.#terminals.map(terminal => terminal.close()))
    rmSync(this.directory, { recursive: true, maxRetries: 20, retryDelay: 50 })
  }
}

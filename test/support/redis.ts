/**
 * A real redis-server for a test: on a free port, in a directory of its own, to be killed and started again.
 *
 * The program is looked for on the path, as `redis-server` or `valkey-server`; `REDIS_SERVER` names another one.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './port.ts'

const START_MS = 60_000

function findProgram(): string | null {
  const names = [process.env['REDIS_SERVER'], 'redis-server', 'valkey-server'].filter(name => name !== undefined)
  return names.find(name => spawnSync(name, ['--version']).status === 0) ?? null
}

/** Null: there is none, and tests that need it say so: install Debian's `redis-server`, or name one in `REDIS_SERVER`. */
export const redisProgram = findProgram()

/** What a Redis answers to a few words; rejects when it does not. */
export function askRedis(port: number, words: string, timeoutMs = 5_000): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${words}\r\n`))
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no answer to ${words}`)))
    socket.on('error', reject)
    socket.once('data', data => {
      resolve(data.toString().trim())
      socket.destroy()
    })
  })
}

/** A test that fails leaves none behind. */
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

export class RedisServer {
  readonly port: number
  readonly directory: string
  readonly #settings: readonly string[]
  #child: ChildProcess | null = null

  private constructor(port: number, directory: string, settings: readonly string[]) {
    this.port = port
    this.directory = directory
    this.#settings = settings
  }

  /** Settings as on the command line: `'--appendonly', 'yes'`. */
  static async start(...settings: string[]): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), mkdtempSync(join(tmpdir(), 'ackd-redis-')), settings)
    await server.start()
    return server
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  /** Starts it again, on what is kept. Resolves when it answers, or at once when it is only to be `launched`. */
  async start(answering = true): Promise<void> {
    if (redisProgram === null) throw new Error('Install redis-server, or name one in REDIS_SERVER.')
    // A replica that is asked for is wanted at once.
    const own = [
      '--repl-diskless-sync-delay',
      '0',
      '--port',
      String(this.port),
      '--dir',
      this.directory,
      '--bind',
      '127.0.0.1',
      '--save',
      '',
    ]
    const child = spawn(redisProgram, [...own, ...this.#settings], { stdio: 'ignore' })
    this.#child = child
    running.add(child)
    child.once('exit', () => running.delete(child))
    const end = performance.now() + START_MS
    while (answering && !(await askRedis(this.port, 'PING').catch(() => '')).match(/PONG|NOAUTH/)) {
      if (performance.now() > end) throw new Error('redis-server does not start')
      await sleep(10)
    }
  }

  async signal(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill(signal)
    if (signal === 'SIGKILL' || signal === 'SIGTERM') await ended
  }

  ask(words: string): Promise<string> {
    return askRedis(this.port, words)
  }

  /** Hears what is published on a channel. */
  async subscribe(channel: string): Promise<{ readonly messages: readonly string[]; end(): void }> {
    const socket = connect(this.port, '127.0.0.1', () => socket.write(`SUBSCRIBE ${channel}\r\n`))
    const messages: string[] = []
    let lines: string[] = []
    let heard = ''
    await new Promise<void>((resolve, reject) => {
      socket.on('error', reject)
      socket.on('data', data => {
        heard += data.toString()
        lines = heard.split('\r\n')
        // Of an array of three strings each: the kind, the channel, and the message.
        messages.length = 0
        for (let at = 0; at + 6 < lines.length; at += lines[at + 2] === 'message' ? 7 : 6) {
          if (lines[at + 2] === 'message') messages.push(lines[at + 6] ?? '')
        }
        resolve()
      })
    })
    return { messages, end: () => socket.destroy() }
  }

  async stop(): Promise<void> {
    await this.signal('SIGKILL')
    rmSync(this.directory, { recursive: true, force: true })
  }
}

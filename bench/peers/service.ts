/**
 * The processes that make up one system under measurement: how they start and stop, which core they are on, and what they use.
 *
 * CPU time and memory are those of all of them together, so a store beside a server is part of its bill.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { cpuOf, memoryOf } from '../usage.ts'

export interface Program {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Null: it says so by its first line, an object in JSON. Else it is ready when it listens there. */
  readonly port: number | null
}

const PATIENCE_MS = 20_000

/** `same`: server and load share a core as batch processes, which makes CPU time comparable. `apart`: a core each. */
export type Placement = 'same' | 'apart'

const SERVER_CORE = '0'
const LOAD_CORE = '1'

/** All that run; none is started any more once the run is over. */
const running = new Set<Service>()
let over = false

/** For the end of a run, however it ends: none of the servers outlives it. */
export async function stopAll(): Promise<void> {
  over = true
  await Promise.all([...running].map(service => service.stop()))
}

export class Service {
  /** Below it a program may keep what it likes. */
  readonly folder: string
  readonly #running: ChildProcess[] = []
  #said: Readonly<Record<string, unknown>> = {}
  #ended: string | null = null

  private constructor(folder: string) {
    this.folder = folder
  }

  /** Starts them one after the other; `programs` is given the folder. */
  static async start(programs: (folder: string) => readonly Program[]): Promise<Service> {
    if (over) throw new Error('the run is over')
    const service = new Service(mkdtempSync(join(tmpdir(), 'ackd-peer-')))
    running.add(service)
    try {
      for (const program of programs(service.folder)) await service.#launch(program)
    } catch (error) {
      await service.stop()
      throw error
    }
    return service
  }

  /** A number or a text in the first line of what started last. */
  said(name: string): string {
    const value = this.#said[name]
    if (typeof value !== 'string' && typeof value !== 'number') throw new Error(`nothing was said of ${name}`)
    return String(value)
  }

  get port(): number {
    return Number(this.said('port'))
  }

  /** Why it is not running any more; null: it is. */
  get ended(): string | null {
    return this.#ended
  }

  /** ns on a core so far. */
  cpu(): number {
    return this.pids().reduce((total, pid) => total + cpuOf(pid), 0)
  }

  /** Bytes. */
  memory(): number {
    return this.pids().reduce((total, pid) => total + memoryOf(pid), 0)
  }

  place(placement: Placement): void {
    for (const pid of this.pids()) place(pid, SERVER_CORE, placement)
  }

  async stop(): Promise<void> {
    this.#ended ??= 'it was stopped'
    running.delete(this)
    for (const child of this.#running.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      const gone = new Promise(resolve => child.once('exit', resolve))
      child.kill('SIGTERM')
      const late = setTimeout(() => child.kill('SIGKILL'), 5_000)
      await gone
      clearTimeout(late)
    }
    rmSync(this.folder, { recursive: true, force: true })
  }

  pids(): number[] {
    if (this.#ended !== null) throw new Error(this.#ended)
    return this.#running.map(child => child.pid!)
  }

  async #launch({ command, args, env, port }: Program): Promise<void> {
    const child: ChildProcess = spawn('taskset', ['-c', SERVER_CORE, command, ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', port === null ? 'pipe' : 'ignore', 'inherit'],
    })
    this.#running.push(child)
    child.once('exit', (code, signal) => {
      this.#ended ??= `${command} ended with ${code ?? signal}`
    })
    this.#said = child.stdout === null ? { port } : await this.#firstLine(child)
    if (port !== null) await this.#listening(port)
  }

  #firstLine(child: ChildProcess): Promise<Readonly<Record<string, unknown>>> {
    return new Promise((resolve, reject) => {
      if (child.stdout === null) throw new Error('a line is read from a pipe')
      createInterface({ input: child.stdout }).once('line', line => {
        const said: unknown = JSON.parse(line)
        if (typeof said === 'object' && said !== null) resolve({ ...said })
      })
      child.once('exit', () => {
        reject(new Error(this.#ended ?? 'it ended'))
      })
      setTimeout(() => reject(new Error('it says nothing')), PATIENCE_MS).unref()
    })
  }

  async #listening(port: number): Promise<void> {
    const end = performance.now() + PATIENCE_MS
    while (!(await accepts(port))) {
      if (this.#ended !== null || performance.now() > end) throw new Error(this.#ended ?? `nothing listens on ${port}`)
      await sleep(20)
    }
  }
}

/** Puts this process, the load, where it belongs. */
export function placeLoad(placement: Placement): void {
  place(process.pid, placement === 'same' ? SERVER_CORE : LOAD_CORE, placement)
}

function place(pid: number, core: string, placement: Placement): void {
  execFileSync('taskset', ['-acp', core, String(pid)], { stdio: 'ignore' })
  execFileSync('chrt', ['-a', placement === 'same' ? '-b' : '-o', '-p', '0', String(pid)], { stdio: 'ignore' })
}

function accepts(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.once('connect', () => resolve(socket.destroy() === socket))
    socket.once('error', () => resolve(false))
  })
}

/** A port that is free now, for programs that cannot choose one themselves. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen({ port: 0, host: '127.0.0.1' }, () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

/** The examples that speak the protocol without the client library do what they say, against the real server. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { connect, type Client } from '../src/client/index.node.ts'
import { silentLog } from '../src/gateway/log.ts'
import { startServer, type Server } from '../src/server.ts'
import { developmentFile } from '../src/transport/certificates.ts'

const examples = fileURLToPath(new URL('../examples/', import.meta.url))
const works = (command: string, ...args: string[]): boolean => spawnSync(command, args).status === 0
/** A Python that has MessagePack; Debian's own has it when others that come first in the path have not. */
const python = ['python3', '/usr/bin/python3'].find(name => works(name, '-c', 'import msgpack'))
const hasNetcat = works('sh', '-c', 'command -v nc')
const hasOpenssl = works('openssl', 'version')

let folder = ''
let trust = ''
let server: Server
const children: ChildProcess[] = []
const clients: Client[] = []

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ackd-examples-'))
  server = await startServer({ port: 0, dataDir: folder, maxLag: 60_000 }, silentLog)
  trust = developmentFile(folder)
})

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await Promise.all(clients.splice(0).map(client => client.close()))
})

afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

function start(command: string, args: readonly string[], environment: Record<string, string> = {}): ChildProcess {
  const child = spawn(command, args, { env: { ...process.env, ...environment } })
  children.push(child)
  return child
}

async function run(
  command: string,
  args: readonly string[],
  input = '',
  more: Record<string, string> = {},
): Promise<Ended> {
  const child = start(command, args, more)
  let [out, err] = ['', '']
  child.stdout?.on('data', chunk => (out += String(chunk)))
  child.stderr?.on('data', chunk => (err += String(chunk)))
  child.stdin?.on('error', () => {})
  child.stdin?.end(input)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, out, err }
}

/** A client of the library that keeps what it is sent. */
async function reader(): Promise<{ id: string; bodies: unknown[] }> {
  const client = connect(server.ws)
  clients.push(client)
  const bodies: unknown[] = []
  client.on('message', ({ body }) => void bodies.push(body))
  return { id: await client.ready(), bodies }
}

describe('json-lines.sh', () => {
  // nc is not on every machine.
  it.runIf(hasNetcat)('sends itself a note over TCP', async () => {
    const { code, out, err } = await run(`${examples}json-lines.sh`, [server.tcp ?? ''])
    expect(err).toBe('')
    expect(code).toBe(0)
    const lines = out
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as unknown[])
    expect(lines.map(([op, what]) => [op, what])).toEqual([
      ['message', 1],
      ['receipt', 'delivered'],
    ])
  })

  it('ends with 1 and says so when nobody is there', async () => {
    const nobody = 'tcp://127.0.0.1:1'
    const { code, err } = await run(`${examples}json-lines.sh`, [nobody])
    expect([code, err]).toEqual([
      1,
      expect.stringContaining(`${nobody} ended the connection before there was a receipt`),
    ])
  })

  // Nor is openssl.
  it.runIf(hasOpenssl)('sends itself a note over TLS', async () => {
    const { code, out } = await run(`${examples}json-lines.sh`, [server.tls ?? '', trust])
    expect(code).toBe(0)
    expect(out).toContain('"a note to myself"')
  })
})

describe('pipe.sh', () => {
  const more = (): Record<string, string> => ({ ACKD_TCP: new URL(server.tcp ?? '').host })

  it('sends the lines of stdin, whatever is in them', async () => {
    const { id, bodies } = await reader()
    const lines = ['plain', 'with "quotes" and \\', '  ünïcödé 🙂  ', 'no line end']
    const { code, out, err } = await run(`${examples}pipe.sh`, [id], lines.join('\n'), more())
    expect([code, out, err]).toEqual([0, '4 sent\n', ''])
    await expect.poll(() => bodies).toEqual(lines)
  })

  it('says what went wrong', async () => {
    const { code, err } = await run(`${examples}pipe.sh`, ['AAAAAAAAAAAAAAAA'], 'lost\n', more())
    expect(code).toBe(1)
    expect(err).toContain('line 1: ["receipt","failed","AAAAAAAAAAAAAAAA"')
  })
})

// MessagePack for Python is not on every machine: Debian calls it python3-msgpack.
describe.runIf(python !== undefined)('client.py', () => {
  const client = (...args: string[]): string[] => [`${examples}client.py`, ...args]
  const command = python ?? ''

  /** Listens as `state` and gives the lines that it prints. */
  function listen(url: string, state: string, ...more: string[]): [ChildProcess, AsyncIterator<string>] {
    const child = start(command, client(url, 'listen', '--state', join(folder, state), ...more))
    return [child, createInterface({ input: child.stdout! })[Symbol.asyncIterator]()]
  }

  async function line(lines: AsyncIterator<string>): Promise<Record<string, unknown>> {
    const { value } = (await lines.next()) as { value: string }
    return JSON.parse(value) as Record<string, unknown>
  }

  it.each(['tcp', 'tls'] as const)('sends, receives and acks over %s', async transport => {
    const url = server[transport] ?? ''
    const ca = ['--ca', trust]
    const [bob, heard] = listen(url, `bob-${transport}.json`, '--count', '2', ...ca)
    const closed = once(bob, 'close')
    const { id } = await line(heard)
    const state = join(folder, `alice-${transport}.json`)
    const { code, err } = await run(command, client(url, 'send', '--state', state, ...ca, String(id), 'one', 'two'))
    expect([code, err]).toEqual([0, ''])
    expect([await line(heard), await line(heard)]).toMatchObject([
      { n: 1, body: 'one' },
      { n: 2, body: 'two' },
    ])
    const [ended] = (await closed) as [number | null]
    expect(ended).toBe(0)
  })

  it('is who it was when it comes back, and gets what waited, once', async () => {
    const url = server.tcp ?? ''
    const [first, before] = listen(url, 'carol.json')
    const { id } = await line(before)
    first.kill('SIGKILL')
    const send = client(url, 'send', '--state', join(folder, 'dave.json'), String(id))
    const many = Array.from({ length: 100 }, (_, i) => `m${i + 1}`)
    expect((await run(command, [...send, ...many])).code).toBe(0)
    const [second, after] = listen(url, 'carol.json')
    expect(await line(after)).toEqual({ id })
    for (let n = 1; n <= 50; n++) expect(await line(after)).toMatchObject({ n, body: `m${n}` })
    second.kill('SIGKILL')
    const [, last] = listen(url, 'carol.json')
    await line(last)
    const { n } = await line(last)
    // The last one before the kill may have been printed and not been noted.
    expect(Number(n)).toBeGreaterThanOrEqual(50)
    for (let next = Number(n) + 1; next <= 100; next++) expect(await line(last)).toMatchObject({ n: next })
  })
})

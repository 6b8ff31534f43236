/** Requests that lie about where they come from, or come in crowds, over real HTTP. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import WebSocket from 'ws'
import { afterEach, describe, expect, it } from 'vitest'
import { ADMIN_TOKEN, ApiCaller, refusedWith, type Answered } from '../gateway/api-caller.ts'

const folder = mkdtempSync(join(tmpdir(), 'ackd-http-'))
const auditLog = join(folder, 'audit.log')
let caller: ApiCaller

afterEach(async () => {
  await caller.close()
  rmSync(auditLog, { force: true })
})

const from = (address: string): { headers: Record<string, string>; token: null } => ({
  headers: { 'x-forwarded-for': address },
  token: null,
})

/** Answers to so many requests at once, by status. */
async function statuses(count: number, ask: (i: number) => Promise<Answered>): Promise<Record<number, number>> {
  const counts: Record<number, number> = {}
  for (const { status } of await Promise.all(Array.from({ length: count }, (_, i) => ask(i))))
    counts[status] = (counts[status] ?? 0) + 1
  return counts
}

const audited = (): Record<string, unknown>[] =>
  readFileSync(auditLog, 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Record<string, unknown>)

describe('a flood of requests', () => {
  it('is answered 429 and told when to come back, wherever it goes, and noted once', async () => {
    caller = await ApiCaller.start({ httpRate: 5, auditLog, origins: ['https://here.example'] })
    const paths = ['/', '/metrics', '/api/openapi.json', '/api/nodes', '/nowhere', '/client.js']
    const counts = await statuses(60, i => askLoosely(paths[i % paths.length] ?? ''))
    expect(counts[429]).toBeGreaterThan(35)
    const late = await caller.ask('/api/rooms', { token: null, headers: { origin: 'https://here.example' } })
    expect(refusedWith(late)).toMatch(/^429 rate_limited: Too many requests .* at most 5 a second/)
    expect(Number(late.headers.get('retry-after'))).toBe(1)
    expect(late.headers.get('access-control-allow-origin')).toBe('https://here.example')
    expect(audited().filter(({ event }) => event === 'throttled').length).toBe(1)
  })

  it('does not hide the server from who watches over it, nor from its backends', async () => {
    caller = await ApiCaller.start({ httpRate: 1 })
    await statuses(10, () => caller.ask('/api/nodes', { token: null }))
    expect((await caller.ask('/api/nodes', { token: null })).status).toBe(429)
    for (const path of ['/healthz', '/readyz'])
      expect(await statuses(20, () => caller.ask(path, { token: null }))).toEqual({ 200: 20 })
    expect(await statuses(20, () => caller.ask('/api/nodes'))).toEqual({ 200: 20 })
    expect(
      await (
        await fetch(`${caller.server.http}/metrics`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } })
      ).text(),
    ) //
      .toMatch(/^ackd_http_limited_total [1-9]/m)
  })

  /** What is answered, whether it is JSON or not. */
  async function askLoosely(path: string): Promise<Answered> {
    const { status, headers } = await fetch(`${caller.server.http}${path}`)
    return { status, headers, value: null }
  }
})

describe('an address that a client forges', () => {
  const wrong = (address: string): Promise<Answered> => caller.ask('/api/nodes', { ...from(address), token: 'wrong' })

  it('is not believed where no proxy is trusted: its guesses count for where it is', async () => {
    caller = await ApiCaller.start({ auditLog })
    const counts = await statuses(11, i => wrong(`203.0.113.${i}`))
    expect(counts).toEqual({ 401: 10, 429: 1 })
    expect(new Set(audited().map(({ address }) => address))).toEqual(new Set(['127.0.0.1']))
  })

  it('is passed over where the proxy has written its real one behind it', async () => {
    caller = await ApiCaller.start({ auditLog, trustProxy: ['127.0.0.0/8', '10.0.0.0/8'] })
    expect(await statuses(11, i => wrong(`203.0.113.${i}, 198.51.100.7, 10.0.0.3`))).toEqual({ 401: 10, 429: 1 })
    expect((await wrong('198.51.100.8, 10.0.0.3')).status).toBe(401)
    expect(new Set(audited().map(({ address }) => address))).toEqual(new Set(['198.51.100.7', '198.51.100.8']))
  })

  it('counts for connections as well, each for its own', async () => {
    caller = await ApiCaller.start({ trustProxy: ['127.0.0.1'], connectionsPerAddress: 1 })
    const open = (forwarded: string): Promise<string> =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(caller.server.ws, { headers: { 'x-forwarded-for': forwarded } })
        sockets.push(socket)
        socket.on('open', () => socket.send('["hello",{"v":1}]'))
        socket.on('message', (bytes: Buffer) =>
          resolve((JSON.parse(bytes.toString()) as string[]).slice(0, 2).join(' ')),
        )
        socket.on('error', reject)
      })
    const sockets: WebSocket[] = []
    expect(await open('203.0.113.1')).toMatch(/^welcome/)
    expect(await open('9.9.9.9, 203.0.113.1')).toBe('close overloaded')
    expect(await open('203.0.113.2')).toMatch(/^welcome/)
    for (const socket of sockets) socket.terminate()
  })
})

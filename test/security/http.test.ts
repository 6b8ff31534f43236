/** Requests that lie about where they come from, or come in crowds, over real HTTP. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
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
  it('is answered 429 and told when to come back, wherever it goes, and noted once in a second', async () => {
    caller = await ApiCaller.start({ httpRate: 5, auditLog, origins: ['https://here.example'] })
    const start = performance.now()
    const paths = ['/', '/metrics', '/api/openapi.json', '/api/nodes', '/nowhere', '/client.js']
    const counts = await statuses(60, i => askLoosely(paths[i % paths.length] ?? ''))
    expect(counts[429]).toBeGreaterThan(20)
    // Some seconds may have passed, each of which lets five in.
    let late = await askFromPage()
    for (let i = 0; i < 20 && late.status !== 429; i++) late = await askFromPage()
    expect(refusedWith(late)).toMatch(/^429 rate_limited: Too many requests .* at most 5 a second/)
    expect(Number(late.headers.get('retry-after'))).toBe(1)
    expect(late.headers.get('access-control-allow-origin')).toBe('https://here.example')
    const noted = audited().filter(({ event }) => event === 'throttled').length
    expect(noted).toBeGreaterThan(0)
    expect(noted).toBeLessThanOrEqual(Math.ceil((performance.now() - start) / 1_000) + 1)
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

  function askFromPage(): Promise<Answered> {
    return caller.ask('/api/rooms', { token: null, headers: { origin: 'https://here.example' } })
  }

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

describe('a request that is made by hand', () => {
  /** What the server says until it closes the connection, or for `ms`; a byte a second follows the head where `drips`. */
  function say(
    text: string,
    ms: number,
    drips = false,
    url = caller.server.http,
  ): Promise<{ said: string; closed: boolean }> {
    const { hostname, port } = new URL(url)
    return new Promise(resolve => {
      const socket = connect(Number(port), hostname, () => socket.write(text))
      const drip = drips ? setInterval(() => socket.write('a'), 1_000) : undefined
      let said = ''
      const end = (closed: boolean): void => {
        clearInterval(drip)
        clearTimeout(timer)
        resolve({ said, closed })
        socket.destroy()
      }
      const timer = setTimeout(() => end(false), ms)
      socket.on('data', bytes => (said += String(bytes)))
      socket.on('error', () => {})
      socket.on('close', () => end(true))
    })
  }

  const upgrade = (...origins: string[]): string =>
    [
      ...['GET /ws HTTP/1.1', 'Host: x', 'Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13'],
      ...['Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', ...origins.map(origin => `Origin: ${origin}`), '', ''],
    ].join('\r\n')
  const post = (...headers: string[]): string =>
    ['POST /api/login HTTP/1.1', 'Host: x', 'Content-Type: application/json', ...headers, '', ''].join('\r\n')
  const behind = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'

  it.each([
    ['two lengths', post('Content-Length: 2', 'Content-Length: 40') + '{}'],
    ['a length and chunks', post('Content-Length: 2', 'Transfer-Encoding: chunked') + '0\r\n\r\n'],
    ['a list of lengths', post('Content-Length: 2, 40') + '{}'],
    ['an unknown transfer coding', post('Transfer-Encoding: xchunked') + '{}'],
  ])('with %s is refused, and what stands behind it is not read as another one', async (_, head) => {
    caller = await ApiCaller.start()
    const { said, closed } = await say(head + behind, 10_000)
    expect([said.replace(/^HTTP.1.1 400 [^]*?<hr>.*$/, ''), closed]).toEqual(['', true])
  })

  it('does not leave the folder of the pages', async () => {
    caller = await ApiCaller.start()
    for (const path of [
      '/../../../../etc/passwd',
      '/assets/..%2f..%2f..%2fetc/passwd',
      '/%2e%2e/package.json',
      '//etc/passwd',
    ])
      expect((await say(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`, 1_000)).said).toMatch(
        /^HTTP.1.1 404/,
      )
  })

  it('does not come in from a foreign page behind a listed one', async () => {
    caller = await ApiCaller.start({ origins: ['https://here.example'] })
    for (const origins of [
      ['https://here.example', 'https://evil.example'],
      ['https://evil.example', 'https://here.example'],
      ['https://here.example, https://evil.example'],
      ['https://here.example.'],
    ])
      expect((await say(upgrade(...origins), 500)).said).toMatch(/^HTTP.1.1 403/)
    expect((await say(upgrade('https://here.example'), 500)).said).toMatch(/^HTTP.1.1 101/)
  })

  it('is cut off when it says nothing, or a byte a second', async () => {
    caller = await ApiCaller.start({ wssPort: 0 })
    const ends = await Promise.all([
      say('', 25_000),
      // In the middle of its TLS handshake.
      say('', 25_000, false, caller.server.wss ?? ''),
      say(`${behind.slice(0, -2)}X-Slow: `, 25_000, true),
      say(post('Content-Length: 4000'), 25_000, true),
    ])
    expect(ends.map(({ closed }) => closed)).toEqual([true, true, true, true])
  })

  it.each([
    ['GET', '/api/openapi.json', 1_000_000],
    ['HEAD', '/healthz', 50],
  ])(
    'to %s %s that is made again and again, and never read, is the end of its connection',
    async (method, path, httpRate) => {
      caller = await ApiCaller.start({ httpRate })
      const { hostname, port } = new URL(caller.server.http)
      const socket = connect(Number(port), hostname)
      socket.pause()
      socket.on('error', () => {})
      let [asked, closed] = [0, false]
      socket.on('close', () => (closed = true))
      const request = `${method} ${path} HTTP/1.1\r\nHost: x\r\n\r\n`
      // Megabytes of answers fit into the sockets themselves.
      const ask = (): boolean => {
        for (let i = 0; i < 10 && !closed; i++, asked++) socket.write(request)
        return closed
      }
      await expect.poll(ask, { timeout: 60_000, interval: 5 }).toBe(true)
      expect(asked).toBeLessThan(5_000)
    },
  )

  it('may claim to come from far without end', async () => {
    caller = await ApiCaller.start({ trustProxy: ['127.0.0.1'] })
    const forwarded = '203.0.113.9, '.repeat(8_000)
    const { said } = await say(
      `GET /healthz HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: ${forwarded}1.2.3.4\r\n\r\n`,
      1_000,
    )
    expect(said).toMatch(/^HTTP.1.1 (200|431)/)
  })
})

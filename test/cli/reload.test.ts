/** What SIGHUP changes in a server that runs: a process of the built command, its options in a file. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import WebSocket from 'ws'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { connectBySocket } from '../gateway/peer.ts'
import { start, type Running } from './process.ts'

const [old, fresh] = ['an-old-admin-token-that-nobody-guesses', 'a-new-admin-token-that-nobody-guesses']
const options = { port: 0, tcpPort: 'off', tlsPort: 'off', store: 'memory', adminToken: old, maxLag: '1m' }

let folder: string
let config: string
let running: Running
let logged: string
let places: { ws: string; http: string }

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ackd-reload-'))
  config = join(folder, 'ackd.json')
  write(options)
  running = start(['serve', '--config', config, '--frame-rate', '77'], { home: folder })
  logged = ''
  running.process.stderr.on('data', bytes => (logged += String(bytes)))
  places = JSON.parse(await running.line()) as typeof places
})

afterEach(async () => {
  await running.kill('SIGKILL')
  rmSync(folder, { recursive: true })
})

function write(value: object | string): void {
  writeFileSync(config, typeof value === 'string' ? value : JSON.stringify(value))
}

/** The line of the log that comes with the signal. */
async function reload(says: string): Promise<Record<string, unknown>> {
  const before = logged.length
  running.process.kill('SIGHUP')
  const line = (): string | undefined =>
    logged
      .slice(before)
      .split('\n')
      .find(one => one.includes(says))
  await expect.poll(line, { timeout: 10_000 }).toBeDefined()
  return JSON.parse(line() ?? '') as Record<string, unknown>
}

const statusWith = async (token: string): Promise<number> =>
  (await fetch(`${places.http}/api/nodes`, { headers: { authorization: `Bearer ${token}` } })).status

/** How the first frame that the server says begins, or the status with which it refuses the upgrade. */
function first(origin?: string): Promise<string> {
  return new Promise(resolve => {
    const socket = new WebSocket(places.ws, origin === undefined ? {} : { origin })
    socket.on('open', () => socket.send('["hello",{"v":1}]'))
    socket.on('message', (bytes: Buffer) => {
      resolve((JSON.parse(bytes.toString()) as unknown[]).slice(0, 2).map(String).join(' '))
      socket.terminate()
    })
    socket.on('unexpected-response', (request, response) => {
      resolve(String(response.statusCode))
      request.destroy()
    })
    socket.on('error', () => {})
  })
}

describe('SIGHUP', () => {
  it('takes from the file what can change while the server runs, and says what has changed', async () => {
    const peer = await connectBySocket(places.ws)
    await peer.hello()
    expect([await statusWith(old), await statusWith(fresh), await first('https://a.example')]).toEqual([
      ...[200, 401],
      expect.stringMatching(/^welcome/),
    ])
    const origins = 'https://b.example'
    write({ ...options, adminToken: fresh, origins, httpRate: 5, connectionsPerAddress: 1, port: 1, frameRate: 5 })
    const { changed } = await reload('the options were read anew')
    // The flag still wins over the file.
    expect(changed).toEqual({
      origins: { from: [], to: [origins] },
      adminToken: 'another one',
      httpRate: { from: 100, to: 5 },
      connectionsPerAddress: { from: 1_000, to: 1 },
    })
    await expect.poll(() => logged).toContain('"options":["port"]')
    expect([await statusWith(old), await statusWith(fresh)]).toEqual([401, 200])
    expect(await first('https://a.example')).toBe('403')
    expect(await first('https://b.example')).toBe('close overloaded')
    const many = await Promise.all(Array.from({ length: 20 }, () => fetch(`${places.http}/metrics`)))
    expect(many.filter(({ status }) => status === 429).length).toBeGreaterThan(5)
    expect(logged).not.toContain(fresh)
    peer.say(frames => frames.ping())
    await peer.next('pong')
  })

  it('ends who is idle by the policy of now', async () => {
    const peer = await connectBySocket(places.ws)
    await peer.hello()
    write({ ...options, idleTimeout: '1s' })
    await reload('the options were read anew')
    expect((await peer.next('close'))[1]).toBe('idle')
  })

  it('says less when it is told to', async () => {
    write({ ...options, logLevel: 'warn' })
    await reload('the options were read anew')
    write({ ...options, logLevel: 'warn', httpRate: 50, port: 1 })
    await reload('hold only after the server was started again')
    expect(logged).not.toContain('"to":50')
  })

  it.each<[string, object | string, RegExp]>([
    ['a value that cannot be', { ...options, httpRate: 'many' }, /"httpRate" in .* cannot be "many"; give 1 to/],
    ['an option that there is not', { ...options, htpRate: 5 }, /did you mean "httpRate"/],
    ['no JSON', 'nonsense', /is not JSON/],
    ['options that make no sense together', { ...options, accounts: 'on' }, /Accounts are given tokens/],
  ])('changes nothing when the file holds %s, and says so', async (_, wrong, text) => {
    write(typeof wrong === 'string' ? wrong : { ...wrong, adminToken: fresh })
    const { error } = await reload('the options could not be read anew; the old ones stay')
    expect(error).toMatch(text)
    expect([await statusWith(old), await statusWith(fresh)]).toEqual([200, 401])
  })
})

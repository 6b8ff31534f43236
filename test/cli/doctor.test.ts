/** The doctor, on real servers, ports, files and Redis. What cannot be brought about here is told to the checks themselves. */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkCertificate } from '../../src/cli/doctor-certificate.ts'
import { checkEmbedded, judgeFileSystem, judgeRoom } from '../../src/cli/doctor-data.ts'
import { checkGlibc, checkNode, checkOpenFiles } from '../../src/cli/doctor-machine.ts'
import { judgeClock } from '../../src/cli/doctor-redis.ts'
import type { Finding } from '../../src/cli/finding.ts'
import { readOptions } from '../../src/option-sources.ts'
import { streamName } from '../../src/protocol/mailbox.ts'
import { openLmdbStore } from '../../src/store/lmdb.ts'
import { dataFiles } from '../../src/store/lmdb/directory.ts'
import { makeDevelopmentCertificate } from '../../src/transport/development.ts'
import { freePort } from '../support/port.ts'
import { RedisServer } from '../support/redis.ts'
import { ackd, serve } from './process.ts'

const home = mkdtempSync(join(tmpdir(), 'ackd-doctor-'))
const path = (name: string): string => join(home, name)
const { cert, key } = makeDevelopmentCertificate()

beforeAll(() => {
  writeFileSync(path('tls.crt'), cert)
  writeFileSync(path('tls.key'), key)
  writeFileSync(path('other.key'), makeDevelopmentCertificate().key)
})

afterAll(() => {
  rmSync(home, { recursive: true })
})

interface Visit {
  readonly code: number | null
  readonly findings: readonly Finding[]
}

async function visit(args: readonly string[], environment: Record<string, string> = {}): Promise<Visit> {
  const { code, out } = await ackd(['doctor', '--json', ...args], { home, environment })
  const lines = out.trim().split('\n')
  return { code, findings: lines.map(line => JSON.parse(line) as Finding) }
}

/** The only finding whose sentence contains the words. */
function about({ findings }: Visit, words: string): Finding {
  const [finding, ...more] = findings.filter(({ what }) => what.includes(words))
  if (finding === undefined || more.length > 0) throw new Error(`${words}: ${JSON.stringify(findings, null, 1)}`)
  return finding
}

/** All of a finding in a line: `bad: what fix`. */
const told = ({ level, what, fix }: Finding): string => `${level}: ${what} ${fix ?? ''}`

const marks = ({ findings }: Visit, level: Finding['level']): string[] =>
  findings.filter(finding => finding.level === level).map(({ what }) => what)

const certificate = (): string[] => ['--tls-cert', path('tls.crt'), '--tls-key', path('tls.key')]

describe('ackd doctor', () => {
  it('finds nothing to mend where a server would start', async () => {
    const before = await visit(['--port', '0', '--data-dir', path('new'), ...certificate()])
    expect([before.code, marks(before, 'bad')]).toEqual([0, []])
    expect(about(before, 'the certificate in').level).toBe('good')
    expect(about(before, 'the data directory').level).toBe('good')
    expect(() => statSync(path('new'))).toThrow('ENOENT')
  })

  it('prints a mark for each finding, and the fix below what has one', async () => {
    const { code, out, err } = await ackd(['doctor', '--port', '0', '--store', 'memory'], { home })
    expect([code, err]).toEqual([0, ''])
    expect(out).toMatch(/^✓ Node \d+/)
    expect(out).toMatch(/^! Everything is kept in memory.*\n {4}fix: Use the store lmdb/m)
  })

  it('knows a server that runs, by its port and by its lock', async () => {
    const flags = ['--tcp-port', String(await freePort()), '--tls-port', 'off']
    const place = await serve(home, path('live'), ...flags)
    const beside = await visit(['--port', new URL(place.http).port, '--data-dir', path('live'), ...flags])
    await place.running.kill('SIGTERM')
    expect([beside.code, marks(beside, 'bad')]).toEqual([0, []])
    expect(about(beside, 'HTTP and WebSocket').what).toContain('taken, while an ackd runs here')
    expect(about(beside, 'TCP').what).toContain('taken, while an ackd runs here')
    expect(about(beside, 'in use by a server that runs').level).toBe('good')
    expect(about(beside, 'embedded store opens').level).toBe('good')
  })

  it('does not take another program on a port for an ackd', async () => {
    const other = createServer(socket => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}')).listen(
      0,
      '127.0.0.1',
    )
    await once(other, 'listening')
    const address = other.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const visited = await visit(['--port', String(port), '--tcp-port', 'off', '--tls-port', 'off', '--store', 'memory'])
    other.close()
    expect(visited.code).toBe(1)
    expect(told(about(visited, `port ${port}`))).toMatch(/^bad: .*--port/)
  })

  it('knows an address that is not of this machine', async () => {
    const visited = await visit(['--host', '192.0.2.1', '--tcp-port', 'off', '--tls-port', 'off', '--store', 'memory'])
    expect(told(about(visited, '192.0.2.1'))).toMatch(/^bad: .*--host/)
  })

  it('names the option that was meant, and judges the rest of the machine all the same', async () => {
    const visited = await visit([], { ACKD_ACK_TIMOUT: '10s' })
    expect(visited.code).toBe(1)
    expect(about(visited, 'ACKD_ACK_TIMOUT').fix).toContain('did you mean ACKD_ACK_TIMEOUT?')
    expect(about(visited, 'open files').level).not.toBe('bad')
  })

  it('warns of few open files', () => {
    const words = ['dist/cli/main.js', 'doctor', '--json', '--port', '0', '--store', 'memory']
    const limited = ['-c', 'ulimit -n 4096 && exec "$0" "$@"', process.execPath, ...words]
    const { stdout, status } = spawnSync('sh', limited, { encoding: 'utf8' })
    expect(status).toBe(0)
    expect(stdout).toContain('"level":"warning","what":"Only 4,096 open files are allowed')
  })
})

describe('the machine', () => {
  const linux = { platform: 'linux', glibc: '2.36', openFiles: null }

  it('must have a Node that is new enough', () => {
    expect(checkNode('20.14.0', '>=20.15').level).toBe('bad')
    expect(checkNode('20.15.0', '>=20.15').level).toBe('good')
    expect(checkNode('24.1.0', '>=20.15').level).toBe('good')
  })

  it('must have the glibc of the binary for its Node', () => {
    expect(checkGlibc(linux, '20.20.2').level).toBe('good')
    expect(told(checkGlibc(linux, '22.1.0'))).toMatch(/^bad: .*needs 2.38/)
    expect(checkGlibc({ ...linux, glibc: '2.41' }, '24.1.0').level).toBe('good')
    expect(checkGlibc({ ...linux, glibc: null }, '20.20.2').what).toContain('not glibc')
    expect(checkGlibc({ ...linux, platform: 'darwin', glibc: null }, '22.1.0').level).toBe('good')
  })

  it('may have no limit of open files', () => {
    expect(checkOpenFiles(linux).level).toBe('good')
    expect(checkOpenFiles({ ...linux, openFiles: 1024 }).fix).toContain('ulimit -n')
  })
})

describe('the certificate', () => {
  const year = 365 * 86_400_000
  const options = (tlsCert: string, tlsKey: string): ReturnType<typeof readOptions> =>
    readOptions({ flags: { tlsCert, tlsKey } })

  it('must be readable and of its key', async () => {
    const missing = await visit(['--port', '0', '--store', 'memory', '--tls-cert', path('no.crt'), '--tls-key', home])
    expect([missing.code, about(missing, 'ACKD_TLS_CERT cannot be read').level]).toEqual([1, 'bad'])
    expect(checkCertificate(options(path('tls.crt'), home)).what).toContain('ACKD_TLS_KEY cannot be read')
    expect(checkCertificate(options(path('tls.crt'), path('other.key'))).what).toContain('cannot be used')
    expect(checkCertificate(options(path('tls.crt'), path('tls.key'))).level).toBe('good')
  })

  it('must be valid for a while', () => {
    const at = (now: number): Finding => checkCertificate(options(path('tls.crt'), path('tls.key')), now)
    expect(told(at(Date.now() + 11 * year))).toMatch(/^bad: .*expired/)
    expect(at(Date.now() + 10 * year - 4 * 86_400_000).level).toBe('warning')
    expect(at(Date.now() - year).what).toContain('not valid before')
  })

  it('is named when it is only for development, and none is made', () => {
    const finding = checkCertificate(readOptions({ flags: { dataDir: path('none') } }))
    expect(told(finding)).toMatch(/^warning: .*development certificate/)
    expect(() => statSync(path('none'))).toThrow('ENOENT')
  })
})

describe('the data directory', () => {
  it('must be one', async () => {
    const visited = await visit(['--port', '0', '--data-dir', join(path('tls.crt'), 'data')])
    expect([visited.code, about(visited, 'is no directory').level]).toEqual([1, 'bad'])
  })

  it('must have room, on a disk of this machine', () => {
    expect(
      [judgeRoom('/d', 2 ** 20), judgeRoom('/d', 2 ** 29), judgeRoom('/d', 2 ** 31)].map(({ level }) => level),
    ).toEqual(['bad', 'warning', 'good'])
    expect(judgeFileSystem('/d', 0x6969).what).toContain('NFS')
    expect(judgeFileSystem('/d', 0xef53).level).toBe('good')
  })

  it('must hold a store that is whole', async () => {
    const directory = path('store')
    mkdirSync(directory)
    await (await openLmdbStore({ directory })).close()
    expect((await checkEmbedded(directory)).what).toContain('every page of it is whole')
    truncateSync(dataFiles(directory).data, 5_000)
    expect(told(await checkEmbedded(directory))).toMatch(/^bad: .*damaged/)
    rmSync(dataFiles(directory).data)
    expect(told(await checkEmbedded(directory))).toMatch(/^bad: .*missing/)
  })
})

describe('a message that is damaged on the disk', () => {
  it('is a warning, since the others are not', async () => {
    const directory = path('scratched')
    const store = await openLmdbStore({ directory })
    const proof = { kind: 'token' } as const
    await store.bind({ id: 'bob', proof, create: true, node: 'n', nonce: 'x', outbox: 'outbox-1', attempt: 0 })
    const bytes = Buffer.from('"a body to be found"')
    const body = { bytes, start: 0, end: bytes.length, text: true }
    const stream = streamName('alice', 'outbox-1')
    await store.enqueue('bob', [{ stream, n: 1, floor: 1, time: Date.now(), expires: 0, body, repeated: false }])
    await store.close()
    const { data } = dataFiles(directory)
    const scratched = readFileSync(data, 'latin1').replaceAll('a body to be found', 'a body to be lost!')
    writeFileSync(data, scratched, 'latin1')
    expect(told(await checkEmbedded(directory))).toMatch(/^warning: One message .* is damaged/)
  })
})

describe('a Redis', () => {
  const flags = ['--port', '0', ...certificate()]
  async function visitRedis(settings: readonly string[], user = ''): Promise<Visit> {
    const redis = await RedisServer.start(...settings)
    try {
      const environment = { ACKD_REDIS_URL: redis.url.replace('://', `://${user}`), ACKD_DATA_DIR: home }
      return await visit(flags, environment)
    } finally {
      await redis.stop()
    }
  }

  it('with the settings of ackd is good', async () => {
    const settings = ['--appendonly', 'yes', '--appendfsync', 'always', '--requirepass', 'secret']
    const visited = await visitRedis(settings, ':secret@')
    expect([visited.code, marks(visited, 'bad')]).toEqual([0, []])
    expect(told(about(visited, ' at redis://'))).toMatch(/^good: Redis \d(?!.*secret)/)
    expect(about(visited, 'the clock is within').level).toBe('good')
  })

  it('that could lose or tell messages is a warning each, with its fix', async () => {
    const visited = await visitRedis(['--appendonly', 'yes', '--appendfsync', 'everysec'])
    expect(visited.code).toBe(0)
    expect(told(about(visited, 'the last second of'))).toMatch(/^warning: .*\. Set appendfsync always/)
    expect(about(visited, 'asks for no password').level).toBe('warning')
  })

  it.each([
    ['evicts', ['--maxmemory-policy', 'allkeys-lru'], 'maxmemory-policy is allkeys-lru'],
    ['wants a password', ['--requirepass', 'secret'], 'NOAUTH'],
  ])('that %s is bad', async (_, settings, words) => {
    const visited = await visitRedis(settings)
    expect([visited.code, about(visited, words).level]).toEqual([1, 'bad'])
  })

  it('that is away is bad', async () => {
    const visited = await visit([...flags, '--redis-url', `redis://127.0.0.1:${await freePort()}`])
    expect([visited.code, about(visited, 'cannot be reached').level]).toEqual([1, 'bad'])
  })

  it('goes by the same clock', () => {
    expect(judgeClock(-900).level).toBe('good')
    expect(told(judgeClock(1_500))).toMatch(/^warning: .*1.5 s ahead of/)
    expect(judgeClock(-90_000).what).toContain('behind')
  })
})

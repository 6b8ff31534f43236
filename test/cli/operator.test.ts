/** The commands of those who run a server, as processes, against a server with an admin token: all on the embedded store, and what each does, on Redis. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RedisServer } from '../support/redis.ts'
import { ackd, serve, start, type Ended, type Place } from './process.ts'

const home = mkdtempSync(join(tmpdir(), 'ackd-operator-'))
const adminToken = 'an-admin-token-that-nobody-guesses'
const jwtSecret = 'a-secret-of-32-bytes-for-this-test'
const environment = { ACKD_ADMIN_TOKEN: adminToken, ACKD_JWT_SECRET: jwtSecret }
let server: Place

beforeAll(async () => {
  const config = join(home, 'ackd.json')
  writeFileSync(
    config,
    JSON.stringify({ adminToken, jwtSecret, auth: 'both', accounts: 'on', maxLag: '1m', trace: 1_000 }),
  )
  server = await serve(home, join(home, 'data'), '--config', config)
})

afterAll(async () => {
  await server.running.kill('SIGTERM')
  rmSync(home, { recursive: true })
})

function run(...args: string[]): Promise<Ended> {
  return ackd(args, { home, url: server.url, environment })
}

async function listening(name: string): Promise<{ readonly id: string; end(): Promise<Ended> }> {
  const running = start(['listen', '--as', name, '--json'], { home, url: server.url })
  const { id } = JSON.parse(await running.line()) as { id: string }
  return { id, end: () => running.kill('SIGINT') }
}

describe('a token', () => {
  it('says who a command is, from the environment or a flag', async () => {
    const create = async (id: string): Promise<string> => (await run('token', 'create', id)).out.trim()
    const [hers, his] = await Promise.all([create('vera'), create('team:walt@x')])
    const vera = start(['listen', '--json', '-n', '1'], { home, url: server.url, environment: { ACKD_TOKEN: hers } })
    expect(JSON.parse(await vera.line())).toEqual({ type: 'ready', id: 'vera', profile: 'vera' })
    expect((await run('send', 'vera', 'hello', '--token', his)).out).toContain('✓ delivered → vera')
    expect(JSON.parse(await vera.line())).toMatchObject({ from: 'team:walt@x', body: 'hello' })
    expect((await vera.ended()).code).toBe(0)
    expect((await run('profile', 'ls')).out).not.toContain('vera')
  })

  it('that is refused ends it with 4, and with the way to another one', async () => {
    const { code, err } = await run('send', 'vera', 'hello', '--token', 'e30.eyJzdWIiOiJ2ZXJhIn0.e30')
    expect([code, err]).toEqual([4, expect.stringContaining('ackd token create ID')])
  })

  it('is asked for where the server wants one', async () => {
    const strict = await serve(home, join(home, 'strict'), '--auth', 'token', '--jwt-secret', jwtSecret)
    const at = (...args: string[]): Promise<Ended> => ackd(args, { home, url: strict.url })
    const [sent, measured] = await Promise.all([at('send', 'vera', 'hi'), at('bench', '--clients', '2')])
    await strict.running.kill('SIGTERM')
    expect([sent.code, sent.err]).toEqual([4, expect.stringContaining('ACKD_TOKEN, or --token')])
    expect([measured.code, measured.err]).toEqual([4, expect.stringContaining('bench has none')])
  })
})

describe('ackd clients', () => {
  it('lists, shows and sends away', async () => {
    const bob = await listening('bob')
    const list = await run('clients', 'ls', '--online')
    expect(list.out).toMatch(/^id +node +waiting +bytes +oldest\n/)
    expect(list.out).toContain(`${bob.id}  `)
    const info = await run('clients', 'info', 'bob')
    expect(info.out).toContain('connection transport')
    expect(JSON.parse((await run('clients', 'info', bob.id, '--json')).out)).toMatchObject({ id: bob.id, parked: 0 })
    expect((await run('clients', 'kick', 'bob')).out).toBe('kicked\n')
    const { err } = await bob.end()
    expect(err).toContain('An operator closed this connection')
    const again = await run('clients', 'kick', 'bob')
    expect([again.code, again.err]).toEqual([1, expect.stringContaining('see who is: ackd clients ls --online')])
  })

  it('names what is parked, and an http address will do', async () => {
    await (await listening('carol')).end()
    await run('send', 'carol', 'are you there?')
    const { out } = await ackd(['clients', 'ls', '--json', '--url', server.http], { home, environment })
    const waiting = out
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as { parked: number })
    expect(waiting).toContainEqual(expect.objectContaining({ parked: 1, node: null }))
  })

  it('says what to do without a token, with a wrong one, without a server, and on a port without an API', async () => {
    const bare = await ackd(['clients', 'ls'], { home, url: server.url })
    expect([bare.code, bare.err]).toEqual([2, expect.stringContaining('set ACKD_ADMIN_TOKEN')])
    const wrong = await ackd(['clients', 'ls', '--admin-token', 'wrong'], { home, url: server.url })
    expect([wrong.code, wrong.err]).toEqual([4, expect.stringContaining('the admin token is wrong')])
    const away = await run('clients', 'ls', '--url', 'ws://127.0.0.1:1/ws')
    expect([away.code, away.err]).toEqual([3, expect.stringContaining('ackd serve')])
    const tcp = await run('clients', 'ls', '--url', 'tcp://127.0.0.1:2500')
    expect([tcp.code, tcp.err]).toEqual([2, expect.stringContaining('--url ws://')])
    const nobody = await run('clients', 'info', 'nobody')
    expect([nobody.code, nobody.err]).toEqual([1, expect.stringContaining('check the address')])
  })
})

describe('ackd trace', () => {
  it('says where a message is and what happened to it', async () => {
    const erin = await listening('erin')
    await erin.end()
    await run('send', 'erin', 'where am I?', '--as', 'frank')
    const { out } = await run('clients', 'info', 'erin', '--json')
    expect(JSON.parse(out)).toMatchObject({ parked: 1 })
    const headers = { authorization: `Bearer ${adminToken}` }
    const response = await fetch(`${server.http}/api/clients/${erin.id}/mailbox`, { headers })
    const { messages } = (await response.json()) as { messages: { outbox: string; n: number }[] }
    const [{ outbox, n }] = messages as [{ outbox: string; n: number }]
    const traced = await run('trace', 'frank', outbox, String(n), '--to', 'erin')
    expect(traced.out).toMatch(
      new RegExp(`^→ ${erin.id}: waiting\\n.*  taken *\\n.*  parked  absent\\n.*  stored *\\n$`),
    )
    const none = await run('trace', 'frank', outbox, '99')
    expect([none.code, none.err]).toEqual([1, expect.stringContaining('--to ID')])
  })
})

describe('ackd presence', () => {
  it('says who is online', async () => {
    const dave = await listening('dave')
    const { out } = await run('presence', 'dave', 'nobody', '--as', 'asker')
    expect(out).toBe('online   dave\noffline  nobody\n')
    const json = await run('presence', dave.id, '--as', 'asker', '--json')
    expect(JSON.parse(json.out)).toEqual({ id: dave.id, online: true })
    await dave.end()
  })
})

describe('ackd rooms and ackd history', () => {
  const post = (body: unknown): Promise<unknown> =>
    fetch(`${server.http}/api/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ to: '#lobby', body }),
    })

  it('tell of rooms what an operator wants to know', async () => {
    const list = await run('rooms', 'ls')
    expect(list.out).toMatch(/^room +owner +kind +last offset\n/)
    expect(list.out).toContain('#lobby')
    const info = await run('rooms', 'info', 'lobby', '--json')
    expect(JSON.parse(info.out)).toMatchObject({ room: '#lobby', private: false, locked: false })
    const none = await run('rooms', 'info', '#nowhere')
    expect([none.code, none.err]).toEqual([1, expect.stringContaining('check its name')])
  })

  it('tell who is in a room, and at which node', async () => {
    const info = await run('nodes', '--json')
    const { node } = JSON.parse(info.out) as { node: string }
    expect((await run('nodes')).out).toMatch(new RegExp(`^node +host +clients .*\\n${node} .* now\\n$`))
    const gina = start(['chat', 'lobby', '--as', 'gina'], { home, url: server.url })
    await expect.poll(async () => (await run('rooms', 'members', 'lobby')).out).toMatch(new RegExp(`  ${node}\\n$`))
    const listed = await run('rooms', 'members', 'lobby', '--json')
    expect(JSON.parse(listed.out)).toMatchObject({ name: 'gina', node })
    await gina.kill('SIGINT')
    const none = await run('rooms', 'members', 'nowhere')
    expect([none.code, none.err]).toEqual([1, expect.stringContaining('check its name')])
  })

  it('print the newest messages, oldest first, and pages before and after an offset', async () => {
    for (let i = 1; i <= 5; i++) await post(`message ${i}`)
    const seen = async (...args: string[]): Promise<unknown[]> => {
      const { out } = await run('history', 'lobby', '--as', 'reader', '--json', ...args)
      const lines = out
        .trim()
        .split('\n')
        .filter(line => line !== '')
      return lines.map(line => (JSON.parse(line) as { body: unknown }).body)
    }
    expect(await seen('-n', '2')).toEqual(['message 4', 'message 5'])
    expect(await seen('--before', '3')).toEqual(['message 1', 'message 2'])
    expect(await seen('--after', '3')).toEqual(['message 4', 'message 5'])
    expect(await seen('--from', 'nobody')).toEqual([])
    const { out } = await run('history', 'lobby', '--as', 'reader', '-n', '1')
    expect(out).toMatch(/^5 {2}\S+Z {2}ackd:api {2}message 5\n$/)
    const none = await run('history', 'nowhere', '--as', 'reader')
    expect([none.code, none.err]).toEqual([4, expect.stringContaining('create it first')])
  })
})

describe('ackd token', () => {
  it('makes tokens that the same secret finds good, with what they allow', async () => {
    const { out } = await run(
      'token',
      'create',
      'alice',
      '--name',
      'Alice',
      '--target',
      'team-*',
      'bob',
      '--life',
      '5m',
    )
    const verified = await run('token', 'verify', out.trim())
    expect(JSON.parse(verified.out)).toMatchObject({
      id: 'alice',
      name: 'Alice',
      rights: { admin: false, targets: ['team-*', 'bob'], rooms: null },
    })
    const other = await ackd(['token', 'verify', out.trim(), '--jwt-secret', 'x'.repeat(32)], { home })
    expect([other.code, other.err]).toEqual([4, expect.stringContaining('signature')])
  })

  it('makes none that would not be taken, and none without a secret', async () => {
    const misnamed = await run('token', 'create', 'two words')
    expect([misnamed.code, misnamed.out, misnamed.err]).toEqual([2, '', expect.stringContaining('sub')])
    const bare = await ackd(['token', 'create', 'alice'], { home })
    expect([bare.code, bare.err]).toEqual([2, expect.stringContaining('set ACKD_JWT_SECRET')])
  })
})

describe('ackd user', () => {
  it('adds an account that can log in, and changes its password', async () => {
    const login = async (password: string): Promise<number> => {
      const body = JSON.stringify({ id: 'alice', password })
      const headers = { 'content-type': 'application/json' }
      return (await fetch(`${server.http}/api/login`, { method: 'POST', headers, body })).status
    }
    const added = await ackd(
      ['user', 'add', 'alice'],
      { home, url: server.url, environment },
      'correct horse battery\n',
    )
    expect([added.code, added.out]).toEqual([0, 'added alice\n'])
    expect(await login('correct horse battery')).toBe(200)
    await ackd(['user', 'passwd', 'alice'], { home, url: server.url, environment }, 'staple, correct\n')
    expect([await login('correct horse battery'), await login('staple, correct')]).toEqual([401, 200])
    const twice = await ackd(
      ['user', 'add', 'alice'],
      { home, url: server.url, environment },
      'correct horse battery\n',
    )
    expect([twice.code, twice.err]).toEqual([4, expect.stringContaining('take another name')])
    await ackd(['user', 'add', 'root', '--admin'], { home, url: server.url, environment }, 'battery, staple\n')
    const users = await run('user', 'ls')
    expect(users.out).toMatch(/^name +kind +made +password set\nalice +user +\d{4}-.*\nroot +admin +\d{4}-.*\n$/)
    for (const [word, said, status] of [
      ['disable', 'alice is disabled', 403],
      ['enable', 'alice is enabled', 200],
      ['promote', 'alice is an admin', 200],
      ['demote', 'alice is no admin', 200],
      ['rm', 'removed alice; its mailbox stays, for whoever takes the name next', 401],
    ] as const) {
      expect((await run('user', word, 'alice')).out).toBe(`${said}\n`)
      expect(await login('staple, correct')).toBe(status)
    }
    const gone = await run('user', 'rm', 'alice')
    expect([gone.code, gone.err]).toEqual([1, expect.stringContaining('check the name')])
    const silent = await ackd(['user', 'add', 'bob'], { home, url: server.url, environment })
    expect([silent.code, silent.err]).toEqual([2, expect.stringContaining('< password.txt')])
  })
})

describe('on Redis', () => {
  it('each does what it does elsewhere', async () => {
    const redis = await RedisServer.start('--appendonly', 'yes')
    const config = join(home, 'redis.json')
    writeFileSync(
      config,
      JSON.stringify({ adminToken, jwtSecret, auth: 'both', accounts: 'on', maxLag: '1m', redisUrl: redis.url }),
    )
    const { url, http, running } = await serve(home, join(home, 'unused'), '--config', config)
    const on = async (...args: string[]): Promise<string> => (await ackd(args, { home, url, environment })).out
    const listener = start(['listen', '--as', 'grace', '--json'], { home, url })
    const { id } = JSON.parse(await listener.line()) as { id: string }
    await fetch(`${http}/api/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ to: '#lobby', body: 'hello' }),
    })
    const said = await Promise.all([
      on('clients', 'ls', '--online'),
      on('clients', 'info', id, '--json'),
      on('presence', id, '--as', 'heidi'),
      on('history', 'lobby', '--as', 'ivan'),
      on('rooms', 'ls'),
      on('rooms', 'info', 'lobby', '--json'),
    ])
    expect(said).toEqual([
      expect.stringContaining(`${id}  `),
      expect.stringContaining(`"id":"${id}"`),
      `online   ${id}\n`,
      expect.stringMatching(/^1 {2}\S+Z {2}ackd:api {2}hello\n$/),
      expect.stringContaining('#lobby'),
      expect.stringContaining('"room":"#lobby"'),
    ])
    expect(await on('clients', 'kick', id)).toBe('kicked\n')
    expect((await listener.kill('SIGINT')).err).toContain('An operator closed this connection')
    const typed = (args: string[], text: string): Promise<Ended> => ackd(args, { home, url, environment }, text)
    expect((await typed(['user', 'add', 'alice'], 'correct horse battery\n')).out).toBe('added alice\n')
    expect((await typed(['user', 'passwd', 'alice'], 'staple, correct\n')).code).toBe(0)
    expect(await on('user', 'ls')).toContain('alice')
    await running.kill('SIGTERM')
    await redis.stop()
  })
})

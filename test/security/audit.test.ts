/**
 * Every event of the audit log, brought about over real sockets, and what is then written of it.
 *
 * One row for each event; the first test says so, and is red when one has no row, or is not in docs/security.md.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import WebSocket from 'ws'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { auditEvents, type AuditEvent } from '../../src/gateway/audit.ts'
import { ADMIN_TOKEN, ApiCaller, type Answered } from '../gateway/api-caller.ts'
import { connectBySocket, type Peer } from '../gateway/peer.ts'
import { secret as signing, tokenOf } from '../support/issuer.ts'

const folder = mkdtempSync(join(tmpdir(), 'ackd-audit-'))
const auditLog = join(folder, 'audit.log')
const password = 'a password of alice'
const address = '127.0.0.1'
let caller: ApiCaller

beforeAll(async () => {
  const origins = ['https://here.example']
  const tokens = { auth: 'both', jwtSecret: signing, accounts: 'on' } as const
  caller = await ApiCaller.start({ auditLog, origins, httpRate: 10_000, ...tokens })
  for (const id of ['alice', 'bob']) await post('/api/register', { id, password })
})

afterAll(async () => {
  await caller.close()
  rmSync(folder, { recursive: true })
})

const post = (path: string, body: object): Promise<Answered> => caller.ask(path, { method: 'POST', token: null, body })

async function enter(more: Parameters<Peer['hello']>[0] = {}): Promise<{ peer: Peer; id: string; secret: string }> {
  const peer = await connectBySocket(caller.server.ws)
  const { id, secret = '' } = await peer.hello(more)
  return { peer, id, secret }
}

/** Tries with no token of an admin. */
const sneak = (): Promise<Answered> => caller.ask('/api/nodes', { token: `${ADMIN_TOKEN}-not` })

/** A page of that origin; resolves when it is turned away. */
function visit(origin: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(caller.server.ws, { origin })
    socket.on('unexpected-response', request => {
      request.destroy()
      resolve()
    })
    socket.on('open', () => reject(new Error('it was let in')))
    socket.on('error', () => {})
  })
}

async function makeRoom(room: string, more: { readonly password?: string } = {}): Promise<{ peer: Peer; id: string }> {
  const owner = await enter()
  owner.peer.say(frames => frames.create(1, room, more))
  await owner.peer.next('reply')
  return owner
}

/** What brings an event about, and the line that is written of it. */
const rows: Record<AuditEvent, () => Promise<object>> = {
  token_refused: async () => {
    const peer = await connectBySocket(caller.server.ws)
    peer.say(frames =>
      frames.hello({ v: 1, token: tokenOf({ sub: 'alice' }, {}, 'of somebody else, and of 32 bytes') }),
    )
    await peer.end()
    return { address, transport: 'ws', why: 'The signature of the token is not right.' }
  },

  origin_refused: async () => {
    for (let i = 0; i < 5; i++) await visit('https://there.example')
    return { address, transport: 'ws', origin: 'https://there.example' }
  },

  secret_wrong: async () => {
    const { id } = await enter()
    const thief = await connectBySocket(caller.server.ws)
    thief.say(frames => frames.hello({ v: 1, id, secret: 'a guess' }))
    await thief.end()
    return { id, address, transport: 'ws' }
  },

  secret_rotated: async () => {
    const { peer, id } = await enter()
    peer.say(frames => frames.rotate(1))
    await peer.next('reply')
    return { id }
  },

  registered: async () => {
    await post('/api/register', { id: 'carol', password })
    return { id: 'carol', address }
  },

  login: async () => {
    await post('/api/login', { id: 'alice', password })
    return { id: 'alice', address }
  },

  login_failed: async () => {
    await post('/api/login', { id: 'alice', password: 'not that of alice' })
    return { id: 'alice', address, why: 'wrong password' }
  },

  password_changed: async () => {
    await post('/api/password', { id: 'bob', password, newPassword: 'another password' })
    return { id: 'bob', address }
  },

  account_changed: async () => {
    await caller.ask('/api/accounts/bob', { method: 'PATCH', body: { disabled: true } })
    return { id: 'bob', address, why: 'disabled' }
  },

  account_removed: async () => {
    await caller.ask('/api/accounts/bob', { method: 'DELETE' })
    return { id: 'bob', address }
  },

  throttled: async () => {
    for (let i = 0; i < 6; i++) await post('/api/login', { id: 'nobody', password: `guess number ${i}` })
    return { id: 'nobody', address }
  },

  flood: async () => {
    const { peer, id } = await enter()
    peer.say(frames => {
      for (let i = 0; i < 20_000; i++) frames.ping()
    })
    await peer.end()
    return { id, address, transport: 'ws' }
  },

  kicked: async () => {
    const { peer, id } = await enter()
    await caller.ask(`/api/clients/${id}/kick`, { method: 'POST', body: {} })
    await peer.end()
    return { id, address, transport: 'ws' }
  },

  revoked: async () => {
    await caller.ask('/api/revocations', { method: 'POST', body: { kind: 'client', value: 'mallory' } })
    return { id: 'mallory', address, why: 'client' }
  },

  room_refused: async () => {
    await makeRoom('#locked', { password })
    const { peer, id } = await enter()
    peer.say(frames => frames.join(1, '#locked', { password: 'not that one' }))
    await peer.next('error')
    return { id, address, room: '#locked', why: 'wrong password' }
  },

  room_created: async () => {
    const { id } = await makeRoom('#made')
    return { id, room: '#made' }
  },

  room_deleted: async () => {
    const { peer, id } = await makeRoom('#lost')
    peer.say(frames => frames.delete(2, '#lost'))
    await peer.next('reply')
    return { id, room: '#lost' }
  },

  admin: async () => {
    await caller.ask('/api/nodes')
    return { address, method: 'GET', path: '/api/nodes' }
  },

  admin_refused: async () => {
    await sneak()
    return { address, method: 'GET', path: '/api/nodes' }
  },
}

const linesOf = (event: string): Record<string, unknown>[] =>
  readFileSync(auditLog, 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Record<string, unknown>)
    .filter(line => line['event'] === event)

describe('the audit log', () => {
  it('has a row here and a word in docs/security.md for each event', () => {
    const page = readFileSync(new URL('../../docs/security.md', import.meta.url), 'utf8')
    expect(Object.keys(rows).sort()).toEqual(Object.keys(auditEvents).sort())
    const missing = Object.entries(auditEvents).filter(([event, text]) => !page.includes(`| \`${event}\` | ${text} |`))
    expect(missing).toEqual([])
  })

  it.each(Object.entries(rows))('notes %s', async (event, act) => {
    const expected = await act()
    const written = (): unknown => linesOf(event).find(line => contains(line, expected))
    await expect.poll(written, { timeout: 30_000 }).toBeDefined()
  })

  it('says of a flood of one foreign page one line a minute', async () => {
    await Promise.all(Array.from({ length: 20 }, () => visit('https://flood.example')))
    await visit('https://last.example')
    expect(linesOf('origin_refused').filter(({ origin }) => origin === 'https://flood.example').length).toBe(1)
    expect(linesOf('origin_refused').filter(({ origin }) => origin === 'https://last.example').length).toBe(1)
    const metrics = await (await fetch(`${caller.server.http}/metrics`)).text()
    expect(metrics).toMatch(/^ackd_origins_refused_total (2[1-9]|[3-9]\d)$/m)
  })
})

/** Whether it has all these fields, and no others than the three of every line. */
function contains(line: Record<string, unknown>, expected: object): boolean {
  const { log, time, event, ...said } = line
  const sorted = (value: object): string => JSON.stringify(Object.entries(value).sort())
  return log === 'audit' && event !== '' && !Number.isNaN(Date.parse(String(time))) && sorted(said) === sorted(expected)
}

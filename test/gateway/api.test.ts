import { connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { AdminToken } from '../../src/gateway/api/admin-token.ts'
import { forAdmins, route } from '../../src/gateway/api/route.ts'
import { noAudit } from '../../src/gateway/audit.ts'
import { Api } from '../../src/gateway/api.ts'
import type { HttpRequest } from '../../src/transport/transport.ts'
import { ADMIN_TOKEN, ApiCaller, refusedWith, type Asking } from './api-caller.ts'
import { connectBySocket } from './peer.ts'

const callers: ApiCaller[] = []

async function start(more: Parameters<typeof ApiCaller.start>[0] = {}): Promise<ApiCaller> {
  const caller = await ApiCaller.start(more)
  callers.push(caller)
  return caller
}

afterEach(async () => {
  for (const caller of callers.splice(0)) await caller.close()
})

describe('the admin token', () => {
  it('opens the API', async () => {
    const api = await start()
    expect((await api.ask('/api/nodes')).status).toBe(200)
    expect((await api.ask('/api/nodes', { method: 'HEAD' })).status).toBe(200)
  })

  it('is wanted: none and a wrong one are 401, in the way in which HTTP says so', async () => {
    const api = await start()
    const answers = await Promise.all([null, 'wrong', `${ADMIN_TOKEN}x`].map(token => api.ask('/api/nodes', { token })))
    for (const answer of answers) {
      expect(refusedWith(answer)).toMatch(/^401 unauthorized: .*Bearer TOKEN/)
      expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="ackd"')
    }
  })

  it('can be missing: then everything is 403, and says which option opens it', async () => {
    const api = await start({ adminToken: '' })
    for (const token of [null, '', ADMIN_TOKEN]) {
      expect(refusedWith(await api.ask('/api/nodes', { token }))).toMatch(/^403 forbidden: .*ACKD_ADMIN_TOKEN/)
    }
  })

  it('is not guessed: wrong ones are 429 after ten in a minute, and the right one still opens', async () => {
    const api = await start()
    for (let guess = 0; guess < 10; guess++) expect((await api.ask('/api/nodes', { token: 'wrong' })).status).toBe(401)
    const late = await api.ask('/api/nodes', { token: 'wrong' })
    expect(refusedWith(late)).toMatch(/^429 rate_limited/)
    expect(Number(late.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await api.ask('/api/nodes')).status).toBe(200)
  })
})

describe('a request', () => {
  it('to a path that is not there, or not in UTF-8, is told so', async () => {
    const api = await start()
    expect(refusedWith(await api.ask('/api/nothing'))).toMatch(/^404 not_found: .*openapi/)
    expect(refusedWith(await api.ask('/api/clients/%ff'))).toMatch(/^400 bad_request: .*%ff/)
    expect(refusedWith(await api.ask('/api/clients/white%20space'))).toMatch(/^400 bad_request: path.id: .*64/)
  })

  it('with a method that the path does not take is told which it takes', async () => {
    const answer = await (await start()).ask('/api/nodes', { method: 'DELETE' })
    expect(refusedWith(answer)).toMatch(/^405 bad_method: .*GET, HEAD, OPTIONS/)
    expect(answer.headers.get('allow')).toBe('GET, HEAD, OPTIONS')
  })

  it('with a query that does not exist, twice the same, or out of range is told so', async () => {
    const api = await start()
    expect(refusedWith(await api.ask('/api/nodes?verbose=1'))).toMatch(/^400 bad_request: query.*verbose/)
    expect(refusedWith(await api.ask('/api/clients?limit=1&limit=2'))).toMatch(/^400 .*limit: give it once/)
    for (const limit of ['0', '1001', '-1', 'x', '1.5', '']) {
      expect(refusedWith(await api.ask(`/api/clients?limit=${limit}`))).toMatch(/^400 .*limit: give an integer/)
    }
  })

  it('that nothing else ends leaves the server well', async () => {
    const api = await start()
    const { hostname, port } = new URL(api.server.http)
    const socket = connect(Number(port), hostname)
    socket.write('POST /api/clients/bob/kick HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n')
    socket.destroy()
    expect((await api.ask('/api/nodes')).status).toBe(200)
  })
})

describe('a page of another origin', () => {
  const preflight: Asking = { method: 'OPTIONS', token: null, headers: { origin: 'https://here.example' } }

  it('is told nothing when no origins are listed', async () => {
    const { status, headers } = await (await start()).ask('/api/nodes', preflight)
    expect([status, headers.get('access-control-allow-origin'), headers.get('vary')]).toEqual([204, null, null])
  })

  it('is let in when it is listed, and only then', async () => {
    const api = await start({ origins: ['https://here.example'] })
    const { status, headers } = await api.ask('/api/nodes', preflight)
    expect([status, headers.get('access-control-allow-origin')]).toEqual([204, 'https://here.example'])
    expect(headers.get('access-control-allow-headers')).toContain('Authorization')
    expect(headers.get('access-control-allow-methods')).toBe('GET, HEAD, OPTIONS')
    const refused = await api.ask('/api/nodes', { ...preflight, method: 'GET' })
    expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([401, 'https://here.example'])
    const other = await api.ask('/api/nodes', { headers: { origin: 'https://there.example' } })
    expect([other.headers.get('access-control-allow-origin'), other.headers.get('vary')]).toEqual([null, 'Origin'])
  })
})

describe('the router', () => {
  const failures: unknown[] = []
  const echo = route({
    ...forAdmins,
    access: 'everyone',
    method: 'POST',
    path: '/api/echo/:what',
    name: 'echo',
    text: 'Says it again.',
    params: z.strictObject({ what: z.string() }),
    body: z.strictObject({ count: z.int('count is an integer') }),
    maxBody: 100,
    answers: { 200: { text: 'It.', schema: z.object({}) } },
    answer: ({ params, body }) => {
      if (body.count === 13) throw new Error('on purpose')
      return Promise.resolve({ status: 200, value: { ...params, ...body } })
    },
  })
  const api = new Api([echo], new AdminToken(''), {
    rules: { origins: [] },
    audit: noAudit,
    failed: error => failures.push(error),
  })

  async function post(
    body: string,
    type = 'application/json; charset=utf-8',
    path = '/api/echo/a%2Fb',
  ): Promise<string> {
    const request: HttpRequest = {
      method: 'POST',
      path,
      query: '',
      address: '127.0.0.1',
      header: name => (name === 'content-type' ? type : ''),
      body: () => Promise.resolve(Buffer.from(body, 'latin1')),
    }
    const answer = await api.answer(request)
    return `${answer.status} ${answer.body}`
  }

  it('gives an operation what its schemas have read', async () => {
    expect(await post('{"count": 3}')).toBe('200 {"what":"a/b","count":3}')
  })

  it('takes nothing but JSON in UTF-8 of the right shape', async () => {
    expect(await post('{"count": 3}', 'text/plain')).toMatch(/^415 .*not_json.*application.json/)
    expect(await post('{"count": 3')).toMatch(/^400 .*not valid JSON/)
    expect(await post('"\xff"')).toMatch(/^400 .*not valid JSON in UTF-8/)
    expect(await post('{"count": "3"}')).toMatch(/^400 .*body.count: count is an integer/)
    expect(await post('{"count": 3, "more": 1}')).toMatch(/^400 .*body: .*more/)
  })

  it('answers 500 when an operation fails, keeps what was thrown to itself, and tells the log', async () => {
    expect(await post('{"count": 13}')).toMatch(/^500 .*internal/)
    expect(await post('{"count": 13}')).not.toContain('on purpose')
    expect(failures.map(String)).toEqual(['Error: on purpose', 'Error: on purpose'])
  })
})

describe('clients', () => {
  it('are listed by id, page by page, whether they are here or something is parked for them', async () => {
    const api = await start()
    const [alice, bob, carol] = await Promise.all([0, 1, 2].map(() => connectBySocket(api.server.ws)))
    const ids = await Promise.all(
      [alice, bob, carol].map(async peer => (await peer!.hello({ outbox: 'theoutbox' })).id),
    )
    bob!.hangUp()
    await bob!.end()
    alice!.say(frames => frames.send(1, 1, ids[1]!, 0, alice!.body('for later')))
    await alice!.next('stored')
    const first = (await api.ask('/api/clients?limit=2')).value as { clients: { id: string }[]; next: string }
    const rest = (await api.ask(`/api/clients?limit=2&after=${first.next}`)).value as typeof first
    expect([...first.clients, ...rest.clients].map(({ id }) => id)).toEqual([...ids].sort())
    expect(rest.next).toBeNull()
    const online = (await api.ask('/api/clients?online=true')).value as typeof first
    expect(online.clients.map(({ id }) => id)).toEqual([ids[0], ids[2]].sort())
    const parked = (await api.ask('/api/clients?parked=true')).value as typeof first
    expect(parked.clients.map(({ id }) => id)).toEqual([ids[1]])
  })

  it('are told about one by one', async () => {
    const api = await start()
    const alice = await connectBySocket(api.server.ws)
    const { id } = await alice.hello({ outbox: 'alicesbox' })
    expect((await api.ask(`/api/clients/${id}`)).value).toMatchObject({
      id,
      parked: 0,
      connection: { transport: 'ws', address: '127.0.0.1', outbox: 'alicesbox', windowMessages: 0 },
    })
    expect(refusedWith(await api.ask('/api/clients/nobody'))).toMatch(/^404 not_found: .*nobody/)
  })

  it('have mailboxes that can be looked into, page by page, without the bodies, and one by one with them', async () => {
    const api = await start()
    const [alice, bob] = [await connectBySocket(api.server.ws), await connectBySocket(api.server.ws)]
    const { id: from } = await alice.hello({ outbox: 'alicesbox' })
    const { id } = await bob.hello()
    bob.hangUp()
    await bob.end()
    alice.say(frames => {
      for (const n of [1, 2, 3]) frames.send(n, 1, id, 0, alice.body(`secret ${n}`))
    })
    await alice.next('stored')
    const path = `/api/clients/${id}/mailbox`
    const first = (await api.ask(`${path}?limit=2`)).value as { messages: { n: number }[]; next: number }
    const rest = (await api.ask(`${path}?limit=2&after=${first.next}`)).value as typeof first
    expect([...first.messages, ...rest.messages]).toMatchObject(
      [1, 2, 3].map(n => ({ from, outbox: 'alicesbox', n, bytes: 9, reason: null, repeated: false })),
    )
    expect(rest.next).toBeNull()
    expect(JSON.stringify(first)).not.toContain('secret')
    expect((await api.ask('/api/clients/nobody/mailbox')).status).toBe(404)
    expect((await api.ask(`${path}/${first.next}`)).value).toMatchObject({ place: first.next, n: 2, body: 'secret 2' })
    expect(refusedWith(await api.ask(`${path}/99`))).toMatch(/^404 not_found: Nothing is parked .* at place 99/)
    expect((await api.ask('/api/clients/nobody/mailbox/1')).status).toBe(404)
  })

  it('are sent away with kicked, and what they had not acked is parked', async () => {
    const api = await start()
    const [alice, bob] = [await connectBySocket(api.server.ws), await connectBySocket(api.server.ws)]
    await alice.hello({ outbox: 'alicesbox' })
    const { id } = await bob.hello()
    alice.say(frames => frames.send(1, 1, id, 0, alice.body('hold this')))
    await bob.next('message')
    expect((await api.ask(`/api/clients/${id}/kick`, { method: 'POST' })).value).toEqual({ kicked: true })
    expect((await bob.next('close')).slice(0, 2)).toEqual(['close', 'kicked'])
    await alice.next('stored')
    expect((await api.ask(`/api/clients/${id}`)).value).toMatchObject({ node: null, parked: 1, connection: null })
    expect((await api.ask(`/api/clients/${id}/kick`, { method: 'POST' })).value).toEqual({ kicked: false })
    expect((await api.ask('/api/clients/nobody/kick', { method: 'POST' })).status).toBe(404)
  })
})

describe('a message', () => {
  it('is traced step by step, and the store says where it is', async () => {
    const api = await start({ trace: 1_000 })
    const [alice, bob] = [await connectBySocket(api.server.ws), await connectBySocket(api.server.ws)]
    const { id: from } = await alice.hello({ outbox: 'alicesbox' })
    const { id: to } = await bob.hello()
    alice.say(frames => frames.send(1, 1, to, 0, alice.body('secret')))
    const [, seq] = await bob.next('message')
    const path = `/api/trace/${from}/alicesbox/1`
    const seen = async (query = ''): Promise<unknown> => {
      const { messages } = (await api.ask(path + query)).value as {
        messages: { state: string; steps: { step: string }[] }[]
      }
      return messages.map(({ state, steps }) => [state, ...steps.map(({ step }) => step)])
    }
    expect(await seen()).toEqual([['held', 'taken', 'sent']])
    bob.say(frames => frames.ack(Number(seq)))
    await alice.next('delivered')
    expect(await seen()).toEqual([['delivered', 'taken', 'sent', 'delivered']])
    bob.hangUp()
    await bob.end()
    alice.say(frames => frames.send(2, 2, to, 0, alice.body('secret')))
    await alice.next('stored')
    const parked = await api.ask(`/api/trace/${from}/alicesbox/2`)
    expect(parked.value).toMatchObject({ remembered: 1_000, messages: [{ to, state: 'waiting' }] })
    expect(JSON.stringify(parked.value)).not.toContain('secret')
    expect(await seen('?to=nobody')).toEqual([['unknown']])
    expect(refusedWith(await api.ask(`/api/trace/${from}/alicesbox/0`))).toMatch(
      /^400 bad_request: path.n: give an integer/,
    )
  })

  it('is found in the store where nothing is remembered', async () => {
    const api = await start()
    const [alice, bob] = [await connectBySocket(api.server.ws), await connectBySocket(api.server.ws)]
    const { id: from } = await alice.hello({ outbox: 'alicesbox' })
    const { id: to } = await bob.hello()
    bob.hangUp()
    await bob.end()
    alice.say(frames => frames.send(1, 1, to, 0, alice.body('wait')))
    await alice.next('stored')
    const path = `/api/trace/${from}/alicesbox/1`
    expect((await api.ask(path)).value).toEqual({ remembered: 0, messages: [] })
    expect((await api.ask(`${path}?to=${to}`)).value).toMatchObject({ messages: [{ to, state: 'waiting', steps: [] }] })
  })
})

describe('nodes', () => {
  it('tell how they are', async () => {
    const api = await start()
    const alice = await connectBySocket(api.server.ws)
    await alice.hello()
    const { nodes } = (await api.ask('/api/nodes')).value as { nodes: object[] }
    expect(nodes).toMatchObject([
      { store: 'memory', storeUp: true, sessions: 1, connections: { ws: 1 }, draining: false },
    ])
  })
})

/**
 * What must never be written down: secrets, tokens, passwords and bodies are planted as canaries in a server that logs everything it can,
 * and looked for in its logs, its audit log, its metrics and what it answers.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, it } from 'vitest'
import { connectBySocket, type Heard, type Peer } from '../gateway/peer.ts'
import { tokenOf } from '../support/issuer.ts'

const signing = 'CANARY-signing-secret-of-many-bytes!'
const admin = 'CANARY-admin-token-of-many-characters'
const password = 'CANARY-password'
const body = 'CANARY-body'
const wrongSecret = 'CANARY-wrong-secret'

interface Ready {
  readonly ws: string
  readonly http: string
}

it('canaries are found nowhere', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ackd-canaries-'))
  const auditLog = join(folder, 'audit.log')
  const child = spawn(process.execPath, ['--import', 'tsx', 'test/gateway/serve.ts'], {
    env: {
      PATH: process.env['PATH'],
      ACKD_PORT: '0',
      ACKD_STORE: 'memory',
      ACKD_LOG_LEVEL: 'debug',
      ACKD_AUTH: 'both',
      ACKD_JWT_SECRET: signing,
      ACKD_ADMIN_TOKEN: admin,
      ACKD_ACCOUNTS: 'on',
      ACKD_AUDIT_LOG: auditLog,
      ACKD_MAX_LAG: '1m',
    },
  })
  let logged = ''
  child.stderr.on('data', (bytes: Buffer) => (logged += bytes.toString()))
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  const { ws, http } = JSON.parse(line) as Ready
  const secrets: string[] = []
  const post = (path: string, value: unknown, authorization = ''): Promise<string> =>
    fetch(`${http}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(authorization === '' ? {} : { authorization }) },
      body: JSON.stringify(value),
    }).then(response => response.text())

  try {
    const granted = JSON.parse(await post('/api/register', { id: 'alice', password })) as { token: string }
    const refusals = [
      await post('/api/login', { id: 'alice', password: `${password}-wrong` }),
      await post('/api/login', { id: 'alice', password, [`${body}-key`]: 1 }),
      await post('/api/accounts', { id: 'bob', password: 'CANARY' }, `Bearer ${admin}`),
      await post('/api/accounts', { id: 'bob', password }, `Bearer ${admin}-wrong`),
      await post('/api/revocations', { kind: 'client', value: 'mallory' }, `Bearer ${admin}`),
    ]
    const bad = tokenOf({ sub: 'CANARY-claim!' }, { kid: 'CANARY-kid' }, signing)
    for (const token of [granted.token, bad, tokenOf({ sub: 'alice' }), 'CANARY-no-token']) {
      secrets.push(token)
      const peer = await connectBySocket(ws)
      peer.say(frames => frames.hello({ v: 1, token }))
      await expect.poll(() => peer.heard.length, { timeout: 10_000 }).toBeGreaterThan(0)
      if (peer.heard[0]?.[0] === 'close') refusals.push(JSON.stringify(peer.heard))
    }
    const bob = await connectBySocket(ws)
    const { id, secret = '' } = await bob.hello({ outbox: 'bobsoutbox' })
    secrets.push(secret)
    bob.say(frames => {
      frames.send(1, 1, 'alice', 0, bob.body(body))
      frames.send(1, 1, 'nobody', 0, bob.body(body))
      frames.create(2, '#den', { password })
      frames.rotate(1)
    })
    const [, , rotated] = await replyTo(bob, 1)
    await replyTo(bob, 2)
    const eve = await connectBySocket(ws)
    await eve.hello()
    eve.say(frames => frames.join(3, '#den', { password: `${password}-wrong` }))
    await eve.next('error')
    bob.say(frames => frames.delete(4, '#den'))
    await replyTo(bob, 4)
    secrets.push((rotated as { secret: string }).secret)
    const thief = await connectBySocket(ws)
    thief.say(frames => frames.hello({ v: 1, id, secret: wrongSecret }))
    refusals.push(JSON.stringify((await thief.next('close')).slice(1)))
    bob.write(new TextEncoder().encode(`["${body}"`), true)
    await bob.end()
    const metrics = await (await fetch(`${http}/metrics`)).text()
    const audited = readFileSync(auditLog, 'utf8')
    // It is a real search: each place has something in it.
    for (const event of [
      'registered',
      'login_failed',
      'admin',
      'admin_refused',
      'revoked',
      'token_refused',
      'secret_wrong',
      'secret_rotated',
      'room_refused',
      'room_created',
      'room_deleted',
    ])
      expect(audited).toContain(`"event":"${event}"`)
    // Which id was claimed is known, too.
    expect(audited).toContain(`"event":"secret_wrong","id":"${id}"`)
    expect(logged).toContain('"msg":"limits"')
    expect(metrics).toContain('ackd_closes_total')
    const places = { logged, audited, metrics, refusals: refusals.join('\n') }
    for (const [place, text] of Object.entries(places)) {
      expect([place, text.match(/CANARY[-\w]*/g)]).toEqual([place, place === 'refusals' ? expectedEcho(text) : null])
      for (const one of secrets) expect(text).not.toContain(one)
    }
  } finally {
    child.kill('SIGKILL')
    await once(child, 'exit')
    rmSync(folder, { recursive: true })
  }
})

/** The reply, in whatever order replies come. */
async function replyTo(peer: Peer, ref: number): Promise<Heard> {
  const found = (): Heard | undefined => peer.heard.find(([name, to]) => name === 'reply' && to === ref)
  await expect.poll(found, { timeout: 10_000 }).toBeDefined()
  return found() ?? ['unknown']
}

/** A key that is not known is named to who sent it, in the answer to it and nowhere else. */
function expectedEcho(text: string): string[] | null {
  return text.includes(`${body}-key`) ? [`${body}-key`] : null
}

/** The parts that see to security: revocations, expiries, secrets, the audit log, and what puts them together. */
import { mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Pass } from '../../src/gateway/claims.ts'
import { ordinary } from '../../src/core/rights.ts'
import type { Answer } from '../../src/gateway/credentials.ts'
import { Expiries } from '../../src/gateway/expiries.ts'
import { GuardError, openGuard, type GuardOptions } from '../../src/gateway/guard.ts'
import { silentLog } from '../../src/gateway/log.ts'
import { Revocations } from '../../src/gateway/revocations.ts'
import { readSecrets } from '../../src/gateway/secrets.ts'
import { Turnstile } from '../../src/gateway/turnstile.ts'
import { MemoryAccounts } from '../../src/store/memory/accounts.ts'
import { secret, tokenOf } from '../support/issuer.ts'

let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ackd-guard-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

describe('a turnstile', () => {
  it('lets so many through at once, in their order, and no more wait than it says', async () => {
    const turnstile = new Turnstile(2, 2)
    const order: string[] = []
    const gates: (() => void)[] = []
    const work = (name: string) => async (): Promise<string> => {
      order.push(name)
      await new Promise<void>(resolve => gates.push(resolve))
      return name
    }
    const passed = ['a', 'b', 'c', 'd', 'e'].map(name => turnstile.pass(work(name)))
    expect(await passed[4]).toBeNull()
    expect([order, turnstile.full]).toEqual([['a', 'b'], true])
    while (order.length < 4 || gates.length > 0) {
      gates.shift()?.()
      await new Promise(resolve => setImmediate(resolve))
    }
    expect(await Promise.all(passed)).toEqual(['a', 'b', 'c', 'd', null])
    expect(order).toEqual(['a', 'b', 'c', 'd'])
  })

  it('lets the next one through when one fails', async () => {
    const turnstile = new Turnstile(1, 1)
    const failing = turnstile.pass(() => Promise.reject(new Error('on purpose')))
    const next = turnstile.pass(() => Promise.resolve('done'))
    await expect(failing).rejects.toThrow('on purpose')
    expect(await next).toBe('done')
  })
})

describe('expiries', () => {
  it('come within a second after their time, once, however long nobody looked', () => {
    const expiries = new Expiries<string>(10_000)
    const seen: string[] = []
    const tick = (now: number): void => expiries.tick(now, bearer => void seen.push(bearer))
    expiries.set('past', 5_000)
    expiries.set('soon', 12_400)
    expiries.set('moved', 12_400)
    expiries.set('moved', 99_000)
    expiries.set('left', 12_400)
    expiries.delete('left')
    tick(10_999)
    expect(seen).toEqual([])
    tick(11_000)
    expect(seen).toEqual(['past'])
    tick(12_999)
    expect(seen).toEqual(['past'])
    tick(13_000)
    expect(seen).toEqual(['past', 'soon'])
    expect([...expiries.all()]).toEqual(['moved'])
    tick(1_000_000)
    expect(seen).toEqual(['past', 'soon', 'moved'])
    expect([...expiries.all()]).toEqual([])
  })
})

describe('revocations', () => {
  const pass: Pass = { id: 'alice', name: null, rights: ordinary, token: 't1', issued: 1_000, expires: 9_000 }

  it('of a token hit that one, and of a client all that were issued before', async () => {
    const accounts = new MemoryAccounts(() => 5_000)
    const revocations = new Revocations(accounts, () => {})
    expect(await revocations.read()).toBe(false)
    await accounts.revoke({ kind: 'token', value: 't1', time: 2_000, expires: 9_000 })
    await accounts.revoke({ kind: 'client', value: 'bob', time: 2_000, expires: 9_000 })
    expect(revocations.revoked(pass)).toBe(false)
    expect(await revocations.read()).toBe(true)
    expect(revocations.revoked(pass)).toBe(true)
    expect(revocations.revoked({ ...pass, token: 't2' })).toBe(false)
    expect(revocations.revoked({ ...pass, token: null, id: 'bob', issued: 2_000 })).toBe(true)
    expect(revocations.revoked({ ...pass, token: null, id: 'bob', issued: 0 })).toBe(true)
    expect(revocations.revoked({ ...pass, token: null, id: 'bob', issued: 2_001 })).toBe(false)
  })

  it('are asked for twice a second, and told when there are some; a store that fails changes nothing', async () => {
    const accounts = new MemoryAccounts(() => 5_000)
    const failed: unknown[] = []
    const revocations = new Revocations(accounts, error => void failed.push(error))
    let found = 0
    const tick = async (now: number): Promise<void> => {
      revocations.tick(now, now, () => {
        found++
      })
      await new Promise(resolve => setImmediate(resolve))
    }
    await accounts.revoke({ kind: 'token', value: 't1', time: 0, expires: 70_000 })
    await tick(0)
    await accounts.revoke({ kind: 'token', value: 't2', time: 0, expires: 90_000 })
    await tick(499)
    expect([found, revocations.revoked({ ...pass, token: 't2' })]).toEqual([1, false])
    await tick(500)
    expect([found, revocations.revoked({ ...pass, token: 't2' })]).toEqual([2, true])
    accounts.revocations = () => Promise.reject(new Error('away'))
    await tick(1_000)
    expect([found, failed.length, revocations.revoked(pass)]).toEqual([2, 1, true])
    await tick(80_000)
    expect([revocations.revoked(pass), revocations.revoked({ ...pass, token: 't2' })]).toEqual([false, true])
  })
})

describe('the secrets of tokens', () => {
  it('are the option itself, or the lines of a file', () => {
    expect(readSecrets('')).toEqual([])
    expect(readSecrets(secret)).toEqual([secret])
    writeFileSync(join(folder, 'secrets'), `\n${secret}\r\n\n${'x'.repeat(32)}`)
    expect(readSecrets(`file:${join(folder, 'secrets')}`)).toEqual([secret, 'x'.repeat(32)])
  })

  it.each([
    ['empty', '\n \n', /no secret in/],
    ['too short', `${secret}\n${'s'.repeat(31)}`, /shorter than 32 bytes/],
    ['too many', `${secret}\n`.repeat(5), /more than 4/],
  ])('that are %s are refused with what to do, and are not shown', (_, content, text) => {
    writeFileSync(join(folder, 'secrets'), content)
    const read = (): unknown => readSecrets(`file:${join(folder, 'secrets')}`)
    expect(read).toThrow(text)
    expect(read).not.toThrow(secret)
  })
})

describe('a guard', () => {
  const options: GuardOptions = {
    auth: 'token',
    jwtSecret: secret,
    jwksUrl: '',
    jwtIssuer: '',
    jwtAudience: '',
    jwtLeeway: 0,
    tokenLife: 60_000,
    auditLog: 'off',
  }

  it('reads the secrets anew, and keeps the old ones when it cannot', async () => {
    const path = join(folder, 'secrets')
    writeFileSync(path, secret)
    const errors: string[] = []
    const log = { ...silentLog, error: (_: object, text: string) => void errors.push(text) }
    const guard = await openGuard({ ...options, jwtSecret: `file:${path}` }, null, log)
    const judged = async (key: string): Promise<string | undefined> =>
      (await guard.tokens?.check(tokenOf({ sub: 'a' }, {}, key)))?.kind
    writeFileSync(path, 'x'.repeat(40))
    expect(await judged(secret)).toBe('good')
    guard.reload({ ...options, jwtSecret: `file:${path}` })
    expect([await judged(secret), await judged('x'.repeat(40))]).toEqual(['wrong', 'good'])
    writeFileSync(path, 'short')
    guard.reload({ ...options, jwtSecret: `file:${path}` })
    expect([await judged('x'.repeat(40)), errors]).toEqual(['good', [expect.stringContaining('the old ones stay')]])
  })

  it.each([
    ['nothing', {}, 'alice', 'welcome alice, proved'],
    ['a token of the same name', { token: tokenOf({ sub: 'alice' }) }, 'alice', 'welcome alice, proved'],
    ['a token of another name', { token: tokenOf({ sub: 'bob' }) }, 'alice', 'unauthorized'],
    ['nothing, and the name is no id', {}, 'Alice Cooper', 'unauthorized'],
    ['a token, and the name is no id', { token: tokenOf({ sub: 'alice' }) }, 'Alice Cooper', 'unauthorized'],
    ['another id', { id: 'bob' }, 'alice', 'welcome alice, proved'],
  ])('takes a certificate for a proof, beside which the client may say %s', async (_, more, provenId, outcome) => {
    const guard = await openGuard(options, null, silentLog)
    const pipe = { transport: 'tls', address: '192.0.2.7', provenId }
    const answer = await new Promise<Answer>(resolve => guard.credentials.examine({ v: 1, ...more }, pipe, resolve))
    const said =
      answer.kind === 'welcome'
        ? `welcome ${answer.greeting.id ?? ''}, ${answer.greeting.secretHash === null ? 'proved' : 'by a secret'}`
        : answer.name
    expect(said).toBe(outcome)
  })

  it.each([
    ['secrets', { jwtSecret: 'file:/nowhere/secrets' }, /ACKD_JWT_SECRET/],
    ['the audit log', { auditLog: '/nowhere/audit.log' }, /ACKD_AUDIT_LOG/],
  ])('does not start without %s, and says what to do', async (_, more, fix) => {
    const failure = await openGuard({ ...options, ...more }, null, silentLog).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(GuardError)
    expect((failure as GuardError).fix).toMatch(fix)
  })

  it('appends to an audit log that only its owner reads, and opens it anew', async () => {
    const path = join(folder, 'audit.log')
    const guard = await openGuard({ ...options, auditLog: path }, null, silentLog)
    guard.audit.note('login_failed', { id: 'alice', address: '192.0.2.7', why: 'x'.repeat(1_000) })
    renameSync(path, `${path}.1`)
    guard.audit.note('login', { id: 'alice' })
    guard.reload({ ...options, auditLog: path })
    guard.audit.note('flood', {})
    const lines = [`${path}.1`, path].map(file =>
      readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .map(line => {
          const { time, ...rest } = JSON.parse(line) as Record<string, unknown>
          expect(time).toMatch(/^\d{4}-\d\d-.*Z$/)
          return rest
        }),
    )
    expect(lines).toEqual([
      [
        {
          log: 'audit',
          event: 'login_failed',
          id: 'alice',
          address: '192.0.2.7',
          why: 'x'.repeat(256),
        },
        { log: 'audit', event: 'login', id: 'alice' },
      ],
      [{ log: 'audit', event: 'flood' }],
    ])
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const again = await openGuard({ ...options, auditLog: path }, null, silentLog)
    again.audit.note('login', {})
    expect(readFileSync(path, 'utf8').trim().split('\n').length).toBe(2)
  })
})

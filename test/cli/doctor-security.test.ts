/** What the doctor says of secrets, keys, accounts and the web: the checks by themselves, and the keys over real HTTP. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { checkSecurity } from '../../src/cli/doctor-security.ts'
import { readOptions } from '../../src/option-sources.ts'
import type { Options } from '../../src/options.ts'
import { Issuer } from '../support/issuer.ts'
import { ackd } from './process.ts'

const folder = mkdtempSync(join(tmpdir(), 'ackd-doctor-'))
const random = 'b7e0a2c94d1f38567e90ab12cd34ef56'

afterAll(() => rmSync(folder, { recursive: true }))

/** All findings in a line each: `bad: what fix`. */
async function told(more: Partial<Options>): Promise<string[]> {
  const findings = await checkSecurity({ ...readOptions(), ...more })
  return findings.map(({ level, what, fix }) => `${level}: ${what} ${fix ?? ''}`)
}

function file(name: string, content: string, mode: number): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  chmodSync(path, mode)
  return path
}

describe('the doctor', () => {
  it('has nothing against a server as it comes', async () => {
    expect((await told({})).filter(line => !line.startsWith('good'))).toEqual([])
  })

  it('has nothing against one whose secrets are random and whose events are noted', async () => {
    const tokens = { auth: 'both', jwtSecret: random, adminToken: random, accounts: 'on' } as const
    expect((await told({ ...tokens, auditLog: join(folder, 'audit.log') })).map(line => line.slice(0, 5))).toEqual([
      ...['good:', 'good:', 'good:', 'good:'],
    ])
  })

  it.each<[string, Partial<Options>, RegExp]>([
    ['a secret of one character', { auth: 'token', jwtSecret: 'x'.repeat(32) }, /^warning: .*guessed.*openssl/],
    ['a secret that is not there', { auth: 'token', jwtSecret: 'file:/nowhere' }, /^bad: .*ENOENT.*ACKD_JWT_SECRET/],
    ['a short secret', { auth: 'token', jwtSecret: `file:${file('short', 'short', 0o600)}` }, /^bad: .*32 bytes/],
    ['a secret for all', { auth: 'token', jwtSecret: `file:${file('open', random, 0o644)}` }, /^warning: .*chmod 600/],
    ['an admin token of one character', { adminToken: 'x'.repeat(40) }, /^warning: .*guessed/],
    ['no audit log beside an admin token', { adminToken: random }, /^warning: .*ACKD_AUDIT_LOG/],
    ['an audit log nowhere', { auditLog: '/nowhere/audit.log' }, /^bad: .*ACKD_AUDIT_LOG/],
    ['passwords in plain text', { accounts: 'on', host: '0.0.0.0' }, /^warning: .*ACKD_WSS_PORT/],
    ['pages from everywhere', { host: '0.0.0.0' }, /^warning: .*ACKD_ORIGINS/],
    ['trust in everybody', { trustProxy: ['0.0.0.0/0'] }, /^warning: .*ACKD_TRUST_PROXY/],
    ['keys in plain text', { auth: 'token', jwksUrl: 'http://0.0.0.0:1/x' }, /^warning: .*https/],
  ])('finds %s', async (_, more, text) => {
    expect(await told(more)).toContainEqual(expect.stringMatching(text))
  })

  it('shows no secret', async () => {
    const secrets = { auth: 'token', jwtSecret: 'x'.repeat(32), adminToken: 'y'.repeat(40) } as const
    expect((await told(secrets)).join()).not.toMatch(/x{8}|y{8}/)
  })

  it('fetches the keys of an identity provider', async () => {
    const issuer = await Issuer.start()
    await issuer.make('one', 'ES256')
    const rules = { auth: 'token', jwksUrl: issuer.url, jwtIssuer: 'i', jwtAudience: 'a' } as const
    expect(await told(rules)).toContain(`good: 1 key for tokens at ${issuer.url} `)
    expect(await told({ ...rules, jwtAudience: '' })).toContainEqual(
      expect.stringMatching(/^warning: .*ACKD_JWT_AUDIENCE/),
    )
    issuer.answer = { status: 503, body: '' }
    expect(await told(rules)).toContainEqual(expect.stringMatching(/^bad: .*it answered 503.*ACKD_JWKS_URL/))
    await issuer.stop()
  })

  it('says it on the command line', async () => {
    const environment = { ACKD_AUTH: 'token', ACKD_JWT_SECRET: 'file:/nowhere', ACKD_PORT: '0', ACKD_STORE: 'memory' }
    const { code, out } = await ackd(['doctor'], { home: folder, environment })
    expect([code, out]).toEqual([
      1,
      expect.stringMatching(/✗ The secrets of tokens cannot be read.*\n +fix: Correct ACKD_JWT/),
    ])
  })
})

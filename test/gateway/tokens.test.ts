import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RemoteKeys } from '../../src/gateway/jwks.ts'
import { silentLog } from '../../src/gateway/log.ts'
import { Tokens, type TokenOptions, type Verdict } from '../../src/gateway/tokens.ts'
import { base64url, inSeconds, Issuer, secret, tokenOf } from '../support/issuer.ts'

const plain: TokenOptions = {
  secrets: [secret],
  keys: null,
  issuer: '',
  audience: '',
  leewayMs: 0,
  lifeMs: 60_000,
}

function textOf(verdict: Verdict): string {
  return verdict.kind === 'good' ? `good for ${verdict.pass.id}` : verdict.text
}

async function judge(token: string, more: Partial<TokenOptions> = {}): Promise<string> {
  return textOf(await new Tokens({ ...plain, ...more }).check(token))
}

describe('a token by a secret', () => {
  it('says who its bearer is, what that one may do, and until when', async () => {
    const exp = inSeconds(60)
    const ackd = { admin: true, targets: ['team-*'], rooms: ['#news.*'] }
    const token = tokenOf({ sub: 'alice', exp, iat: exp - 90, jti: 't1', name: 'Alice', ackd })
    expect(await new Tokens(plain).check(token)).toEqual({
      kind: 'good',
      pass: { id: 'alice', name: 'Alice', rights: ackd, token: 't1', issued: (exp - 90) * 1_000, expires: exp * 1_000 },
    })
  })

  it.each([
    ['is by another secret', tokenOf({ sub: 'a' }, {}, 'another secret of forty bytes, as it is!'), /signature/],
    [
      'was altered',
      `${tokenOf({ sub: 'a' }).split('.').slice(0, 1).join('.')}.${base64url({ sub: 'b' })}.AAAA`,
      /signature/,
    ],
    ['has expired', tokenOf({ sub: 'a', exp: inSeconds(-1) }), /expired/],
    ['never expires', tokenOf({ sub: 'a', exp: undefined }), /must have an exp/],
    ['is not good yet', tokenOf({ sub: 'a', nbf: inSeconds(60) }), /not good yet/],
    ['has no sub', tokenOf({}), /must have a sub/],
    ['has a sub that is no id', tokenOf({ sub: 'no id' }), /must be 1 to 64/],
    ['has a sub of 65', tokenOf({ sub: 'x'.repeat(65) }), /must be 1 to 64/],
    ['has a sub that is a room', tokenOf({ sub: '#lobby' }), /must be 1 to 64/],
    ['has a jti that is no string', tokenOf({ sub: 'a', jti: 7 }), /jti/],
    ['has a name that is no string', tokenOf({ sub: 'a', name: {} }), /name/],
    ['has a right that does not exist', tokenOf({ sub: 'a', ackd: { Admin: true } }), /no "Admin"/],
    ['has a right of a wrong form', tokenOf({ sub: 'a', ackd: { admin: 'false' } }), /true or false/],
    ['has a target that is no pattern', tokenOf({ sub: 'a', ackd: { targets: ['a*b'] } }), /names, or beginnings/],
    ['has targets that are no list', tokenOf({ sub: 'a', ackd: { targets: 'bob' } }), /names, or beginnings/],
    ['has a hundred and one rooms', tokenOf({ sub: 'a', ackd: { rooms: Array(101).fill('#a') } }), /at most 100/],
    ['has rights that are none', tokenOf({ sub: 'a', ackd: [] }), /must be an object/],
    ['is nothing', '', /no signed JSON Web Token/],
    ['is noise', 'a.b.c', /no signed JSON Web Token/],
    ['has claims that are no JSON', `${base64url({ alg: 'HS256' })}.${base64url('{')}.AAAA`, /signature/],
    ['is longer than 4,096 characters', tokenOf({ sub: 'a', padding: 'x'.repeat(4_096) }), /at most 4096/],
    ['needs an extension that nobody knows', tokenOf({ sub: 'a' }, { crit: ['x'], x: 1 }), /no signed JSON Web Token/],
    [
      'is signed by nothing',
      `${base64url({ alg: 'none' })}.${base64url({ sub: 'a', exp: inSeconds(60) })}.`,
      /algorithm/,
    ],
    ['is by HS512', tokenOf({ sub: 'a' }, { alg: 'HS512' }), /algorithm/],
    ['names no algorithm', tokenOf({ sub: 'a' }, { alg: undefined }), /algorithm|no signed/],
    ['is by a public key, of which there are none', tokenOf({ sub: 'a' }, { alg: 'RS256' }), /algorithm/],
  ])('that %s is refused with a word about what is wrong', async (_, token, text) => {
    const said = await judge(token)
    expect(said).toMatch(text)
    for (const part of token.split('.').filter(part => part.length > 8)) expect(said).not.toContain(part)
  })

  it('is good for the leeway longer', async () => {
    const token = tokenOf({ sub: 'a', exp: inSeconds(-5) })
    expect(await judge(token, { leewayMs: 30_000 })).toBe('good for a')
    expect(await judge(token, { leewayMs: 2_000 })).toMatch(/expired/)
  })

  it.each([
    ['issuer', 'iss', /by an issuer/],
    ['audience', 'aud', /meant for somebody else/],
  ])('must have the %s that is wanted', async (option, claim, text) => {
    const more = { [option]: 'us' }
    expect(await judge(tokenOf({ sub: 'a', [claim]: 'us' }), more)).toBe('good for a')
    expect(await judge(tokenOf({ sub: 'a', [claim]: 'them' }), more)).toMatch(text)
    expect(await judge(tokenOf({ sub: 'a' }), more)).toMatch(text)
    expect(await judge(tokenOf({ sub: 'a', [claim]: 'them' }))).toBe('good for a')
  })

  it('may be by any of several secrets, and is made by the first', async () => {
    const other = 'another secret of forty bytes, as it is!'
    const tokens = new Tokens({ ...plain, secrets: [other, secret] })
    expect(textOf(await tokens.check(tokenOf({ sub: 'a' })))).toBe('good for a')
    const { token } = await tokens.issue('alice', Date.now())
    expect(await judge(token, { secrets: [other] })).toBe('good for alice')
    expect(await judge(token)).toMatch(/signature/)
    tokens.renew({ secrets: [secret] })
    expect(textOf(await tokens.check(token))).toMatch(/signature/)
  })

  it('that is made here is good here, for as long as it says, and by a name of its own', async () => {
    const tokens = new Tokens({ ...plain, issuer: 'us', audience: 'here' })
    const time = Date.now()
    const [one, two] = [await tokens.issue('alice', time), await tokens.issue('alice', time)]
    expect(one.expires).toBe(Math.ceil((time + 60_000) / 1_000) * 1_000)
    const verdict = await tokens.check(one.token)
    expect(verdict).toMatchObject({ kind: 'good', pass: { id: 'alice', issued: time, expires: one.expires } })
    expect(one.token).not.toBe(two.token)
  })

  it('cannot be made without a secret', async () => {
    await expect(new Tokens({ ...plain, secrets: [] }).issue('alice', 0)).rejects.toThrow('ACKD_JWT_SECRET')
  })

  it('waits for its turn among a thousand, and is told when there are more', async () => {
    const tokens = new Tokens(plain)
    const token = tokenOf({ sub: 'a' })
    const kinds = (await Promise.all(Array.from({ length: 1_010 }, () => tokens.check(token)))).map(({ kind }) => kind)
    expect(kinds.filter(kind => kind === 'good').length).toBe(1_008)
    expect(kinds.slice(-2)).toEqual(['busy', 'busy'])
  })
})

describe('a token of an identity provider', () => {
  let issuer: Issuer
  let keys: RemoteKeys

  beforeAll(async () => {
    issuer = await Issuer.start()
    await issuer.make('rsa', 'RS256')
    await issuer.make('ec', 'ES256')
    await issuer.make('ed', 'EdDSA')
    keys = new RemoteKeys({ url: issuer.url, log: silentLog })
    await keys.reload()
  })

  afterAll(() => issuer.stop())

  const judgeRemote = (token: string): Promise<string> => judge(token, { keys })

  it.each(['rsa', 'ec', 'ed'])('is taken when its key %s is published', async kid => {
    expect(await judgeRemote(await issuer.sign(kid, { sub: 'alice' }))).toBe('good for alice')
  })

  it('is not taken when a public key was used as a secret', async () => {
    const swapped = tokenOf({ sub: 'a' }, { kid: 'rsa' }, await issuer.pem('rsa'))
    expect(await judgeRemote(swapped)).toMatch(/signature/)
  })

  it('is not taken when it names the key of another kind', async () => {
    expect(await judgeRemote(await issuer.sign('rsa', { sub: 'a' }, { kid: 'ec' }))).toMatch(
      /key that this server does not know/,
    )
    expect(await judgeRemote(await issuer.sign('ec', { sub: 'a' }, { kid: 'ed' }))).toMatch(
      /key that this server does not know/,
    )
  })

  it.each(['../../../../etc/passwd', 'http://127.0.0.1/keys', '__proto__', '\u0000', 'x'.repeat(2_000)])(
    'is not taken when its kid is %j, and nothing is looked up by it',
    async kid => {
      expect(await judgeRemote(await issuer.sign('rsa', { sub: 'a' }, { kid }))).toMatch(
        /key that this server does not know/,
      )
    },
  )

  it('is not taken by a key that it brings along or points to', async () => {
    const stranger = await Issuer.start()
    await stranger.make('rsa', 'RS256')
    const token = await stranger.sign(
      'rsa',
      { sub: 'a' },
      { jku: stranger.url, jwk: { kty: 'RSA' }, x5u: stranger.url },
    )
    expect(await judgeRemote(token)).toMatch(/signature/)
    expect(stranger.asked).toBe(0)
    await stranger.stop()
  })
})

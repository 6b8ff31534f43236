import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KeysUnavailable, RemoteKeys } from '../../src/gateway/jwks.ts'
import type { Log } from '../../src/gateway/log.ts'
import { Issuer } from '../support/issuer.ts'

const HOUR = 3_600_000

describe('the keys of an identity provider', () => {
  let issuer: Issuer
  let keys: RemoteKeys
  let now = 0
  const said: string[] = []
  const note = (_: object, text: string): void => void said.push(text)
  const log: Log = { debug: note, info: note, warn: note, error: note }

  beforeEach(async () => {
    now = 0
    said.length = 0
    issuer = await Issuer.start()
    await issuer.make('one', 'ES256')
    keys = new RemoteKeys({ url: issuer.url, log, now: () => now })
  })

  afterEach(() => issuer.stop())

  async function find(kid: string, alg = 'ES256'): Promise<string> {
    try {
      return (await keys.find({ alg, kid })).type
    } catch (error) {
      return error instanceof Error ? error.name : ''
    }
  }

  it('are fetched once for many tokens', async () => {
    expect(await Promise.all(Array.from({ length: 50 }, () => find('one')))).toEqual(Array(50).fill('public'))
    expect(issuer.asked).toBe(1)
  })

  it('are fetched anew for one that is not known, at most every 30 s', async () => {
    await keys.reload()
    await issuer.make('two', 'ES256')
    expect(await find('two')).toBe('JWKSNoMatchingKey')
    now += 30_000
    expect(await find('two')).toBe('public')
    for (let i = 0; i < 20; i++) expect(await find(`three-${i}`)).toBe('JWKSNoMatchingKey')
    expect(issuer.asked).toBe(2)
    now += 30_000
    await Promise.all(Array.from({ length: 20 }, (_, i) => find(`four-${i}`)))
    expect(issuer.asked).toBe(3)
  })

  it('are fetched anew in the background when they are old, and one that was withdrawn is then unknown', async () => {
    await keys.reload()
    await issuer.make('two', 'ES256')
    issuer.withdraw('one')
    now += 5 * 60_000 + 1
    expect(await find('one')).toBe('public')
    await keys.reload()
    expect(await find('one')).toBe('JWKSNoMatchingKey')
    expect(await find('two')).toBe('public')
  })

  it.each([
    ['an error', { status: 500, body: '' }],
    ['a redirect', { status: 302, body: '' }],
    ['no JSON', { status: 200, body: '<html>' }],
    ['no set', { status: 200, body: '[]' }],
    [
      'a set without a usable key',
      { status: 200, body: '{"keys":[{"kty":"oct","k":"AAAA"},{"kty":"RSA","d":"AQ"},7]}' },
    ],
    ['more than 256 KiB', { status: 200, body: ' '.repeat(300_000) }],
  ])('that are known go on for a day when the address answers %s, and the log says so', async (_, answer) => {
    await keys.reload()
    issuer.answer = answer
    for (now = HOUR; now < 24 * HOUR; now += HOUR) {
      expect(await find('one')).toBe('public')
      await keys.reload()
    }
    expect(said.at(-1)).toMatch(/the 1 that are known go on for 60 min/)
    now = 24 * HOUR + 30_001
    expect(await find('one')).toBe('KeysUnavailable')
    expect(said.at(-1)).toMatch(/none are known/)
    issuer.answer = null
    now += 30_000
    expect(await find('one')).toBe('public')
    expect(said.at(-1)).toBe('the keys of tokens are fetched again')
  })

  it('leave open whether a token is good while they cannot be fetched', async () => {
    issuer.answer = { status: 503, body: '' }
    await expect(keys.find({ alg: 'ES256', kid: 'one' })).rejects.toThrow(KeysUnavailable)
    await expect(keys.find({ alg: 'ES256', kid: 'one' })).rejects.toThrow(KeysUnavailable)
    expect(issuer.asked).toBe(1)
    await issuer.stop()
    now += 30_000
    expect(await find('one')).toBe('KeysUnavailable')
  })

  it('are never those of secrets, nor private ones', async () => {
    issuer.publish({ kty: 'oct', k: 'AAAA', kid: 'oct' })
    await keys.reload()
    expect(await find('oct', 'HS256')).toBe('JOSENotSupported')
  })
})

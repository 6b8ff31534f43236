import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { formatDuration, formatSize, parseDuration, parseSize, type Option } from '../src/option-kinds.ts'
import { completeOptions, OptionError, readFlags, readOptions } from '../src/option-sources.ts'
import { environmentName, flagName, optionTable, type Options } from '../src/options.ts'
import { silentLog } from '../src/gateway/log.ts'
import { startServer } from '../src/server.ts'

function withFile<Result>(content: string, use: (path: string) => Result): Result {
  const folder = mkdtempSync(join(tmpdir(), 'ackd-options-'))
  try {
    const path = join(folder, 'ackd.json')
    writeFileSync(path, content)
    return use(path)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const entries = Object.entries<Option<unknown>>(optionTable)
const numbers = entries.filter(([, option]) => typeof option.default === 'number')

/** What cannot be a value of most kinds, and never one of all. */
const nonsense = [
  ...[
    '',
    ' ',
    '-1',
    '1.5',
    '1e3',
    '0x10',
    'NaN',
    '10 s',
    '5x',
    '1S',
    '1kb',
    '99999999999999999s',
    '70000',
    'Off',
    'TOKEN',
  ],
  ...['nonsense', 'a b\n\u001b[2J', '٣', 'http//x', 'https://x/path', 'redis:/x', '10.0.0.0/33', 'x'.repeat(1_000)],
]

/** Just outside of a range, in the units that its ends are written in. */
function wrongEdges(least: string, most: string): string[] {
  const beside = (edge: string, by: number): string => {
    const [, count = '', unit = ''] = /^(\d+)([A-Za-z]*)$/.exec(edge) ?? []
    return `${Number(count) + by}${unit}`
  }
  return [...(/^0/.test(least) ? [] : [beside(least, -1)]), beside(most, 1)]
}

/** The ways in which a value can be given, and how its place is named. */
const ways: readonly [name: string, place: (name: string) => string, give: (name: string, value: string) => unknown][] =
  [
    ['flag', flagName, (name, value) => readOptions({ flags: { [name]: value } })],
    ['variable', environmentName, (name, value) => readOptions({ environment: { [environmentName(name)]: value } })],
    [
      'key of the file',
      name => `"${name}" in `,
      (name, value) => withFile(JSON.stringify({ [name]: value }), config => readOptions({ flags: { config } })),
    ],
  ]

describe.each(ways)('what cannot be the value of a %s', (_, place, give) => {
  it.each(entries)('%s', (name, option) => {
    const [least = '', most = ''] = option.range.split(' to ')
    const edges = typeof option.default === 'number' ? wrongEdges(least, most) : []
    const wrong = [...nonsense, ...edges].filter(value => option.parse(value) === undefined)
    expect(wrong).toContain('')
    for (const value of wrong) {
      const told = complaint(() => give(name, value))
      expect(told).toContain(place(name))
      expect(told).toContain(`give ${option.range}`)
      expect(told).toContain(`(default ${option.shown}).`)
      if (option.example !== undefined) expect(told).toContain(`, such as ${option.example} (`)
      if (option.secret !== true) expect(told).toContain(`cannot be ${JSON.stringify(value).slice(0, 90)}`)
      else if (value.length > 8) expect(told).not.toContain(value)
      // A sentence on a line, whatever was given.
      expect(told).toMatch(/^[\x20-\x7e‑-…٣]{1,600}$/)
    }
  })
})

/** The message of the OptionError that it throws. */
function complaint(read: () => unknown): string {
  try {
    read()
  } catch (error) {
    if (error instanceof OptionError) return error.message
    throw error
  }
  throw new Error('it was taken')
}

describe('the table of options', () => {
  it.each(entries)('%s: its default is in its own range and is shown as it is written', (_, option) => {
    expect(option.parse(option.shown)).toEqual(option.default)
    expect(option.help).toMatch(/^[A-Z].*\.$/)
  })

  it.each(entries)('%s: its example may be given, and says more than a default that says nothing', (_, option) => {
    const example = option.example?.replace('what openssl rand -hex 32 prints', randomBytes(32).toString('hex'))
    if (['none', 'off', 'all', '0'].includes(option.shown)) expect(example ?? option.range).not.toBe(option.shown)
    if (example !== undefined) expect(option.parse(example)).toBeDefined()
  })

  it.each(numbers)('%s: its range is written as one would type it, and ends where it says', (_, { range, parse }) => {
    const [least = '', most = ''] = range.split(' to ')
    expect([least, most].every(edge => /^(0|[1-9]\d*(ms|s|m|h|d|B|KiB|MiB|GiB)?)$/.test(edge))).toBe(true)
    for (const edge of [least, most]) expect(parse(edge)).toBeTypeOf('number')
    expect(wrongEdges(least, most).map(edge => parse(edge))).toEqual(wrongEdges(least, most).map(() => undefined))
    expect(wrongEdges(least, most).length).toBeGreaterThan(0)
  })

  it('names an option alike everywhere', () => {
    expect(environmentName('mailboxMessages')).toBe('ACKD_MAILBOX_MESSAGES')
    expect(flagName('mailboxMessages')).toBe('--mailbox-messages')
  })

  it('never gives uWebSockets.js a time-out at which it ends the process', () => {
    expect(() => readOptions({ flags: { pingInterval: '321s' } })).toThrow(OptionError)
    expect((readOptions({ flags: { pingInterval: '300s' } }).pingInterval * 3) / 1_000).toBeLessThanOrEqual(960)
  })
})

describe('reading options', () => {
  it.each([
    ['a short secret', { jwtSecret: 'canary' }, /jwt-secret .*not shown; give none, 32 or more bytes/],
    ['tokens without a key', { auth: 'token' }, /set ACKD_JWT_SECRET or ACKD_JWKS_URL/],
    ['a key without tokens', { jwksUrl: 'https://id.example/jwks' }, /set ACKD_AUTH to token or both/],
    ['an address of keys that is none', { auth: 'token', jwksUrl: 'file:///etc/passwd' }, /none or https/],
    ['accounts without tokens', { accounts: 'on' }, /set ACKD_AUTH to token or both, and ACKD_JWT_SECRET/],
    [
      'accounts beside names of others',
      { auth: 'both', jwtSecret: 'x'.repeat(32), jwksUrl: 'https://id.example/jwks', accounts: 'on' },
      /leave ACKD_ACCOUNTS off/,
    ],
    ['mail for nobody who could come', { unknownRecipients: 'park' }, /Nobody without a token can claim an id/],
    ['two places for messages', { store: 'memory', redisUrl: 'redis://127.0.0.1' }, /in memory or in Redis/],
  ])('refuses %s, and says what to do', (_, flags, text) => {
    const read = (): unknown => readOptions({ flags })
    expect(read).toThrow(text)
    expect(read).not.toThrow('canary')
  })

  it('gives the defaults when nothing is set', () => {
    const options = readOptions()
    expect([options.port, options.store, options.ackTimeout, options.maxPacket]).toEqual([
      5000,
      'lmdb',
      30_000,
      1_048_576,
    ])
  })

  it('takes a flag before the environment, and that before the file', () => {
    const read = (flags: Record<string, string>, environment: Record<string, string>): number =>
      withFile('{"port": 1}', path => readOptions({ flags, environment: { ...environment, ACKD_CONFIG: path } }).port)
    expect(read({}, {})).toBe(1)
    expect(read({}, { ACKD_PORT: '2' })).toBe(2)
    expect(read({ port: '3' }, { ACKD_PORT: '2' })).toBe(3)
  })

  it.each<[string, Record<string, string>, string]>([
    ['a misspelt variable', { ACKD_PROT: '1' }, 'There is no option ACKD_PROT; did you mean ACKD_PORT?'],
    ['an unknown variable', { ACKD_SOMETHING_ELSE: '1' }, 'There is no option ACKD_SOMETHING_ELSE'],
    ['a number out of range', { ACKD_PORT: '65536' }, 'ACKD_PORT cannot be "65536"; give 0 to 65535 (default 5000).'],
    ['a duration without a unit', { ACKD_ACK_TIMEOUT: '30' }, 'give 1s to 10m (default 30s)'],
    ['an unknown choice', { ACKD_STORE: 'redis' }, 'give lmdb | memory (default lmdb)'],
    ['an origin with a path', { ACKD_ORIGINS: 'https://a.example/x' }, 'ACKD_ORIGINS cannot be'],
    ['an empty value', { ACKD_DATA_DIR: '' }, 'ACKD_DATA_DIR cannot be ""'],
  ])('refuses %s, and says what to do', (_, environment, message) => {
    expect(() => readOptions({ environment })).toThrow(OptionError)
    expect(() => readOptions({ environment })).toThrow(message)
  })

  it('refuses unknown flags and unknown keys of the file', () => {
    expect(() => readOptions({ flags: { ackTimout: '1s' } })).toThrow('did you mean --ack-timeout?')
    withFile('{"hots": "::1"}', path => {
      expect(() => readOptions({ flags: { config: path } })).toThrow('did you mean "host"')
    })
  })

  it('takes lists in the file, and shows what is no value as it stands there', () => {
    const read = (content: string): Options => withFile(content, config => readOptions({ flags: { config } }))
    expect(read('{"origins": ["https://a.example", "https://b.example"]}').origins).toHaveLength(2)
    expect(() => read('{"port": {"of": 1}}')).toThrow('cannot be "{\\"of\\":1}"')
  })

  it.each(['nonsense', '[]', 'null'])('refuses a file that holds %s', content => {
    withFile(content, path => {
      expect(() => readOptions({ flags: { config: path } })).toThrow(OptionError)
    })
  })

  it('leaves alone what belongs to the clients, and what is not its own', () => {
    const environment = { ACKD_URL: 'ws://x', ACKD_HOME: '/x', ACKD_PROFILES: 'x', ACKD_TOKEN: 'x', HOME: '/x' }
    expect(readOptions({ environment })).toEqual(readOptions())
  })

  it('reads addresses and networks', () => {
    const read = (given: string): readonly string[] =>
      readOptions({ environment: { ACKD_TRUST_PROXY: given } }).trustProxy
    expect(read('none')).toEqual([])
    expect(read('10.0.0.0/8, ::1,2001:db8::/32')).toEqual(['10.0.0.0/8', '::1', '2001:db8::/32'])
    for (const wrong of ['', 'proxy', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', '::1/129', 'fe80::1%eth0', '*'])
      expect(() => read(wrong)).toThrow('ACKD_TRUST_PROXY cannot be')
  })

  it('reads a list of origins', () => {
    const environment = { ACKD_ORIGINS: 'https://a.example, http://b.example:8080' }
    expect(readOptions({ environment }).origins).toEqual(['https://a.example', 'http://b.example:8080'])
  })
})

describe('options that a program gives', () => {
  it.each(entries)('%s: its default may be given, and what is nothing like it may not', (name, option) => {
    expect(completeOptions({ [name]: option.default })).toEqual(readOptions())
    expect(completeOptions({ [name]: undefined })).toEqual(readOptions())
    for (const wrong of [null, true, {}, () => 0, Symbol.iterator, ['\n'], '', NaN, -1, 1.5, Infinity, 1e21]) {
      if (wrong === option.default) continue
      const told = complaint(() => completeOptions({ [name]: wrong }))
      expect(told).toContain(`${name} ${option.secret === true ? 'is not what it may be' : 'cannot be'}`)
      expect(told).toContain(`give ${option.range}`)
    }
  })

  it.each(numbers)('%s: is bounded as what is read', (name, option) => {
    for (const edge of option.range.split(' to ')) {
      const value = option.parse(edge)
      expect(completeOptions({ [name]: value })).toMatchObject({ [name]: value })
    }
    const [least, most] = option.range.split(' to ').map(edge => Number(option.parse(edge)))
    for (const beyond of [(least ?? 0) - 1, (most ?? 0) + 1])
      expect(complaint(() => completeOptions({ [name]: beyond }))).toContain(`${name} cannot be ${beyond}`)
  })

  it.each<[string, object, string]>([
    ['a time that is too short', { ackTimeout: 500 }, 'ackTimeout cannot be 500 ms; give 1s to 10m (default 30s).'],
    ['a misspelt name', { ackTimout: 5_000 }, 'There is no option ackTimout; did you mean ackTimeout?'],
    ['a list with what is no origin', { origins: ['https://a.example', 'b'] }, 'cannot be ["https://a.example","b"]'],
    ['what makes no sense together', { accounts: 'on' }, 'Accounts are given tokens'],
  ])('are refused with %s', (_, given, message) => {
    expect(complaint(() => completeOptions(given))).toContain(message)
  })

  it('are taken by their values, and the rest is as by default', () => {
    const given = {
      port: 0,
      tlsPort: 'off',
      ackTimeout: 1_500,
      windowBytes: 4_096,
      origins: ['https://a.example'],
    } as const
    expect(completeOptions(given)).toEqual({ ...readOptions(), ...given })
  })

  it('are checked before a server is started, and when they are read anew', async () => {
    await expect(startServer({ port: 0, store: 'memory', window: 0 }, silentLog)).rejects.toThrow(OptionError)
    const said: object[] = []
    const log = { ...silentLog, error: (fields: object) => void said.push(fields) }
    const server = await startServer({ port: 0, tcpPort: 'off', tlsPort: 'off', store: 'memory' }, log)
    server.reload(() => ({ httpRate: 0 }))
    expect(said).toEqual([{ error: 'httpRate cannot be 0; give 1 to 10000000 (default 100).' }])
    await server.close()
  })
})

describe('units', () => {
  it('are read with their names only', () => {
    expect(['30s', '250ms', '7d', '1h', '2m'].map(parseDuration)).toEqual([
      30_000, 250, 604_800_000, 3_600_000, 120_000,
    ])
    expect(['64KiB', '1MiB', '4096B', '1GiB'].map(parseSize)).toEqual([65_536, 1_048_576, 4_096, 1_073_741_824])
    expect([parseDuration('0'), parseSize('0')]).toEqual([0, 0])
    expect(['', '5', 's', '-1s', '1.5s', '1 s', '1x', '1toString'].map(parseDuration)).toEqual(
      new Array(8).fill(undefined),
    )
  })

  it('are written in the largest that fits', () => {
    expect([0, 1_500, 30_000, 90_000, 86_400_000].map(formatDuration)).toEqual(['0', '1500ms', '30s', '90s', '1d'])
    expect([1_000, 65_536, 1_048_576].map(formatSize)).toEqual(['1000B', '64KiB', '1MiB'])
  })
})

describe('flags', () => {
  it('are read in both forms', () => {
    expect(readFlags(['--port', '1', '--ack-timeout=5s', '--origins=https://a.example/?x=1'])).toEqual({
      port: '1',
      ackTimeout: '5s',
      origins: 'https://a.example/?x=1',
    })
  })

  it('need dashes and a value', () => {
    expect(() => readFlags(['port'])).toThrow('is not a flag')
    expect(() => readFlags(['--port'])).toThrow('--port needs a value')
  })
})

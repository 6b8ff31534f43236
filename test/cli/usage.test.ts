import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ackd } from './process.ts'

const home = mkdtempSync(join(tmpdir(), 'ackd-usage-'))

describe('ackd', () => {
  it('tells its version', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
    expect(await ackd(['--version'], { home })).toEqual({ code: 0, out: `${version}\n`, err: '' })
  })

  it('shows help on stdout when asked, with examples', async () => {
    const { code, out, err } = await ackd(['--help'], { home })
    expect([code, err]).toEqual([0, ''])
    expect(out).toContain('ackd listen --as bob')
  })

  it.each([
    [['sned'], 'Did you mean send?'],
    [['send', '--tll', '5s', 'bob', 'hi'], 'Did you mean --ttl?'],
    [['send'], "missing required argument 'to'"],
    [['send', 'bob', 'hi', '--timeout', '10'], "--timeout cannot be '10'\n  fix: write a number with a unit"],
    [['send', 'bob', 'hi', '--wait', 'forever'], 'Allowed choices are stored, delivered'],
    [['send', 'bob', '{a:1}', '--body-json'], 'the body is not JSON'],
    [['listen', '--url', 'http://127.0.0.1'], 'write it like ws://127.0.0.1:5000/ws'],
    [['listen', '--as', 'no spaces'], 'cannot name a profile'],
    [['listen', '--as', 'exactly16letters'], 'cannot name a profile'],
    [['serve', '--port', '99999'], '--port cannot be "99999"\n  fix: give 0 to 65535'],
    [['serve', '--prot', '1'], 'Did you mean --port?'],
    [['bench', '--clients', '1'], 'write an integer from 2'],
    [['rooms', 'info'], 'fix: see ackd rooms info --help'],
    [['clients', 'nope'], 'fix: see ackd clients --help'],
    [['user', 'rm'], 'fix: see ackd user rm --help'],
    [['history', 'lobby', '--before', 'x'], 'write an integer from 1'],
    [['conformance', 'http://x'], 'write it like ws://127.0.0.1:5000/ws'],
    [['whoami', '--as', 'bad/name'], 'cannot name a profile'],
    [['whoami', '--profiles', '../x'], 'write its host and port'],
    [['send', '#lobby', 'hi'], "to say something in a room: ackd chat '#lobby'"],
    [['send', '', 'hi'], 'name a profile, or an id'],
    [['presence', 'bob', '#lobby'], "'#lobby' cannot be a client"],
    [['history', 'no room'], "'no room' cannot name a room"],
    [['chat', '--name', ''], 'take 1 to 64 characters'],
    [['send', 'bob', 'hi', '--token', 'x'], 'make one: ackd token create ID'],
    [['send', 'bob', 'hi', '--token', 'e.eyJzdWIiOiJhIn0.e', '--as', 'bob'], 'leave out --as or the token'],
    [['listen', '--ca', 'nowhere.pem'], '--ca nowhere.pem cannot be read (ENOENT)'],
    [['serve', '--config', 'nowhere.json'], 'cannot be read (ENOENT)\n  fix: correct --config'],
    [['token', 'create', 'alice'], 'set ACKD_JWT_SECRET'],
    ...['clients ls', 'clients info x', 'clients kick x', 'rooms ls', 'rooms info x', 'user ls', 'trace a b 1'].map(
      (command): [string[], string] => [command.split(' '), 'set ACKD_ADMIN_TOKEN'],
    ),
  ])('ends %j with 2 and says what to do', async (args, told) => {
    const { code, out, err } = await ackd(args, { home })
    expect([code, out]).toEqual([2, ''])
    expect(err).toContain(told)
  })

  it('refuses an environment variable that is no option, with a suggestion', async () => {
    const { code, err } = await ackd(['serve'], { home, environment: { ACKD_PROT: '1' } })
    expect(code).toBe(2)
    expect(err).toContain('did you mean ACKD_PORT?')
  })

  it('says which variable is wrong, and helps all the same', async () => {
    const [told, help] = await Promise.all(
      [['whoami'], ['whoami', '--help']].map(args => ackd(args, { home, url: 'nonsense' })),
    )
    expect([told?.code, told?.err]).toEqual([2, expect.stringContaining("ACKD_URL cannot be 'nonsense'")])
    expect([help?.code, help?.err]).toEqual([0, ''])
  })

  it('names a place for profiles that cannot be one, and the way out', async () => {
    const commands = [
      ['profile', 'ls'],
      ['send', 'bob', 'hi'],
      ['listen', '--as', 'bob'],
    ]
    for (const { code, err } of await Promise.all(commands.map(args => ackd(args, { home: 'package.json' })))) {
      expect(code).toBe(1)
      expect(err).toMatch(/^ackd: the profiles in package\.json.* cannot be used \(ENOTDIR\)\n {2}fix: .*ACKD_HOME\n$/)
    }
  })

  it('shows no password of a Redis in its help', async () => {
    const { out } = await ackd(['mailbox', 'ls', '--help'], {
      home,
      environment: { ACKD_REDIS_URL: 'redis://:hush@x' },
    })
    expect(out).toContain('--redis-url')
    expect(out).not.toContain('hush')
  })

  it.each([
    ['send', 'bob', 'hi'],
    ['listen', '--as', 'bob'],
    ['bench', '--clients', '2'],
    ['chat'],
    ['presence', 'bob'],
    ['history', 'lobby'],
    ['rooms', 'ls', '--admin-token', 'x'],
    ['user', 'ls', '--admin-token', 'x'],
    ['conformance', 'ws://127.0.0.1:2/ws'],
  ])('ends %s with 3 when nobody is there', async (...args) => {
    // Where nothing listens, and where fetch does not refuse to go.
    const { code, out, err } = await ackd(args, { home, url: 'ws://127.0.0.1:2/ws' })
    expect([code, out]).toEqual([3, ''])
    expect(err).toContain('Nothing listens at 127.0.0.1:2 (ECONNREFUSED).\n  fix: start a server with: ackd serve')
  })

  it('ends whoami with 1 for a profile that was never used', async () => {
    const { code, err } = await ackd(['whoami', '--as', 'stranger'], { home })
    expect(code).toBe(1)
    expect(err).toContain('ackd listen --as stranger')
  })

  it('ends mailbox with 1 when there is no store', async () => {
    const { code, err } = await ackd(['mailbox', 'ls', '--data-dir', join(home, 'nothing')], { home })
    expect(code).toBe(1)
    expect(err).toContain('fix:')
  })

  it('documents every option, as it is now', async () => {
    const { out } = await ackd(['options', '--markdown'], { home })
    expect(readFileSync('docs/options.md', 'utf8')).toBe(out)
  })
})

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

  it.each(['serve', 'listen', 'send', 'bench'])('shows examples in the help of %s', async command => {
    const { code, out } = await ackd([command, '--help'], { home })
    expect(code).toBe(0)
    expect(out).toContain(`Examples:\n  ackd ${command}`)
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

  it.each([
    ['send', 'bob', 'hi'],
    ['listen', '--as', 'bob'],
    ['bench', '--clients', '2'],
    ['chat'],
    ['presence', 'bob'],
    ['history', 'lobby'],
    ['rooms', 'ls', '--admin-token', 'x'],
    ['user', 'ls', '--admin-token', 'x'],
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

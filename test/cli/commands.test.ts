import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ackd, example, serve, start, type Ended, type Place, type Running } from './process.ts'

const folder = mkdtempSync(join(tmpdir(), 'ackd-cli-'))
const home = join(folder, 'home')
const dataDir = join(folder, 'data')
let place: Place

beforeAll(async () => {
  // Whoever connects is let in, however busy the machine is.
  place = await serve(home, dataDir, '--max-lag', '1m')
})

afterAll(async () => {
  expect((await place.running.kill('SIGTERM')).code).toBe(0)
  rmSync(folder, { recursive: true, force: true })
})

function run(args: readonly string[], input?: string): Promise<Ended> {
  return ackd(args, { home, url: place.url }, input)
}

/** Somebody who listens, from when the server knows them. */
async function listen(name: string, ...args: string[]): Promise<Running> {
  const running = start(['listen', '--as', name, '--json', ...args], { home, url: place.url })
  expect(JSON.parse(await running.line())).toMatchObject({ type: 'ready', profile: name })
  return running
}

/** Somebody with an address who is away. */
async function absent(name: string): Promise<string> {
  await (await listen(name)).kill('SIGINT')
  return (await run(['whoami', '--as', name])).out.trim()
}

describe('ackd serve', () => {
  it('keeps stdout for the ready line', async () => {
    const other = await serve(home, join(folder, 'other'))
    expect((await fetch(`${other.http}/healthz`)).status).toBe(200)
    const { code, out } = await other.running.kill('SIGTERM')
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ msg: 'ready', ws: other.url, http: other.http })
  })

  it('ends with 1 when the port is taken', async () => {
    const { port } = new URL(place.http)
    const { code, err } = await run(['serve', '--port', port, '--store', 'memory'])
    expect(code).toBe(1)
    expect(err).toContain('the port is taken')
  })

  it('ends with 1 when another server owns the data', async () => {
    const { code, err } = await run(['serve', '--port', '0', '--data-dir', dataDir])
    expect(code).toBe(1)
    expect(err).toContain('fix:')
  })
})

describe('ackd send and listen', () => {
  it('delivers to a profile by its name, and says so', async () => {
    const bob = await listen('bob')
    expect((await run(['send', 'bob', 'hello'])).out).toMatch(/^✓ delivered → bob {2}[\d.]+ (µs|ms)\n$/)
    expect(JSON.parse(await bob.line())).toMatchObject({ type: 'message', profile: 'default', n: 1, body: 'hello' })
    expect((await bob.kill('SIGINT')).code).toBe(0)
  })

  it('delivers to an id', async () => {
    const carol = await listen('carol')
    const id = (await run(['whoami', '--as', 'carol'])).out.trim()
    const { out } = await run(['send', id, '{"x":[1,null]}', '--body-json', '--json', '--as', 'alice'])
    expect(JSON.parse(out)).toMatchObject({ status: 'delivered', to: id, profile: null })
    expect(JSON.parse(await carol.line())).toMatchObject({ profile: 'alice', body: { x: [1, null] } })
    await carol.kill('SIGINT')
  })

  it('stores for a recipient that was killed, and hands over in order when it is back', async () => {
    const dave = await listen('dave')
    await run(['send', 'dave', 'zero'])
    await dave.line()
    await dave.kill('SIGKILL')
    for (const body of ['one', 'two']) {
      const sent = await run(['send', 'dave', body])
      expect(sent).toEqual({ code: 0, out: expect.stringMatching(/^● stored → dave/) as unknown, err: '' })
    }
    const back = await run(['listen', '--as', 'dave', '-n', '2', '--raw'])
    expect(back).toEqual({ code: 0, out: 'one\ntwo\n', err: '' })
  })

  it('tells when the receipt came, not how long it waited for a better one', async () => {
    await absent('iris')
    const told = async (): Promise<number> => {
      const { out } = await run(['send', 'iris', 'hi', '--json'])
      return (JSON.parse(out) as { ms: number }).ms
    }
    // It waits 100 ms. A busy machine may take as long for the receipt, but not every time.
    await expect.poll(told, { timeout: 60_000 }).toBeLessThan(95)
  })

  it('sends a line of stdin as a message each, and tells of them in order', async () => {
    await absent('erin')
    const lines = Array.from({ length: 200 }, (_, i) => `line ${i}`)
    const { code, out } = await run(['send', 'erin', '-', '--json'], `${lines.join('\n')}\n`)
    expect(code).toBe(0)
    const numbers = out
      .trim()
      .split('\n')
      .map(line => (JSON.parse(line) as { n: number }).n)
    expect(numbers).toEqual(lines.map((_, i) => i + 1))
    const received = await run(['listen', '--as', 'erin', '-n', '200', '--raw'])
    expect(received.out).toBe(`${lines.join('\n')}\n`)
  })

  it('escapes what a terminal would obey', async () => {
    await absent('frank')
    await run(['send', 'frank', '\u001b[2Jboo\nboo'])
    expect((await run(['listen', '--as', 'frank', '-n', '1'])).out).toBe('default (waited)  \\u001b[2Jboo\\nboo\n')
  })

  it('says when stdin had nothing to send', async () => {
    await absent('olga')
    expect(await run(['send', 'olga', '-'])).toEqual({
      ...{ code: 0, out: '' },
      err: 'no line came on stdin, so nothing was sent\n',
    })
  })

  it('ends with 4 when nobody has the id', async () => {
    const { code, out, err } = await run(['send', 'nobody', 'hi'])
    expect([code, out]).toEqual([4, ''])
    expect(err).toContain("nobody has the id 'nobody'")
  })

  it('stops at the first line that is refused, while stdin is still open', async () => {
    const sender = start(['send', 'nobody', '-'], { home, url: place.url })
    sender.process.stdin.write('one\n')
    expect((await sender.ended()).code).toBe(4)
  })

  it('ends with 5 when it is not acked in time', async () => {
    await absent('grace')
    const { code, err } = await run(['send', 'grace', 'hi', '--wait', 'delivered', '--timeout', '300ms'])
    expect(code).toBe(5)
    expect(err).toContain('stored, but was not acked within 300 ms')
  })

  it('works twice at once under one profile', async () => {
    await absent('heidi')
    const both = await Promise.all(['one', 'two'].map(text => run(['send', 'heidi', text, '--as', 'twin'])))
    expect(both.map(({ code }) => code)).toEqual([0, 0])
  })

  it('refuses a second listener under one profile, and names the way out', async () => {
    const ivan = await listen('ivan')
    const { code, err } = await run(['listen', '--as', 'ivan'])
    expect(code).toBe(1)
    expect(err).toContain('--as NAME')
    await ivan.kill('SIGINT')
  })

  it('lets default commands run side by side under spare profiles', async () => {
    const first = start(['listen', '--json'], { home, url: place.url })
    const { profile, id } = JSON.parse(await first.line()) as { profile: string; id: string }
    expect(profile).toBe('default')
    expect((await run(['send', id, 'hello'])).out).toContain('✓ delivered → ')
    expect(JSON.parse(await first.line())).toMatchObject({ profile: 'default-2' })
    await first.kill('SIGTERM')
  })

  it('does not ack with --ack none', async () => {
    await absent('judy')
    await run(['send', 'judy', 'keep me'])
    const judy = await listen('judy', '--ack', 'none')
    await judy.line()
    await judy.kill('SIGINT')
    expect((await run(['listen', '--as', 'judy', '-n', '1', '--raw'])).out).toBe('keep me\n')
  })

  it('keeps secrets from other users', () => {
    const [server = ''] = readdirSync(home)
    expect(statSync(join(home, server, 'default', 'identity.json')).mode & 0o777).toBe(0o600)
    expect(statSync(join(home, server, 'default')).mode & 0o777).toBe(0o700)
  })
})

describe('ackd whoami and profile ls', () => {
  it('know the ids of this machine', async () => {
    const id = await absent('kim')
    expect(id).toMatch(/^[A-Za-z0-9_-]{16}$/)
    expect((await run(['profile', 'ls'])).out).toMatch(new RegExp(`^kim +${id}$`, 'm'))
  })
})

/** A profile whose id no server gave out. */
function forge(name: string): string {
  const folder = join(home, new URL(place.url).host.replace(':', '_'), name)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'identity.json'), JSON.stringify({ id: 'AAAAAAAAAAAAAAAA', secret: 'x'.repeat(43) }))
  return 'AAAAAAAAAAAAAAAA'
}

describe('profiles of other servers', () => {
  it('are named where one of that name is missing, and used when that is asked for', async () => {
    const id = await absent('mia')
    const { host } = new URL(place.url)
    const elsewhere = (...args: string[]): Promise<Ended> => ackd(args, { home, url: place.tcp })
    const told = `${host} has one; if that is the same server or a node of the same cluster, add --profiles ${host}`
    const [sent, asked] = await Promise.all([elsewhere('send', 'mia', 'hi'), elsewhere('whoami', '--as', 'mia')])
    expect([sent.code, sent.err]).toEqual([4, expect.stringContaining(told)])
    expect([asked.code, asked.err]).toEqual([1, expect.stringContaining(told)])
    expect((await elsewhere('whoami', '--as', 'mia', '--profiles', host)).out).toBe(`${id}\n`)
    expect((await elsewhere('send', 'mia', 'hi', '--profiles', host)).out).toMatch(/^● stored → mia/)
    const environment = { ACKD_PROFILES: host }
    const heard = await ackd(['listen', '--as', 'mia', '-n', '1', '--raw'], { home, url: place.tcp, environment })
    expect(heard).toEqual({ code: 0, out: 'hi\n', err: '' })
  })

  it('are told of when the server does not know them: which id is another one now', async () => {
    const id = forge('nina')
    const sent = await run(['send', 'nina', 'hi'])
    expect([sent.code, sent.err]).toEqual([4, expect.stringContaining(`by the id of profile 'nina', ${id}`)])
    const { code, err } = await run(['presence', 'nina', '--as', 'nina'])
    expect(code).toBe(0)
    const now = (await run(['whoami', '--as', 'nina'])).out.trim()
    expect(err).toBe(`${place.url} does not know profile 'nina' as ${id}; from now on it is ${now}\n`)
  })
})

describe('ackd mailbox', () => {
  it('shows what waits while the server runs, and takes nothing out', async () => {
    const id = await absent('leo')
    await run(['send', 'leo', 'first'])
    await run(['send', 'leo', '[2]', '--body-json'])
    const list = await run(['mailbox', 'ls', '--data-dir', dataDir, '--json'])
    const rows = list.out
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as { id: string; parked: number })
    expect(rows.find(row => row.id === id)).toMatchObject({ parked: 2 })
    const view = await run(['mailbox', 'view', 'leo', '--data-dir', dataDir])
    expect(
      view.out
        .trim()
        .split('\n')
        .map(line => line.split('  ')[2]),
    ).toEqual(['first', '[2]'])
    expect((await run(['mailbox', 'view', id, '--data-dir', dataDir])).out).toBe(view.out)
  })

  it('ends with 1 for an id that it does not know', async () => {
    expect((await run(['mailbox', 'view', 'nobody', '--data-dir', dataDir])).code).toBe(1)
  })
})

describe('ackd bench', () => {
  it('measures a running server', async () => {
    const { code, out, err } = await run(['bench', '--clients', '4', '--duration', '500ms', '--rate', '200', '--json'])
    expect([code, err]).toEqual([0, ''])
    const figures = JSON.parse(out) as { perSecond: number; receipt: { p50: number; p99: number } }
    expect(figures.perSecond).toBeGreaterThan(50)
    expect(figures.receipt.p50).toBeLessThanOrEqual(figures.receipt.p99)
  })
})

describe('examples', () => {
  it.each([
    ['hello.ts', ['bob got {"text":"hello"} from alice', 'alice knows that it was delivered']],
    ['away.ts', ['while bob is away: stored', 'bob is back: "are you there?", which waited', 'then: delivered']],
    ['work-queue.ts', ['job 2 failed', 'job 3 is done', 'all three were acked']],
    ['json-lines.ts', ['message 1: a note to myself', 'receipt: delivered']],
  ])('%s does what it says', async (name, told) => {
    const { code, out, err } = await example(name, { home, url: place.url })
    expect([code, err]).toEqual([0, ''])
    for (const line of told) expect(out).toContain(line)
  })

  it('are all run here', () => {
    expect(
      readdirSync('examples')
        .filter(name => name.endsWith('.ts'))
        .sort(),
    ).toEqual(['away.ts', 'hello.ts', 'json-lines.ts', 'work-queue.ts'])
  })
})

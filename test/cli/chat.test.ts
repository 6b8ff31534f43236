/** A room in terminals, each over another transport, as its users see it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { ackd, serve, start, type Place, type Running } from './process.ts'

const folder = mkdtempSync(join(tmpdir(), 'ackd-chat-'))
const home = join(folder, 'home')
const trust = { NODE_EXTRA_CA_CERTS: join(folder, 'data', 'tls-development.crt') }
const HELP = '* type to speak to all; /to NAME TEXT to one; /who; /quit'
const running: Running[] = []
let place: Place

beforeAll(async () => {
  place = await serve(home, join(folder, 'data'), '--max-lag', '1m')
})

afterEach(async () => {
  for (const one of running.splice(0)) await one.kill('SIGKILL')
})

afterAll(async () => {
  await place.running.kill('SIGTERM')
  rmSync(folder, { recursive: true, force: true })
})

/** Somebody in a room, once they were welcomed with these words. */
async function enter(name: string, url: string, room: string, welcome: string): Promise<Running> {
  const one = start(['chat', room, '--as', name], { home, url, environment: trust })
  running.push(one)
  expect(await one.line()).toBe(`* welcome to ${room}, ${name}; here are: ${welcome}`)
  expect(await one.line()).toBe(HELP)
  return one
}

function type(one: Running, line: string): void {
  one.process.stdin.write(`${line}\n`)
}

describe('ackd chat', () => {
  it('lets everybody hear but the speaker, and tells of comings and goings, over any transport', async () => {
    const alice = await enter('alice', place.url, '#lobby', 'nobody else yet')
    const bob = await enter('bob', place.tcp, '#lobby', 'alice')
    expect(await alice.line()).toBe('* bob came')
    const carol = await enter('carol', place.tls.replace('127.0.0.1', 'localhost'), '#lobby', 'alice, bob')
    for (const one of [alice, bob]) expect(await one.line()).toBe('* carol came')
    type(alice, 'hello')
    expect(await alice.line()).toBe('● hello')
    for (const one of [bob, carol]) expect(await one.line()).toBe('alice  hello')
    type(bob, '/who')
    expect(await bob.line()).toBe('* here are: alice, bob, carol')
    type(bob, '/quit')
    expect((await bob.ended()).code).toBe(0)
    for (const one of [alice, carol]) expect(await one.line()).toBe('* bob left')
    expect((await carol.kill('SIGINT')).code).toBe(0)
    expect(await alice.line()).toBe('* carol left')
  })

  it('speaks to one alone, with a tick when it is kept and one when it was heard', async () => {
    const alice = await enter('alice', place.url, '#lobby', 'nobody else yet')
    const bob = await enter('bob', place.tcp, '#lobby', 'alice')
    expect(await alice.line()).toBe('* bob came')
    type(bob, '/to alice psst')
    expect(await alice.line()).toBe('bob to you alone  psst')
    let tick = await bob.line()
    if (tick.startsWith('●')) tick = await bob.line()
    expect(tick).toBe('✓ to alice: psst')
    type(bob, '/to dave psst')
    expect(await bob.line()).toBe('* nobody here is called dave; see /who')
  })

  it('shows nothing of what came over the network that a terminal would obey', async () => {
    const alice = await enter('alice', place.url, '#lobby', 'nobody else yet')
    const bob = await enter('bob', place.tcp, '#lobby', 'alice')
    expect(await alice.line()).toBe('* bob came')
    type(bob, 'red \u001b[31m')
    expect(await alice.line()).toBe('bob  red \\u001b[31m')
  })

  it('says what to do in a room that there is not', async () => {
    const one = start(['chat', '#nowhere', '--as', 'alice'], { home, url: place.url })
    const { code, err } = await one.ended()
    expect(code).not.toBe(0)
    expect(err).toContain('fix:')
  })

  it('warns who says nothing where silence ends a connection, and then ends', async () => {
    const strict = await serve(home, join(folder, 'strict'), '--idle-timeout', '3s', '--ping-interval', '1s')
    const alice = await enter('alice', strict.url, '#lobby', 'nobody else yet')
    expect(await alice.line()).toBe('* nothing was said for 2.5 s; this ends in 500 ms unless you say something')
    type(alice, 'still here')
    expect(await alice.line()).toBe('● still here')
    expect(await alice.line()).toContain('* nothing was said')
    expect(await alice.line()).toBe('* the server ended it: nothing was said for too long')
    expect((await alice.ended()).code).toBe(0)
    await strict.running.kill('SIGTERM')
  })

  it('is made by who wants to talk in one, and says what to do where there is none, or a password is wanted', async () => {
    const nowhere = await ackd(['chat', 'den', '--as', 'alice'], { home, url: place.url })
    expect([nowhere.code, nowhere.err]).toEqual([4, expect.stringMatching(/no room #den\n.*ackd chat '#den' --create/)])
    const made = ['chat', 'den', '--as', 'alice', '--create', '--password', 'open, sesame']
    const alice = start(made, { home, url: place.url })
    running.push(alice)
    expect(await alice.line()).toBe('* welcome to #den, alice; here are: nobody else yet')
    const closed = await ackd(['chat', 'den', '--as', 'bob'], { home, url: place.url })
    expect([closed.code, closed.err]).toEqual([4, expect.stringContaining('--password')])
    const bob = start(['chat', '#den', '--as', 'bob', '--password', 'open, sesame'], { home, url: place.url })
    running.push(bob)
    expect(await bob.line()).toBe('* welcome to #den, bob; here are: alice')
  })
})

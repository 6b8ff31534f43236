/**
 * The operator's console in a real browser: somebody asks where a message is, sends a client away, discards a mailbox and deletes a room.
 *
 * Whatever the page complains of on its console, a violation of the server's policy included, makes its test red.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { afterEach, expect, test } from 'vitest'
import { ADMIN_TOKEN, ApiCaller } from '../gateway/api-caller.ts'
import { connectBySocket, type Peer } from '../gateway/peer.ts'
import { isFine } from './axe.ts'
import { connectionLost, cut, expectComplaints, mend, server } from './chromium.ts'
import { RedisServer } from '../support/redis.ts'
import { newcomer } from './chatter.ts'

const built = fileURLToPath(new URL('../../dist/web/', import.meta.url))
const peers: Peer[] = []

afterEach(async () => {
  for (const peer of peers.splice(0)) {
    peer.hangUp()
    await peer.end()
  }
})

/** Somebody who is here and has sent a message to somebody who is not. */
async function parkOne(text: string): Promise<{ from: string; to: string }> {
  const [alice, bob] = [await connectBySocket(server.ws), await connectBySocket(server.ws)]
  peers.push(alice)
  const { id: from } = await alice.hello({ outbox: 'alicesbox' })
  const { id: to } = await bob.hello()
  bob.hangUp()
  await bob.end()
  alice.say(frames => frames.send(1, 1, to, 0, alice.body(text)))
  await alice.next('stored')
  return { from, to }
}

/** By how much what is shown is wider than the window. */
const WIDER = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'

async function open(hash = ''): Promise<Page> {
  const somebody = await newcomer()
  return (await somebody.visit(`/console${hash}`)).page
}

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name })
const tile = (page: Page, title: string) =>
  page.locator('.tile').filter({ has: page.getByRole('heading', { name: title, exact: true }) })

test('who has the token sees what is parked, where it is, and sends a client away', async () => {
  const { from, to } = await parkOne('where am I')
  const page = await open()
  await isFine(page, 'login')
  await page.getByLabel('Admin token').fill('not the token of this server, by any means')
  await page.keyboard.press('Enter')
  await page.getByText('This admin token is not the one of the server.').waitFor()
  expectComplaints(/401/)
  await page.getByLabel('Admin token').fill(ADMIN_TOKEN)
  await page.keyboard.press('Enter')
  await tile(page, 'Parked').getByText('1', { exact: true }).waitFor()
  await tile(page, 'Store').getByText('Answers').waitFor()
  await isFine(page, 'overview')

  await page.getByRole('link', { name: 'Where is my message?' }).click()
  await page.getByLabel('From').fill(from)
  await page.getByLabel('To, a client or a #room').fill(to)
  await page.keyboard.press('Enter')
  await page.getByRole('link', { name: /^n 1/ }).click()
  await page.getByRole('heading', { name: 'Stored, next in line' }).waitFor()
  await isFine(page, 'where it is')
  await page.getByRole('link', { name: to }).click()
  await button(page, /^Body/).click()
  await page.getByText('where am I').waitFor()
  await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' })
  await isFine(page, 'a client, in dark')

  await page.goto(`${page.url().split('#')[0] ?? ''}#client=${from}`)
  await button(page, 'Close its connection').click()
  await isFine(page, 'dialog')
  await page.getByRole('dialog').getByRole('button', { name: 'Close it' }).click()
  await page.getByText('Its connection was closed.').waitFor()
  await page.setViewportSize({ width: 360, height: 640 })
  const places = {
    '': 'Overview',
    find: 'Where is my message?',
    clients: 'Clients',
    [`client=${to}`]: to,
    rooms: 'Rooms',
    'room=%23lobby': '#lobby',
  }
  for (const [hash, heading] of Object.entries(places)) {
    await page.evaluate(`void (location.hash = '${hash}')`)
    await page.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor()
    expect(await page.evaluate(WIDER), heading).toBe(0)
  }
})

test('the token of a link is taken out of the address, outlives a reload, and is forgotten; a server that is away is said to be', async () => {
  const page = await open(`#token=${ADMIN_TOKEN}`)
  await tile(page, 'Connections').waitFor()
  expect(page.url()).not.toContain(ADMIN_TOKEN)
  await page.reload()
  await tile(page, 'Connections').waitFor()
  cut()
  await page.getByText('The server does not answer.').waitFor()
  expect(await page.locator('.tiles.is-old').count()).toBe(1)
  mend()
  await page.locator('.tiles:not(.is-old)').waitFor()
  expectComplaints(connectionLost)
  await button(page, 'Forget the token').click()
  await page.getByLabel('Admin token').waitFor()
  expect(await page.evaluate('[sessionStorage.length, document.cookie]')).toEqual([0, ''])
})

/** Presses a key until what has the focus says that. */
async function reach(page: Page, name: string, key = 'Tab'): Promise<void> {
  const seen: string[] = []
  while (seen.length < 40) {
    await page.keyboard.press(key)
    const words = await page.evaluate<string>('document.activeElement.innerText.trim()')
    if (words.startsWith(name)) return
    seen.push(words)
  }
  throw new Error(`${name} is not among ${JSON.stringify(seen)}`)
}

/** Waits until that heading has the focus, or what else is named; a link to a part says the same as its heading. */
async function hasFocus(page: Page, words: string, tag = 'H1'): Promise<void> {
  const what = 'document.activeElement.tagName + " " + document.activeElement.innerText.trim()'
  await expect.poll(() => page.evaluate(what)).toBe(`${tag} ${words}`)
}

test('all of it can be done by keyboard, and the focus is never lost', async () => {
  const { to } = await parkOne('nobody wants me')
  const [alice] = peers
  if (alice === undefined) throw new Error('Alice is not here.')
  alice.say(frames => frames.create(2, '#den', {}))
  await alice.next('reply')
  alice.say(frames => frames.join(3, '#den', {}))
  await alice.next('members')
  const page = await open()
  await expect.poll(() => page.evaluate('document.activeElement.name')).toBe('token')
  await page.keyboard.type(ADMIN_TOKEN)
  await page.keyboard.press('Enter')
  await hasFocus(page, 'Overview')

  await reach(page, 'Rooms', 'Shift+Tab')
  await page.keyboard.press('Enter')
  await hasFocus(page, 'Rooms')
  await page.getByRole('link', { name: '#den' }).waitFor()
  await reach(page, '#den')
  await page.keyboard.press('Enter')
  await hasFocus(page, '#den')
  await page.getByRole('region', { name: 'Members' }).getByRole('link').waitFor()
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await isFine(page, `a room, in ${colorScheme}`)
  }
  await reach(page, 'Delete the room')
  await page.keyboard.press('Enter')
  await page.getByRole('dialog').waitFor()
  await page.keyboard.press('Escape')
  await hasFocus(page, 'Delete the room', 'BUTTON')
  await page.keyboard.press('Enter')
  await page.getByRole('dialog').waitFor()
  await reach(page, 'Delete it for good')
  await page.keyboard.press('Enter')
  await hasFocus(page, 'Rooms')
  expect((await alice.next('members')).slice(1, 3)).toEqual(['#den', 'leave'])
  await expect.poll(() => page.getByRole('link', { name: '#den' }).count()).toBe(0)

  await reach(page, 'Clients', 'Shift+Tab')
  await page.keyboard.press('Enter')
  await hasFocus(page, 'Clients')
  await page.keyboard.press('Tab')
  await page.keyboard.type(to)
  await page.keyboard.press('Enter')
  await hasFocus(page, to)
  await page.getByText('By sender:').waitFor()
  await reach(page, 'Discard its mailbox')
  await page.keyboard.press('Enter')
  await page.getByRole('dialog').waitFor()
  await reach(page, 'Discard it for good')
  await page.keyboard.press('Enter')
  await page.getByText('1 message was discarded.').waitFor()
  expect((await alice.next('ended')).slice(1, 4)).toEqual(['expired', to, 1])
  await hasFocus(page, 'Discard its mailbox', 'BUTTON')
  await reach(page, 'Forget the token', 'Shift+Tab')
  await page.keyboard.press('Enter')
  await expect.poll(() => page.evaluate('document.activeElement.name')).toBe('token')
})

test('nodes on one Redis are shown beside each other, with who is where, and a Redis that is away is said to be', async () => {
  const redis = await RedisServer.start()
  const callers = await Promise.all([1, 2].map(() => ApiCaller.start({ redisUrl: redis.url, store: 'lmdb' })))
  const [here, there] = callers.map(caller => caller.server)
  if (here === undefined || there === undefined) throw new Error('There are no servers.')
  const bob = await connectBySocket(there.ws)
  peers.push(bob)
  const { id } = await bob.hello()
  bob.say(frames => frames.join(1, '#lobby', {}))
  await bob.next('members')
  const told = async (): Promise<unknown> => (await callers[0]?.ask('/api/nodes'))?.value
  await expect.poll(told).toMatchObject({ nodes: [{}, { sessions: 1 }] })
  const { context } = await newcomer()
  const page = await context.newPage()
  await page.goto(`${here.http}/console#token=${ADMIN_TOKEN}`)
  const rows = page.getByRole('region', { name: 'Nodes' }).locator('tbody tr')
  await expect.poll(() => rows.count()).toBe(2)
  const name = (await rows.nth(1).locator('.name').textContent()) ?? ''
  await page.setViewportSize({ width: 360, height: 640 })
  await isFine(page, 'nodes')
  expect(await page.evaluate(WIDER)).toBe(0)
  await page.evaluate("void (location.hash = 'room=%23lobby')")
  await page.getByText(`connected to ${name} on`).waitFor()
  await page.getByRole('link', { name: id }).click()
  await page.getByText(`It is connected to ${name} on`).waitFor()
  expect(await button(page, 'Close its connection').getAttribute('aria-disabled')).toBe('true')
  await redis.stop()
  await expect.poll(told).toMatchObject({ unheard: null, nodes: [{}] })
  await page.goto(`${here.http}/console`)
  await page.getByText('The store is away.').waitFor()
  await tile(page, 'Parked').getByText('not known while the store is away').waitFor()
  await page.getByText('nothing is known of other nodes').waitFor()
  bob.hangUp()
  await Promise.all(callers.map(caller => caller.close()))
})

/** In bytes as they travel, all of it. */
test('the console is as small as it is', () => {
  const sizes = readdirSync(built, { recursive: true, encoding: 'utf8' })
    .filter(name => /^(assets\/)?console.*\.br$/.test(name))
    .map(name => readFileSync(join(built, name)).length)
  const bytes = sizes.reduce((sum, size) => sum + size, 0)
  console.log('bytes of the console that travel, by brotli:', bytes)
  expect(sizes.length).toBe(3)
  expect(bytes).toBeLessThan(22 * 1_024)
})

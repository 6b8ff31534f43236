/**
 * The picture docs/console.png, taken of the console as it is: `npm run build && tsx test/support/console-picture.ts [directory]`. With a directory it takes all
 * parts of the console there, and how it looks when something is wrong, on a desk and on a phone, in light and in dark, for whoever works on it.
 */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { chromium, type Page } from 'playwright-core'
import { connect } from '../../src/client/index.node.ts'
import { ADMIN_TOKEN, ApiCaller } from '../gateway/api-caller.ts'
import { RedisServer } from './redis.ts'

const [directory] = process.argv.slice(2)
const picture = fileURLToPath(new URL('../../docs/console.png', import.meta.url))
/** ms for which somebody talks before the picture is taken, so that the lines have something to show. */
const TALK_MS = 40_000

/** Who looks at all of it sees two nodes on one Redis. */
const redis = directory === undefined ? null : await RedisServer.start()
const options = { trace: 10_000, ...(redis !== null && { redisUrl: redis.url, store: 'lmdb' as const }) }
const caller = await ApiCaller.start(options)
const others = redis === null ? [] : [await ApiCaller.start(options)]
const [ann, bob, cal] = [caller, others[0] ?? caller, caller].map(({ server }) => connect(server.ws))
if (!ann || !bob || !cal) throw new Error('There is nobody.')
const [from, , to] = await Promise.all([ann.ready(), bob.ready(), cal.ready()])
bob.on('message', () => {})
await ann.rooms.join('#lobby')
await bob.rooms.join('#lobby')
const longRoom = `#${'a-room-of-a-very-long-name'.padEnd(64, '-and-on')}`
await ann.rooms.create(longRoom, { private: true, password: 'sesame' })
await cal.close()
for (const item of [{ order: 7, state: 'paid' }, 'Are you there?', new Uint8Array([1, 2, 3, 250, 251])])
  void ann.send(to, item)

const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
})
const page = await browser.newPage({ viewport: { width: 1_180, height: 720 } })
await page.goto(`${caller.server.http}/console#token=${ADMIN_TOKEN}`)
await page.locator('.tile').first().waitFor()
await talk(directory === undefined ? TALK_MS : TALK_MS / 2)
if (directory === undefined) await page.screenshot({ path: picture })
else await all(directory)
await browser.close()
await Promise.all([ann.close(), bob.close()])
await Promise.all([caller, ...others].map(one => one.close()))
await redis?.stop()

/** Ann writes to Bob, now more and now less. */
async function talk(ms: number): Promise<void> {
  const id = await bob?.ready()
  const end = performance.now() + ms
  for (let i = 0; performance.now() < end; i++) {
    const count = Math.round(20 + 15 * Math.sin(i / 12))
    for (let n = 0; n < count; n++) {
      void ann?.send(id ?? '', 'hello')
    }
    await sleep(200)
  }
}

async function all(into: string): Promise<void> {
  await takeAll(into, {
    overview: '',
    find: `find&from=${from}&to=${to}&n=2`,
    'find-nothing': `find&from=${from}&to=${to}&n=99`,
    clients: 'clients',
    client: `client=${to}`,
    'client-elsewhere': `client=${bob?.id}`,
    'client-unknown': 'client=nobody',
    rooms: 'rooms',
    room: 'room=%23lobby',
    'room-empty': `room=${encodeURIComponent(longRoom)}`,
    'room-unknown': 'room=%23nowhere',
  })
  await redis?.stop()
  await page.goto(`${caller.server.http}/console#rooms`)
  await page.getByText('The store is away').waitFor({ timeout: 60_000 })
  await takeAll(into, { 'store-away': '', 'store-away-clients': 'clients', 'store-away-client': `client=${to}` })
  const again = await browser.newPage()
  await again.goto(`${caller.server.http}/console`)
  for (const [name, tries] of [
    ['token-wrong', 1],
    ['token-wrong-often', 11],
  ] as const) {
    for (let n = 0; n < tries; n++) {
      await again.getByLabel('Admin token').fill(`wrong ${n}`)
      await again.keyboard.press('Enter')
      await again.getByRole('button', { name: 'Open the console' }).waitFor()
    }
    await take(again, into, name)
  }
  await again.close()
  await Promise.all([caller, ...others].map(one => one.server.close()))
  await page.getByText('The server does not answer').waitFor({ timeout: 60_000 })
  await takeAll(into, { 'server-gone': '', 'server-gone-clients': 'clients' })
}

async function takeAll(into: string, hashes: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, hash] of Object.entries(hashes)) {
    await page.evaluate(`void (location.hash = '${hash}')`)
    await sleep(700)
    if (name === 'client') await page.getByRole('button', { name: /^Body/ }).last().click()
    await take(page, into, name)
  }
}

/** On a desk and on a phone. */
async function take(page: Page, into: string, name: string): Promise<void> {
  for (const [width, colorScheme] of [
    [1_180, 'light'],
    [1_180, 'dark'],
    [360, 'light'],
  ] as const) {
    await page.setViewportSize({ width, height: 760 })
    await page.emulateMedia({ colorScheme })
    await sleep(200)
    await page.screenshot({ path: join(into, `${name}-${width}-${colorScheme}.png`), fullPage: true })
  }
}

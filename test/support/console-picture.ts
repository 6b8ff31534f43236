/**
 * The picture docs/console.png, taken of the console as it is: `npm run build && tsx test/support/console-picture.ts [directory]`. With a directory it takes all
 * parts of the console there, on a desk and on a phone, in light and in dark, for whoever works on it.
 */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { chromium, type Page } from 'playwright-core'
import { connect } from '../../src/client/index.node.ts'
import { ADMIN_TOKEN, ApiCaller } from '../gateway/api-caller.ts'

const [directory] = process.argv.slice(2)
const picture = fileURLToPath(new URL('../../docs/console.png', import.meta.url))
/** ms for which somebody talks before the picture is taken, so that the lines have something to show. */
const TALK_MS = 40_000

const caller = await ApiCaller.start({ trace: 10_000 })
const [ann, bob, cal] = ['ann', 'bob', 'cal'].map(() => connect(caller.server.ws))
if (!ann || !bob || !cal) throw new Error('There is nobody.')
const [from, , to] = await Promise.all([ann.ready(), bob.ready(), cal.ready()])
bob.on('message', () => {})
await ann.rooms.join('#lobby')
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
await talk(directory === undefined ? TALK_MS : TALK_MS / 4)
if (directory === undefined) await page.screenshot({ path: picture })
else await all(page, directory)
await browser.close()
await Promise.all([ann.close(), bob.close()])
await caller.close()

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

async function all(page: Page, into: string): Promise<void> {
  const hashes = {
    overview: '',
    find: `find&from=${from}&to=${to}&n=2`,
    clients: 'clients',
    client: `client=${to}`,
    rooms: 'rooms',
    room: 'room=%23lobby',
  }
  for (const [width, colorScheme] of [
    [1_180, 'light'],
    [1_180, 'dark'],
    [360, 'light'],
  ] as const) {
    await page.setViewportSize({ width, height: 760 })
    await page.emulateMedia({ colorScheme })
    for (const [name, hash] of Object.entries(hashes)) {
      await page.evaluate(`void (location.hash = '${hash}')`)
      await sleep(500)
      if (name === 'client') await page.getByRole('button', { name: /^Body/ }).last().click()
      await sleep(300)
      await page.screenshot({ path: join(into, `${name}-${width}-${colorScheme}.png`), fullPage: true })
    }
  }
}

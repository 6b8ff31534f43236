/**
 * The chat page in a real browser: what people do with it, by mouse and by keyboard, with and without a network.
 *
 * Whatever a page complains of on its console, a violation of the server's policy included, makes its test red.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { Locator, Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { connectionLost, cut, expectComplaints, mend, person, type Person } from './chromium.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const listener = `addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sample }) =>
  console.error('policy', violatedDirective, blockedURI, sample))`

/** Somebody with a name, on the page. */
class Chatter {
  readonly page: Page
  readonly person: Person

  constructor(page: Page, somebody: Person) {
    this.page = page
    this.person = somebody
  }

  static async come(name: string, hash = ''): Promise<Chatter> {
    const somebody = await newcomer()
    const { page } = await somebody.visit(`/${hash}`)
    await page.getByLabel('What should others call you?').fill(name)
    await page.keyboard.press('Enter')
    const chatter = new Chatter(page, somebody)
    await chatter.isConnected()
    return chatter
  }

  async isConnected(): Promise<void> {
    await this.strip.getByText('Connected', { exact: true }).waitFor()
  }

  get strip(): Locator {
    return this.page.getByRole('contentinfo')
  }

  get field(): Locator {
    return this.page.getByRole('textbox', { name: /^Message to/ })
  }

  get log(): Locator {
    return this.page.getByRole('log')
  }

  button(name: string | RegExp): Locator {
    return this.page.getByRole('button', { name, exact: typeof name === 'string' }).first()
  }

  async say(text: string): Promise<void> {
    await this.field.fill(text)
    await this.field.press('Enter')
  }

  async sees(text: string | RegExp): Promise<void> {
    await this.page.getByText(text).first().waitFor()
  }

  /** Of one's own message, what became of it, as those hear it who cannot see it. */
  async ticked(text: string, tick: string): Promise<void> {
    await this.log.getByRole('article').filter({ hasText: text }).getByText(`, ${tick}`).waitFor()
  }

  async texts(): Promise<string[]> {
    return this.log.locator('.text').allTextContents()
  }

  /** One's own address and the link to it, as the page offers them to be copied. */
  async link(): Promise<string> {
    await this.button(/Your address and your name/).click()
    const link = await this.page.getByLabel('Link to write to you', { exact: true }).inputValue()
    await this.page.keyboard.press('Escape')
    return new URL(link).hash
  }

  /** Follows a link within the page. */
  async go(hash: string): Promise<void> {
    await this.page.evaluate(`void (location.hash = ${JSON.stringify(hash)})`)
  }
}

async function newcomer(): Promise<Person> {
  const somebody = await person()
  somebody.context.setDefaultTimeout(30_000)
  await somebody.context.addInitScript({ content: listener })
  return somebody
}

/** The page is kept for times without a network. */
async function isKept(page: Page): Promise<void> {
  await page.evaluate('navigator.serviceWorker.ready.then(() => true)')
}

describe('two people', () => {
  test('meet in the lobby: who is here, typing, ticks; a reload keeps who they are and what was said', async () => {
    const ann = await Chatter.come('Ann')
    const bob = await Chatter.come('Bob')
    await ann.sees('Bob came in')
    await ann.sees('2 people here')
    await bob.field.pressSequentially('he')
    await ann.sees('Bob is typing…')
    await bob.say('hello from Bob')
    await ann.sees('hello from Bob')
    await expect.poll(() => ann.page.getByText('Bob is typing…').count()).toBe(0)
    await bob.ticked('hello from Bob', 'Stored on the server')
    await ann.say('hello from Ann')
    await bob.sees('hello from Ann')
    const before = await bob.link()
    await bob.page.reload()
    await bob.isConnected()
    await bob.sees('hello from Ann')
    expect(await bob.link()).toBe(before)
    expect(await bob.texts()).toEqual(['hello from Bob', 'hello from Ann'])
    // A reload is no coming and going.
    expect(await ann.page.getByText('Bob left').count()).toBe(0)
    await bob.page.close()
    await ann.sees('Bob left')
  })

  test('write to each other by a link; what is read elsewhere counts as unread, and drafts stay', async () => {
    const ann = await Chatter.come('Carla')
    const bob = await Chatter.come('Dan', await ann.link())
    await bob.say('only for you')
    await bob.ticked('only for you', 'Delivered')
    const row = ann.page.getByRole('link', { name: /Dan/ }).first()
    await ann.page.getByText(', 1 unread message').waitFor()
    await expect.poll(() => ann.page.title()).toBe('(1) #lobby · ackd')
    await row.click()
    await ann.sees('only for you')
    await expect.poll(() => ann.page.title()).toBe('Dan · ackd')
    await ann.field.fill('a draft')
    await ann.page.reload()
    await ann.sees('only for you')
    expect(await ann.field.inputValue()).toBe('a draft')
    await ann.field.press('Enter')
    await bob.sees('a draft')
  })
})

describe('without a network', () => {
  test('the page can be loaded, what is typed waits over a reload, and arrives once', async () => {
    const eve = await Chatter.come('Eve')
    const finn = await Chatter.come('Finn', await eve.link())
    await finn.say('before')
    await finn.ticked('before', 'Delivered')
    await isKept(finn.page)
    cut()
    await finn.strip.getByText(/Not connected/).waitFor()
    await finn.say('typed offline')
    await finn.ticked('typed offline', 'Waits for a connection')
    await finn.page.reload()
    await finn.ticked('typed offline', 'Waits for a connection')
    await finn.strip.getByText(/Not connected/).waitFor()
    await finn.strip.getByText(/^(Next attempt in \d+ s|Trying…)$/).waitFor()
    expect(await finn.texts()).toEqual(['before', 'typed offline'])
    await finn.say('and more')
    mend()
    await finn.ticked('and more', 'Delivered')
    await finn.ticked('typed offline', 'Delivered')
    await eve.go(`#to=${(await finn.link()).slice(4)}`)
    await eve.sees('and more')
    expect(await eve.texts()).toEqual(['before', 'typed offline', 'and more'])
    expectComplaints(connectionLost)
  })

  test('by the button: all tabs are cut, what is written waits, and goes when the network is restored', async () => {
    const gus = await Chatter.come('Gus')
    const hal = await Chatter.come('Hal', await gus.link())
    const other = await gus.person.visit('/')
    await gus.button('Cut the network').click()
    await gus.strip.getByText(/^You cut the network/).waitFor()
    await other.page.getByText(/^You cut the network/).waitFor()
    await hal.say('while you were cut off')
    await hal.ticked('while you were cut off', 'Stored on the server')
    await gus.say('said to nobody yet')
    await gus.ticked('said to nobody yet', 'Waits for a connection')
    expect(await hal.page.getByText('said to nobody yet').count()).toBe(0)
    await other.page.getByRole('button', { name: 'Restore the network' }).click()
    await gus.ticked('said to nobody yet', 'Stored on the server')
    await hal.ticked('while you were cut off', 'Delivered')
    await hal.go('#room=lobby')
    await hal.sees('said to nobody yet')
    await gus.strip.getByText('1 missed message has come').waitFor()
  })
})

describe('rooms', () => {
  test('are made, private and with a password, and entered by who knows it; they can be left', async () => {
    const ida = await Chatter.come('Ida')
    await ida.button('Join or create a room').click()
    await ida.button('Create a new room').click()
    await ida.page.getByLabel('Name of the room').fill('cellar')
    await ida.page.getByLabel(/^Password/).fill('sesame')
    await ida.page.getByLabel(/^Private/).check()
    await ida.button('Create').click()
    await ida.page.getByRole('heading', { name: '#cellar' }).waitFor()
    await ida.say('first in the cellar')
    const jon = await Chatter.come('Jon')
    await jon.button('Join or create a room').click()
    await jon.page.getByRole('region', { name: 'Rooms that everybody may see' }).getByText('#lobby').waitFor()
    expect(await jon.page.getByRole('dialog').getByText('#cellar').count()).toBe(0)
    await jon.page.getByLabel('Name of the room').fill('cellar')
    await jon.page.keyboard.press('Enter')
    await jon.sees('The password is missing or wrong.')
    await jon.page.getByLabel(/^Password/).fill('sesame')
    await jon.page.keyboard.press('Enter')
    await jon.sees('first in the cellar')
    await jon.page.reload()
    await jon.sees('2 people here')
    await jon.button('Leave the room').click()
    await ida.sees('Jon left')
    expect(await jon.page.getByRole('link', { name: 'cellar' }).count()).toBe(0)
  })

  test('show what was said last, and what was said before to who scrolls up, in its place', async () => {
    const kim = await Chatter.come('Kim', '#room=nowhere')
    await kim.sees('#nowhere: There is no such room. Check the name, or create it.')
    await kim.button('Dismiss').click()
    await kim.button('Join or create a room').click()
    await kim.button('Create a new room').click()
    await kim.page.getByLabel('Name of the room').fill('long')
    await kim.button('Create').click()
    for (let i = 1; i <= 120; i++) await kim.say(`line ${i}.`)
    await kim.ticked('line 120.', 'Stored on the server')
    await kim.page.reload()
    await kim.sees('line 120.')
    await expect.poll(() => kim.texts()).toHaveLength(50)
    await kim.log.press('Home')
    await expect.poll(async () => (await kim.texts()).length).toBeGreaterThanOrEqual(100)
    await kim.log.press('Home')
    await expect.poll(() => kim.texts()).toEqual(Array.from({ length: 120 }, (_, i) => `line ${i + 1}.`))
    await kim.sees('The room begins here.')
  })
})

describe('who comes back', () => {
  test('gets 37 missed messages, in order, and is told how many there were', async () => {
    const lea = await Chatter.come('Lea')
    const max = await Chatter.come('Max', await lea.link())
    await max.say('hello')
    await max.ticked('hello', 'Delivered')
    const address = (await max.link()).slice(4)
    await lea.page.close()
    for (let i = 1; i <= 37; i++) await max.say(`missed ${i}.`)
    await max.ticked('missed 37.', 'Stored on the server')
    const { page } = await lea.person.visit(`/#to=${address}`)
    await page.getByText('37 missed messages have come').waitFor()
    await max.ticked('missed 37.', 'Delivered')
    const texts = await page.getByRole('log').locator('.text').allTextContents()
    expect(texts).toEqual(['hello', ...Array.from({ length: 37 }, (_, i) => `missed ${i + 1}.`)])
  })
})

describe('a message that cannot be sent', () => {
  test('says why, and can be sent again or taken away', async () => {
    const ned = await Chatter.come('Ned', '#to=AAAAAAAAAAAAAAAA')
    await ned.say('to nobody')
    await ned.sees('There is nobody at this address. Check it with whoever gave it to you.')
    await ned.button('Send again').click()
    await ned.ticked('to nobody', 'Not sent')
    await ned.page.reload()
    await ned.ticked('to nobody', 'Not sent')
    await ned.button('Remove').click()
    await expect.poll(() => ned.texts()).toEqual([])
  })
})

describe('for everybody', () => {
  test.each(['light', 'dark'] as const)('axe-core finds nothing to mend, in %s', async colorScheme => {
    const somebody = await newcomer()
    const { page } = await somebody.visit('/')
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await isFine(page, 'first')
    await page.getByLabel('What should others call you?').fill(`Ola ${colorScheme}`)
    await page.keyboard.press('Enter')
    const ola = new Chatter(page, somebody)
    await ola.isConnected()
    await ola.say('a message')
    await ola.ticked('a message', 'Stored on the server')
    await isFine(page, 'room')
    await ola.button('Join or create a room').click()
    await page.getByRole('dialog').getByText('#lobby').waitFor()
    await isFine(page, 'dialog')
    await page.keyboard.press('Escape')
    await ola.button(/Your address and your name/).click()
    await isFine(page, 'address')
    await page.keyboard.press('Escape')
    await ola.go('#to=AAAAAAAAAAAAAAAA')
    await ola.say('to nobody')
    await ola.ticked('to nobody', 'Not sent')
    await ola.button('Cut the network').click()
    await ola.button('Restore the network').waitFor()
    await isFine(page, 'failed and cut')
    await page.setViewportSize({ width: 360, height: 640 })
    await ola.button(/^About/).click()
    await isFine(page, 'details on a phone')
    await page.keyboard.press('Escape')
    await page.getByRole('link', { name: 'Back to the conversations' }).click()
    await isFine(page, 'list on a phone')
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360)
    expectComplaints(connectionLost)
  })

  test('all can be done by keyboard alone', async () => {
    const somebody = await newcomer()
    const { page } = await somebody.visit('/')
    await page.keyboard.type('Pia')
    await page.keyboard.press('Enter')
    const pia = new Chatter(page, somebody)
    await pia.isConnected()
    await expect.poll(() => focused(page)).toBe('Message to #lobby')
    await page.keyboard.type('first line')
    await page.keyboard.press('Shift+Enter')
    await page.keyboard.type('second line')
    await page.keyboard.press('Enter')
    await expect.poll(() => pia.texts()).toContain('first line\nsecond line')
    await reach(page, 'Join or create a room', 'Shift+Tab')
    await page.keyboard.press('Enter')
    await expect.poll(() => focused(page)).toBe('Name of the room')
    await page.keyboard.type('keys')
    await reach(page, 'Create a new room')
    await page.keyboard.press('Enter')
    await reach(page, 'Create', 'Shift+Tab')
    await page.keyboard.press('Enter')
    await expect.poll(() => focused(page)).toBe('Message to #keys')
    await reach(page, 'Write to somebody', 'Shift+Tab')
    await page.keyboard.press('Enter')
    await expect.poll(() => focused(page)).toBe('Their address, or a link to it')
    await page.keyboard.press('Escape')
    await expect.poll(() => focused(page)).toBe('Write to somebody')
    await reach(page, 'lobby', 'Shift+Tab')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: '#lobby' }).waitFor()
  })
})

/** In bytes as they travel. What is above is a decision, and this is where it is made; that of the library is in `client/size.test.ts`. */
test('the page is as small as it is', () => {
  const directory = fileURLToPath(new URL('../../dist/web/', import.meta.url))
  const size = (pattern: RegExp, ending: string): number =>
    readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .filter(name => name.endsWith(ending) && pattern.test(name))
      .reduce((sum, name) => sum + readFileSync(`${directory}${name}`).length, 0)
  const sizes = Object.fromEntries(
    Object.entries({ library: /^client\.js/, page: /^(?!client\.js)/ }).map(([what, pattern]) => [
      what,
      { brotli: size(pattern, '.br'), gzip: size(pattern, '.gz') },
    ]),
  )
  console.log('bytes that travel:', JSON.stringify(sizes))
  expect(sizes['page']?.brotli).toBeLessThan(53 * 1_024)
  expect(sizes['page']?.gzip).toBeLessThan(59 * 1_024)
})

async function isFine(page: Page, place: string): Promise<void> {
  await page.evaluate(axe)
  const found = await page.evaluate<{
    violations: { id: string; nodes: { html: string; failureSummary: string }[] }[]
  }>(`axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })`)
  const words = found.violations.map(({ id, nodes }) => [
    place,
    id,
    ...nodes.map(node => `${node.html}: ${node.failureSummary}`),
  ])
  expect(words).toEqual([])
}

/** What has the focus, by its name. */
function focused(page: Page): Promise<string> {
  return page.evaluate<string>(`(() => {
    const { activeElement: element } = document
    return (element.ariaLabel ?? element.labels?.[0]?.textContent ?? element.textContent).trim()
  })()`)
}

async function reach(page: Page, name: string, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  for (let presses = 0; presses < 40; presses++) {
    if ((await focused(page)).replace('#', '') === name) return
    await page.keyboard.press(key)
  }
  throw new Error(`${name} is not reached by ${key}.`)
}

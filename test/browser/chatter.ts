/** People on the chat page, as the tests have them do things: by what is written on it, as a reader would find it. */
import type { Locator, Page } from 'playwright-core'
import { person, type Person } from './chromium.ts'

/** A violation of the server's policy is a complaint like any other, which makes a test red. */
const listener = `addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sample }) =>
  console.error('policy', violatedDirective, blockedURI, sample))`

/** Notes what the page says of messages that were missed, in `said`. */
export const listenerToCounts = `window.said = []
  new MutationObserver(() => {
    const words = document.querySelector('.missed')?.textContent
    if (words && words !== said.at(-1)) said.push(words)
  }).observe(document, { subtree: true, childList: true, characterData: true })`

/** Somebody with a name, on the page. */
export class Chatter {
  readonly page: Page
  readonly person: Person

  constructor(page: Page, somebody: Person) {
    this.page = page
    this.person = somebody
  }

  /** Somebody new. */
  static async come(name: string, hash = ''): Promise<Chatter> {
    return Chatter.begin(await newcomer(), name, hash)
  }

  static async begin(somebody: Person, name: string, hash = ''): Promise<Chatter> {
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
    const field = this.page.getByLabel('Link to write to you', { exact: true })
    await field.waitFor()
    const link = await field.inputValue()
    await this.page.keyboard.press('Escape')
    await this.page.locator('dialog').waitFor({ state: 'detached' })
    return new URL(link).hash
  }

  /** Follows a link within the page. */
  async go(hash: string): Promise<void> {
    await this.page.evaluate(`void (location.hash = ${JSON.stringify(hash)})`)
  }
}

/** `host`: by which name the server is called. */
export async function newcomer(host?: string): Promise<Person> {
  const somebody = await person(host)
  somebody.context.setDefaultTimeout(30_000)
  await somebody.context.addInitScript({ content: listener })
  return somebody
}

/** The page is kept for times without a network. */
export async function isKept(page: Page): Promise<void> {
  await page.evaluate('navigator.serviceWorker.ready.then(() => true)')
}

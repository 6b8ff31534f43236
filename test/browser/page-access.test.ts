/** The chat page for those who cannot see it, or have no mouse: judged by axe-core, and used by keyboard alone. */
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { isFine } from './axe.ts'
import { Chatter, newcomer } from './chatter.ts'
import { connectionLost, expectComplaints } from './chromium.ts'

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
    await expect.poll(() => page.evaluate('document.documentElement.scrollWidth')).toBe(360)
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

  test('who closes a dialog has the focus back, and keeps it where he takes it next', async () => {
    const { page } = await Chatter.come('Ida')
    const closes: (() => Promise<void>)[] = [
      () => page.keyboard.press('Escape'),
      () => page.getByRole('button', { name: 'Close' }).click(),
      () => page.mouse.click(5, 5),
    ]
    for (const close of closes) {
      await page.getByRole('button', { name: 'Write to somebody' }).click()
      await expect.poll(() => focused(page)).toBe('Their address, or a link to it')
      await close()
      await page.locator('dialog').waitFor({ state: 'detached' })
      expect(await focused(page)).toBe('Write to somebody')
    }
    await page.getByRole('button', { name: 'Write to somebody' }).click()
    await expect.poll(() => focused(page)).toBe('Their address, or a link to it')
    // As fast as a keyboard can be: after the browser has given the focus back, before the page has heard that the dialog is closed.
    await page.evaluate(`addEventListener('close', () => document.querySelector('a.row').focus(), { capture: true })`)
    await page.keyboard.press('Escape')
    await page.locator('dialog').waitFor({ state: 'detached' })
    expect(await focused(page)).toBe('#lobby')
  })
})

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

/**
 * The chat page in a real browser: what people do with it, with and without a network.
 *
 * Whatever a page complains of on its console, a violation of the server's policy included, makes its test red.
 */
import { once } from 'node:events'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { readPages } from '../../src/gateway/pages.ts'
import { Chatter, isKept, listenerToCounts, newcomer } from './chatter.ts'
import { connectionLost, cut, expectComplaints, mend, server } from './chromium.ts'

const built = fileURLToPath(new URL('../../dist/web/', import.meta.url))

describe('two people', () => {
  test('meet in the lobby: who is here, typing, ticks; a reload keeps who they are and what was said', async () => {
    const ann = await Chatter.come('Ann')
    const bob = await Chatter.come('Bob')
    await ann.sees('Bob came in')
    await ann.sees('2 people here')
    // There is nothing to scroll in a field of one line.
    expect(
      await bob.page.evaluate(
        '(({ scrollHeight, clientHeight }) => scrollHeight - clientHeight)(document.querySelector(".composer textarea"))',
      ),
    ).toBe(0)
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

describe('two tabs', () => {
  test('show the same: what either has written, read, and is called', async () => {
    const tom = await Chatter.come('Tom')
    const una = await Chatter.come('Una', await tom.link())
    const other = new Chatter((await tom.person.visit('/')).page, tom.person)
    await other.isConnected()
    await una.say('to both tabs')
    await tom.page.getByText(', 1 unread message').waitFor()
    await other.page.getByText(', 1 unread message').waitFor()
    await other.page.getByRole('link', { name: /Una/ }).first().click()
    await other.sees('to both tabs')
    await tom.page.getByText(', 1 unread message').waitFor({ state: 'detached' })
    await other.say('from the second tab')
    await tom.page.getByRole('link', { name: /Una/ }).first().click()
    await tom.ticked('from the second tab', 'Delivered')
    await tom.button(/Your address and your name/).click()
    await tom.page.getByLabel('Your name', { exact: true }).fill('Thomas')
    await tom.page.keyboard.press('Enter')
    await other.button(/^Thomas/).waitFor()
    await other.isConnected()
    await una.go('#room=lobby')
    await una.page.getByRole('complementary').getByText('Thomas').waitFor()
    await other.say('under a new name')
    await other.ticked('under a new name', 'Delivered')
    await expect.poll(() => tom.texts()).toEqual(['to both tabs', 'from the second tab', 'under a new name'])
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

  test('a room can be read, after a reload too, and goes on where it was when there is one again', async () => {
    const ivy = await Chatter.come('Ivy')
    const jim = await Chatter.come('Jim')
    await ivy.say('read me later')
    await jim.say('I shall')
    await jim.sees('read me later')
    await jim.ticked('I shall', 'Stored on the server')
    await isKept(jim.page)
    const texts = (await jim.texts()).slice(-10)
    expect(texts.slice(-2).sort()).toEqual(['I shall', 'read me later'])
    cut()
    await jim.strip.getByText(/Not connected/).waitFor()
    await jim.page.reload()
    await jim.sees('read me later')
    await jim.strip.getByText(/Not connected/).waitFor()
    expect((await jim.texts()).slice(-texts.length)).toEqual(texts)
    mend()
    await ivy.isConnected()
    await ivy.say('and on')
    await jim.sees('and on')
    expect((await jim.texts()).slice(-texts.length - 1)).toEqual([...texts, 'and on'])
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
    // The cursor is where something is to be mended, and the browser knows what is said of it.
    await expect.poll(() => jon.page.evaluate('document.activeElement.name')).toBe('password')
    await expect.poll(() => jon.page.getByLabel(/^Password/).getAttribute('aria-invalid')).toBe('true')
    await jon.page.keyboard.type('sesame')
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
    const other = await (await newcomer()).open()
    await other.eval(`t.client.rooms.join('#long').then(async room => {
      for (let i = 1; i <= 120; i++) await room.send('line ' + i + '.')
    })`)
    await kim.sees('line 120.')
    await kim.page.reload()
    await kim.sees('line 120.')
    await expect.poll(() => kim.texts()).toHaveLength(50)
    await kim.log.press('Home')
    await expect.poll(async () => (await kim.texts()).length).toBeGreaterThanOrEqual(100)
    await kim.log.press('Home')
    await expect.poll(() => kim.texts()).toEqual(Array.from({ length: 120 }, (_, i) => `line ${i + 1}.`))
    await kim.sees('The room begins here.')
    await other.eval(`t.client.rooms.join('#long').then(room => room.send('line 121.'))`)
    await kim.button('1 new message').click()
    await kim.button('1 new message').waitFor({ state: 'detached' })
  })
})

describe('who comes back', () => {
  test('gets 37 missed messages, in order, and is told how many there were, but in no later tab', async () => {
    const lea = await Chatter.come('Lea')
    const max = await Chatter.come('Max', await lea.link())
    await max.say('hello')
    await max.ticked('hello', 'Delivered')
    const address = (await max.link()).slice(4)
    await lea.page.close()
    for (let i = 1; i <= 37; i++) await max.say(`missed ${i}.`)
    await max.ticked('missed 37.', 'Stored on the server')
    // It is said for some seconds, which may be over before a busy machine looks.
    await lea.person.context.addInitScript({ content: listenerToCounts })
    const { page } = await lea.person.visit(`/#to=${address}`)
    await expect.poll(() => page.evaluate('said')).toContain('37 missed messages have come')
    await max.ticked('missed 37.', 'Delivered')
    const texts = await page.getByRole('log').locator('.text').allTextContents()
    expect(texts).toEqual(['hello', ...Array.from({ length: 37 }, (_, i) => `missed ${i + 1}.`)])
    const later = new Chatter((await lea.person.visit(`/#to=${address}`)).page, lea.person)
    await later.isConnected()
    expect(await later.page.evaluate('said')).toEqual([])
  })
})

describe('what others send', () => {
  test('is text and nothing else, whatever is in it and whatever they call themselves', async () => {
    const name = `\u202e${'عائشة '.repeat(100)}`
    const rita = await Chatter.come('Rita')
    const other = await (await newcomer()).open({ name })
    await other.ready()
    const html = '<img src=x onerror="alert(1)"><script>alert(2)</script> & <b>bold</b>'
    const bodies = [
      html,
      { text: html, name: '<b>R</b>\u202e', key: 'k' },
      { no: 'text' },
      7,
      null,
      { text: 'x'.repeat(9_000) },
    ]
    await other.eval(`t.client.rooms.join('#lobby').then(async room => {
      for (const body of ${JSON.stringify(bodies)}) await room.send(body)
      room.signal('nonsense')
      room.signal({ typing: true })
    })`)
    await rita.sees(/^x{8000}…$/)
    const texts = (await rita.texts()).slice(-6)
    expect(texts.slice(0, 5)).toEqual([
      html,
      html,
      '(not a text: {"no":"text"})',
      '(not a text: 7)',
      '(not a text: null)',
    ])
    await rita.sees(/is typing…$/)
    expect(await rita.page.evaluate('document.querySelectorAll("b, [onerror]").length')).toBe(0)
    expect(await rita.page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
    await rita.page.setViewportSize({ width: 360, height: 640 })
    await expect.poll(() => rita.page.evaluate('document.documentElement.scrollWidth')).toBe(360)
  })
})

test('the server lets browsers keep what does not change, and asks them to ask for what may', async () => {
  const get = (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> =>
    fetch(server.http + path, { method, headers })
  const document = await get('/', { 'accept-encoding': 'br' })
  const html = await document.text()
  expect(Object.fromEntries(document.headers)).toMatchObject({
    'content-type': 'text/html; charset=utf-8',
    'content-encoding': 'br',
    'cache-control': 'no-cache',
    'content-security-policy': expect.stringMatching(
      /^default-src 'self'; .*require-trusted-types-for 'script'/,
    ) as string,
  })
  expect(
    (await get('/', { 'accept-encoding': 'br', 'if-none-match': document.headers.get('etag') ?? '' })).status,
  ).toBe(304)
  const paths = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path = '']) => path)
  expect(paths).toHaveLength(2)
  for (const path of paths) {
    const asset = await get(path, { 'accept-encoding': 'gzip' }, 'HEAD')
    expect(asset.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    expect([asset.status, asset.headers.get('content-encoding'), await asset.text()]).toEqual([200, 'gzip', ''])
    expect(Number(asset.headers.get('content-length'))).toBeGreaterThan(1_000)
  }
  const others = ['/worker.js', '/client.js', '/page.webmanifest', '/icon.svg']
  const kept = await Promise.all(others.map(async path => (await get(path)).headers.get('cache-control')))
  expect(kept).toEqual(others.map(() => 'no-cache'))
})

describe('a newer server', () => {
  test('is seen with the next load, and a page that stays open says that there is one', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'ackd-newer-'))
    cpSync(built, directory, { recursive: true })
    let pages = readPages(directory)
    const web = createServer((request, response) => {
      const header = (name: string): string => String(request.headers[name] ?? '')
      const { status = 404, type = '', bytes, headers = {} } = pages.answer({ path: request.url ?? '', header }) ?? {}
      response.writeHead(status, { ...headers, 'Content-Type': type }).end(bytes)
    })
    await once(web.listen(0, '127.0.0.1'), 'listening')
    const address = web.address()
    const port = typeof address === 'object' ? address?.port : null
    try {
      const somebody = await newcomer()
      const page = await somebody.context.newPage()
      await page.goto(`http://127.0.0.1:${port}/`)
      await isKept(page)
      await page.reload()
      for (const name of readdirSync(directory).filter(name => /^(index\.html|worker\.js)\.(br|gz)$/.test(name))) {
        rmSync(join(directory, name))
      }
      const change = (name: string, from: RegExp, to: string): void => {
        const file = join(directory, name)
        writeFileSync(file, readFileSync(file, 'utf8').replace(from, to))
      }
      change('index.html', /content="Messages/, 'content="newer Messages')
      change('worker.js', /ackd page (?=[\w-]{16})/, 'ackd page newer ')
      pages = readPages(directory)
      await page.getByLabel('What should others call you?').fill('Sam')
      await page.keyboard.press('Enter')
      // The browser may be looking already since the page was loaded, at what was there then; who asks meanwhile gets the answer to that.
      const look = 'navigator.serviceWorker.ready.then(worker => worker.update()).then(() => true)'
      const isToldOf = async (): Promise<boolean> => {
        await page.evaluate(look)
        return page.getByText('This page has a newer version.').isVisible()
      }
      await expect.poll(isToldOf, { interval: 500 }).toBe(true)
      await page.getByRole('button', { name: 'Load it' }).click()
      const words = page.locator('meta[name=description][content^=newer]')
      await words.waitFor({ state: 'attached' })
      web.closeAllConnections()
      await new Promise(resolve => web.close(resolve))
      await page.reload()
      await words.waitFor({ state: 'attached' })
      expect(await page.evaluate('caches.keys()')).toHaveLength(1)
      expectComplaints(connectionLost)
    } finally {
      web.close()
      rmSync(directory, { recursive: true })
    }
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

/** In bytes as they travel. What is above is a decision, and this is where it is made; that of the library is in `client/size.test.ts`. */
test('the page is as small as it is', () => {
  const size = (pattern: RegExp, ending: string): number =>
    readdirSync(built, { recursive: true, encoding: 'utf8' })
      .filter(name => name.endsWith(ending) && pattern.test(name))
      .reduce((sum, name) => sum + readFileSync(join(built, name)).length, 0)
  const sizes = Object.fromEntries(
    Object.entries({ library: /^client\.js/, page: /^(?!client\.js|(assets\/)?console)/ }).map(([what, pattern]) => [
      what,
      { brotli: size(pattern, '.br'), gzip: size(pattern, '.gz') },
    ]),
  )
  console.log('bytes that travel:', JSON.stringify(sizes))
  expect(sizes['page']?.brotli).toBeLessThan(54 * 1_024)
  expect(sizes['page']?.gzip).toBeLessThan(61 * 1_024)
})

/** The chat page where the browser does not play along: no room, no storage, no locks, a page that was put aside. */
import { describe, expect, test } from 'vitest'
import { Chatter, newcomer } from './chatter.ts'
import { personWithoutStorage, personWithWindow } from './chromium.ts'

describe('what is kept', () => {
  test('is nothing where the browser forbids it: the page says so, and works', async () => {
    const bea = await Chatter.come('Bea')
    const cal = await Chatter.begin(await personWithoutStorage(), 'Cal', await bea.link())
    await cal.sees(/^This browser keeps nothing for this page/)
    await cal.say('kept nowhere')
    await cal.ticked('kept nowhere', 'Delivered')
  })

  test('is given up when there is no room: the page says so, and sends all the same', async () => {
    const dot = await Chatter.come('Dot')
    const somebody = await newcomer()
    // A quota has no moment at which it is used up that a test could choose; so transactions end as they do then.
    await somebody.context.addInitScript({
      content: `const put = IDBObjectStore.prototype.put
        IDBObjectStore.prototype.put = function (...args) {
          const request = put.apply(this, args)
          if (window.full) this.transaction.abort()
          return request
        }`,
    })
    const eli = await Chatter.begin(somebody, 'Eli', await dot.link())
    await eli.page.evaluate('void (window.full = true)')
    for (const text of ['one', 'two', 'three']) await eli.say(text)
    await eli.ticked('three', 'Delivered')
    await eli.sees(/^This browser has no room for this page/)
    await dot.go(`#to=${(await eli.link()).slice(4)}`)
    await dot.sees('three')
    expect(await dot.texts()).toEqual(['one', 'two', 'three'])
    await dot.say('and back')
    await eli.sees('and back')
  })
})

/** In the database of what rooms said: puts one row there, or tells of which rooms there are some. */
const inLogs = (work: string): string => `new Promise((resolve, reject) => {
  const opening = indexedDB.open('ackd chat rooms')
  opening.onerror = reject
  opening.onsuccess = () => {
    const asked = opening.result.transaction('logs', 'readwrite').objectStore('logs').${work}
    asked.onerror = reject
    asked.onsuccess = () => (opening.result.close(), resolve(asked.result))
  }
})`

test('what is kept of a room that one is not in any more, whatever left it there, is given up', async () => {
  const ivy = await Chatter.come('Ivy')
  await ivy.say('said in the lobby')
  const rooms = (): Promise<unknown> => ivy.page.evaluate(inLogs('getAllKeys()'))
  await expect.poll(rooms).toEqual(['#lobby'])
  await ivy.page.evaluate(inLogs(`put({ target: '#left', epoch: 'e', entries: [] })`))
  expect(await rooms()).toEqual(['#left', '#lobby'])
  await ivy.page.reload()
  await expect.poll(rooms).toEqual(['#lobby'])
  await ivy.sees('said in the lobby')
})

test('without locks and off this machine the newest tab is connected, and the other offers to be used', async () => {
  const somebody = await newcomer('ackd.test')
  const one = await Chatter.begin(somebody, 'Flo')
  await one.say('from the first')
  await one.ticked('from the first', 'Stored on the server')
  const two = new Chatter((await somebody.visit('/')).page, somebody)
  await two.isConnected()
  await one.strip.getByText('Open in another tab.').waitFor()
  await one.say('written here meanwhile')
  await one.button('Use it here').click()
  await two.strip.getByText('Open in another tab.').waitFor()
  await one.ticked('written here meanwhile', 'Stored on the server')
  expect((await one.texts()).slice(-2)).toEqual(['from the first', 'written here meanwhile'])
})

test('a page that comes back out of the cache goes on where it was', async () => {
  const gil = await Chatter.begin(await personWithWindow(), 'Gil')
  const hub = await Chatter.come('Hub', await gil.link())
  await gil.page.evaluate(`void addEventListener('pageshow', ({ persisted }) => (window.cached = persisted))`)
  await gil.page.goto('about:blank')
  await hub.say('while you looked elsewhere')
  await hub.ticked('while you looked elsewhere', 'Stored on the server')
  await gil.page.goBack({ waitUntil: 'commit' })
  await hub.ticked('while you looked elsewhere', 'Delivered')
  await gil.page.getByRole('link', { name: /Hub/ }).first().click()
  await gil.sees('while you looked elsewhere')
  expect(await gil.page.evaluate('window.cached')).toBe(true)
})

/** A tab that leads and hangs: it keeps its lock, hears nothing, and goes on one day as if nothing had been. */
import { expect, test } from 'vitest'
import { atBob, bob, bobId, origin, Page, settle, until } from '../pages.ts'

async function openTwo(): Promise<{ one: Page; two: Page; id: string }> {
  const [one, two] = [new Page(), new Page()]
  const id = await one.client.ready()
  await two.client.ready()
  return { one, two, id }
}

async function takesOver(page: Page): Promise<void> {
  await until(() => page.sockets === 1 && page.state === 'connected')
}

test('another takes over, and when the first wakes nothing is lost, doubled or fought about', async () => {
  const { one, two, id } = await openTwo()
  one.client.send(bobId, 'one 1').catch(() => {})
  two.client.send(bobId, 'two 1').catch(() => {})
  await until(() => atBob.length === 2)
  one.tab.hang()
  const since = performance.now()
  // It goes on as if it led.
  one.client.send(bobId, 'one 2').catch(() => {})
  two.client.send(bobId, 'two 2').catch(() => {})
  const toUs = bob.send(id, 'to us')
  await takesOver(two)
  // 3 s in a browser that has nothing else to do.
  expect(performance.now() - since).toBeLessThan(20_000)
  expect(await (await toUs).delivered).toBe('delivered')
  one.client.send(bobId, 'one 3').catch(() => {})
  one.tab.unhang()
  await until(() => one.state === 'connected' && one.missed === 1)
  one.client.send(bobId, 'one 4').catch(() => {})
  await until(() => atBob.length >= 6)
  await bob.send(id, 'and now')
  await until(() => one.shown.includes('and now') && two.shown.includes('and now'))
  await settle()
  for (const name of ['one', 'two']) {
    const bodies = atBob.filter(body => String(body).startsWith(name))
    expect(bodies).toEqual(bodies.map((_, i) => `${name} ${i + 1}`))
  }
  expect(atBob).toHaveLength(6)
  expect(two.shown).toEqual(['to us', 'and now'])
  expect(new Set(one.shown).size).toBe(one.shown.length)
  expect([one.sockets, two.sockets]).toEqual([1, 1])
})

test('a tab that nobody looks at does not ask, and takes nothing over', async () => {
  const { one, two } = await openTwo()
  two.tab.page.document.visibilityState = 'hidden'
  one.tab.hang()
  await new Promise(resolve => setTimeout(resolve, 3_000))
  expect(two.sockets).toBe(0)
  two.tab.page.document.visibilityState = 'visible'
  await takesOver(two)
})

test('a tab that was itself asleep does not take the silence for the other’s', async () => {
  const { one, two } = await openTwo()
  for (let i = 0; i < 3; i++) {
    two.tab.hang()
    // The whole program stands still, and with it the timers of both.
    const until = performance.now() + 1_200
    while (performance.now() < until);
    await new Promise(resolve => setTimeout(resolve, 10))
    two.tab.unhang()
    await new Promise(resolve => setTimeout(resolve, 10))
  }
  expect([one.sockets, two.sockets]).toEqual([1, 0])
})

test('of many tabs one takes over', async () => {
  const pages = [new Page(), new Page(), new Page(), new Page()]
  const [first] = pages
  const id = await first?.client.ready()
  await Promise.all(pages.map(({ client }) => client.ready()))
  first?.tab.hang()
  const rest = pages.slice(1)
  await until(() => rest.reduce((sum, { sockets }) => sum + sockets, 0) > 0)
  await until(() => rest.every(page => page.state === 'connected'))
  await bob.send(id ?? '', 'hello')
  await until(() => rest.every(({ shown }) => shown.length === 1))
  first?.tab.unhang()
  await until(() => first?.state === 'connected')
  await settle()
  expect(pages.reduce((sum, { sockets }) => sum + sockets, 0)).toBe(2)
})

test('in the midst of a write it is waited for, since it keeps the database as well', async () => {
  const { one, two } = await openTwo()
  const end = await origin.stuckWrite()
  one.tab.hang()
  await new Promise(resolve => setTimeout(resolve, 3_500))
  expect([two.sockets, two.errors]).toEqual([0, []])
  end()
  await takesOver(two)
  one.tab.unhang()
  await until(() => one.state === 'connected')
  await two.client.send(bobId, 'still here')
  expect(atBob).toEqual(['still here'])
})

test('where locks cannot be stolen, a tab waits on, and leads when the other is gone', async () => {
  origin.permitsStealing = false
  const { one, two } = await openTwo()
  one.tab.hang()
  await new Promise(resolve => setTimeout(resolve, 3_000))
  expect(two.sockets).toBe(0)
  one.kill()
  await takesOver(two)
})

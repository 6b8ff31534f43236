/** Several tabs of one person in a real browser: who leads, and what happens when that tab is gone. */
import { beforeEach, describe, expect, test } from 'vitest'
import {
  connectionLost,
  cut,
  expectComplaints,
  mend,
  person,
  personWithWindow,
  sleepBrowser,
  type Person,
  type Tab,
} from './chromium.ts'
import { PROMISED, takeoverOf, watchTakeover } from './takeover.ts'

let ann: Person
let bob: Tab
let bobId: string

beforeEach(async () => {
  const [first, second] = await Promise.all([person(), person()])
  ann = first
  bob = await second.open()
  bobId = await bob.ready()
})

async function openTwo(): Promise<{ leader: Tab; other: Tab; id: string }> {
  const leader = await ann.open()
  const id = await leader.ready()
  const other = await ann.open()
  expect(await other.ready()).toBe(id)
  await watchTakeover(leader, other)
  return { leader, other, id }
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

test('tabs share a connection, and each is shown what comes', async () => {
  const { leader, other, id } = await openTwo()
  expect([leader.sockets, other.sockets]).toEqual([1, 0])
  await bob.send(id, 'hello')
  await Promise.all([leader, other].map(tab => tab.until(`t.shown.includes('hello')`)))
  await bob.until(`t.sent.length === 1`)
  expect(await bob.eval('t.sent')).toEqual([['hello', 'delivered']])
})

test('twenty tabs share a connection, and when the one that leads is killed exactly one of the others has one', async () => {
  const tabs: Tab[] = []
  for (let i = 0; i < 20; i++) tabs.push(await ann.open())
  const ids = await Promise.all(tabs.map(tab => tab.ready()))
  expect(new Set(ids).size).toBe(1)
  const sockets = (): number => tabs.reduce((sum, tab) => sum + tab.sockets, 0)
  expect(sockets()).toBe(1)
  const [leader, ...rest] = tabs
  await leader?.crash()
  await expect.poll(sockets, { timeout: 60_000 }).toBe(2)
  await bob.send(ids[0] ?? '', 'hello')
  await Promise.all(rest.map(tab => tab.until(`t.shown.includes('hello')`)))
  await Promise.all(rest.map((tab, i) => tab.send(bobId, i)))
  await bob.until('t.shown.length === 19')
  expect((await bob.shown()).sort((a, b) => Number(a) - Number(b))).toEqual(numbers(19))
  expect(sockets()).toBe(2)
})

test('two tabs in a room, and the one that leads is killed while it publishes', async () => {
  const { leader, other, id } = await openTwo()
  const enter = `(async () => {
    window.room = await t.client.rooms.join('#kill')
    window.heard = []; window.members = []
    room.on('message', ({ offset, body }) => void heard.push([offset, body]))
    room.on('member', ({ event, id }) => members.push([event, id]))
  })()`
  await bob.eval(`t.client.rooms.create('#kill')`)
  await bob.eval(enter)
  for (const tab of [leader, other]) await tab.eval(enter)
  const publish = (name: string, count: number): string => `void (async () => {
    for (let n = 0; n < ${count}; n++) { room.send('${name} ' + n).catch(() => {}); await new Promise(r => setTimeout(r, 10)) }
  })()`
  await bob.eval(publish('bob', 60))
  await other.eval(publish('other', 60))
  await leader.eval(publish('leader', 60))
  await bob.until(`heard.some(([, body]) => body === 'leader 5')`)
  await leader.crash()
  const all = (name: string): string => `heard.filter(([, body]) => body.startsWith('${name} ')).length >= 60`
  for (const tab of [bob, other]) await tab.until(`${all('bob')} && ${all('other')}`)
  await bob.eval(`room.send('end')`)
  for (const tab of [bob, other]) await tab.until(`heard.some(([, body]) => body === 'end')`)
  const [atBob, atOther] = await Promise.all([bob, other].map(tab => tab.eval<[number, string][]>('heard')))
  for (const heard of [atBob ?? [], atOther ?? []]) {
    // Each offset once, without a hole.
    expect(heard.map(([offset]) => offset)).toEqual(heard.map((_, i) => (heard[0]?.[0] ?? 0) + i))
    for (const name of ['bob', 'other', 'leader']) {
      const own = heard.map(([, body]) => body).filter(body => body.startsWith(`${name} `))
      expect(own).toEqual(own.map((_, i) => `${name} ${i}`))
    }
  }
  expect(atOther?.at(-1)).toEqual(atBob?.at(-1))
  // One member, whichever of its tabs is there; a moment without a connection is a leave and a join, or nothing.
  expect(
    await bob.eval(`room.members().then(({ members }) => members.filter(({ id }) => id === '${id}').length)`),
  ).toBe(1)
  const events = await bob.eval<[string, string][]>('members')
  const own = events.filter(([, who]) => who === id).map(([event]) => event)
  expect(own).toEqual(own.map((_, i) => (i % 2 === 0 ? 'join' : 'leave')))
})

describe('when the tab that leads is gone', () => {
  test('because it is closed, another leads, and nothing is lost or doubled', async () => {
    const { leader, other, id } = await openTwo()
    for (const n of numbers(10)) await other.send(bobId, n)
    await leader.send(bobId, 'goodbye')
    // What the browser has written; it needs some ms for that.
    await leader.eval('new Promise(resolve => setTimeout(resolve, 200))')
    await leader.page.close({ runBeforeUnload: true })
    expect(await takeoverOf(other, 'is closed')).toBeLessThan(PROMISED)
    expect(await other.ready()).toBe(id)
    for (const n of numbers(10)) await other.send(bobId, n + 10)
    await bob.until('t.shown.length >= 21')
    const shown = await bob.shown()
    expect(shown.filter(body => body !== 'goodbye')).toEqual(numbers(20))
    expect(shown).toHaveLength(21)
  })

  test('because its process is killed in the midst of sending', async () => {
    const { leader, other, id } = await openTwo()
    await bob.eval(
      `void (async () => { for (let n = 0; n < 40; n++) { t.send('${id}', n); await new Promise(r => setTimeout(r, 20)) } })()`,
    )
    const sends = (async (): Promise<void> => {
      for (const n of numbers(40)) await other.send(bobId, n)
    })()
    for (const n of numbers(5)) await leader.send(bobId, `leader ${n}`)
    await bob.until(`t.shown.includes('leader 2')`)
    await leader.crash()
    await sends
    expect(await takeoverOf(other, 'is killed')).toBeLessThan(PROMISED)
    await bob.until(`t.shown.filter(body => typeof body === 'number').length >= 40 && t.sent.length === 40`)
    await other.until('t.shown.length >= 40')
    const shown = await bob.shown()
    expect(shown.filter(body => typeof body === 'number')).toEqual(numbers(40))
    const leaders = shown.filter(body => typeof body === 'string')
    expect(leaders).toEqual(numbers(leaders.length).map(n => `leader ${n}`))
    expect(await other.shown()).toEqual(numbers(40))
  })

  test('because it is frozen; when it thaws it is one of the others, and knows that it missed something', async () => {
    ann = await personWithWindow()
    const { leader, other, id } = await openTwo()
    await other.page.bringToFront()
    await leader.freeze()
    expect(await takeoverOf(other, 'is frozen')).toBeLessThan(PROMISED)
    await bob.send(id, 'while you were frozen')
    await bob.until('t.sent.length === 1')
    await leader.thaw()
    await leader.until(`t.missed() === 1 && t.client.status.state === 'connected'`)
    expect(leader.sockets).toBe(1)
    await bob.send(id, 'now')
    await leader.until('t.shown.length === 1')
    expect([await leader.shown(), await other.shown()]).toEqual([['now'], ['while you were frozen', 'now']])
  })
})

test('a hidden tab, whose timers the browser throttles, gets and sends all the same, and comes back when it was cut off', async () => {
  const window = await personWithWindow()
  const tab = await window.open({ profile: 'hidden' })
  const id = await tab.ready()
  const front = await window.visit('/healthz')
  await front.page.bringToFront()
  await tab.until(`document.visibilityState === 'hidden'`)
  await tab.eval(`void (() => {
    let last = performance.now()
    window.pauses = []
    setInterval(() => { const now = performance.now(); pauses.push(now - last); last = now }, 10)
  })()`)
  // Once a second it wakes, for one tick or for two at once.
  await tab.until('pauses.filter(pause => pause > 900).length >= 2')
  await bob.send(id, 'unseen')
  await bob.until('t.sent.length === 1')
  expect(await bob.eval('t.sent')).toEqual([['unseen', 'delivered']])
  cut()
  await tab.until(`t.client.status.state !== 'connected'`)
  await tab.send(bobId, 'from behind')
  mend()
  await bob.until(`t.shown.includes('from behind')`)
  await bob.send(id, 'and back')
  await tab.until(`t.shown.includes('and back')`)
  expect([await tab.shown(), await bob.shown(), await tab.eval('t.errors')]).toEqual([
    ['unseen', 'and back'],
    ['from behind'],
    [],
  ])
  await Promise.all([tab, front].map(({ page }) => page.close()))
  expectComplaints(connectionLost)
})

test('a machine that sleeps and wakes: nothing is taken for dead that slept as well, and nothing is lost or doubled', async () => {
  const { leader, other, id } = await openTwo()
  for (const n of numbers(3)) await bob.send(id, n)
  // Longer than a tab that leads may be silent.
  await sleepBrowser(3_000)
  for (const n of numbers(3)) await bob.send(id, n + 3)
  await bob.until('t.sent.length === 6')
  for (const tab of [leader, other]) {
    await tab.until('t.shown.length >= 6')
    expect(await tab.shown()).toEqual(numbers(6))
    await tab.send(bobId, 'awake')
  }
  await bob.until('t.shown.length === 2')
  // On a machine that is so slow to wake that it matters, each may have taken the lead once, and then not again for half a minute.
  expect(leader.sockets + other.sockets).toBeLessThanOrEqual(3)
})

test('a page that comes back out of the cache goes on where it was', async () => {
  const tab = await (await personWithWindow()).open({ profile: 'cached' })
  const id = await tab.ready()
  await tab.eval(`void addEventListener('pageshow', ({ persisted }) => (window.cached = persisted))`)
  await tab.page.goto('about:blank')
  await bob.send(id, 'while you were away')
  await bob.until('t.sent.length === 1 || t.receipts.length === 1')
  await tab.page.goBack({ waitUntil: 'commit' })
  await tab.until(`t.shown.includes('while you were away')`)
  expect(await tab.eval('[window.cached, t.missed()]')).toEqual([true, 0])
  expect(await tab.ready()).toBe(id)
})

test('the network comes back, and so does the client, at once', async () => {
  const tab = await ann.open()
  await tab.ready()
  cut()
  await tab.until(`t.states.filter(state => state === 'waiting').length >= 4`)
  mend()
  await ann.context.setOffline(true)
  await ann.context.setOffline(false)
  await tab.until(`t.client.status.state === 'connected'`)
  expectComplaints(connectionLost)
})

test('without locks the newest tab is connected; the other says so, and can be used again', async () => {
  const near = await person('ackd.test')
  const one = await near.open()
  const id = await one.ready()
  expect(await one.eval('navigator.locks === undefined')).toBe(true)
  const two = await near.open()
  expect(await two.ready()).toBe(id)
  await one.until(`t.client.status.state === 'closed'`)
  expect(await one.eval('t.client.status.reason')).toBe('replaced')
  await one.send(bobId, 'from the one that is closed')
  await bob.until('t.shown.length === 1')
  await one.eval('t.client.reconnect()')
  await two.until(`t.client.status.state === 'closed'`)
  await one.until(`t.client.status.state === 'connected'`)
  expect([one.sockets, two.sockets]).toEqual([2, 1])
})

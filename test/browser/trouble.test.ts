/** Tabs in a real browser when something is wrong: with a page, with what is kept, with the server, with the network. */
import type { Dialog } from 'playwright-core'
import { expect, test } from 'vitest'
import { PROMISED, takeoverOf, watchTakeover } from './takeover.ts'
import { connectionLost, cut, expectComplaints, mend, person, replaceServer, type Tab } from './chromium.ts'

/** Connections that were opened since the tabs were. */
const sockets = (...tabs: Tab[]): number => tabs.reduce((sum, tab) => sum + tab.sockets, 0)

/** How long it takes with another two tabs, which do nothing else. */
async function takeoverFromDialog(): Promise<number> {
  const ann = await person()
  const leader = await ann.open()
  await leader.ready()
  const other = await ann.open()
  await other.ready()
  await watchTakeover(leader, other)
  const dialog = new Promise<Dialog>(resolve => leader.page.once('dialog', resolve))
  await leader.eval(`void setTimeout(() => alert('stop'))`)
  const open = await dialog
  const ms = await takeoverOf(other, 'shows a dialog')
  await open.accept()
  return ms
}

test('a tab that leads and is stopped by a dialog: another takes over, and nothing is lost or doubled', async () => {
  const [ann, bob] = await Promise.all([person(), person()])
  const b = await bob.open()
  const bobId = await b.ready()
  const leader = await ann.open()
  const id = await leader.ready()
  const other = await ann.open()
  await other.ready()
  // In a browser without windows every page is looked at, or at least is told so.
  expect(await other.eval('document.visibilityState')).toBe('visible')
  const dialog = new Promise<Dialog>(resolve => leader.page.once('dialog', resolve))
  await leader.send(bobId, 'from the leader')
  await b.until(`t.shown.includes('from the leader')`)
  // Within the handler of a message, as it would be.
  await leader.eval(`(t.deaf(), void t.client.on('message', ({ body }) => { alert(body); t.shown.push(body) }))`)
  await watchTakeover(leader, other)
  await b.send(id, 'one')
  await dialog
  for (const n of [1, 2, 3]) await other.send(bobId, n)
  await other.until(`t.shown.includes('one') && t.client.status.state === 'connected'`)
  const times = [await takeoverOf(other, 'shows a dialog')]
  await b.until(`t.shown.length === 4`)
  await b.send(id, 'two')
  await other.until(`t.shown.includes('two')`)
  leader.page.on('dialog', next => void next.accept())
  await (await dialog).accept()
  await leader.until(`t.client.status.state === 'connected' && t.missed() > 0`)
  await leader.send(bobId, 'awake')
  await b.until(`t.shown.includes('awake')`)
  expect(await b.shown()).toEqual(['from the leader', 1, 2, 3, 'awake'])
  expect(await other.shown()).toEqual(['one', 'two'])
  expect(sockets(leader, other)).toBe(2)
  // Two seconds of it are timers, by design. A machine that is busy with something else may need another attempt, but not five.
  while (Math.min(...times) >= PROMISED && times.length < 5) times.push(await takeoverFromDialog())
  expect(Math.min(...times)).toBeLessThan(PROMISED)
})

test('what other scripts say on the channel of the tabs harms nobody', async () => {
  const ann = await person()
  const [one, two] = [await ann.open(), await ann.open()]
  const id = await one.ready()
  await two.ready()
  await two.eval(`void (async () => {
    const name = (await indexedDB.databases())[0].name
    const stranger = new BroadcastChannel(name)
    const words = [null, 7, 'hello', {}, [], new Date(), new Uint8Array(9), { format: 1 }]
    const kinds = ['hello', 'lead', 'told', 'asked', 'letters', 'bye', 'constructor', '__proto__', 7, null]
    for (const kind of kinds) for (const call of [undefined, [], ['close'], ['abandon'], ['status'], ['show', {}], ['frame', 'bye', []]])
      words.push({ format: 1, from: 'x', to: null, word: { kind, call, epoch: 1e9, status: { state: 'connected' }, rooms: [7] } })
    for (const word of words) stranger.postMessage(word)
    window.spoken = true
  })()`)
  await two.until('window.spoken')
  await two.send(id, 'to us')
  await Promise.all([one, two].map(tab => tab.until(`t.shown.includes('to us')`)))
  expect([await one.eval('t.errors'), await two.eval('t.errors'), sockets(one, two)]).toEqual([[], [], 1])
})

test('a later version of the page gets the database, and those before it say that they are outdated', async () => {
  const ann = await person()
  const [one, two] = [await ann.open(), await ann.open()]
  const id = await one.ready()
  await two.ready()
  await one.eval(`indexedDB.databases().then(([{ name }]) => new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 2)
    request.onsuccess = () => { request.result.close(); resolve() }
    request.onerror = () => reject(request.error)
  }))`)
  await Promise.all([one, two].map(tab => tab.until(`t.client.status.state === 'closed'`)))
  expect(await two.eval('[t.client.status.reason, t.errors]')).toEqual(['outdated', []])
  await two.send(id, 'too late')
  await two.until('t.sent.length === 1')
  expect(await two.eval('t.sent')).toEqual([['too late', 'outdated']])
  await two.reload()
  await two.until(`t.client.status.state === 'closed'`)
  expect(await two.eval('[t.client.status.reason, t.errors]')).toEqual(['outdated', []])
})

test('a database that does not open costs nobody the connection', async () => {
  const ann = await person()
  // As when another page is asked to let go of an older one, and does not.
  const block = `IDBFactory.prototype.open = () => new EventTarget()`
  await ann.context.addInitScript({ content: block })
  const tab = await ann.open()
  const id = await tab.ready()
  await tab.send(id, 'to myself')
  await tab.until(`t.shown.includes('to myself')`)
  expect(await tab.eval('t.errors')).toEqual(['not_kept'])
})

test('a server that has lost everything gives both tabs another address, and what is sent to it arrives', async () => {
  const ann = await person()
  const [one, two] = [await ann.open(), await ann.open()]
  const id = await one.ready()
  await two.ready()
  await two.send(id, 'before')
  await Promise.all([one, two].map(tab => tab.until(`t.shown.includes('before')`)))
  await replaceServer()
  await Promise.all(
    [one, two].map(tab => tab.until(`t.client.status.state === 'connected' && t.client.id !== '${id}'`)),
  )
  const next = await one.ready()
  expect(await two.ready()).toBe(next)
  expect(await one.eval('t.client.status.resumed')).toBe(false)
  await two.send(next, 'after')
  await Promise.all([one, two].map(tab => tab.until(`t.shown.includes('after')`)))
  expect([await one.shown(), await two.shown()]).toEqual([
    ['before', 'after'],
    ['before', 'after'],
  ])
  await one.page.close()
  await two.reload()
  expect(await two.ready()).toBe(next)
  expectComplaints(connectionLost)
})

test('a network that comes and goes makes no storm', async () => {
  const ann = await person()
  const tab = await ann.open()
  await tab.ready()
  cut()
  await tab.until(`t.client.status.state === 'waiting'`)
  const before = tab.sockets
  const since = Date.now()
  for (let i = 0; i < 100 || Date.now() < since + 3_000; i++) {
    await ann.context.setOffline(true)
    await ann.context.setOffline(false)
  }
  const seconds = (Date.now() - since) / 1_000
  // One a second for the signs, and a few as the pauses begin short again.
  expect(tab.sockets - before).toBeLessThan(2 * seconds + 6)
  mend()
  await tab.until(`t.client.status.state === 'connected'`)
  expectComplaints(connectionLost)
})

/** The client library in a real browser: one tab after another. */
import { describe, expect, test } from 'vitest'
import { startServer } from '../../src/server.ts'
import { inSeconds, secret, tokenOf } from '../support/issuer.ts'
import { connectionLost, cut, expectComplaints, mend, person } from './chromium.ts'

describe('two people', () => {
  test('chat, and everything arrives once', async () => {
    const [ann, bob] = await Promise.all([person(), person()])
    const [a, b] = await Promise.all([ann.open(), bob.open()])
    const [annId, bobId] = await Promise.all([a.ready(), b.ready()])
    expect(annId).not.toBe(bobId)
    await a.send(bobId, 'hello')
    await b.until(`t.shown.includes('hello')`)
    await b.send(annId, 'hi')
    await a.until(`t.shown.includes('hi')`)
    await a.until(`t.sent.length === 1`)
    expect(await a.eval('t.sent')).toEqual([['hello', 'delivered']])
    expect([await a.shown(), await b.shown()]).toEqual([['hi'], ['hello']])
  })
})

describe('a page that is loaded again', () => {
  test('is who it was', async () => {
    const tab = await (await person()).open()
    const id = await tab.ready()
    await tab.reload()
    expect(await tab.eval('t.client.id')).toBe(id)
    expect(await tab.ready()).toBe(id)
    expect(await tab.eval('t.client.status.resumed')).toBe(true)
  })

  test('sends what was written without a connection, once', async () => {
    const [ann, bob] = await Promise.all([person(), person()])
    const [a, b] = await Promise.all([ann.open(), bob.open()])
    const [annId, bobId] = await Promise.all([a.ready(), b.ready()])
    await b.page.close()
    cut()
    await a.until(`t.client.status.state !== 'connected'`)
    await a.send(bobId, 'written offline')
    // Written to the last moment, and gone at once.
    await a.eval(`void t.send(${JSON.stringify(bobId)}, 'and more'); location.reload()`).catch(() => {})
    mend()
    const again = await ann.open()
    expect(await again.ready()).toBe(annId)
    const back = await bob.open()
    await back.until('t.shown.length >= 2')
    expect(await back.shown()).toEqual(['written offline', 'and more'])
    await again.until(`t.receipts.some(({ key, status }) => key === 'and more' && status === 'delivered')`)
    expectComplaints(connectionLost)
  })

  test('sends what was written before its process was killed', async () => {
    const [ann, bob] = await Promise.all([person(), person()])
    const [a, b] = await Promise.all([ann.open(), bob.open()])
    const [annId, bobId] = await Promise.all([a.ready(), b.ready()])
    cut()
    await a.until(`t.client.status.state !== 'connected'`)
    await a.send(bobId, 'last words')
    await a.eval('new Promise(resolve => setTimeout(resolve, 200))')
    await a.crash()
    mend()
    const again = await ann.open()
    expect(await again.ready()).toBe(annId)
    await b.until(`t.shown.includes('last words')`)
    expect(await b.shown()).toEqual(['last words'])
    expectComplaints(connectionLost)
  })
})

describe('what is kept', () => {
  test('can be cleared: the next page is somebody new, and complains of nothing', async () => {
    const ann = await person()
    const tab = await ann.open()
    const id = await tab.ready()
    const origin = new URL(tab.page.url()).origin
    await tab.cdp().send('Storage.clearDataForOrigin', { origin, storageTypes: 'all' })
    // The page that is there goes on.
    await tab.send(id, 'to myself')
    await tab.until(`t.shown.includes('to myself')`)
    await tab.cdp().send('Storage.clearDataForOrigin', { origin, storageTypes: 'all' })
    await tab.reload()
    const next = await tab.ready()
    expect(next).not.toBe(id)
    expect(await tab.eval('[t.client.status.resumed, t.errors]')).toEqual([false, []])
  })

  test('is in two places, so that a full localStorage costs nobody their address', async () => {
    const ann = await person()
    const fill = `try { localStorage.setItem('other', 'x'.repeat(5 * 1024 * 1024 - 5)) } catch { /* It is full already. */ }`
    await ann.context.addInitScript({ content: fill })
    const tab = await ann.open()
    const id = await tab.ready()
    expect(await tab.eval(`Object.keys(localStorage)`)).toEqual(['other'])
    await tab.reload()
    expect([await tab.ready(), await tab.eval('t.errors')]).toEqual([id, []])
  })

  test('is given up when there is no room, with a word, and the client goes on', async () => {
    const [ann, bob] = await Promise.all([person(), person()])
    // The quota of a browser cannot be set from outside; so transactions end as they do when it is used up.
    const full = `const put = IDBObjectStore.prototype.put
      IDBObjectStore.prototype.put = function (...args) {
        const request = put.apply(this, args)
        if (window.full) this.transaction.abort()
        return request
      }`
    await ann.context.addInitScript({ content: full })
    const [a, b] = await Promise.all([ann.open(), bob.open()])
    const [, bobId] = await Promise.all([a.ready(), b.ready()])
    await a.eval('void (window.full = true)')
    for (let i = 0; i < 5; i++) await a.send(bobId, i)
    await b.until('t.shown.length === 5')
    expect(await a.eval('t.errors')).toEqual(['not_kept'])
    expect(await a.state()).toBe('connected')
    const follower = await ann.open()
    await follower.ready()
    await follower.eval('void (window.full = true)')
    await follower.send(bobId, 'refused')
    await follower.until('t.sent.length === 1')
    expect(await follower.eval('t.sent')).toEqual([['refused', 'not_kept']])
  })

  test('is nothing where the browser forbids it: a client lives in memory, and says so', async () => {
    const ann = await person()
    const forbid = `for (const name of ['localStorage', 'indexedDB']) {
      Object.defineProperty(window, name, { get: () => { throw new DOMException('forbidden', 'SecurityError') } })
    }`
    await ann.context.addInitScript({ content: forbid })
    const tab = await ann.open()
    const id = await tab.ready()
    await tab.send(id, 'to myself')
    await tab.until(`t.shown.includes('to myself')`)
    expect(await tab.eval('t.errors')).toContain('not_kept')
  })
})

describe('a tab that dies between the work of its handler and the ack', () => {
  test('is followed by one that is shown the message again, under the same name, by which the work is done once', async () => {
    const [ann, bob] = await Promise.all([person(), person()])
    const b = await bob.open()
    await b.ready()
    const handler = `(async () => {
      const request = indexedDB.open('notes', 1)
      request.onupgradeneeded = () => request.result.createObjectStore('notes')
      const notes = await new Promise(resolve => (request.onsuccess = () => resolve(request.result)))
      const run = (mode, what) => new Promise(resolve => {
        const transaction = notes.transaction('notes', mode, { durability: 'strict' })
        const asked = what(transaction.objectStore('notes'))
        transaction.oncomplete = () => resolve(asked.result)
      })
      window.notes = () => run('readonly', store => store.getAllKeys())
      window.calls = 0
      t.deaf()
      t.client.on('message', async ({ from, outbox, n, body }) => {
        calls++
        await run('readwrite', store => store.put(body, [from, outbox, n]))
        if (window.mayDie) await new Promise(() => {})
        t.shown.push(body)
      })
    })()`
    const one = await ann.open()
    const id = await one.ready()
    await one.eval(`void (window.mayDie = true)`)
    await one.eval(handler)
    await b.send(id, 'once')
    await one.until('calls === 1')
    await expect.poll(() => one.eval('notes().then(({ length }) => length)')).toBe(1)
    await one.crash()
    const two = await ann.open()
    await two.eval(handler)
    await b.until(`t.receipts.some(({ status }) => status === 'delivered')`)
    expect(await two.eval('notes().then(({ length }) => length)')).toBe(1)
    expect(await two.eval('calls + t.shown.length')).toBeGreaterThan(0)
  })
})

describe('a token', () => {
  test('is fetched by the page, and replaced before it expires', async () => {
    const auth = { auth: 'token', jwtSecret: secret, jwtLeeway: 0, store: 'memory' } as const
    const ports = { port: 0, tcpPort: 'off', tlsPort: 'off' } as const
    const guarded = await startServer({ ...ports, ...auth, logLevel: 'silent', maxLag: 60_000, overloadLag: 60_000 })
    const tab = await (await person()).open()
    const given: number[] = []
    await tab.page.exposeFunction('token', () => {
      given.push(Date.now())
      return tokenOf({ sub: 'ann', exp: inSeconds(6) })
    })
    const connect = `void (window.mine = t.connect('${guarded.ws}', { token: () => window.token(), profile: 'ann' }))`
    await tab.eval(connect)
    expect(await tab.eval('mine.ready()')).toBe('ann')
    await tab.eval(`void (window.left = 0, mine.on('status', () => left++))`)
    await expect.poll(() => given.length, { timeout: 60_000 }).toBeGreaterThanOrEqual(3)
    expect(await tab.eval(`mine.presence(['ann'])`)).toEqual({ ann: true })
    expect(await tab.eval('left')).toBe(0)
    await tab.eval('mine.close()')
    await guarded.close()
  })
})

/** The client library in a real browser: one tab after another. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { connect } from '../../src/client/index.node.ts'
import { startServer } from '../../src/server.ts'
import { inSeconds, secret, tokenOf } from '../support/issuer.ts'
import { Proxy } from '../support/proxy.ts'
import {
  connectionLost,
  cut,
  expectComplaints,
  mend,
  person,
  personWithoutStorage,
  personWithWindow,
} from './chromium.ts'

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
    // A quota has no moment at which it is used up that a test could choose; so transactions end as they do then.
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

  test('has a quota, which a browser says is exceeded: with a word, and nothing of it is lost while the page lives', async () => {
    const [ann, bob] = await Promise.all([personWithWindow(), person()])
    // What a quota counts from is the first write, so it has to be this small before that.
    const small = await ann.visit('/healthz')
    const { origin } = new URL(small.page.url())
    await small.cdp().send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 200_000 })
    const [a, b] = await Promise.all([ann.open({ profile: 'small' }), bob.open()])
    const [, bobId] = await Promise.all([a.ready(), b.ready()])
    cut()
    await a.until(`t.client.status.state !== 'connected'`)
    for (let i = 0; i < 10; i++) await a.send(bobId, `${i}${'x'.repeat(60_000)}`)
    await a.until(`t.errors.includes('not_kept')`)
    mend()
    // On a machine that takes its time for all that, their pauses between two tries have become long.
    await Promise.all([a, b].map(tab => tab.eval('t.client.reconnect()')))
    await b.until('t.shown.length === 10')
    expect(await b.eval('t.shown.map(body => Number(body[0]))')).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    // It tries again now and then, and says so then.
    expect([await a.eval('[...new Set(t.errors)]'), await a.state()]).toEqual([['not_kept'], 'connected'])
    await Promise.all([small, a].map(tab => tab.page.close()))
    expectComplaints(connectionLost)
  })

  test('is nothing where the browser forbids it: a client lives in memory, and says so', async () => {
    const ann = await personWithoutStorage()
    const tab = await ann.open()
    const id = await tab.ready()
    expect(await tab.eval(`(() => { try { return localStorage.length } catch ({ name }) { return name } })()`)).toBe(
      'SecurityError',
    )
    await tab.send(id, 'to myself')
    await tab.until(`t.shown.includes('to myself')`)
    expect(new Set(await tab.eval<string[]>('t.errors'))).toEqual(new Set(['not_kept']))
    await tab.reload()
    expect(await tab.ready()).not.toBe(id)
  })
})

describe('an address', () => {
  const DAY_MS = 86_400_000
  const places: (() => unknown)[] = []

  afterEach(async () => {
    vi.restoreAllMocks()
    for (const end of places.splice(0).reverse()) await end()
  })

  /** A server of its own, whose clock is that of this process and can be moved on, and a way to it that can be cut. */
  async function elsewhere(): Promise<{ road: Proxy; url: string; ws: string; pass: (days: number) => void }> {
    let passed = 0
    const now = (): number => Math.round(performance.timeOrigin + performance.now())
    vi.spyOn(Date, 'now').mockImplementation(() => now() + passed)
    const dataDir = mkdtempSync(join(tmpdir(), 'ackd-address-'))
    places.push(() => rmSync(dataDir, { recursive: true }))
    const ports = { port: 0, tcpPort: 'off', tlsPort: 'off' } as const
    const own = await startServer({ ...ports, dataDir, logLevel: 'silent', maxLag: 60_000, overloadLag: 60_000 })
    places.push(() => own.close())
    const road = await Proxy.start(Number(new URL(own.http).port))
    places.push(() => road.close())
    return { road, url: `ws://127.0.0.1:${road.port}/ws`, ws: own.ws, pass: days => (passed += days * DAY_MS) }
  }

  test('lasts for as long as it is used now and then, and is replaced when it has lapsed; what was written meanwhile arrives once', async () => {
    const { road, url, ws, pass } = await elsewhere()
    const far = road.farPort
    const bob = connect(ws)
    places.push(() => bob.close({ flushMs: 0 }))
    const heard: unknown[] = []
    bob.on('message', ({ from, body }) => void heard.push([from, body]))
    const bobId = await bob.ready()
    const tab = await (await person()).open()
    // Before the way to the server goes, which it would complain about.
    places.push(() => tab.page.close())
    const begin = `(() => {
      window.mine = t.connect('${url}', { profile: 'ann' })
      window.said = []
      mine.on('error', ({ code }) => void said.push(code))
    })()`
    await tab.eval(begin)
    const id = await tab.eval<string>('mine.ready()')
    const away = async (): Promise<void> => {
      road.farPort = 9
      road.cut()
      await tab.until(`mine.status.state !== 'connected'`)
    }
    const back = async (): Promise<void> => {
      road.farPort = far
      await tab.eval('mine.reconnect()')
      await tab.until(`mine.status.state === 'connected'`)
    }
    // Ninety days unused are its life: with sixty and sixty it is the first use that keeps it.
    for (let i = 0; i < 2; i++) {
      await away()
      pass(60)
      await back()
      expect(await tab.eval('[mine.id, mine.status.resumed]')).toEqual([id, true])
    }
    await away()
    await tab.eval(`void mine.send('${bobId}', 'before the reload').catch(() => {})`)
    await tab.reload()
    await tab.eval(begin)
    await tab.eval(`void mine.send('${bobId}', 'after it').catch(() => {})`)
    pass(91)
    await back()
    const next = await tab.eval<string>('mine.ready()')
    expect([next === id, await tab.eval('[mine.status.resumed, said]')]).toEqual([false, [false, []]])
    await expect.poll(() => heard.length, { timeout: 60_000 }).toBeGreaterThanOrEqual(2)
    await tab.reload()
    await tab.eval(begin)
    expect(await tab.eval('mine.ready()')).toBe(next)
    const sent = await tab.eval(`mine.send('${bobId}', 'the end').then(({ delivered }) => delivered)`)
    expect([sent, heard]).toEqual(['delivered', ['before the reload', 'after it', 'the end'].map(body => [next, body])])
    expectComplaints(connectionLost)
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

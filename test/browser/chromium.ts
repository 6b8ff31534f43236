/**
 * A real browser for the tests: people with profiles of their own, their tabs with the client library in them, and a way to the server
 * that can be cut.
 *
 * A tab shows the text of `/client.js`, and runs it as any page would. Its `t` is what tests talk to.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { join } from 'node:path'
import { chromium, type Browser, type BrowserContext, type CDPSession, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { startServer, type Server } from '../../src/server.ts'
import { Proxy } from '../support/proxy.ts'
import { ADMIN_TOKEN } from '../gateway/api-caller.ts'

const program = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
/** Where nobody listens. */
const NOWHERE = 9
const flags = [
  '--headless',
  '--no-sandbox',
  '--remote-debugging-port=0',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // A name that is no safe context, as a machine on the local network would be.
  '--host-resolver-rules=MAP ackd.test 127.0.0.1',
]

/** Run in every page of the server; a browser takes a page that a test has made up for one from elsewhere, and lets it connect to nothing here. */
const script = `if (location.pathname === '/client.js') import('/client.js').then(({ connect }) => {
  const options = JSON.parse(decodeURIComponent(location.hash.slice(1) || '%7B%7D'))
  const client = connect('/ws', options)
  const shown = [], states = [], errors = [], receipts = [], sent = []
  let missed = 0
  client.on('status', status => states.push(status.state))
  client.on('error', error => errors.push(error.code))
  client.on('receipt', receipt => receipts.push(receipt))
  client.on('missed', () => missed++)
  const deaf = client.on('message', ({ body }) => void shown.push(body))
  const send = (to, body, key = String(body).slice(0, 40)) =>
    client.send(to, body, { key }).then(({ delivered }) => delivered)
      .then(ending => sent.push([body, ending]), error => sent.push([body, error.code]))
  window.t = { client, deaf, connect, shown, states, errors, receipts, sent, send, missed: () => missed }
})`

/** ms that a page may need for what it is waited for, on a machine whose disk and cores are busy with other tests. */
const PATIENCE_MS = 60_000

/** What is told of a page in which that did not happen. */
const inPage = `window.t ? JSON.stringify({
  status: t.client.status, states: t.states.slice(-20), errors: t.errors.slice(-20), sent: t.sent.length, shown: t.shown.length,
  receipts: t.receipts.length, visible: document.visibilityState, ms: Math.round(performance.now()) }) : document.title`

/** What a page has in \`t\`, as far as it can be asked for. */
export class Tab {
  readonly page: Page
  /** Connections that it has opened. */
  sockets = 0
  readonly #cdp: CDPSession

  constructor(page: Page, cdp: CDPSession) {
    this.page = page
    this.#cdp = cdp
    page.on('websocket', () => this.sockets++)
  }

  /** The value of an expression in the page. */
  eval<Value>(expression: string): Promise<Value> {
    return this.page.evaluate<Value>(expression)
  }

  ready(): Promise<string> {
    return this.eval('t.client.ready()')
  }

  state(): Promise<string> {
    return this.eval('t.client.status.state')
  }

  shown(): Promise<unknown[]> {
    return this.eval('t.shown')
  }

  /** Hands a message over, and does not wait for what becomes of it. */
  async send(to: string, body: unknown): Promise<void> {
    await this.eval(`void t.send(${JSON.stringify(to)}, ${JSON.stringify(body)})`)
  }

  /** Waits until an expression is true in the page. Asks from outside, since timers of hidden pages are slow. */
  async until(expression: string): Promise<void> {
    try {
      await expect
        .poll(() => this.eval(`Boolean(${expression})`), { timeout: PATIENCE_MS, message: expression })
        .toBe(true)
    } catch (error) {
      const found = await this.eval<string>(inPage).catch((reason: unknown) => String(reason))
      throw new Error(`It never was so that ${expression}. The page has ${found}`, { cause: error })
    }
  }

  async reload(): Promise<void> {
    await this.page.reload()
    await this.until('window.t')
  }

  /** Its process is killed. */
  async crash(): Promise<void> {
    const crashed = this.page.waitForEvent('crash')
    this.#cdp.send('Page.crash').catch(() => {})
    await crashed
  }

  async freeze(): Promise<void> {
    await this.#cdp.send('Page.setWebLifecycleState', { state: 'frozen' })
  }

  async thaw(): Promise<void> {
    await this.#cdp.send('Page.setWebLifecycleState', { state: 'active' })
  }

  cdp(): CDPSession {
    return this.#cdp
  }
}

/** Somebody with a profile of their own. */
export class Person {
  readonly context: BrowserContext
  readonly #host: string

  constructor(context: BrowserContext, host: string) {
    this.context = context
    this.#host = host
  }

  async open(options: object = {}): Promise<Tab> {
    const tab = await this.visit(`/client.js#${encodeURIComponent(JSON.stringify(options))}`)
    await tab.until('window.t')
    return tab
  }

  /** A tab with any page of the server, which is what it is, without `t`. */
  async visit(path: string): Promise<Tab> {
    const page = await this.context.newPage()
    page.on('pageerror', error => complaints.push(error.message))
    page.on('console', message => {
      // Browsers ask for it without being told of one.
      if (message.type() === 'error' && !message.location().url.endsWith('/favicon.ico'))
        complaints.push(message.text())
    })
    const tab = new Tab(page, await this.context.newCDPSession(page))
    await page.goto(`http://${this.#host}:${way.port}${path}`)
    return tab
  }
}

export let server: Server
export let browser: Browser
let way: Proxy
let hasScript = false
let chromiumProcess: ChildProcess | null = null
const contexts: BrowserContext[] = []
const others: Server[] = []
/** What pages wrote to their consoles as errors, and what they threw. */
let complaints: string[] = []
const directory = mkdtempSync(join(tmpdir(), 'ackd-browser-'))

/** `host`: by which name the server is called. */
export async function person(host = '127.0.0.1'): Promise<Person> {
  const context = await browser.newContext()
  contexts.push(context)
  await context.addInitScript({ content: script })
  return new Person(context, host)
}

/** Somebody whose tabs are tabs of one window, of which only the front one is visible. There is one such person in a test file. */
export async function personWithWindow(): Promise<Person> {
  const [context] = browser.contexts()
  if (context === undefined) throw new Error('The browser has no window.')
  if (!hasScript) await context.addInitScript({ content: script })
  hasScript = true
  return new Person(context, '127.0.0.1')
}

/** Somebody whose browser is set to let no page keep anything. It is a browser of its own, until the end of the test. */
export async function personWithoutStorage(): Promise<Person> {
  const profile = mkdtempSync(join(directory, 'keeps-nothing-'))
  mkdirSync(join(profile, 'Default'))
  const preferences = { profile: { default_content_setting_values: { cookies: 2 } } }
  writeFileSync(join(profile, 'Default/Preferences'), JSON.stringify(preferences))
  const args = flags.filter(flag => !flag.startsWith('--remote'))
  const context = await chromium.launchPersistentContext(profile, { executablePath: program, args })
  await context.addInitScript({ content: script })
  contexts.push(context)
  return new Person(context, '127.0.0.1')
}

/** The way to the server is cut, and connections that are tried fail. */
export function cut(): void {
  way.farPort = NOWHERE
  way.cut()
}

export function mend(): void {
  way.farPort = Number(new URL(server.http).port)
}

/** Errors that a test has brought about itself, and that browsers write to the console. */
export function expectComplaints(about: RegExp): void {
  complaints = complaints.filter(complaint => !about.test(complaint))
}

/** What browsers say when the way is cut. */
export const connectionLost = /WebSocket connection to|ERR_(CONNECTION|EMPTY|INTERNET|FAILED)|Failed to load resource/

/** All of the browser stands still for so long, as on a laptop that sleeps: its clocks go on, and nothing else does. */
export async function sleepBrowser(ms: number): Promise<void> {
  const { pid } = chromiumProcess ?? {}
  if (pid === undefined) throw new Error('There is no browser.')
  process.kill(-pid, 'SIGSTOP')
  await sleep(ms)
  process.kill(-pid, 'SIGCONT')
}

/** Started by hand, since a browser that is started for tests is told that its pages are always visible, and freezes and caches none. */
async function launch(): Promise<void> {
  const profile = join(directory, 'profile')
  chromiumProcess = spawn(program, [...flags, `--user-data-dir=${profile}`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // A group of its own, so that all its processes can be stopped at once.
    detached: true,
  })
  // A test run that is interrupted leaves none behind.
  process.once('exit', () => chromiumProcess?.kill('SIGKILL'))
  const endpoint = await new Promise<string>((resolve, reject) => {
    let said = ''
    chromiumProcess?.once('exit', () => reject(new Error(`${program} does not start: ${said}`)))
    chromiumProcess?.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      const [, found] = /DevTools listening on (ws:\S+)/.exec(said) ?? []
      if (found !== undefined) resolve(found)
    })
  })
  browser = await chromium.connectOverCDP(endpoint, { noDefaults: true })
}

/** A server; one that is late, because the machine is busy, goes on as if it were not. */
function openServer(dataDir: string): Promise<Server> {
  const ports = { port: 0, tcpPort: 'off', tlsPort: 'off' } as const
  return startServer({
    ...ports,
    dataDir,
    adminToken: ADMIN_TOKEN,
    logLevel: 'silent',
    maxLag: 60_000,
    overloadLag: 60_000,
  })
}

/** At the same address there is another server for the rest of the test, which has never heard of anybody. */
export async function replaceServer(): Promise<void> {
  const other = await openServer(mkdtempSync(join(directory, 'other-')))
  others.push(other)
  way.farPort = Number(new URL(other.http).port)
  way.cut()
}

beforeAll(async () => {
  server = await openServer(directory)
  way = await Proxy.start(Number(new URL(server.http).port))
  await launch()
})

afterEach(async () => {
  const found = complaints
  complaints = []
  await Promise.all(contexts.splice(0).map(context => context.close()))
  await Promise.all(others.splice(0).map(other => other.close()))
  mend()
  expect(found).toEqual([])
})

afterAll(async () => {
  // Asked to, it ends all its processes; killed, some of them go on writing into the profile for a while.
  const gone = chromiumProcess && once(chromiumProcess, 'exit')
  const session = await browser.newBrowserCDPSession()
  await session.send('Browser.close').catch(() => {})
  await gone
  await browser.close()
  await way.close()
  await server.close()
  rmSync(directory, { recursive: true, maxRetries: 20, retryDelay: 50 })
})

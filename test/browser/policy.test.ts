/**
 * The library in a page that allows itself nothing: no script but its own server's, none that is made of text, no element made of text.
 *
 * The page is that of somebody who has ackd behind their own server, under one address.
 */
import { createServer, request, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { person, server } from './chromium.ts'

const policy =
  "default-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'; base-uri 'none'; object-src 'none'"
const page = '<!doctype html><title>strict</title><script type="module" src="/strict.js"></script>'
const script = `
  window.violations = []
  addEventListener('securitypolicyviolation', event => violations.push(event.violatedDirective + ' ' + event.blockedURI))
  const { connect } = await import('/client.js')
  const client = connect('/ws')
  const shown = []
  client.on('message', ({ body }) => void shown.push(body))
  const id = await client.ready()
  const room = await client.rooms.join('#lobby')
  room.on('message', ({ body }) => void shown.push(body))
  window.t = { client, id, room, shown }
`
let front: Server

beforeAll(async () => {
  const pages: Readonly<Record<string, readonly [type: string, text: string]>> = {
    '/strict': ['text/html', page],
    '/strict.js': ['text/javascript', script],
  }
  const { hostname, port } = new URL(server.http)
  front = createServer((asked, answer) => {
    const [type, text] = pages[asked.url ?? ''] ?? []
    if (type !== undefined) {
      answer.writeHead(200, { 'content-type': type, 'content-security-policy': policy }).end(text)
      return
    }
    const { method, headers, url: path } = asked
    asked.pipe(
      request({ hostname, port, method, headers, path }, far => {
        answer.writeHead(far.statusCode ?? 500, far.headers)
        far.pipe(answer)
      }),
    )
  })
  front.on('upgrade', (asked, near) => {
    const far = connect(Number(port), hostname, () => {
      const headers = Object.entries(asked.headers).map(([name, value]) => `${name}: ${String(value)}`)
      far.write(`GET ${asked.url ?? ''} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`)
      far.pipe(near).pipe(far)
    })
    for (const socket of [near, far]) socket.on('error', () => socket.destroy())
  })
  await new Promise<void>(resolve => front.listen(0, '127.0.0.1', resolve))
})

afterAll(() => {
  front.closeAllConnections()
  front.close()
})

test('works without a violation, and the policy does hold', async () => {
  const { context } = await person()
  const tab = await context.newPage()
  const complaints: string[] = []
  tab.on('console', message => complaints.push(message.text()))
  tab.on('pageerror', error => complaints.push(error.message))
  await tab.goto(`http://127.0.0.1:${(front.address() as AddressInfo).port}/strict`)
  await expect.poll(() => tab.evaluate('Boolean(window.t)'), { timeout: 60_000 }).toBe(true)
  await tab.evaluate(`(async () => { await t.client.send(t.id, 'to myself'); await t.room.send('to all') })()`)
  const shown = (): Promise<unknown> => tab.evaluate('t.shown.length')
  await expect.poll(shown, { timeout: 60_000 }).toBe(2)
  await tab.evaluate(`t.client.close()`)
  expect(await tab.evaluate('violations')).toEqual([])
  expect(complaints.filter(text => !text.includes('404'))).toEqual([])
  // That the page would have told of one.
  await tab
    .evaluate(
      `void (() => {
    const script = document.createElement('script')
    script.src = 'https://elsewhere.example/x.js'
  })()`,
    )
    .catch(() => {})
  await expect.poll(() => tab.evaluate('violations.length'), { timeout: 60_000 }).toBeGreaterThan(0)
})

/** The programs of docs/client.md and README.md, run as they stand there: in Node, and in a real browser. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { afterAll, describe, expect, test } from 'vitest'
import { connect, type Client } from '../../src/client/index.node.ts'
import { startServer } from '../../src/server.ts'
import { secret, tokenOf } from '../support/issuer.ts'
import { root } from '../support/sources.ts'
import { person, server } from '../browser/chromium.ts'
import { pagesRunBy, Reading } from './pages.ts'

const directory = join(root, 'node_modules/.cache/ackd-docs')
const OWN = 'programs.slow.test.ts'
const page = new Reading('docs/client.md', OWN)
const readme = new Reading('README.md', OWN)
const clients: Client[] = []

afterAll(async () => {
  await Promise.all(clients.map(client => client.close({ flushMs: 0 })))
  rmSync(directory, { recursive: true, force: true })
})

/** Somebody to write to, who notes what comes. */
async function somebody(): Promise<{ client: Client; id: string; heard: unknown[] }> {
  const client = connect(server.ws)
  clients.push(client)
  const heard: unknown[] = []
  client.on('message', ({ body }) => void heard.push(body))
  return { client, id: await client.ready(), heard }
}

async function bundle(code: string, options: Parameters<typeof build>[0]): Promise<string> {
  const { outputFiles = [] } = await build({
    stdin: { contents: code, resolveDir: root, loader: 'tsx' },
    bundle: true,
    write: false,
    jsx: 'automatic',
    ...options,
  })
  return outputFiles[0]?.text ?? ''
}

/** Runs a snippet on Node, with what it takes for granted, and gives back its `client` and what it has shown. */
async function run(code: string, given: string): Promise<{ client: Client; shown: unknown[] }> {
  const whole = `${given}\n${code}\nexport { client, shown }`.replace('ws://127.0.0.1:5000/ws', server.ws)
  const script = await bundle(whole, {
    platform: 'node',
    format: 'esm',
    packages: 'external',
    alias: { 'ackd/client': './src/client/index.node.ts' },
  })
  mkdirSync(directory, { recursive: true })
  const file = join(directory, `${clients.length}.mjs`)
  writeFileSync(file, script)
  const module = (await import(pathToFileURL(file).href)) as { client: Client; shown: unknown[] }
  clients.push(module.client)
  return module
}

describe('docs/client.md', () => {
  test('sends and receives', async () => {
    const friend = await somebody()
    const { client, shown } = await run(
      page.take('ts', 'await client.send(friend'),
      `const friend = '${friend.id}'; const shown = []; const show = async (...what) => void shown.push(what)`,
    )
    await expect.poll(() => friend.heard).toEqual([{ text: 'hello' }])
    await friend.client.send(await client.ready(), { text: 'hi' })
    expect(shown).toEqual([[friend.id, 'hi']])
  })

  test('shows a token that it has fetched', async () => {
    const login = createServer((_, response) => response.end(tokenOf({ sub: 'ann' })))
    await new Promise<void>(resolve => login.listen(0, '127.0.0.1', resolve))
    const guarded = await startServer({
      ...{ port: 0, tcpPort: 'off', tlsPort: 'off', store: 'memory', logLevel: 'silent' },
      ...{ auth: 'token', jwtSecret: secret },
    })
    const { port } = login.address() as AddressInfo
    const code = page
      .take('ts', 'token: async () =>')
      .replace('https://login.example', `http://127.0.0.1:${port}`)
      .replace('ws://127.0.0.1:5000/ws', guarded.ws)
    const { client } = await run(code, 'const shown = []')
    expect(await client.ready()).toBe('ann')
    await client.close()
    await guarded.close()
    login.close()
  })

  test('is in a room', async () => {
    const friend = await somebody()
    await friend.client.rooms.create('#tea')
    const given = `import { connect } from 'ackd/client'; const client = connect('${server.ws}'); await client.ready()
      const shown = []; const show = async (...what) => void shown.push(what); const note = what => shown.push(what)`
    const { client, shown } = await run(page.take('ts', "join<{ text: string }>('#tea')"), given)
    await friend.client.rooms.join('#tea')
    await expect.poll(() => shown).toEqual(expect.arrayContaining([[client.id, 'hello'], `${friend.id}: join`]))
  })

  test('runs in a page without a bundler', async () => {
    const friend = await somebody()
    const ann = await person()
    const tab = await ann.open()
    const id = await tab.ready()
    const said: string[] = []
    tab.page.on('console', message => said.push(message.text()))
    const [, script = ''] = /<script type="module">(.*)<\/script>/s.exec(page.take('html', '/client.js')) ?? []
    await tab.eval('t.deaf()')
    await tab.page.addScriptTag({ type: 'module', content: script })
    await friend.client.send(id, 'hello')
    await expect.poll(() => said).toEqual([`${friend.id} hello`])
  })

  test('writes what it is shown once, in as many tabs as there are', async () => {
    const friend = await somebody()
    const ann = await person()
    const [one, two] = [await ann.open(), await ann.open()]
    const id = await one.ready()
    await two.ready()
    const given = `import { entries } from 'idb-keyval'; const { client } = window.t; window.kept = () => entries()`
    const script = await bundle(`${given}\n${page.take('ts', 'idb-keyval')}`, { format: 'iife' })
    for (const tab of [one, two]) {
      await tab.eval('t.deaf()')
      await tab.page.addScriptTag({ content: script })
    }
    const sent = await friend.client.send(id, { text: 'hello' })
    expect(await sent.delivered).toBe('delivered')
    const kept = [[[friend.id, sent.outbox, sent.n], { text: 'hello' }]]
    for (const tab of [one, two]) await expect.poll(() => tab.eval('kept()'), { timeout: 30_000 }).toEqual(kept)
  })

  test('is rendered by React', async () => {
    const friend = await somebody()
    // Made by the test before.
    const room = await friend.client.rooms.join('#tea')
    await room.send({ text: 'tea?' })
    const tab = await (await person()).open()
    await tab.ready()
    const render = `import { createRoot } from 'react-dom/client'
      createRoot(document.body.appendChild(document.createElement('div'))).render(<Tea />)`
    const script = await bundle(`${page.take('tsx', 'useRoom')}\n${render}`, {
      format: 'iife',
      define: { 'process.env.NODE_ENV': '"production"' },
      alias: { 'ackd/client': './src/client/index.ts', 'ackd/client/react': './src/client/react.ts' },
    })
    await tab.page.addScriptTag({ content: script })
    await tab.until(`document.querySelector('ol.connected li:last-child')?.textContent === 'tea?'`)
  })
})

describe('README.md', () => {
  test('sends a note to oneself', async () => {
    const given = `const shown = []; const console = { log: (...what) => void shown.push(what.join(' ')) }`
    const { client, shown } = await run(readme.take('ts', 'a note to myself'), given)
    const id = await client.ready()
    await expect.poll(() => shown).toHaveLength(3)
    const status = expect.stringMatching(/^(delivered|stored)$/) as unknown
    expect(shown).toEqual(expect.arrayContaining([`my address is ${id}`, `${id}: a note to myself`, status]))
  })

  test('is in the lobby', async () => {
    const given = `import { connect } from 'ackd/client'; const client = connect('${server.ws}')
      const shown = []; const console = { log: what => void shown.push(what) }`
    const { client, shown } = await run(readme.take('ts', "join('#lobby')"), given)
    await expect.poll(() => shown).toEqual([`${client.id}: hello, everybody`])
  })

  test('is a server in a process of its own', async () => {
    const built = pathToFileURL(join(root, 'dist/index.js')).href
    const code = readme
      .take('ts', 'startServer')
      .replace("'ackd'", `'${built}'`)
      // Ports and a place that no other server has.
      .replace('port: 0,', "port: 0, tcpPort: 'off', tlsPort: 'off', logLevel: 'silent',")
      .replace("'data'", JSON.stringify(join(directory, 'data')))
      .replace('console.log(server.ws)', 'export { server }')
    mkdirSync(directory, { recursive: true })
    const file = join(directory, 'server.mjs')
    writeFileSync(file, code)
    const { server: own } = (await import(pathToFileURL(file).href)) as { server: typeof server }
    const client = connect(own.ws)
    expect(await client.ready()).toHaveLength(16)
    await client.close({ flushMs: 0 })
    await own.close()
  })
})

test('nothing of these pages was left out, and no other page has programs', () => {
  expect([...page.left(), ...readme.left()]).toEqual([])
  expect(pagesRunBy(OWN)).toEqual(['README.md', 'docs/client.md'])
})

/** The hooks, in a page that React renders. */
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { beforeAll, expect, test } from 'vitest'
import { connectionLost, cut, expectComplaints, person } from './chromium.ts'

const page = `
  import { createElement as h, StrictMode, useState } from 'react'
  import { createRoot } from 'react-dom/client'
  import { useEvent, useId, useMessages, useRoom, useStatus } from '../../src/client/react.ts'

  const { client, deaf } = window.t
  deaf()

  function Room({ name }) {
    const { messages, present, error } = useRoom(client, name)
    return h('ol', { id: 'room', 'data-present': present, 'data-error': error?.code }, messages.map(({ offset, body }) => h('li', { key: offset }, body)))
  }

  function App() {
    const status = useStatus(client)
    const id = useId(client)
    const [messages, setMessages] = useState([])
    const [receipts, setReceipts] = useState(0)
    const [room, setRoom] = useState(null)
    useMessages(client, ({ body }) => setMessages(known => [...known, body]))
    useEvent(client, 'receipt', () => setReceipts(receipts + 1))
    window.enter = setRoom
    return h('main', { 'data-state': status.state, 'data-id': id, 'data-receipts': receipts },
      h('ol', { id: 'messages' }, messages.map((body, i) => h('li', { key: i }, body))),
      room && h(Room, { name: room }))
  }

  createRoot(document.body.appendChild(document.createElement('div'))).render(h(StrictMode, null, h(App)))
`
let script = ''

beforeAll(async () => {
  const { outputFiles } = await build({
    stdin: { contents: page, resolveDir: fileURLToPath(new URL('.', import.meta.url)), loader: 'js' },
    define: { 'process.env.NODE_ENV': '"development"' },
    bundle: true,
    format: 'iife',
    write: false,
  })
  script = outputFiles[0]?.text ?? ''
})

test('components show what the client is and does', async () => {
  const [ann, bob] = await Promise.all([person(), person()])
  const [a, b] = await Promise.all([ann.open(), bob.open()])
  const [id, bobId] = await Promise.all([a.ready(), b.ready()])
  await a.page.addScriptTag({ content: script })
  const has = (selector: string): Promise<void> => a.until(`document.querySelector(${JSON.stringify(selector)})`)
  await has(`main[data-state=connected][data-id="${id}"]`)
  await b.send(id, 'hello')
  await b.until(`t.sent.length === 1`)
  await a.until(`document.querySelector('#messages').textContent === 'hello'`)
  await a.send(bobId, 'hi')
  await has('main[data-receipts="1"]')
  await b.eval(
    `(async () => { await t.client.rooms.create('#react'); window.room = await t.client.rooms.join('#react'); await room.send('before') })()`,
  )
  await a.eval(`enter('#react')`)
  await has('#room[data-present=true]')
  await b.eval(`room.send('after').then(() => {})`)
  await a.until(`document.querySelector('#room').textContent === 'beforeafter'`)
  await a.eval('enter(null)')
  await expect.poll(() => b.eval('room.members().then(({ members }) => members.length)')).toBe(1)
  await a.eval(`enter('#nowhere')`)
  await has('#room[data-error=no_such_room]')
  cut()
  await has('main:not([data-state=connected])')
  expectComplaints(connectionLost)
})

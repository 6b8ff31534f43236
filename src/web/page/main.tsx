/** Begins the page: asks for a name once, and then shows the chat of whoever has one. */
import { render } from 'preact'
import { readName } from './body.ts'
import { Chat } from './chat.ts'
import { Offline } from './offline.ts'
import { settings } from './settings.ts'
import { App } from './view/app.tsx'
import { First } from './view/first.tsx'

const NAME = 'name'
const place = document.querySelector('#app') ?? document.body
let chat: Chat | null = null
let turns = 0
let isOld = false

const offline = new Offline(() => {
  isOld = true
  chat?.store.change(state => ({ ...state, isOld }))
})

/** Somebody has a name, or another one: the name goes out with the first words to the server, so a chat begins anew with it. */
async function begin(name: string): Promise<void> {
  const turn = ++turns
  await chat?.stop()
  const next = await Chat.begin(name, () => offline.look())
  // Another name was given meanwhile.
  if (turn !== turns) return next.stop()
  chat = next
  next.store.change(state => ({ ...state, isOld }))
  render(<App key={name} chat={next} rename={rename} />, place)
}

function rename(name: string): void {
  settings.write(NAME, name)
  void begin(name)
}

/** Another tab was given another name, which is that of all of them. */
settings.watch(NAME, value => {
  const name = readName(value)
  if (name !== '' && name !== chat?.store.value.name) void begin(name)
})

const known = readName(settings.read(NAME))
if (known === '') render(<First begin={rename} />, place)
else void begin(known)

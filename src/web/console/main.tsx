/** Begins the console: asks for the admin token unless this tab has it, and then watches the server until the token is no good or forgotten. */
import { render } from 'preact'
import { Api } from './api.ts'
import { keepToken, knownToken } from './token.ts'
import { App } from './view/app.tsx'
import { Login } from './view/login.tsx'
import { Watch } from './watch.ts'

const place = document.querySelector('#app') ?? document.body
let watch: Watch | null = null

function ask(trouble: string): void {
  watch?.stop()
  watch = null
  keepToken('')
  render(<Login key="login" trouble={trouble} begin={begin} />, place)
}

/** Resolves when the server has said what it thinks of the token, or does not answer: until then there is nothing of the console to be seen. */
async function begin(token: string): Promise<void> {
  keepToken(token)
  const api = new Api(token)
  const own = new Watch(api, refusal => ask(refusal.message))
  watch?.stop()
  watch = own
  await own.begun
  if (watch === own) render(<App key="app" api={api} watch={own} leave={() => ask('')} />, place)
}

/** A link with a token in it, opened where the console is already. */
addEventListener('hashchange', () => {
  if (!location.hash.includes('token=')) return
  void begin(knownToken())
})

const token = knownToken()
if (token === '') ask('')
else void begin(token)

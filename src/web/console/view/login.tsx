/** Asks for the admin token. */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { Field, given } from '../../page/view/field.tsx'

export interface LoginProps {
  /** Why the last one was not taken; else ''. */
  readonly trouble: string
  readonly begin: (token: string) => void
}

export function Login({ trouble, begin }: LoginProps): JSX.Element {
  const [missing, setMissing] = useState('')
  return (
    <main class="login">
      <h1>The console of this server</h1>
      <p class="lead">
        It shows where every message is. It asks for the admin token, keeps it in this tab only, and sends it to nobody
        but this server.
      </p>
      <form
        noValidate
        onSubmit={event => {
          event.preventDefault()
          const token = given(event, 'token').trim()
          if (token === '') setMissing('Give the token that the server was started with as ACKD_ADMIN_TOKEN.')
          else begin(token)
        }}
      >
        <Field
          label="Admin token"
          name="token"
          type="password"
          autoComplete="off"
          autoFocus
          required
          trouble={missing || trouble}
        />
        <button class="primary wide">Open the console</button>
      </form>
    </main>
  )
}

/** Asks for the admin token. */
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { Field, given } from '../../page/view/field.tsx'

export interface LoginProps {
  /** Why the last one was not taken; else ''. */
  readonly trouble: string
  /** Resolves when it is known whether it is taken. */
  readonly begin: (token: string) => Promise<void>
}

export function Login({ trouble, begin }: LoginProps): JSX.Element {
  const [missing, setMissing] = useState('')
  const [isBusy, setBusy] = useState(false)
  const form = useRef<HTMLFormElement>(null)
  // Who has just forgotten a token was at a button that is no more.
  useEffect(() => form.current?.querySelector('input')?.focus(), [])
  const open = async (token: string): Promise<void> => {
    setMissing('')
    setBusy(true)
    await begin(token)
    setBusy(false)
  }
  return (
    <main class="login">
      <h1>The console of this server</h1>
      <p class="lead">
        It shows where every message is. It asks for the admin token, keeps it in this tab only, and sends it to nobody
        but this server.
      </p>
      <form
        ref={form}
        noValidate
        onSubmit={event => {
          event.preventDefault()
          const token = given(event, 'token').trim()
          if (token === '') setMissing('Give the token that the server was started with as ACKD_ADMIN_TOKEN.')
          else if (!isBusy) void open(token)
        }}
      >
        <Field
          label="Admin token"
          name="token"
          type="password"
          autoComplete="off"
          required
          trouble={isBusy ? '' : missing || trouble}
        />
        <button class="primary wide" aria-disabled={isBusy}>
          {isBusy ? 'Asking the server…' : 'Open the console'}
        </button>
      </form>
    </main>
  )
}

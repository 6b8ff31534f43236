/** What somebody sees who was never here: a name is all that is asked for. */
import type { JSX } from 'preact'
import { NameForm } from './name-form.tsx'

export function First({ begin }: { readonly begin: (name: string) => void }): JSX.Element {
  return (
    <main class="first">
      <img src="/icon.svg" alt="" width="56" height="56" />
      <h1>ackd</h1>
      <p class="lead">Messages that arrive, or wait until they can.</p>
      <NameForm name="" label="What should others call you?" action="Start" save={begin} isFirst />
      <p class="hint">
        You get an address that others can write to. Nothing else is asked for; it is kept in this browser.
      </p>
    </main>
  )
}

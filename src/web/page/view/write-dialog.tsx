/** Begins a conversation with somebody whose address one has. */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { addressIn } from '../route.ts'
import { Dialog } from './dialog.tsx'
import { Field, given } from './field.tsx'

export interface WriteDialogProps {
  readonly go: (target: string) => void
  readonly close: () => void
}

export function WriteDialog({ go, close }: WriteDialogProps): JSX.Element {
  const [trouble, setTrouble] = useState('')
  return (
    <Dialog title="Write to somebody" close={close}>
      <form
        noValidate
        onSubmit={event => {
          event.preventDefault()
          const address = addressIn(given(event, 'address'))
          if (address === null) {
            return setTrouble(
              'This is no address. It has 16 letters and digits; paste it, or the link that you were sent.',
            )
          }
          close()
          go(address)
        }}
      >
        <Field
          label="Their address, or a link to it"
          trouble={trouble}
          name="address"
          autoComplete="off"
          autoCapitalize="off"
          spellcheck={false}
          autoFocus
        />
        <button class="primary wide">Write</button>
      </form>
    </Dialog>
  )
}

/** One's own address, to be given to others, and one's name. */
import type { JSX } from 'preact'
import { hashOf } from '../route.ts'
import type { State } from '../state.ts'
import { Copy } from './copy.tsx'
import { Dialog } from './dialog.tsx'
import { NameForm } from './name-form.tsx'

export interface SelfDialogProps {
  readonly state: State
  readonly rename: (name: string) => void
  readonly close: () => void
}

export function SelfDialog({ state: { own, name }, rename, close }: SelfDialogProps): JSX.Element {
  const save = (next: string): void => {
    close()
    if (next !== name) rename(next)
  }
  return (
    <Dialog title="You" close={close}>
      {own === null ? (
        <p>You get an address with the first connection.</p>
      ) : (
        <>
          <p>Whoever has your address can write to you, also while you are away: what they write waits for you.</p>
          <Copy label="Your address" text={own} />
          <Copy label="Link to write to you" text={`${location.origin}/${hashOf(own)}`} />
        </>
      )}
      <NameForm name={name} label="Your name" action="Save the name" save={save} />
    </Dialog>
  )
}

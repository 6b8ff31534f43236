/** Asks once more before something is done that cannot be undone, does it, and says what came of it. */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { Dialog } from '../../page/view/dialog.tsx'
import { troubleOf } from '../api.ts'
import { Trouble } from './facts.tsx'

export interface ConfirmProps {
  readonly title: string
  /** What will happen. */
  readonly text: string
  readonly action: string
  readonly act: () => Promise<void>
  readonly close: () => void
}

export function Confirm({ title, text, action, act, close }: ConfirmProps): JSX.Element {
  const [trouble, setTrouble] = useState('')
  const [isBusy, setBusy] = useState(false)
  const run = async (): Promise<void> => {
    if (isBusy) return
    setBusy(true)
    try {
      await act()
      close()
    } catch (error) {
      setTrouble(troubleOf(error))
      setBusy(false)
    }
  }
  return (
    <Dialog title={title} close={close}>
      <p>{text}</p>
      {trouble !== '' && <Trouble text={trouble} />}
      <button type="button" class="danger wide" aria-disabled={isBusy} onClick={() => void run()}>
        {action}
      </button>
    </Dialog>
  )
}

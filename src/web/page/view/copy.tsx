/** A text to be copied: by a button, or by hand where the browser allows no program to. */
import type { JSX } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { Icon } from './icons.tsx'

const SHOWN_MS = 2_000

export function Copy({ label, text }: { readonly label: string; readonly text: string }): JSX.Element {
  const id = useId()
  const field = useRef<HTMLInputElement>(null)
  const [outcome, setOutcome] = useState('')
  useEffect(() => {
    if (outcome === '') return
    const timer = setTimeout(() => setOutcome(''), SHOWN_MS)
    return () => clearTimeout(timer)
  }, [outcome])
  const copy = async (): Promise<void> => {
    field.current?.select()
    setOutcome((await isCopied(text)) ? 'Copied' : 'Selected: copy it with your keyboard')
  }
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <div class="with-button">
        <input id={id} ref={field} value={text} readOnly onFocus={() => field.current?.select()} />
        <button type="button" aria-label={`Copy: ${label}`} onClick={() => void copy()}>
          <Icon name="copy" />
        </button>
      </div>
      <p class="hint" role="status">
        {outcome}
      </p>
    </div>
  )
}

async function isCopied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return false
  }
}

/** A field with its label, and with what is wrong with what is in it: then it has the focus again. */
import type { InputHTMLAttributes, JSX, TargetedEvent } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'

export type FieldProps = InputHTMLAttributes & {
  readonly label: string
  /** What to do about what was given; '' when there is nothing to say. */
  readonly trouble?: string
}

export function Field({ label, trouble = '', ...rest }: FieldProps): JSX.Element {
  const id = useId()
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => {
    if (trouble !== '') field.current?.focus()
  }, [trouble])
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input {...rest} ref={field} id={id} aria-invalid={trouble !== ''} aria-describedby={`${id}-trouble`} />
      <p class="hint trouble" id={`${id}-trouble`} role="alert">
        {trouble}
      </p>
    </div>
  )
}

/** What was typed into the field of that name, in the form that is being sent. */
export function given(event: TargetedEvent<HTMLFormElement>, name: string): string {
  const value = new FormData(event.currentTarget).get(name)
  return typeof value === 'string' ? value : ''
}

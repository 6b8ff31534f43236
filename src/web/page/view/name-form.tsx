/** Asks for a name. */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { MAX_NAME, readName } from '../body.ts'
import { Field, given } from './field.tsx'

export interface NameFormProps {
  readonly name: string
  readonly label: string
  readonly action: string
  readonly save: (name: string) => void
  /** It is what somebody came for. */
  readonly isFirst?: boolean
}

export function NameForm({ name, label, action, save, isFirst = false }: NameFormProps): JSX.Element {
  const [trouble, setTrouble] = useState('')
  return (
    <form
      noValidate
      onSubmit={event => {
        event.preventDefault()
        const next = readName(given(event, 'name'))
        if (next !== '') return save(next)
        setTrouble('Type a name first; one letter is enough.')
      }}
    >
      <Field
        label={label}
        trouble={trouble}
        name="name"
        defaultValue={name}
        maxLength={MAX_NAME}
        autoComplete="nickname"
        autoFocus={isFirst}
        required
      />
      <button class="primary wide">{action}</button>
    </form>
  )
}

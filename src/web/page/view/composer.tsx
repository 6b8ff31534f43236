/** The field in which messages are written. What was not sent yet is still there when the page is loaded again. */
import type { JSX } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { MAX_TEXT } from '../body.ts'
import type { Chat } from '../chat.ts'
import type { Conversation } from '../conversation.ts'
import { settings } from '../settings.ts'
import { Icon } from './icons.tsx'

export interface ComposerProps {
  readonly chat: Chat
  readonly conversation: Conversation
  readonly title: string
}

/** Characters that are left at which it is said how many. */
const NEAR_END = 500

export function Composer({ chat, conversation: { target, trouble }, title }: ComposerProps): JSX.Element {
  const field = useRef<HTMLTextAreaElement>(null)
  const [text, setText] = useState(() => settings.read(`draft ${target}`) ?? '')
  const left = MAX_TEXT - text.length
  useLayoutEffect(() => grow(field.current), [text])
  useEffect(() => {
    // A finger that opens a conversation does not want a keyboard yet.
    if (!matchMedia('(pointer: coarse)').matches) field.current?.focus()
  }, [])
  const write = (next: string): void => {
    setText(next)
    settings.write(`draft ${target}`, next)
    chat.typed(target, next === '')
  }
  const send = (): void => {
    const said = text.trim()
    if (said === '') return
    chat.say(target, said)
    setText('')
    settings.write(`draft ${target}`, '')
    field.current?.focus()
  }
  return (
    <form
      class="composer"
      onSubmit={event => {
        event.preventDefault()
        send()
      }}
    >
      <textarea
        ref={field}
        rows={1}
        value={text}
        maxLength={MAX_TEXT}
        disabled={trouble !== ''}
        aria-label={`Message to ${title}`}
        placeholder={`Message to ${title}`}
        onInput={event => write(event.currentTarget.value)}
        onKeyDown={event => {
          // With Shift it is a new line, and while a word is being composed it is none of ours.
          if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
          event.preventDefault()
          send()
        }}
      />
      {left < NEAR_END && (
        <span class="left" role="status">
          {left} left
        </span>
      )}
      <button class="primary round" aria-label="Send" disabled={text.trim() === ''}>
        <Icon name="send" />
      </button>
    </form>
  )
}

/** As high as what is in it, up to what the style sheet allows. */
function grow(field: HTMLTextAreaElement | null): void {
  if (field === null) return
  field.style.height = 'auto'
  // The height is that of the box with its border; without it there would be something to scroll.
  const border = field.offsetHeight - field.clientHeight
  field.style.height = `${field.scrollHeight + border}px`
}

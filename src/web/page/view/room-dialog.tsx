/** Rooms: those that everybody may see, one whose name one knows, or a new one. */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { AckdError, type RoomInfo } from '../../../client/index.ts'
import type { Chat } from '../chat.ts'
import { roomOf } from '../route.ts'
import { Dialog } from './dialog.tsx'
import { Field, given } from './field.tsx'
import { PublicRooms } from './public-rooms.tsx'

export interface RoomDialogProps {
  readonly chat: Chat
  readonly go: (target: string) => void
  readonly close: () => void
}

/** What is wrong, and with which of the fields. */
interface Trouble {
  readonly field: 'room' | 'password'
  readonly text: string
}

const none: Trouble = { field: 'room', text: '' }

function troubleOf(error: unknown): Trouble {
  if (!(error instanceof Error)) return { field: 'room', text: String(error) }
  const isPassword = error.cause instanceof AckdError && error.cause.code === 'bad_password'
  return { field: isPassword ? 'password' : 'room', text: error.message }
}

export function RoomDialog({ chat, go, close }: RoomDialogProps): JSX.Element {
  const [isNew, setIsNew] = useState(false)
  const [name, setName] = useState('')
  const [{ field, text: trouble }, setTrouble] = useState(none)
  const enter = async (text: string, password: string, isPrivate: boolean): Promise<void> => {
    const room = roomOf(text)
    setTrouble(none)
    try {
      if (room === null) throw new Error('A name is 1 to 64 letters, digits, dots, colons, dashes or underscores.')
      if (isNew) await chat.create(room, { isPrivate, password })
      else await chat.join(room, password)
      close()
      go(room)
    } catch (error) {
      setTrouble(troubleOf(error))
    }
  }
  const pick = ({ room, locked }: RoomInfo): void => {
    setName(room.slice(1))
    if (locked) setTrouble({ field: 'password', text: 'This room wants a password.' })
    else void enter(room, '', false)
  }
  const turn = (): void => {
    setIsNew(!isNew)
    setTrouble(none)
  }
  return (
    <Dialog title={isNew ? 'Create a room' : 'Join a room'} close={close}>
      <form
        noValidate
        onSubmit={event => {
          event.preventDefault()
          void enter(given(event, 'room'), given(event, 'password'), given(event, 'private') !== '')
        }}
      >
        <Field
          label="Name of the room"
          trouble={field === 'room' ? trouble : ''}
          name="room"
          value={name}
          onInput={event => setName(event.currentTarget.value)}
          autoComplete="off"
          autoCapitalize="off"
          spellcheck={false}
          autoFocus
        />
        <Field
          label={isNew ? 'Password, if it is to have one' : 'Password, if it has one'}
          trouble={field === 'password' ? trouble : ''}
          name="password"
          type="password"
          autoComplete="off"
          maxLength={200}
        />
        {isNew && (
          <label class="check">
            <input type="checkbox" name="private" />
            Private: not in the list of rooms
          </label>
        )}
        <button class="primary wide">{isNew ? 'Create' : 'Join'}</button>
        <button type="button" class="quiet wide" onClick={turn}>
          {isNew ? 'Join a room that is there' : 'Create a new room'}
        </button>
      </form>
      {!isNew && <PublicRooms chat={chat} pick={pick} />}
    </Dialog>
  )
}

/** Rooms: those that everybody may see, one whose name one knows, or a new one. */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { RoomInfo } from '../../../client/index.ts'
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

export function RoomDialog({ chat, go, close }: RoomDialogProps): JSX.Element {
  const [isNew, setIsNew] = useState(false)
  const [name, setName] = useState('')
  const [trouble, setTrouble] = useState('')
  const enter = async (text: string, password: string, isPrivate: boolean): Promise<void> => {
    const room = roomOf(text)
    setTrouble('')
    try {
      if (room === null) throw new Error('A name is 1 to 64 letters, digits, dots, colons, dashes or underscores.')
      if (isNew) await chat.create(room, { isPrivate, password })
      else await chat.join(room, password)
      close()
      go(room)
    } catch (error) {
      setTrouble(error instanceof Error ? error.message : String(error))
    }
  }
  const pick = ({ room, locked }: RoomInfo): void => {
    setName(room.slice(1))
    if (locked) setTrouble('This room wants a password.')
    else void enter(room, '', false)
  }
  const turn = (): void => {
    setIsNew(!isNew)
    setTrouble('')
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
          trouble={trouble}
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

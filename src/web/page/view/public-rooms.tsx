/** The rooms of this server that everybody may see. */
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { RoomInfo } from '../../../client/index.ts'
import type { Chat } from '../chat.ts'
import { peopleWords } from '../words.ts'
import { Icon } from './icons.tsx'

export interface PublicRoomsProps {
  readonly chat: Chat
  readonly pick: (room: RoomInfo) => void
}

export function PublicRooms({ chat, pick }: PublicRoomsProps): JSX.Element {
  const [rooms, setRooms] = useState<readonly RoomInfo[] | null>(null)
  const [trouble, setTrouble] = useState('')
  useEffect(() => {
    chat.listRooms().then(
      list => setRooms(list.rooms),
      () => setTrouble('The list cannot be asked for now, since there is no connection.'),
    )
  }, [chat])
  return (
    <section class="room-list" aria-label="Rooms that everybody may see">
      <h3>Rooms here</h3>
      {rooms === null && <p class="hint">{trouble || 'Asking…'}</p>}
      <ul>
        {rooms?.map(room => (
          <li key={room.room}>
            <button type="button" class="row" onClick={() => pick(room)}>
              <span class="row-title">{room.room}</span>
              {room.locked && (
                <>
                  <Icon name="lock" />
                  <span class="unseen">, with a password</span>
                </>
              )}
              <span class="row-detail">{peopleWords(room.members)}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}

/** Rooms: which there are, private ones too, who is counted in one, and how much of its log is kept. */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Api, Room } from '../api.ts'
import { timeWords } from '../quantities.ts'
import { clientHash, roomHash } from '../route.ts'
import { useAsked } from './asked.ts'
import { Confirm } from './confirm.tsx'
import { Facts, Trouble } from './facts.tsx'
import { Pager } from './pager.tsx'

const PAGE = 50

export function Rooms({ api }: { readonly api: Api }): JSX.Element {
  const [afters, setAfters] = useState<readonly string[]>([''])
  const after = afters.at(-1) ?? ''
  const query = `limit=${PAGE}${after === '' ? '' : `&after=${encodeURIComponent(after)}`}`
  const { answer, trouble } = useAsked(query, () =>
    api.ask<{ rooms: readonly Room[]; next: string | null }>(`/api/rooms?${query}`),
  )
  return (
    <>
      <h1>Rooms</h1>
      {trouble !== '' && <Trouble text={trouble} />}
      {answer?.rooms.length === 0 && <p class="hint">There are none.</p>}
      <ul class="rows">
        {answer?.rooms.map(room => (
          <li key={room.room}>
            <a class="entry" href={roomHash(room.room)}>
              <span class="name">{room.room}</span>
              <span class="detail">
                {kindOf(room)} · {keptOf(room).toLocaleString()} messages kept
              </span>
            </a>
          </li>
        ))}
      </ul>
      <Pager afters={afters} next={answer?.next ?? null} turn={setAfters} />
    </>
  )
}

export function RoomView({ api, name }: { readonly api: Api; readonly name: string }): JSX.Element {
  const [asks, setAsks] = useState(false)
  const path = `/api/rooms/${encodeURIComponent(name)}`
  const { answer: room, trouble, again } = useAsked(name, () => api.ask<Room>(path))
  const remove = async (): Promise<void> => {
    await api.text(path, 'DELETE')
    location.hash = '#rooms'
  }
  return (
    <>
      <p>
        <a class="back-link" href="#rooms">
          ← Rooms
        </a>
      </p>
      <h1 class="long">{name}</h1>
      {trouble !== '' && <Trouble text={trouble} />}
      {room !== null && (
        <Facts
          facts={[
            ['Members', (room.members ?? 0).toLocaleString()],
            ['Kind', kindOf(room)],
            [
              'Owner',
              room.owner === '' ? (
                'the server'
              ) : (
                <a key="owner" class="plain" href={clientHash(room.owner)}>
                  {room.owner}
                </a>
              ),
            ],
            ['Messages kept', `${keptOf(room).toLocaleString()} of at most ${room.history.toLocaleString()}`],
            ['Last offset', room.last.toLocaleString()],
            ['Made', timeWords(room.created)],
          ]}
        />
      )}
      <div class="bar">
        <button type="button" class="small" disabled={room === null} onClick={() => setAsks(true)}>
          Delete the room
        </button>
        <button type="button" class="quiet small" onClick={again}>
          Refresh
        </button>
      </div>
      {asks && (
        <Confirm
          title={`Delete ${name}?`}
          text="The room and its log are gone for good. Those who are in it are told."
          action="Delete it for good"
          act={remove}
          close={() => setAsks(false)}
        />
      )}
    </>
  )
}

function kindOf(room: Room): string {
  return `${room.private ? 'private' : 'public'}${room.locked ? ', with a password' : ''}`
}

function keptOf({ first, last }: Room): number {
  return Math.max(0, last - first + 1)
}

/** Rooms: which there are, private ones too, who is counted in one, and how much of its log is kept. */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Api, Node, Room } from '../api.ts'
import { timeWords } from '../quantities.ts'
import { clientHash, roomHash } from '../route.ts'
import { useAsked } from './asked.ts'
import { Confirm } from './confirm.tsx'
import { Facts, Trouble } from './facts.tsx'
import { Members } from './members.tsx'
import { Pager } from './pager.tsx'

const PAGE = 50

export function Rooms({ api }: { readonly api: Api }): JSX.Element {
  const [afters, setAfters] = useState<readonly string[]>([''])
  const after = afters.at(-1) ?? ''
  const query = `limit=${PAGE}${after === '' ? '' : `&after=${encodeURIComponent(after)}`}`
  const { answer, trouble, again } = useAsked(query, () =>
    api.ask<{ rooms: readonly Room[]; next: string | null }>(`/api/rooms?${query}`),
  )
  return (
    <>
      <h1>Rooms</h1>
      <div class="bar">
        <button type="button" class="small" onClick={again}>
          Refresh
        </button>
      </div>
      {trouble !== '' && <Trouble text={trouble} />}
      {answer?.rooms.length === 0 && (
        <p class="hint">There are no rooms. #lobby comes back with the first who joins it.</p>
      )}
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

export interface RoomViewProps {
  readonly api: Api
  readonly name: string
  readonly nodes: readonly Node[]
}

export function RoomView({ api, name, nodes }: RoomViewProps): JSX.Element {
  const [looks, setLooks] = useState(0)
  // Each time is another one: a dialog that was closed is told of it late, when the next may be open.
  const [asks, setAsks] = useState(0)
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
      {room !== null && <RoomFacts room={room} />}
      <div class="bar">
        <button
          type="button"
          class="small"
          aria-disabled={room === null}
          onClick={() => room !== null && setAsks(asks + 1)}
        >
          Delete the room
        </button>
        <button
          type="button"
          class="quiet small"
          onClick={() => {
            again()
            setLooks(looks + 1)
          }}
        >
          Refresh
        </button>
      </div>
      {room !== null && <Members key={looks} api={api} path={path} nodes={nodes} />}
      {asks > 0 && (
        <Confirm
          key={asks}
          title={`Delete ${name}?`}
          text="The room and its log are gone for good. Those who are in it are told."
          action="Delete it for good"
          act={remove}
          close={() => setAsks(0)}
        />
      )}
    </>
  )
}

function RoomFacts({ room }: { readonly room: Room }): JSX.Element {
  return (
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
  )
}

function kindOf(room: Room): string {
  return `${room.private ? 'private' : 'public'}${room.locked ? ', with a password' : ''}`
}

function keptOf({ first, last }: Room): number {
  return Math.max(0, last - first + 1)
}

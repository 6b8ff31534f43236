/** About a conversation: who is in the room, or whom one writes to; and the way out. */
import type { JSX } from 'preact'
import type { Chat } from '../chat.ts'
import type { Conversation, Person } from '../conversation.ts'
import { hashOf, isRoom } from '../route.ts'
import { labelOf, shortOf, type State } from '../state.ts'
import { Avatar } from './avatar.tsx'
import { Copy } from './copy.tsx'

export interface DetailsProps {
  readonly chat: Chat
  readonly state: State
  readonly conversation: Conversation
  readonly done: () => void
}

export function Details({ chat, state, conversation, done }: DetailsProps): JSX.Element {
  const { target, members } = conversation
  const leave = (): void => {
    done()
    chat.leave(target)
    location.hash = '#'
  }
  const link = `${location.origin}/${hashOf(target)}`
  return (
    <div class="details">
      {isRoom(target) ? (
        <>
          <h2>Who is here</h2>
          <ul class="members">
            {members.map(person => (
              <Member key={person.id} person={person} state={state} done={done} />
            ))}
          </ul>
          <Copy label="Link to this room" text={link} />
          <button type="button" class="wide" onClick={leave}>
            Leave the room
          </button>
          <p class="hint">The server keeps what was said here. You can come back.</p>
        </>
      ) : (
        <>
          <h2>Their address</h2>
          <Copy label="Address" text={target} />
          <Copy label="Link to write to them" text={link} />
          <button type="button" class="wide" onClick={leave}>
            Forget conversation
          </button>
          <p class="hint">
            Direct messages are kept in this browser only, the latest 500. Forgotten ones do not come back.
          </p>
        </>
      )}
    </div>
  )
}

interface MemberProps {
  readonly person: Person
  readonly state: State
  readonly done: () => void
}

function Member({ person: { id, name }, state, done }: MemberProps): JSX.Element {
  const label = labelOf(state, id, name)
  const words = (
    <>
      <Avatar name={label} />
      <span class="row-title">
        <bdi>{label}</bdi>
      </span>
      <span class="row-detail">{id === state.own ? 'you' : shortOf(id)}</span>
    </>
  )
  return (
    <li>
      {id === state.own ? (
        <span class="row">{words}</span>
      ) : (
        <a class="row" href={hashOf(id)} title={`Write to ${label}`} onClick={done}>
          {words}
        </a>
      )}
    </li>
  )
}

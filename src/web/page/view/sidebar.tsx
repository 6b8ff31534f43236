/** The list of conversations, with oneself above it. */
import type { JSX } from 'preact'
import { unreadOf, type Conversation } from '../conversation.ts'
import { hashOf, isRoom } from '../route.ts'
import { listed, shortOf, titleOf, type State } from '../state.ts'
import { count } from '../words.ts'
import { Avatar } from './avatar.tsx'
import { Icon } from './icons.tsx'

/** What can be asked for from here. */
export type DialogName = 'self' | 'room' | 'write'

export interface SidebarProps {
  readonly state: State
  readonly show: (dialog: DialogName) => void
}

export function Sidebar({ state, show }: SidebarProps): JSX.Element {
  const { rooms, people } = listed(state)
  return (
    <nav class="sidebar" aria-label="Conversations">
      <button type="button" class="self" aria-haspopup="dialog" onClick={() => show('self')}>
        <Avatar name={state.name} />
        <span class="self-words">
          <span class="self-name">{state.name}</span>
          <span class="self-address">{state.own === null ? 'No address yet' : shortOf(state.own)}</span>
        </span>
        <Icon name="link" />
        <span class="unseen">Your address and your name</span>
      </button>
      <div class="lists">
        <List title="Rooms" add="Join or create a room" onAdd={() => show('room')} all={rooms} state={state} />
        <List title="People" add="Write to somebody" onAdd={() => show('write')} all={people} state={state} />
        {people.length === 0 && (
          <p class="hint">Give somebody your link, or ask for theirs: what you write waits for them.</p>
        )}
      </div>
    </nav>
  )
}

interface ListProps {
  readonly title: string
  readonly add: string
  readonly onAdd: () => void
  readonly all: readonly Conversation[]
  readonly state: State
}

function List({ title, add, onAdd, all, state }: ListProps): JSX.Element {
  return (
    <section aria-label={title}>
      <header class="list-head">
        <h2>{title}</h2>
        <button type="button" class="quiet round" aria-haspopup="dialog" aria-label={add} title={add} onClick={onAdd}>
          <Icon name="plus" />
        </button>
      </header>
      <ul>
        {all.map(conversation => (
          <Row key={conversation.target} conversation={conversation} state={state} />
        ))}
      </ul>
    </section>
  )
}

function Row({ conversation, state }: { readonly conversation: Conversation; readonly state: State }): JSX.Element {
  const { target, password, trouble } = conversation
  const isOpen = target === state.open
  const unread = isOpen ? 0 : unreadOf(conversation)
  return (
    <li>
      <a class="row" href={hashOf(target)} aria-current={isOpen ? 'page' : undefined}>
        {isRoom(target) ? (
          <span class="row-title">
            <span class="hash" aria-hidden="true">
              #
            </span>
            {target.slice(1)}
          </span>
        ) : (
          <span class="row-title">
            <span class={state.online.get(target) === true ? 'dot on' : 'dot'} aria-hidden="true" />
            <bdi>{titleOf(state, target)}</bdi>
            {state.online.get(target) === true && <span class="unseen">, here now</span>}
          </span>
        )}
        {password !== '' && <Icon name="lock" />}
        {trouble !== '' && <span class="row-detail">not in it</span>}
        {unread > 0 && (
          <span class="badge">
            <span aria-hidden="true">{unread > 99 ? '99+' : unread}</span>
            <span class="unseen">, {count(unread, 'unread message')}</span>
          </span>
        )}
      </a>
    </li>
  )
}

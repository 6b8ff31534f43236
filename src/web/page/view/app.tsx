/** The whole page of somebody who has a name: the list, a conversation, and the state of the connection under both. */
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { LOBBY, type Chat } from '../chat.ts'
import { unreadOf } from '../conversation.ts'
import { hashOf, targetIn } from '../route.ts'
import { titleOf, type State } from '../state.ts'
import { useStore } from '../store.ts'
import { Announcer } from './announcer.tsx'
import { ConversationView } from './conversation-view.tsx'
import { Empty } from './empty.tsx'
import { useIsWide } from './is-wide.ts'
import { Notices } from './notices.tsx'
import { RoomDialog } from './room-dialog.tsx'
import { SelfDialog } from './self-dialog.tsx'
import { Sidebar, type DialogName } from './sidebar.tsx'
import { Strip } from './strip.tsx'
import { WriteDialog } from './write-dialog.tsx'

export interface AppProps {
  readonly chat: Chat
  readonly rename: (name: string) => void
}

export function App({ chat, rename }: AppProps): JSX.Element {
  const state = useStore(chat.store)
  const [dialog, setDialog] = useState<DialogName | null>(null)
  const isWide = useIsWide('(min-width: 48rem)')
  useRoute(chat, state, isWide)
  useTitle(state)
  const conversation = state.open === null ? undefined : state.conversations.get(state.open)
  const close = (): void => setDialog(null)
  return (
    <div class={conversation === undefined ? 'app' : 'app is-open'}>
      {isWide && <Sidebar state={state} show={setDialog} />}
      {conversation && (
        <ConversationView key={conversation.target} chat={chat} state={state} conversation={conversation} />
      )}
      {!conversation && isWide && <Empty state={state} show={setDialog} />}
      {!conversation && !isWide && (
        <main class="alone">
          <h1 class="unseen">Conversations</h1>
          <Sidebar state={state} show={setDialog} />
        </main>
      )}
      <Strip chat={chat} state={state} />
      <Notices chat={chat} state={state} />
      <Announcer chat={chat} />
      {dialog === 'self' && <SelfDialog state={state} rename={rename} close={close} />}
      {dialog === 'room' && <RoomDialog chat={chat} go={go} close={close} />}
      {dialog === 'write' && <WriteDialog go={go} close={close} />}
    </div>
  )
}

function go(target: string): void {
  location.hash = hashOf(target)
}

/** What the address of the page names is open. Where there is room for it, something always is. */
function useRoute(chat: Chat, state: State, isWide: boolean): void {
  useEffect(() => {
    const follow = (): void => void chat.follow(targetIn(location.hash))
    follow()
    addEventListener('hashchange', follow)
    return () => removeEventListener('hashchange', follow)
  }, [chat])
  const { open, conversations } = state
  const hasHash = targetIn(location.hash) !== null
  useEffect(() => {
    if (open !== null || hasHash || !isWide) return
    const first = conversations.has(LOBBY) ? LOBBY : conversations.keys().next().value
    if (first !== undefined) location.replace(hashOf(first))
  }, [open, hasHash, isWide, conversations])
}

function useTitle(state: State): void {
  const unread = [...state.conversations.values()].reduce((sum, conversation) => sum + unreadOf(conversation), 0)
  const title = state.open === null ? 'ackd' : `${titleOf(state, state.open)} · ackd`
  useEffect(() => {
    document.title = unread > 0 ? `(${unread}) ${title}` : title
  }, [title, unread])
}

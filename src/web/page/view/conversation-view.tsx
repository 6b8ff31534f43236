/** A conversation: who it is with, what was said, and the field to say something. */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Chat } from '../chat.ts'
import type { Conversation } from '../conversation.ts'
import { isRoom } from '../route.ts'
import { labelOf, shortOf, titleOf, typingIn, type State } from '../state.ts'
import { peopleWords, typingWords } from '../words.ts'
import { Composer } from './composer.tsx'
import { Details } from './details.tsx'
import { Dialog } from './dialog.tsx'
import { Icon } from './icons.tsx'
import { useIsWide } from './is-wide.ts'
import { Log } from './log.tsx'

export interface ConversationProps {
  readonly chat: Chat
  readonly state: State
  readonly conversation: Conversation
}

export function ConversationView({ chat, state, conversation }: ConversationProps): JSX.Element {
  const { target } = conversation
  const hasSide = useIsWide('(min-width: 72rem)')
  const [isShown, setIsShown] = useState(false)
  const title = titleOf(state, target)
  const details = <Details chat={chat} state={state} conversation={conversation} done={() => setIsShown(false)} />
  return (
    <>
      <main class="conversation">
        <header class="head">
          <a class="back" href="#" aria-label="Back to the conversations">
            <Icon name="back" />
          </a>
          <div class="head-words">
            <h1>
              <bdi>{title}</bdi>
            </h1>
            <p class="head-detail">{detailOf(state, conversation)}</p>
          </div>
          {!hasSide && (
            <button type="button" class="quiet round" aria-haspopup="dialog" onClick={() => setIsShown(true)}>
              <Icon name="people" />
              <span class="unseen">About {title}</span>
            </button>
          )}
        </header>
        <Log chat={chat} state={state} conversation={conversation} />
        <p class="typing" role="status">
          {typingWords(typingIn(state, target).map(id => labelOf(state, id)))}
        </p>
        <Composer chat={chat} conversation={conversation} title={title} />
      </main>
      {hasSide && (
        <aside class="side-panel" aria-label={`About ${title}`}>
          {details}
        </aside>
      )}
      {!hasSide && isShown && (
        <Dialog title={title} close={() => setIsShown(false)} atSide>
          {details}
        </Dialog>
      )}
    </>
  )
}

function detailOf(state: State, { target, members, hasMoreMembers, present, trouble }: Conversation): string {
  if (!isRoom(target)) {
    const isOnline = state.online.get(target)
    if (target === state.own || isOnline === undefined) return shortOf(target)
    return isOnline ? 'Here now' : 'Away: what you write waits for them'
  }
  if (trouble !== '') return trouble
  if (state.status.state !== 'connected') return 'No connection to the room'
  if (!present) return 'Entering the room…'
  const people = peopleWords(members.length)
  return hasMoreMembers ? `More than ${people} here` : `${people} here`
}

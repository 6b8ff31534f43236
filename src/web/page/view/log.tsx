/**
 * What was said, oldest first. It stays at the end while somebody is there, and in its place while somebody reads further up, whatever comes
 * before or behind.
 */
import type { JSX, RefObject } from 'preact'
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { Chat } from '../chat.ts'
import { KEPT_OF_ONE, type Conversation, type Note } from '../conversation.ts'
import { isRoom } from '../route.ts'
import { labelOf, type State } from '../state.ts'
import { timelineOf, type Item } from '../timeline.ts'
import { count, dayWords } from '../words.ts'
import { GroupView } from './group.tsx'
import { Icon } from './icons.tsx'

export interface LogProps {
  readonly chat: Chat
  readonly state: State
  readonly conversation: Conversation
}

/** px from the top at which older messages are loaded, and from the end at which somebody counts as being there. */
const NEAR_TOP = 240
const NEAR_END = 48

export function Log({ chat, state, conversation }: LogProps): JSX.Element {
  const { target, entries, hasOlder, present } = conversation
  const box = useRef<HTMLDivElement>(null)
  const { isAtEnd, toEnd, scrolled } = usePlace(box, conversation)
  const seen = useRef('')
  if (isAtEnd) seen.current = entries.at(-1)?.key ?? ''
  const behind = entries.length - 1 - entries.findLastIndex(({ key }) => key === seen.current)
  const items = useMemo(
    () => timelineOf(conversation, state.newFrom),
    [conversation.entries, conversation.notes, state.newFrom],
  )
  const older = (): void => void chat.older(target)
  const onScroll = (): void => {
    scrolled()
    if (hasOlder && present && (box.current?.scrollTop ?? Infinity) < NEAR_TOP) older()
  }
  return (
    <div class="log-frame">
      <div class="log" ref={box} role="log" aria-live="off" aria-label="Messages" tabIndex={0} onScroll={onScroll}>
        <div class="log-start">
          {hasOlder && entries.length > 0 ? (
            <button type="button" class="quiet small" onClick={older} disabled={!present}>
              Older messages
            </button>
          ) : (
            <p class="hint">{beginningOf(conversation, state)}</p>
          )}
        </div>
        {items.map(item => (
          <ItemView key={item.key} item={item} chat={chat} state={state} target={target} />
        ))}
      </div>
      {!isAtEnd && (
        <button type="button" class="to-end" onClick={toEnd}>
          <Icon name="down" />
          {behind > 0 ? count(behind, 'new message') : 'To the end'}
        </button>
      )}
    </div>
  )
}

interface ItemProps {
  readonly item: Item
  readonly chat: Chat
  readonly state: State
  readonly target: string
}

function ItemView({ item, chat, state, target }: ItemProps): JSX.Element {
  switch (item.kind) {
    case 'day':
      return (
        <h2 class="day">
          <span>{dayWords(item.time, Date.now())}</span>
        </h2>
      )
    case 'new':
      return (
        <p class="new-from">
          <span>New</span>
        </p>
      )
    case 'notes':
      return <p class="note">{item.notes.map(note => noteWords(note, state)).join(' · ')}</p>
    case 'group':
      return (
        <GroupView
          group={item}
          label={labelOf(state, item.from, item.entries[0]?.name)}
          isConnected={state.status.state === 'connected' && !state.isCut}
          isRoom={isRoom(target)}
          again={entry => chat.again(target, entry)}
          remove={entry => chat.remove(target, entry.key)}
        />
      )
  }
}

function noteWords({ event, id }: Note, state: State): string {
  if (event === 'gap') return 'Some messages from here are no longer kept'
  return `${labelOf(state, id)} ${event === 'join' ? 'came in' : 'left'}`
}

function beginningOf({ target, entries, present }: Conversation, state: State): string {
  if (!isRoom(target)) {
    if (target === state.own) return 'What you write here comes back to you, on every tab.'
    if (entries.length >= KEPT_OF_ONE) return 'What was said before is not kept in this browser.'
    return 'What you write is delivered at once, or waits until they are back.'
  }
  if (!present && entries.length === 0) return 'What was said here is shown when you are in the room.'
  return entries.length === 0 ? 'Nothing was said here yet.' : 'The room begins here.'
}

interface Place {
  readonly isAtEnd: boolean
  readonly toEnd: () => void
  readonly scrolled: () => void
}

function usePlace(box: RefObject<HTMLDivElement | null>, { entries, notes }: Conversation): Place {
  const [isAtEnd, setIsAtEnd] = useState(true)
  const before = useRef({ first: '', last: '', height: 0 })
  const toEnd = (): void => {
    const element = box.current
    if (element === null) return
    element.scrollTop = element.scrollHeight
    setIsAtEnd(true)
  }
  useLayoutEffect(() => {
    const element = box.current
    if (element === null) return
    const first = entries[0]?.key ?? ''
    const last = entries.at(-1)
    const said = last !== undefined && last.key !== before.current.last && last.own && last.tick === 'waiting'
    if (isAtEnd || said) toEnd()
    else if (first !== before.current.first) element.scrollTop += element.scrollHeight - before.current.height
    before.current = { first, last: last?.key ?? '', height: element.scrollHeight }
  }, [entries, notes])
  useEffect(() => {
    const element = box.current
    if (element === null) return
    // A keyboard on the screen, or a field that grows, takes room from below.
    const observer = new ResizeObserver(() => {
      if (isAtEnd) element.scrollTop = element.scrollHeight
    })
    observer.observe(element)
    return () => observer.disconnect()
  }, [isAtEnd])
  const scrolled = (): void => {
    const element = box.current
    if (element !== null) setIsAtEnd(element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_END)
  }
  return { isAtEnd, toEnd, scrolled }
}

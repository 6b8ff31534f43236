/**
 * All that the page shows, as one value, and what can be said of it.
 */
import type { Status } from '../../client/connector.ts'
import {
  newConversation,
  withEntries,
  withKeptLog,
  type Conversation,
  type KeptEntry,
  type KeptLog,
  type Visit,
} from './conversation.ts'

export interface Notice {
  readonly key: string
  readonly text: string
}

/** Messages that waited while this client was away. */
export interface CatchUp {
  readonly total: number
  readonly left: number
}

export interface State {
  /** What one is called. */
  readonly name: string
  /** The own address; null until the server has given one. */
  readonly own: string | null
  readonly status: Status
  /** Somebody has cut the network by the button. */
  readonly isCut: boolean
  readonly conversations: ReadonlyMap<string, Conversation>
  /** What is open; null: the list alone, where there is no room for both. */
  readonly open: string | null
  /** The first message that was not read when the open conversation was opened. */
  readonly newFrom: string
  /** What people are called, by address. */
  readonly people: ReadonlyMap<string, string>
  /** Whom direct messages go to, and whether they are online. */
  readonly online: ReadonlyMap<string, boolean>
  /** Who is typing where, as `target address`, and until when that is believed, in ms since the epoch. */
  readonly typing: ReadonlyMap<string, number>
  readonly catchUp: CatchUp | null
  readonly notices: readonly Notice[]
  /** The server has a newer page. */
  readonly isOld: boolean
}

export function firstState(name: string, own: string | null, isCut: boolean): State {
  return {
    name,
    own,
    status: { state: 'connecting' },
    isCut,
    conversations: new Map(),
    open: null,
    newFrom: '',
    people: new Map(),
    online: new Map(),
    typing: new Map(),
    catchUp: null,
    notices: [],
    isOld: false,
  }
}

/** Conversations that are held, and people whose names are known; those that were heard of first go. */
export const MAX_CONVERSATIONS = 1_000
const MAX_PEOPLE = 5_000

/** Changes a conversation, which begins with it if there is none. */
export function withConversation(
  state: State,
  target: string,
  change: (conversation: Conversation) => Conversation,
): State {
  const before = state.conversations.get(target)
  const after = change(before ?? newConversation(target))
  if (after === before) return state
  return { ...state, conversations: new Map(state.conversations).set(target, after) }
}

/** The same, but one that is not there does not begin. */
export function withExisting(
  state: State,
  target: string,
  change: (conversation: Conversation) => Conversation,
): State {
  return state.conversations.has(target) ? withConversation(state, target, change) : state
}

export function withoutConversation(state: State, target: string): State {
  const conversations = new Map(state.conversations)
  conversations.delete(target)
  return { ...state, conversations, open: state.open === target ? null : state.open }
}

/** With what was kept of earlier visits. */
export function restored(state: State, visits: readonly Visit[], entries: readonly KeptEntry[]): State {
  let next = state
  for (const visit of visits)
    next = withConversation(next, visit.target, conversation => ({ ...conversation, ...visit }))
  for (const target of new Set(entries.map(entry => entry.target))) {
    const own = entries.filter(entry => entry.target === target)
    next = withConversation(next, target, conversation => withEntries(conversation, own))
  }
  const others = entries.filter(({ own }) => !own)
  return withNames(
    next,
    others.map(({ from, name }) => ({ id: from, name })),
  )
}

/** With what was kept of the logs of the rooms that one is in. */
export function withKeptLogs(state: State, logs: readonly KeptLog[]): State {
  let next = state
  for (const log of logs) {
    next = withExisting(next, log.target, conversation => withKeptLog(conversation, log))
    next = withNames(
      next,
      log.entries.filter(({ own }) => !own).map(({ from, name }) => ({ id: from, name })),
    )
  }
  return next
}

/** Learns what people are called. */
export function withNames(state: State, people: readonly { readonly id: string; readonly name: string }[]): State {
  const news = people.filter(({ id, name }) => name !== '' && state.people.get(id) !== name)
  if (news.length === 0) return state
  const all = [...state.people, ...news.map(({ id, name }) => [id, name] as const)]
  return { ...state, people: new Map(all.slice(-MAX_PEOPLE)) }
}

/** What somebody is called. Of two who call themselves the same, each is shown with a piece of the address, which nobody can choose. */
export function labelOf(state: Pick<State, 'people' | 'own' | 'name'>, id: string, said = ''): string {
  if (id === state.own) return state.name
  const name = state.people.get(id) ?? said
  if (name === '') return shortOf(id)
  const isShared = name === state.name || [...state.people].some(([other, theirs]) => other !== id && theirs === name)
  return isShared ? `${name} (${shortOf(id)})` : name
}

/** Ids that were given in the same moment begin alike, so it is the end that tells them apart. */
export function shortOf(id: string): string {
  return id.length > 9 ? `${id.slice(0, 4)}…${id.slice(-4)}` : id
}

export function titleOf(state: State, target: string): string {
  if (target.startsWith('#')) return target
  return target === state.own ? 'Notes to yourself' : labelOf(state, target)
}

/** The person to be forgotten for a new one, since there are as many conversations as may be; null while there is room. */
export function tooMany(state: State): string | null {
  if (state.conversations.size < MAX_CONVERSATIONS) return null
  return listed(state).people.findLast(({ target }) => target !== state.open)?.target ?? null
}

/** Who is typing in a conversation. */
export function typingIn(state: State, target: string): readonly string[] {
  const start = `${target} `
  return [...state.typing.keys()].filter(key => key.startsWith(start)).map(key => key.slice(start.length))
}

/** The rooms by name, then people, the one who was heard of last first. */
export function listed(state: State): {
  readonly rooms: readonly Conversation[]
  readonly people: readonly Conversation[]
} {
  const all = [...state.conversations.values()]
  const lastAt = ({ entries }: Conversation): number => entries.at(-1)?.at ?? Infinity
  return {
    rooms: all.filter(({ target }) => target.startsWith('#')).sort((a, b) => a.target.localeCompare(b.target)),
    people: all.filter(({ target }) => !target.startsWith('#')).sort((a, b) => lastAt(b) - lastAt(a)),
  }
}

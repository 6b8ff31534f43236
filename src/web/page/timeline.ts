/**
 * A conversation as it is laid out: days, and within them what one person said in one go, with what happened in between.
 */
import type { Conversation, Entry, Note } from './conversation.ts'

export interface Day {
  readonly kind: 'day'
  readonly key: string
  /** ms since the epoch, some time on that day. */
  readonly time: number
}

/** What one person said without a long pause. */
export interface Group {
  readonly kind: 'group'
  readonly key: string
  readonly from: string
  readonly own: boolean
  readonly entries: readonly Entry[]
}

export interface Notes {
  readonly kind: 'notes'
  readonly key: string
  readonly notes: readonly Note[]
}

/** What was not read when the conversation was opened begins here. */
export interface NewFromHere {
  readonly kind: 'new'
  readonly key: string
}

export type Item = Day | Group | Notes | NewFromHere

/** ms; after a longer pause a new group begins, with a time of its own. */
const PAUSE_MS = 5 * 60_000

/** `newFrom`: the key of the first entry that was not read; '' when all was. */
export function timelineOf({ entries, notes }: Conversation, newFrom = ''): readonly Item[] {
  const items: Item[] = []
  const following = notesAfter(notes, new Set(entries.map(({ key }) => key)))
  const note = (after: string): void => {
    const some = following.get(after)
    if (some !== undefined) items.push({ kind: 'notes', key: `notes ${after}`, notes: some })
  }
  note('')
  let previous: Entry | null = null
  for (const entry of entries) {
    if (previous === null || dayOf(previous.time) !== dayOf(entry.time)) {
      items.push({ kind: 'day', key: `day ${dayOf(entry.time)} ${entry.key}`, time: entry.time })
    }
    if (entry.key === newFrom) items.push({ kind: 'new', key: 'new' })
    const last = items.at(-1)
    if (last?.kind === 'group' && previous !== null && belongs(entry, previous)) {
      items[items.length - 1] = { ...last, entries: [...last.entries, entry] }
    } else {
      items.push({ kind: 'group', key: entry.key, from: entry.from, own: entry.own, entries: [entry] })
    }
    note(entry.key)
    previous = entry
  }
  return items
}

/** By the entry that they come after; those whose entry is gone come first. */
function notesAfter(notes: readonly Note[], known: ReadonlySet<string>): ReadonlyMap<string, readonly Note[]> {
  const following = new Map<string, Note[]>()
  for (const note of notes) {
    const after = known.has(note.after) ? note.after : ''
    following.set(after, [...(following.get(after) ?? []), note])
  }
  return following
}

function belongs(entry: Entry, previous: Entry): boolean {
  return entry.from === previous.from && entry.own === previous.own && entry.time - previous.time < PAUSE_MS
}

function dayOf(time: number): string {
  return new Date(time).toDateString()
}

/**
 * A conversation as a value: a room, or somebody. Every change of one is a function here that returns the next, so that what is
 * shown can be tried without a browser.
 *
 * What a room says stands in the order of its log; what is not in the log yet comes behind it. Direct messages stand in the order in which
 * this device learnt of them, which is that of each sender.
 */

/** `waiting`: in the outbox. `stored`: on the server. Of a room nothing comes after that. */
export type Tick = 'waiting' | 'stored' | 'delivered' | 'failed'

export interface Entry {
  /** Names it, here and in what is kept. The same before and after it got its place in a log. */
  readonly key: string
  readonly from: string
  /** What its sender was called then; '' when it did not say. */
  readonly name: string
  readonly text: string
  /** ms since the epoch: when the server accepted it, or when it was written here. */
  readonly time: number
  /** ms since the epoch: when this device learnt of it. */
  readonly at: number
  readonly own: boolean
  /** Of one's own only. */
  readonly tick: Tick | null
  /** What to do about one that failed; else ''. */
  readonly trouble: string
  /** Its place in the log of a room; null outside of one. */
  readonly offset: number | null
}

/** Something that happened between two messages, as who came and went. Not kept. */
export interface Note {
  readonly key: string
  /** The entry that it comes after; '' for the beginning. */
  readonly after: string
  readonly event: 'join' | 'leave' | 'gap'
  readonly id: string
  /** ms since the epoch. */
  readonly at: number
}

/** Where one was, as it is kept: which room or whom, and how far it was read. */
export type Visit = Pick<Conversation, 'target' | 'mark' | 'readTo' | 'epoch' | 'password'>

/** An entry as it is kept. */
export type KeptEntry = Entry & { readonly target: string }

/** The end of the log of a room, as it is kept. */
export interface KeptLog {
  readonly target: string
  readonly epoch: string
  readonly entries: readonly Entry[]
}

export interface Person {
  readonly id: string
  readonly name: string
}

export interface Conversation {
  /** An address, or a room. */
  readonly target: string
  readonly entries: readonly Entry[]
  readonly notes: readonly Note[]
  /** Up to where it was read: an offset, or the `at` of a direct message; null until that is known. */
  readonly mark: number | null
  /**
   * The key of the last direct message that was read, in whatever tab: each of them has heard of it at another moment, so that its `at` says
   * nothing to the others. '' for none, and in rooms.
   */
  readonly readTo: string
  /** The log that offsets belong to. */
  readonly epoch: string
  /** In the room now. */
  readonly present: boolean
  /** There may be older ones to load. */
  readonly hasOlder: boolean
  readonly members: readonly Person[]
  /** There are more in the room than `members` says. */
  readonly hasMoreMembers: boolean
  /** Why this room cannot be entered; else ''. */
  readonly trouble: string
  readonly password: string
}

/** Messages that are kept of one conversation, and of all. */
export const KEPT_OF_ONE = 500
export const KEPT_OF_ALL = 2_000
/** Messages that are kept of the log of a room. */
export const KEPT_OF_LOG = 50
/** Entries of a conversation that are held; the oldest go. */
export const MAX_ENTRIES = 2_000
const MAX_NOTES = 20
/** People of a room that are held; of more it is only said that they are there. */
const MAX_MEMBERS = 2_000
/** ms; who is back until then has not been away. */
const BLINK_MS = 15_000

export function newConversation(target: string): Conversation {
  const isRoom = target.startsWith('#')
  return {
    target,
    entries: [],
    notes: [],
    mark: isRoom ? null : 0,
    readTo: '',
    epoch: '',
    present: false,
    hasOlder: isRoom,
    members: [],
    hasMoreMembers: false,
    trouble: '',
    password: '',
  }
}

/** Adds entries, or replaces those of the same key; what is known of a log is not forgotten for what is not in it. */
export function withEntries(conversation: Conversation, more: readonly Entry[]): Conversation {
  const byKey = new Map(conversation.entries.map(entry => [entry.key, entry]))
  for (const entry of more) {
    const known = byKey.get(entry.key)
    if (known === undefined || known.offset === null || entry.offset !== null) byKey.set(entry.key, entry)
  }
  const sorted = [...byKey.values()].sort(inOrder)
  const entries = sorted.slice(-MAX_ENTRIES)
  return {
    ...conversation,
    entries,
    hasOlder: conversation.hasOlder || (isLog(conversation) && entries.length < sorted.length),
  }
}

export function withoutEntry(conversation: Conversation, key: string): Conversation {
  return { ...conversation, entries: conversation.entries.filter(entry => entry.key !== key) }
}

/** What became of a message. `delivered` and `failed` are the end of it, and a log is the end of what is in it. */
export function withTick(conversation: Conversation, key: string, tick: Tick, trouble = ''): Conversation {
  const entries = conversation.entries.map(entry => {
    if (entry.key !== key || entry.tick === null || entry.tick === 'delivered' || entry.offset !== null) return entry
    if (entry.tick === 'failed' && (tick === 'waiting' || entry.trouble !== '')) return entry
    return { ...entry, tick, trouble }
  })
  return { ...conversation, entries }
}

/** Another log, of which nothing is known. What waits for its place in it stays. */
export function withLog(conversation: Conversation, epoch: string): Conversation {
  if (conversation.epoch === epoch) return conversation
  if (conversation.epoch === '') return { ...conversation, epoch }
  const entries = conversation.entries.filter(({ offset }) => offset === null)
  return { ...conversation, epoch, entries, notes: [], mark: 0, hasOlder: true }
}

/** What is kept of the log of a room; null of what is no log, or of none that is known. */
export function endOfLog(conversation: Conversation | undefined): KeptLog | null {
  if (conversation === undefined || conversation.epoch === '') return null
  const { target, epoch } = conversation
  return { target, epoch, entries: conversation.entries.filter(({ offset }) => offset !== null).slice(-KEPT_OF_LOG) }
}

/** With what was kept of its log, unless it has another one by now. */
export function withKeptLog(conversation: Conversation, { epoch, entries }: KeptLog): Conversation {
  if (conversation.epoch !== '' && conversation.epoch !== epoch) return conversation
  return withEntries({ ...conversation, epoch }, entries)
}

/** Without what was kept up to an offset, if the page of the log that begins at `from` does not go on there: it is loaded again. */
export function withoutHole(conversation: Conversation, kept: number, from: number): Conversation {
  if (from <= kept + 1) return conversation
  const entries = conversation.entries.filter(({ offset }) => offset === null || offset > kept)
  return { ...conversation, entries, hasOlder: true }
}

/** The offset of the newest message that is held; 0 when there is none. */
export function newestOffset({ entries }: Conversation): number {
  return entries.findLast(({ offset }) => offset !== null)?.offset ?? 0
}

/** Read up to the end. */
export function withAllRead(conversation: Conversation): Conversation {
  const { entries, mark, readTo } = conversation
  const end = Math.max(mark ?? 0, ...entries.map(entry => placeOf(conversation, entry)))
  const last = isLog(conversation) ? '' : (entries.at(-1)?.key ?? readTo)
  return end === mark && last === readTo ? conversation : { ...conversation, mark: end, readTo: last }
}

export function unreadOf(conversation: Conversation): number {
  const { entries, mark, readTo } = conversation
  if (mark === null) return 0
  const read = Math.max(mark, entries.findLast(({ key }) => key === readTo)?.at ?? 0)
  return entries.filter(entry => !entry.own && placeOf(conversation, entry) > read).length
}

/** The key of the oldest entry that was not read; '' when all was. */
export function firstUnread(conversation: Conversation): string {
  const count = unreadOf(conversation)
  const first = count === 0 ? undefined : conversation.entries.filter(({ own }) => !own).at(-count)
  // Where nothing was said before, all is new.
  return first === undefined || first === conversation.entries[0] ? '' : first.key
}

/** Somebody came or went. */
export function withMember(
  conversation: Conversation,
  event: 'join' | 'leave',
  who: Person,
  now: number,
): Conversation {
  const others = conversation.members.filter(({ id }) => id !== who.id)
  const isFull = event === 'join' && others.length >= MAX_MEMBERS
  const members = event === 'join' && !isFull ? [...others, who].sort(byName) : others
  const hasMoreMembers = conversation.hasMoreMembers || isFull
  return withNote({ ...conversation, members, hasMoreMembers }, event, who.id, now)
}

/** Who is in the room, as far as the server was asked. */
export function withMembers(conversation: Conversation, members: readonly Person[], hasMore: boolean): Conversation {
  return { ...conversation, members: [...members].sort(byName), hasMoreMembers: hasMore }
}

/** Notes that something happened now; who went and came back at once, as by a reload, did neither. */
export function withNote(conversation: Conversation, event: Note['event'], id: string, now: number): Conversation {
  const { notes, entries } = conversation
  const last = notes.findLast(note => note.id === id)
  if (event === 'join' && last?.event === 'leave' && now - last.at < BLINK_MS) {
    return { ...conversation, notes: notes.filter(note => note !== last) }
  }
  const note = { key: `note ${now} ${event} ${id}`, after: entries.at(-1)?.key ?? '', event, id, at: now }
  return { ...conversation, notes: [...notes, note].slice(-MAX_NOTES) }
}

/**
 * What of this is kept: the latest of each conversation, and where all is too much, less of those in which most was said, so that nobody pushes
 * out what others have written. What was not sent yet is never too much.
 */
export function keptOf(entries: readonly KeptEntry[]): ReadonlySet<KeptEntry> {
  const counts = new Map<string, number>()
  const ranked = [...entries]
    .sort((a, b) => b.at - a.at)
    .map(entry => {
      const rank = counts.get(entry.target) ?? 0
      counts.set(entry.target, rank + 1)
      return { entry, rank }
    })
  const waiting = ranked.filter(({ entry }) => entry.tick === 'waiting')
  const settled = ranked.filter(({ entry, rank }) => entry.tick !== 'waiting' && rank < KEPT_OF_ONE)
  const kept = settled.sort((a, b) => a.rank - b.rank).slice(0, KEPT_OF_ALL)
  return new Set([...waiting, ...kept].map(({ entry }) => entry))
}

/** The oldest offset that is held, behind which older ones are asked for. */
export function oldestOffset({ entries }: Conversation): number | null {
  return entries.find(({ offset }) => offset !== null)?.offset ?? null
}

/** What `mark` is compared with. In a room, what has no place in the log yet is no measure of what was read. */
function placeOf(conversation: Conversation, { offset, at }: Entry): number {
  return isLog(conversation) ? (offset ?? 0) : at
}

function inOrder(a: Entry, b: Entry): number {
  if (a.offset !== null && b.offset !== null) return a.offset - b.offset
  if (a.offset !== null || b.offset !== null) return a.offset === null ? 1 : -1
  return a.at - b.at
}

function byName(a: Person, b: Person): number {
  return (a.name || a.id).localeCompare(b.name || b.id)
}

function isLog({ target }: Conversation): boolean {
  return target.startsWith('#')
}

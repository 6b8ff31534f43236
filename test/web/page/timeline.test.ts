/** How a conversation is laid out. */
import { expect, test } from 'vitest'
import {
  newConversation,
  withEntries,
  withNote,
  type Conversation,
  type Entry,
} from '../../../src/web/page/conversation.ts'
import { timelineOf } from '../../../src/web/page/timeline.ts'

const noon = new Date(2026, 3, 1, 12).getTime()
const minute = 60_000

function talk(...said: (readonly [from: string, minutes: number])[]): Conversation {
  const entries = said.map(([from, minutes], index): Entry => {
    const time = noon + minutes * minute
    const own = from === 'me'
    return {
      key: `m${index}`,
      from,
      name: from,
      text: '',
      time,
      at: index,
      own,
      tick: own ? 'stored' : null,
      trouble: '',
      offset: index,
    }
  })
  return withEntries(newConversation('#tea'), entries)
}

/** In short: a day is `|`, a group `who:how many`. */
function shape(conversation: Conversation, newFrom = ''): string {
  return timelineOf(conversation, newFrom)
    .map(item => (item.kind === 'group' ? `${item.from}:${item.entries.length}` : item.kind))
    .join(' ')
}

test('what one says in one go is together, and another, or a pause, begins anew', () => {
  expect(shape(talk(['ann', 0], ['ann', 1], ['bob', 2], ['ann', 3], ['ann', 20]))).toBe('day ann:2 bob:1 ann:1 ann:1')
})

test('each day begins with its name', () => {
  expect(shape(talk(['ann', 0], ['ann', 12 * 60 + 1], ['ann', 36 * 60 + 1]))).toBe('day ann:1 day ann:1 day ann:1')
})

test('what is new begins behind a line', () => {
  expect(shape(talk(['ann', 0], ['ann', 1], ['ann', 2]), 'm1')).toBe('day ann:1 new ann:2')
})

test('who came and went stands where it happened, also when what was said before is gone', () => {
  const first = withNote(talk(['ann', 0]), 'join', 'bob', 1)
  const then = withEntries(first, talk(['ann', 0], ['ann', 1]).entries)
  expect(shape(then)).toBe('day ann:1 notes ann:1')
  expect(shape({ ...then, entries: then.entries.slice(1) })).toBe('notes day ann:1')
})

test('nothing is nothing', () => {
  expect(timelineOf(newConversation('#tea'))).toEqual([])
})

test('every item has a key of its own', () => {
  const many = timelineOf(talk(['ann', 0], ['bob', 1], ['ann', 24 * 60], ['bob', 24 * 60 + 1]), 'm1')
  expect(new Set(many.map(({ key }) => key)).size).toBe(many.length)
})

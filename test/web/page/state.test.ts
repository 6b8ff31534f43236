/** What can be said of all that the page shows. */
import { describe, expect, test } from 'vitest'
import type { KeptEntry } from '../../../src/web/page/conversation.ts'
import {
  firstState,
  labelOf,
  listed,
  MAX_CONVERSATIONS,
  restored,
  titleOf,
  tooMany,
  typingIn,
  withConversation,
  withExisting,
  withNames,
  withoutConversation,
} from '../../../src/web/page/state.ts'

const start = firstState('Me', 'myAddress0000001', false)
const kept = (target: string, at: number, more: Partial<KeptEntry> = {}): KeptEntry => ({
  target,
  key: `${target} ${at}`,
  from: target,
  name: 'Bob',
  text: 'x',
  time: at,
  at,
  own: false,
  tick: null,
  trouble: '',
  offset: null,
  ...more,
})

describe('names', () => {
  const people = withNames(start, [
    { id: 'bobAddress000001', name: 'Bob' },
    { id: 'annAddress000001', name: 'Ann' },
    { id: 'annAddress000002', name: 'Ann' },
    { id: 'mimicAddress0001', name: 'Me' },
    { id: 'silentAddress001', name: '' },
  ])

  test('are what people call themselves; without one it is a piece of the address', () => {
    expect(labelOf(people, 'bobAddress000001')).toBe('Bob')
    expect(labelOf(people, 'silentAddress001')).toBe('sile…s001')
    expect(labelOf(people, 'nobodyKnows00001', 'Zoe')).toBe('Zoe')
    expect(labelOf(people, 'myAddress0000001')).toBe('Me')
  })

  test('that two have, or that are one’s own, come with a piece of the address', () => {
    expect(labelOf(people, 'annAddress000002')).toBe('Ann (annA…0002)')
    expect(labelOf(people, 'mimicAddress0001')).toBe('Me (mimi…0001)')
  })

  test('that say nothing new change nothing', () => {
    expect(withNames(people, [{ id: 'bobAddress000001', name: 'Bob' }])).toBe(people)
    expect(withNames(people, [{ id: 'bobAddress000001', name: '' }])).toBe(people)
  })

  test('make titles', () => {
    expect([titleOf(people, '#tea'), titleOf(people, 'bobAddress000001'), titleOf(people, 'myAddress0000001')]).toEqual(
      ['#tea', 'Bob', 'Notes to yourself'],
    )
  })
})

describe('conversations', () => {
  test('begin with what happens in them, but not with what comes too late', () => {
    const begun = withConversation(start, 'bob', conversation => ({ ...conversation }))
    expect(begun.conversations.has('bob')).toBe(true)
    expect(withExisting(start, 'bob', conversation => ({ ...conversation }))).toBe(start)
    const left = withoutConversation({ ...begun, open: 'bob' }, 'bob')
    expect([left.conversations.size, left.open]).toEqual([0, null])
  })

  test('come back as they were kept', () => {
    const visits = [{ target: '#tea', mark: 7, readTo: '', epoch: 'e', password: 'pw' }]
    const back = restored(start, visits, [
      kept('bob', 2),
      kept('bob', 1),
      kept('#tea', 3, { own: true, tick: 'waiting' }),
    ])
    expect(back.conversations.get('#tea')).toMatchObject({ mark: 7, epoch: 'e', password: 'pw', entries: [{ at: 3 }] })
    expect(back.conversations.get('bob')?.entries.map(({ at }) => at)).toEqual([1, 2])
    expect(back.people.get('bob')).toBe('Bob')
  })

  test('are listed: rooms by name, people by when they were heard of last', () => {
    let state = restored(start, [], [kept('ann', 1), kept('bob', 5), kept('cat', 3)])
    for (const room of ['#tea', '#art']) state = withConversation(state, room, conversation => ({ ...conversation }))
    const { rooms, people } = listed(state)
    expect(rooms.map(({ target }) => target)).toEqual(['#art', '#tea'])
    expect(people.map(({ target }) => target)).toEqual(['bob', 'cat', 'ann'])
  })
})

test('of too many conversations the one that was silent longest is given up, but not the open one', () => {
  const many = Array.from({ length: MAX_CONVERSATIONS }, (_, index) => kept(`p${index}`, index))
  const full = restored(start, [], many)
  expect([tooMany(restored(start, [], many.slice(1))), tooMany(full), tooMany({ ...full, open: 'p0' })]).toEqual([
    null,
    'p0',
    'p1',
  ])
})

test('who is typing is told for each conversation', () => {
  const state = {
    ...start,
    typing: new Map([['#tea ann', 1] as const, ['#tea bob', 1] as const, ['ann ann', 1] as const]),
  }
  expect([typingIn(state, '#tea'), typingIn(state, 'ann'), typingIn(state, '#t')]).toEqual([
    ['ann', 'bob'],
    ['ann'],
    [],
  ])
})

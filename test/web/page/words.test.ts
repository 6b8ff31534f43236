/** What the page says. */
import { describe, expect, test } from 'vitest'
import { AckdError } from '../../../src/client/errors.ts'
import {
  catchUpWords,
  count,
  countdownWords,
  dayWords,
  endingWords,
  meanwhileWords,
  roomTroubleWords,
  statusWords,
  tickWords,
  typingWords,
} from '../../../src/web/page/words.ts'

const waiting = { state: 'waiting', reason: 'lost', text: '', retryAt: 10_000 } as const
const closed = (code: 'replaced' | 'unauthorized' | 'kicked') =>
  ({ state: 'closed', reason: code, error: new AckdError(code) }) as const

describe('the state of the connection', () => {
  test('is said in words, and who cut it is told so', () => {
    expect(statusWords({ state: 'connected', id: 'a', resumed: true, parked: 0 }, false)).toBe('Connected')
    expect(statusWords({ state: 'connecting' }, false)).toBe('Connecting…')
    expect(statusWords(waiting, false)).toBe('Not connected.')
    const reasons = ['overloaded', 'restart', 'unavailable', 'timeout']
    expect(reasons.map(reason => statusWords({ ...waiting, reason }, false))).toEqual([
      'The server is busy.',
      'The server is starting anew.',
      'The server cannot reach its store.',
      'Not connected.',
    ])
    expect(statusWords(waiting, true)).toBe('You cut the network.')
    expect([meanwhileWords(waiting, false), meanwhileWords({ state: 'connecting' }, false)]).toEqual([
      'What you write waits here.',
      '',
    ])
    expect(statusWords(closed('replaced'), false)).toBe('Open in another tab.')
    expect(statusWords(closed('unauthorized'), false)).toMatch(/token.*Ask who runs it/)
    expect(statusWords(closed('kicked'), false)).toBe('An operator closed this connection.')
  })

  test('is counted down while it waits, and only then', () => {
    expect(countdownWords(waiting, false, 2_900)).toBe('Next attempt in 8 s')
    expect(countdownWords(waiting, false, 10_001)).toBe('Trying…')
    expect(countdownWords(waiting, true, 0)).toBeNull()
    expect(countdownWords({ state: 'connecting' }, false, 0)).toBeNull()
  })
})

test('a tick has words for each of its states', () => {
  expect(tickWords('waiting', false)).toBe('Waits for a connection')
  expect(tickWords('waiting', true)).toBe('Sent')
  expect(tickWords('stored', true)).toBe('Stored on the server')
  expect(tickWords('delivered', true)).toBe('Delivered')
  expect(tickWords('failed', true)).toBe('Not sent')
})

test('missed messages are counted down, and then said to have come', () => {
  expect(catchUpWords({ total: 37, left: 37 })).toBe('37 missed messages…')
  expect(catchUpWords({ total: 37, left: 1 })).toBe('1 missed message…')
  expect(catchUpWords({ total: 37, left: 0 })).toBe('37 missed messages have come')
  expect(catchUpWords({ total: 1, left: 0 })).toBe('1 missed message has come')
})

test('one, two and many who are typing', () => {
  expect([typingWords([]), typingWords(['Ann']), typingWords(['Ann', 'Bob']), typingWords(['a', 'b', 'c'])]).toEqual([
    '',
    'Ann is typing…',
    'Ann and Bob are typing…',
    'Several people are typing…',
  ])
})

test.each([
  'unknown_recipient',
  'mailbox_full',
  'outbox_full',
  'too_large',
  'rejected',
  'expired',
  'dead',
  'unheard_of',
])('a message that ends as %s has a sentence about it', code => {
  expect(endingWords(code)).toMatch(/^[A-Z].*\.$/)
})

test('a room that is not entered has a sentence about it, if need be the server’s own', () => {
  expect(roomTroubleWords('no_such_room', '')).toMatch(/create it/)
  expect(roomTroubleWords('bad_password', '')).toMatch(/password/)
  expect(roomTroubleWords('busy', 'At most 1,000 rooms.')).toBe('At most 1,000 rooms.')
})

test('days are today, yesterday, a day of the week, or a date', () => {
  const now = new Date(2026, 3, 15, 0, 30).getTime()
  const day = (year: number, month: number, date: number): number => new Date(year, month, date, 23, 59).getTime()
  expect(dayWords(now, now)).toBe('Today')
  expect(dayWords(day(2026, 3, 14), now)).toBe('Yesterday')
  expect(dayWords(day(2026, 3, 12), now)).not.toMatch(/\d/)
  expect(dayWords(day(2026, 3, 1), now)).toMatch(/2026/)
  // Of a clock that runs ahead.
  expect(dayWords(day(2026, 3, 20), now)).toMatch(/2026/)
})

test('what is counted is counted in words', () => {
  expect([count(1, 'message'), count(2, 'message')]).toEqual(['1 message', '2 messages'])
})

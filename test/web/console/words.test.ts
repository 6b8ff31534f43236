/** What the console says: refusals, quantities, bodies, addresses, senders. */
import { describe, expect, test } from 'vitest'
import { refusalWords } from '../../../src/web/console/api.ts'
import { bestForm, shownAs } from '../../../src/web/console/body-text.ts'
import { agoWords, bytesWords, rateWords, spanWords } from '../../../src/web/console/quantities.ts'
import { clientHash, findHash, roomHash, routeIn } from '../../../src/web/console/route.ts'
import { sendersOf } from '../../../src/web/console/senders.ts'
import { waitingIn } from '../../../src/web/console/watch.ts'

test('a refusal says what to do', () => {
  expect(refusalWords(401, '', null)).toContain('ACKD_ADMIN_TOKEN')
  expect(refusalWords(403, '', null)).toContain('Start it with')
  expect(refusalWords(429, '', '17')).toContain('in 17 s')
  expect(refusalWords(404, '{"error":{"code":"not_found","text":"Check the address."}}', null)).toBe(
    'Check the address.',
  )
  expect(refusalWords(502, '<html>', null)).toBe('The server answered 502; its log may say why.')
})

test('quantities are short', () => {
  expect([0, 1_023, 1_536, 5e8].map(bytesWords)).toEqual(['0 B', '1023 B', '1.5 KiB', '477 MiB'])
  expect([5, 61_000, 3_600_000, 90_061_000].map(spanWords)).toEqual(['5 ms', '1 min 1 s', '1 h', '1 d 1 h'])
  expect([agoWords(0, 9), agoWords(1_000, 3_500)]).toEqual(['–', '2 s ago'])
  expect([undefined, 0, 0.25, 12.4].map(rateWords)).toEqual(['–', '0', '0.3', '12'])
})

describe('a body', () => {
  test('is shown in the form that says most, or in another', () => {
    expect([bestForm('a'), bestForm({ a: 1 }), bestForm({ $bin: 'AAE=' })]).toEqual(['text', 'JSON', 'hex'])
    expect(shownAs('<b>', 'text')).toBe('<b>')
    expect(shownAs({ a: 1 }, 'JSON')).toBe('{\n  "a": 1\n}')
    expect(shownAs({ $bin: 'AGh5' }, 'hex')).toMatch(/^0000 {2}00 68 79 +·hy$/)
    expect(shownAs('é', 'hex')).toContain('c3 a9')
  })

  test('is cut where it is long', () => {
    expect(shownAs('x'.repeat(100_000), 'text')).toMatch(/^x{65536}… /)
    expect(shownAs('x'.repeat(5_000), 'hex').split('\n')).toHaveLength(257)
  })
})

test('an address leads to what it was made for', () => {
  const question = { from: 'a@b', to: '#lobby', outbox: 'outbox-1', n: 7 }
  expect(routeIn(findHash(question))).toEqual({ at: 'find', question })
  expect(routeIn(findHash({ ...question, outbox: '', n: 0 }))).toEqual({
    at: 'find',
    question: { ...question, outbox: '', n: 0 },
  })
  expect(routeIn('#find&from=a&to=b&n=-1')).toMatchObject({ question: { n: 0 } })
  expect(routeIn(clientHash('a+b&c'))).toEqual({ at: 'client', id: 'a+b&c' })
  expect(routeIn(roomHash('#a'))).toEqual({ at: 'room', name: '#a' })
  expect(['', '#clients', '#rooms', '#nonsense'].map(hash => routeIn(hash).at)).toEqual([
    'overview',
    'clients',
    'rooms',
    'overview',
  ])
})

test('senders are summed up, the one with most bytes first', () => {
  const parked = { place: 1, outbox: 'o', n: 1, time: 1, reason: null, repeated: false }
  const messages = [
    { ...parked, from: 'a', bytes: 5 },
    { ...parked, from: 'b', bytes: 9 },
    { ...parked, from: 'a', bytes: 3 },
  ]
  expect(sendersOf(messages)).toEqual([
    { from: 'b', count: 1, bytes: 9 },
    { from: 'a', count: 2, bytes: 8 },
  ])
})

test('mailboxes are summed up, with their oldest message', () => {
  const client = { id: 'a', node: null, expires: 0, deadLetters: 0 }
  const clients = [
    { ...client, parked: 2, bytes: 10, oldest: 50 },
    { ...client, parked: 1, bytes: 5, oldest: 40 },
  ]
  expect(waitingIn(clients, true)).toEqual({ messages: 3, bytes: 15, mailboxes: 2, oldest: 40, isMore: true })
})

/** Words that tabs hear, and what is none. */
import { describe, expect, test } from 'vitest'
import { AckdError } from '../../../src/client/errors.ts'
import { FORMAT, isEnvelope, type Asked, type Told, type Word } from '../../../src/client/browser/words.ts'
import { textBody } from '../bodies.ts'
import { bob, bobId, origin, Page, settle, until } from '../pages.ts'

const body = textBody('x')
const error = new AckdError('closed')
const message = { from: 'ann', outbox: 'o', n: 1, time: 0, flags: 0, body, reason: '' }
const cursor = { room: '#r', epoch: 'e', offset: 1, time: 0 }
const told: readonly Told[] = [
  ['status', { state: 'connecting' }],
  ['status', { state: 'connected', id: 'me', resumed: true, parked: 3 }],
  ['status', { state: 'waiting', reason: 'lost', text: '', retryAt: 1 }],
  ['status', { state: 'closed', reason: 'replaced', error }],
  ['welcomed', { maxPacket: 1 }],
  ['lost'],
  ['show', message],
  ['settled', { key: 'k', target: 'bob', n: 1 }, 'o', { kind: 'failed', code: 'mailbox_full' }],
  ['refused', 'k', error],
  ['gap', { from: 'ann', outbox: 'o', first: 1, last: 2, reason: 'dead' }],
  ['entered', '#r', { offset: 1, epoch: 'e', recovered: true, members: 2 }],
  ['renamed', '#r', 'e.2'],
  ['left', '#r', error],
  ['room', '#r', 1, 'ann', 'o', 1, 0, body],
  ['members', '#r', 'join', 'ann', ''],
  ['missed'],
  ['failed', error],
  ['signal', 'ann', 'me', body],
  ['reply', 'tab 1', { any: ['thing'] }],
  ['error', null, 'forbidden', 'no'],
]
const asked: readonly Asked[] = [
  ['listen', true],
  ['dealt', { ...message, body: null }, null],
  ['enter', { room: '#r' }],
  ['leave', '#r'],
  ['roomRecorded', cursor],
  ['keepSecret', 's'],
  ['reconnect'],
  ['sign'],
  ['frame', 'presence', ['tab 1', ['bob']]],
  ['frame', 'signal', ['bob', body]],
  ['frame', 'history', ['tab 2', '#r', {}]],
]
const words: readonly Word[] = [
  { kind: 'hello', listening: true },
  { kind: 'lead', epoch: 1, status: { state: 'connecting' }, terms: null, rooms: [cursor] },
  { kind: 'letters' },
  { kind: 'knock' },
  { kind: 'alive' },
  { kind: 'bye' },
  ...told.map(call => ({ kind: 'told', call }) as const),
  ...asked.map(call => ({ kind: 'asked', call }) as const),
]
const whole = { format: FORMAT, from: 'one', to: null, word: words[0] }

/** The same with one of its parts, at any depth, replaced by something else or taken away. */
function* spoilt(value: unknown): Generator {
  yield Symbol.for('spoilt')
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || value instanceof AckdError) return
  for (const [key, inner] of Object.entries(value)) {
    for (const other of spoilt(inner)) {
      if (Array.isArray(value)) yield Object.assign([...(value as unknown[])], { [key]: other })
      else yield { ...value, [key]: other }
    }
  }
}

describe('a word', () => {
  test.each(words)('is heard: %j', word => {
    expect(isEnvelope({ ...whole, word })).toBe(true)
    expect(isEnvelope({ ...whole, to: 'two', word })).toBe(true)
  })

  test('is not heard when any part that matters is something else', () => {
    // What is passed on as it is, or not used in what it stands in.
    const free = /"reply","tab 1",|"(reason|code|password|any|thing)":/
    let refused = 0
    for (const word of words) {
      for (const other of spoilt(word)) {
        const text = JSON.stringify(other, (_, value: unknown) => (typeof value === 'symbol' ? 'spoilt' : value))
        if (isEnvelope({ ...whole, word: other })) expect(text).toMatch(free)
        else refused++
      }
    }
    expect(refused).toBeGreaterThan(120)
  })

  test.each([
    null,
    undefined,
    'hello',
    7,
    [],
    {},
    { ...whole, format: FORMAT + 1 },
    { ...whole, format: undefined },
    { ...whole, from: 7 },
    { ...whole, to: undefined },
    { ...whole, word: { kind: '__proto__' } },
    { ...whole, word: { kind: 'constructor' } },
    { ...whole, word: { kind: 'told', call: ['constructor'] } },
    { ...whole, word: { kind: 'told', call: ['hasOwnProperty', 'x'] } },
    { ...whole, word: { kind: 'asked', call: ['close', true, 0] } },
    { ...whole, word: { kind: 'asked', call: ['abandon'] } },
    { ...whole, word: { kind: 'asked', call: ['frame', 'bye', []] } },
    { ...whole, word: { kind: 'asked', call: ['frame', 'hello', [{}]] } },
    { ...whole, word: { kind: 'asked', call: 'reconnect' } },
  ])('is not %j', value => {
    expect(isEnvelope(value)).toBe(false)
  })
})

test('tabs go on whatever another script of their page says on their channel', async () => {
  const [one, two] = [new Page(), new Page()]
  const id = await one.client.ready()
  await two.client.ready()
  const stranger = origin.browser(new Page({ listens: false }).tab).openChannel('ackd test')
  for (const word of words) {
    for (const other of spoilt({ ...whole, word })) {
      const data: unknown = JSON.parse(
        JSON.stringify(other, (_, value: unknown) => (typeof value === 'symbol' ? {} : value)),
      )
      if (!isEnvelope(data)) stranger.postMessage(data)
    }
  }
  await settle()
  await bob.send(id, 'hello')
  await until(() => one.shown.length === 1 && two.shown.length === 1)
  expect((await two.client.send(bobId, 'hi')).status).toBe('delivered')
  expect([one.errors, two.errors, one.sockets, two.sockets]).toEqual([[], [], 1, 0])
})

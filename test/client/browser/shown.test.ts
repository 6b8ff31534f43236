/** What a tab shows of what offices show it. */
import { beforeEach, expect, test } from 'vitest'
import type { Incoming } from '../../../src/client/inbox.ts'
import { Shown } from '../../../src/client/browser/shown.ts'

let log: string[]
let current: Incoming | null
let shown: Shown

const message = (n: number, from = 'ann'): Incoming => ({
  from,
  outbox: 'outbox-a',
  n,
  time: 0,
  flags: 0,
  body: null,
  reason: '',
})

function done(refused: string | null = null): void {
  const message = current
  current = null
  if (message) shown.dealt(message, refused)
}

beforeEach(() => {
  log = []
  current = null
  shown = new Shown({
    show: message => {
      current = message
      log.push(`show ${message.from} ${message.n}`)
    },
    dealt: ({ n }, refused) => log.push(`dealt ${n}${refused === null ? '' : ` ${refused}`}`),
    missed: () => log.push('missed'),
  })
})

test('one after the other, and says when it is done', () => {
  shown.take(message(1))
  shown.take(message(2))
  expect(log).toEqual(['show ann 1'])
  done()
  expect(log).toEqual(['show ann 1', 'dealt 1', 'show ann 2'])
})

test('each once, and says of what comes again that it is done, or why it was refused', () => {
  shown.take(message(1))
  shown.take(message(1))
  expect(log).toEqual(['show ann 1'])
  done('too odd')
  shown.take(message(1))
  shown.take(message(1, 'bob'))
  expect(log).toEqual(['show ann 1', 'dealt 1 too odd', 'dealt 1 too odd', 'show bob 1'])
})

test('says nothing of what comes again while it still waits', () => {
  for (const n of [1, 2, 2]) shown.take(message(n))
  expect(log).toEqual(['show ann 1'])
})

test('begins anew at a new address', () => {
  shown.take(message(1))
  done()
  shown.forget()
  shown.take(message(1))
  expect(log).toEqual(['show ann 1', 'dealt 1', 'show ann 1'])
})

test('skips what waits when it falls too far behind, and says so', () => {
  for (let n = 1; n <= 1_002; n++) shown.take(message(n))
  expect(log).toEqual(['show ann 1', 'missed'])
  done()
  expect(log.slice(2)).toEqual(['dealt 1', 'show ann 1002'])
})

test('forgets what waits when nobody is there to be shown it', () => {
  for (const n of [1, 2]) shown.take(message(n))
  shown.clear()
  done()
  expect(log).toEqual(['show ann 1', 'dealt 1'])
})

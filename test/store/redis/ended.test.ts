import { setImmediate as turned } from 'node:timers/promises'
import { expect, test } from 'vitest'

import { EndedStreams, readEnded } from '../../../src/store/redis/ended.ts'

const BUSY = 4_001

/** Streams that have ended, what was told of them, and how many calls Redis has still to answer. */
interface Begun {
  readonly ended: EndedStreams
  readonly told: string[]
  pending: number
}

function begin(pending = 0): Begun {
  const told: string[] = []
  const begun: Begun = {
    ended: new EndedStreams(
      () => begun.pending,
      (from, message) => told.push(`${from}: ${message}`),
    ),
    told,
    pending,
  }
  return begun
}

/** What a process reads in what was told to it. */
function readAll(told: readonly string[]): string[] {
  const read: string[] = []
  for (const line of told) readEnded(line.slice(line.indexOf(': d') + 3), (...one) => read.push(one.join(' at ')))
  return read
}

test('are told at the end of the turn, all of one sender at once, and each once', async () => {
  const { ended, told } = begin()
  for (const recipient of ['bob', 'carl', 'bob']) ended.add('ann out', recipient)
  ended.add('dan out', 'bob')
  ended.add('ann other', 'bob')
  expect(told).toEqual([])
  await turned()
  expect(told).toEqual(['ann: dann out bob out carl other bob', 'dan: ddan out bob'])
  ended.add('ann out', 'bob')
  await turned()
  expect(told.slice(2)).toEqual(['ann: dann out bob'])
})

test('wait while Redis has much to answer, and go together when it has not', async () => {
  const begun = begin(BUSY)
  begun.ended.add('ann out', 'bob')
  await turned()
  begun.ended.add('ann out', 'carl')
  await turned()
  expect(begun.told).toEqual([])
  begun.pending = 0
  await expect.poll(() => begun.told, { timeout: 20_000, interval: 5 }).toEqual(['ann: dann out bob out carl'])
})

test('are told at the end although Redis has much to answer', async () => {
  const { ended, told } = begin(BUSY)
  ended.add('ann out', 'bob')
  await turned()
  ended.close()
  expect(told).toEqual(['ann: dann out bob'])
})

test('are 10,000 at most, and what is more is not told until those are', async () => {
  const begun = begin(BUSY)
  const recipients = Array.from({ length: 10_001 }, (_, n) => `bob${n}`)
  for (const recipient of recipients) begun.ended.add('ann out', recipient)
  begun.ended.add('dan out', 'bob')
  begun.pending = 0
  await turned()
  // No message is large.
  expect(begun.told).toHaveLength(20)
  expect(readAll(begun.told)).toEqual(recipients.slice(0, -1).map(recipient => `ann out at ${recipient}`))
  begun.ended.add('dan out', 'bob')
  await turned()
  expect(begun.told.at(-1)).toBe('dan: ddan out bob')
})

test('are read as far as they are such', () => {
  expect(readAll(['ann: dann out bob out b#b other carl out'])).toEqual(['ann out at bob', 'ann other at carl'])
  expect(readAll(['ann: d', 'ann: dann', 'ann: dann out'])).toEqual([])
})

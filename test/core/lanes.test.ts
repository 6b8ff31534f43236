import { describe, expect, test } from 'vitest'
import { Lanes } from '../../src/core/lanes.ts'
import { Remembered } from '../../src/core/remembered.ts'
import { Message } from '../../src/core/message.ts'

const body = { bytes: new Uint8Array(1), start: 0, end: 1, text: false }

function message(n: number): Message {
  return new Message('bob', 'ann outbox-a', n, n, 0, 0, body, 0, '', 0)
}

function holding(lanes: Lanes, stream: string, ...numbers: number[]): void {
  for (const n of numbers) lanes.hold(message(n), lanes.get(stream))
}

describe('Lanes', () => {
  test('gives the same lane for the same stream', () => {
    const lanes = new Lanes(new Remembered(10_000))
    expect(lanes.get('ann outbox-a')).toBe(lanes.get('ann outbox-a'))
    expect(lanes.find('eve outbox-e')).toBeUndefined()
  })

  test('moves the tail of a lane to what it holds, and has it wait once', () => {
    const lanes = new Lanes(new Remembered(10_000))
    holding(lanes, 'ann outbox-a', 4, 5)
    expect(lanes.get('ann outbox-a').tail).toBe(5)
    expect(lanes.waiting).toEqual([lanes.get('ann outbox-a')])
  })

  test('keeps what stays, in order, and forgets a lane that holds nothing', () => {
    const lanes = new Lanes(new Remembered(10_000))
    holding(lanes, 'ann outbox-a', 1, 2, 3)
    const lane = lanes.get('ann outbox-a')
    lanes.keep(lane, ({ n }) => n !== 2)
    expect(lane.held.map(({ n }) => n)).toEqual([1, 3])
    lanes.keep(lane, () => false)
    expect(lanes.waiting).toEqual([])
  })

  test('takes turns', () => {
    const lanes = new Lanes(new Remembered(10_000))
    holding(lanes, 'ann outbox-a', 1)
    holding(lanes, 'eve outbox-e', 1)
    lanes.rotate()
    expect(lanes.waiting.map(({ origin }) => origin.from)).toEqual(['eve', 'ann'])
  })

  test('forgets idle lanes, oldest first, when there are too many, and never one that holds something', () => {
    const lanes = new Lanes(new Remembered(10_000))
    holding(lanes, 'first outbox-a', 1)
    for (let i = 1; i <= 1_000; i++) lanes.get(`sender${i} outbox-a`)
    expect(lanes.find('first outbox-a')).toBeDefined()
    expect(lanes.find('sender1 outbox-a')).toBeUndefined()
    expect(lanes.find('sender1000 outbox-a')).toBeDefined()
  })

  test('forgets what was refused only when there is nothing else to forget', () => {
    const lanes = new Lanes(new Remembered(10_000))
    for (let i = 1; i <= 1_000; i++) if (i !== 500) lanes.get(`sender${i} outbox-a`).markLost(1, 'rejected', 'spam')
    lanes.get('plain outbox-a')
    lanes.get('one outbox-a')
    expect(lanes.find('plain outbox-a')).toBeUndefined()
    expect(lanes.find('sender1 outbox-a')).toBeDefined()
    lanes.get('one outbox-a').parked = 1
    lanes.get('two outbox-a')
    expect(lanes.find('sender1 outbox-a')).toBeUndefined()
  })
})

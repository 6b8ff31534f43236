import { expect, test } from 'vitest'
import { broadcastOf } from '../../src/core/said.ts'
import { bodyOf, Line } from './recorder.ts'

test('what members are told is told in its order', () => {
  const line = new Line()
  broadcastOf('#tea', [
    { event: 'join', id: 'alice', name: 'Al' },
    { offset: 7, from: 'alice', outbox: 'out', n: 1, time: 0, body: bodyOf(1) },
    { event: 'leave', id: 'alice', name: 'Al' },
  ]).say(line)
  expect(line.read()).toEqual(['join #tea alice called Al', 'room #tea 7: alice out 1', 'leave #tea alice called Al'])
})

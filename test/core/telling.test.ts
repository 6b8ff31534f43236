import { describe, expect, test } from 'vitest'
import { Telling } from '../../src/core/telling.ts'
import { bodyOf, Line } from './recorder.ts'

const message = { offset: 7, from: 'alice', outbox: 'out', n: 1, time: 0, body: bodyOf(1) }
const news = { event: 'join', id: 'alice', name: 'Al' } as const

describe('Telling', () => {
  test('tells everything in its order, once', () => {
    const telling = new Telling('#tea')
    expect(telling.take()).toBeNull()
    telling.news(news, 0)
    telling.message(message, 0)
    telling.news({ ...news, event: 'leave' }, 0)
    expect([telling.isEmpty, telling.hasMessages]).toEqual([false, true])
    const line = new Line()
    telling.take()?.say(line)
    expect(line.read()).toEqual(['join #tea alice called Al', 'room #tea 7: alice out 1', 'leave #tea alice called Al'])
    expect([telling.isEmpty, telling.hasMessages, telling.take()]).toEqual([true, false, null])
  })

  test('has a message wait in a room of many while more is on its way, but not for long', () => {
    const telling = new Telling('#tea')
    telling.message(message, 1_000)
    expect(telling.waits(63, true, 1_000)).toBe(false)
    expect(telling.waits(64, false, 1_000)).toBe(false)
    expect(telling.waits(64, true, 1_004)).toBe(true)
    expect(telling.waits(64, true, 1_005)).toBe(false)
    telling.take()
    telling.message(message, 2_000)
    expect(telling.waits(64, true, 2_001)).toBe(true)
  })

  test('has comings and goings wait in a room of many, unless there is a message', () => {
    const telling = new Telling('#tea')
    telling.news(news, 1_000)
    expect(telling.waits(63, true, 1_000)).toBe(false)
    expect(telling.waits(64, false, 1_249)).toBe(true)
    expect(telling.waits(64, false, 1_250)).toBe(false)
    telling.message(message, 1_001)
    expect(telling.waits(64, false, 1_001)).toBe(false)
  })
})

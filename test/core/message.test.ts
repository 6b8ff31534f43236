import { describe, expect, test } from 'vitest'
import { Message } from '../../src/core/message.ts'
import { bodyOf, entryOf, messageOf } from './recorder.ts'

describe('Message', () => {
  test('is as large as the part of the bytes that is its body', () => {
    const body = { ...bodyOf(10), start: 3, end: 8 }
    expect(new Message('bob', 'alice out', 1, 1, 0, 0, body, 0, '', 0).size).toBe(5)
  })

  test('came from its sender when it has no place in a mailbox', () => {
    expect(messageOf(1).s).toBe(0)
  })

  test('from a mailbox keeps its place, its number and its body', () => {
    const body = bodyOf(7)
    const message = Message.fromMailbox('bob', entryOf(5, { s: 99, body }), 1_234)
    expect(message).toMatchObject({
      recipient: 'bob',
      stream: 'alice out',
      n: 5,
      s: 99,
      body,
      size: 7,
      deadline: 1_234,
    })
  })

  test('from a mailbox is repeated when the mailbox says so', () => {
    expect(Message.fromMailbox('bob', entryOf(5), 0).repeated).toBe(false)
    expect(Message.fromMailbox('bob', entryOf(5, { repeated: true }), 0).repeated).toBe(true)
  })

  test('from a void is empty and says why', () => {
    const message = Message.fromMailbox('bob', entryOf(5, { body: null, reason: 'expired' }), 0)
    expect([message.size, message.reason]).toEqual([0, 'expired'])
  })
})

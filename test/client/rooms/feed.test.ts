import { describe, expect, test } from 'vitest'
import { Feed, type RoomMessage } from '../../../src/client/rooms/feed.ts'

/** A feed whose room is played by hand, and all that it says. */
class Listener {
  readonly said: string[] = []
  readonly feed: Feed
  /** Offsets of messages whose handler is at work. */
  readonly shown: number[] = []

  constructor(cursor: { readonly epoch: string; readonly offset: number } | null = null) {
    this.feed = new Feed(
      '#room',
      {
        show: ({ offset }) => {
          this.shown.push(offset)
          this.said.push(`show ${offset}`)
        },
        gap: (first, last) => this.said.push(`gap ${first}-${last}`),
        lost: () => this.said.push('lost'),
        recorded: ({ epoch, offset }) => this.said.push(`at ${epoch} ${offset}`),
        rejoin: () => this.said.push('rejoin'),
        ask: after => this.said.push(`ask after ${after}`),
      },
      cursor,
    )
    this.feed.start(0)
  }

  joined(offset: number, epoch = 'a', recovered = false): this {
    this.feed.joined(offset, epoch, recovered, 0)
    return this
  }

  hears(...offsets: readonly number[]): this {
    for (const offset of offsets) this.feed.message(messageAt(offset), 10, 0)
    return this
  }

  gets(offsets: readonly number[], epoch = 'a'): this {
    this.feed.page(offsets.map(messageAt), epoch, 0)
    return this
  }

  handles(count = 1): this {
    for (let i = 0; i < count; i++) this.feed.handled(0)
    return this
  }

  /** What was said since the last time. */
  get news(): string[] {
    return this.said.splice(0)
  }
}

function messageAt(offset: number): RoomMessage {
  return { room: '#room', offset, from: 'alice', outbox: 'alicesbox', n: offset, time: 0, body: offset }
}

describe('a feed', () => {
  test('begins where the room is, and shows what comes after', () => {
    const { news } = new Listener().hears(4).joined(5).hears(5, 6).handles()
    expect(news).toEqual(['at a 5', 'show 6', 'at a 6'])
  })

  test('goes on behind its cursor', () => {
    const listener = new Listener({ epoch: 'a', offset: 3 })
    expect(listener.feed.since).toEqual({ offset: 3, epoch: 'a' })
    expect(listener.hears(3, 4).joined(4).handles().news).toEqual(['show 4', 'at a 3', 'at a 4'])
  })

  test('shows one at a time', () => {
    const listener = new Listener().joined(0).hears(1, 2)
    expect(listener.news).toEqual(['at a 0', 'show 1'])
    expect(listener.feed.behind).toBe(2)
    expect(listener.handles().news).toEqual(['at a 1', 'show 2'])
  })

  test('asks for a hole, once, and shows what it gets in order', () => {
    const listener = new Listener().joined(0).hears(3, 4)
    expect(listener.news).toEqual(['at a 0', 'ask after 0'])
    listener.gets([1, 2, 3]).handles(3)
    expect(listener.news).toEqual(['show 1', 'ask after 3', 'at a 1', 'show 2', 'at a 2', 'show 3', 'at a 3'])
    expect(listener.gets([4]).handles().news).toEqual(['show 4', 'at a 4'])
  })

  test('asks for what was missed when nothing was replayed', () => {
    const listener = new Listener({ epoch: 'a', offset: 3 }).joined(6)
    expect(listener.news).toEqual(['at a 3', 'ask after 3'])
  })

  test('tells what the log does not have any more', () => {
    const listener = new Listener({ epoch: 'a', offset: 3 }).joined(6).gets([6]).handles()
    expect(listener.news).toEqual(['at a 3', 'ask after 3', 'gap 4-5', 'show 6', 'at a 6'])
    expect(listener.hears(9).gets([]).news).toEqual(['ask after 6', 'gap 7-9', 'at a 9'])
  })

  test('does not take for gone what came after it asked', () => {
    const listener = new Listener().joined(0).hears(2)
    expect(listener.hears(5).gets([]).news).toEqual(['at a 0', 'ask after 0', 'gap 1-2', 'at a 2', 'ask after 2'])
  })

  test('begins anew when the log is another one, and does not show again what it has shown', () => {
    const listener = new Listener().joined(0).hears(1, 2).handles(2)
    listener.feed.closed()
    listener.said.length = 0
    // The publisher offered 2 again; 1 was given up.
    expect(listener.joined(2, 'b').news).toEqual(['lost', 'at b 0', 'ask after 0'])
    const [second, third] = [messageAt(2), messageAt(3)]
    listener.feed.page(
      [
        { ...second, offset: 1 },
        { ...third, offset: 2 },
      ],
      'b',
      0,
    )
    expect(listener.handles().news).toEqual(['at b 1', 'show 2', 'at b 2'])
  })

  test('goes on when the epoch is another one and the log still holds what was read', () => {
    // Neither the process that reads nor the server is the one that it was, and nobody remembers what was shown.
    const listener = new Listener({ epoch: 'a', offset: 3 }).hears(4).joined(4, 'b', true).handles()
    expect(listener.news).toEqual(['show 4', 'at b 3', 'at b 4'])
    expect(listener.feed.since).toEqual({ offset: 4, epoch: 'b' })
  })

  test('does not take the end of an old message for progress in the new log', () => {
    const listener = new Listener().joined(8).hears(9)
    listener.feed.closed()
    listener.said.length = 0
    expect(listener.joined(1, 'b').handles().news).toEqual(['lost', 'at b 0', 'ask after 0'])
    expect(listener.feed.offset).toBe(0)
  })

  test('joins again when a page has another epoch, to hear whether the log still holds what was read', () => {
    const kept = new Listener({ epoch: 'a', offset: 3 }).joined(5)
    kept.said.length = 0
    expect(kept.gets([4], 'b').hears(7).news).toEqual(['rejoin'])
    expect(kept.hears(4, 5, 6).joined(6, 'b', true).news).toEqual(['show 4', 'at b 3', 'ask after 6'])
    const lost = new Listener({ epoch: 'a', offset: 3 }).joined(5).gets([1], 'b')
    lost.said.length = 0
    expect(lost.joined(1, 'b').news).toEqual(['lost', 'at b 0', 'ask after 0'])
  })

  test('does not take a node that is behind for a loss', () => {
    const listener = new Listener({ epoch: 'a', offset: 9 }).joined(7).hears(8, 9, 10).handles()
    expect(listener.news).toEqual(['at a 9', 'show 10', 'at a 10'])
  })

  test('lets go of what does not fit, and fetches it when there is space', () => {
    const listener = new Listener().joined(0)
    listener.hears(...Array.from({ length: 1_500 }, (_, i) => i + 1))
    expect(listener.news).toEqual(['at a 0', 'show 1'])
    listener.handles(101)
    expect(listener.news.filter(line => line.startsWith('ask'))).toEqual(['ask after 1001'])
  })

  test('ends its questions with the connection', () => {
    const listener = new Listener().joined(0).hears(2)
    listener.feed.closed()
    listener.said.length = 0
    expect(listener.gets([1, 2]).hears(1).news).toEqual(['show 1'])
    expect(listener.joined(2).news).toEqual(['at a 0', 'ask after 1'])
  })

  test('does not go round in circles with a server that answers beside the question', () => {
    const listener = new Listener({ epoch: 'a', offset: 5 }).joined(9)
    listener.said.length = 0
    expect(listener.gets([1, 2]).news).toEqual([])
    expect(listener.hears(10).news).toEqual(['ask after 5'])
  })
})

/** The inbox, one rule at a time. */
import { beforeEach, describe, expect, test } from 'vitest'
import { Inbox, type InboxOptions } from '../../src/client/inbox.ts'
import { textBody } from './bodies.ts'

let log: string[]
let inbox: Inbox

function create(options: InboxOptions = {}): Inbox {
  log = []
  return new Inbox(
    {
      show: ({ from, n }) => log.push(`show ${from} ${n}`),
      gap: (from, _outbox, first, last, reason) => log.push(`gap ${from} ${first}-${last} ${reason}`),
      recorded: ({ from, n }) => log.push(`recorded ${from} ${n}`),
      reconnect: reason => log.push(`reconnect: ${reason}`),
    },
    options,
  )
}

const frames = {
  ack: (seq: number) => log.push(`ack ${seq}`),
  nack: (seq: number, reason: string) => log.push(`nack ${seq} ${reason}`),
}

function receive(seq: number, n: number, from = 'ann'): void {
  inbox.message(seq, from, 'outbox-a', n, 0, 0, textBody(`${from} ${n}`))
}

function handle(): void {
  inbox.handled()
  inbox.flush()
}

/** What happened since the last call. */
function events(): string[] {
  return log.splice(0)
}

function reconnect(): void {
  inbox.closed()
  inbox.opened(frames, 4, 'me')
}

beforeEach(() => {
  inbox = create()
  inbox.start()
  inbox.opened(frames, 4, 'me')
})

describe('in order', () => {
  test('shows one message at a time and acks it when it is dealt with', () => {
    receive(1, 1)
    receive(2, 2)
    inbox.flush()
    expect(events()).toEqual(['show ann 1'])
    handle()
    expect(events()).toEqual(['recorded ann 1', 'show ann 2', 'ack 1'])
    handle()
    expect(events()).toEqual(['recorded ann 2', 'ack 2'])
  })

  test('writes one ack for all that was done in a turn', () => {
    receive(1, 1)
    receive(2, 2)
    inbox.handled()
    inbox.handled()
    inbox.flush()
    inbox.flush()
    expect(events().filter(event => event.startsWith('ack'))).toEqual(['ack 2'])
  })

  test('starts a stream that it does not know with any number', () => {
    receive(1, 7)
    expect(events()).toEqual(['show ann 7'])
  })

  test('shows nothing before somebody is there, and nothing after', () => {
    inbox.stop()
    receive(1, 1)
    inbox.flush()
    expect(events()).toEqual([])
    inbox.start()
    expect(events()).toEqual(['show ann 1'])
  })
})

describe('repeats', () => {
  test('are acked and not shown', () => {
    receive(1, 1)
    handle()
    events()
    receive(2, 1)
    inbox.flush()
    expect(events()).toEqual(['ack 2'])
  })

  test('wait for the handler that is still at work on the first one', () => {
    receive(1, 1)
    reconnect()
    receive(1, 1)
    inbox.flush()
    expect(events()).toEqual(['show ann 1'])
    handle()
    expect(events()).toEqual(['recorded ann 1', 'ack 1'])
  })

  test('of what was queued and not shown are shown once', () => {
    receive(1, 1)
    receive(2, 2)
    receive(3, 3)
    reconnect()
    receive(1, 1)
    receive(2, 2)
    handle()
    handle()
    expect(events()).toEqual(['show ann 1', 'recorded ann 1', 'show ann 2', 'ack 1', 'recorded ann 2', 'ack 2'])
  })

  test('do not let an ack pass what came before them and is not done', () => {
    receive(1, 1)
    reconnect()
    receive(1, 1, 'bob')
    receive(2, 1)
    handle()
    expect(events()).toEqual(['show ann 1', 'recorded ann 1', 'show bob 1'])
    handle()
    expect(events()).toEqual(['recorded bob 1', 'ack 2'])
  })

  test('are known from cursors of an earlier inbox', () => {
    inbox = create({ restore: [{ to: 'me', from: 'ann', outbox: 'outbox-a', n: 3 }] })
    inbox.start()
    inbox.opened(frames, 4, 'me')
    receive(1, 3)
    receive(2, 4)
    inbox.flush()
    expect(events()).toEqual(['show ann 4', 'ack 1'])
  })
})

describe('refusals', () => {
  test('are told in their place', () => {
    receive(1, 1)
    receive(2, 2)
    inbox.handled()
    inbox.refused('broken')
    inbox.flush()
    expect(events()).toEqual(['show ann 1', 'recorded ann 1', 'show ann 2', 'recorded ann 2', 'nack 2 broken'])
  })

  test('are told again when the message comes again, after what is before it', () => {
    receive(1, 1)
    inbox.closed()
    inbox.refused('broken')
    inbox.opened(frames, 4, 'me')
    receive(1, 1, 'bob')
    receive(2, 1)
    inbox.flush()
    expect(events()).toEqual(['show ann 1', 'recorded ann 1', 'show bob 1'])
    handle()
    expect(events()).toEqual(['recorded bob 1', 'nack 2 broken'])
  })
})

describe('holes', () => {
  test('ask for one new connection, and are told when they are still there', () => {
    receive(1, 1)
    handle()
    events()
    receive(2, 4)
    expect(events()).toEqual(['reconnect: a message is missing'])
    receive(3, 5)
    inbox.flush()
    expect(events()).toEqual([])
    reconnect()
    receive(1, 4)
    expect(events()).toEqual(['gap ann 2-3 missing', 'show ann 4'])
  })

  test('that the new connection fills are nothing to tell', () => {
    receive(1, 1)
    handle()
    receive(2, 3)
    reconnect()
    events()
    receive(1, 2)
    receive(2, 3)
    handle()
    handle()
    expect(events()).not.toContainEqual(expect.stringMatching('gap'))
  })

  test('that a void explains are told with the reason, and acked', () => {
    receive(1, 1)
    inbox.void(2, 'ann', 'outbox-a', 2, 'expired')
    receive(3, 3)
    events()
    handle()
    expect(events()).toEqual(['recorded ann 1', 'gap ann 2-2 expired', 'recorded ann 2', 'show ann 3', 'ack 2'])
  })
})

describe('limits', () => {
  test('a server that sends more than the window loses the connection', () => {
    for (let n = 1; n <= 6; n++) receive(n, n)
    expect(events()).toEqual(['show ann 1', 'reconnect: more came than was asked for'])
  })

  test('a server that sends too many bytes loses the connection', () => {
    inbox = create({ maxBytes: 8 })
    inbox.opened(frames, 100, 'me')
    receive(1, 1)
    receive(2, 2)
    expect(events()).toEqual(['reconnect: more came than was asked for'])
  })

  test('forgets the stream that was used least recently', () => {
    inbox = create({ maxStreams: 2 })
    inbox.opened(frames, 100, 'me')
    inbox.start()
    for (const [i, from] of ['ann', 'bob', 'ann', 'cat'].entries()) {
      receive(i + 1, i === 2 ? 2 : 1, from)
      handle()
    }
    expect(inbox.snapshot().map(({ from }) => from)).toEqual(['ann', 'cat'])
  })

  test('forgets no stream of which something waits', () => {
    inbox = create({ maxStreams: 2 })
    inbox.opened(frames, 100, 'me')
    inbox.start()
    for (const [i, from] of ['ann', 'bob', 'cat'].entries()) receive(i + 1, 1, from)
    for (let i = 0; i < 3; i++) handle()
    expect(inbox.snapshot().map(({ from }) => from)).toEqual(['ann', 'bob', 'cat'])
  })
})

describe('only looking', () => {
  test('shows each message once, and neither acks nor records it', () => {
    inbox = create({ lookOnly: true, restore: [{ to: 'me', from: 'ann', outbox: 'outbox-a', n: 1 }] })
    inbox.start()
    inbox.opened(frames, 4, 'me')
    receive(1, 2)
    handle()
    receive(2, 3)
    handle()
    reconnect()
    receive(1, 2)
    handle()
    expect(events()).toEqual(['show ann 2', 'show ann 3'])
    expect(inbox.snapshot()).toEqual([{ to: 'me', from: 'ann', outbox: 'outbox-a', n: 1 }])
  })
})

describe('at a new address', () => {
  const renew = (): void => {
    inbox.closed()
    inbox.opened(frames, 4, 'another')
  }

  test('shows what begins anew, whatever was read at the old one', () => {
    receive(1, 7)
    handle()
    events()
    renew()
    receive(1, 1)
    expect(events()).toEqual(['show ann 1'])
  })

  test('shows what begins anew, though cursors of the old one were kept', () => {
    const known = { from: 'ann', n: 7 }
    const kept = [
      { ...known, to: 'me', outbox: 'outbox-a' },
      { ...known, to: 'another', outbox: 'outbox-b' },
      { ...known, to: null, outbox: 'outbox-c' },
    ]
    inbox = create({ restore: kept })
    expect(inbox.snapshot()).toEqual(kept)
    inbox.start()
    inbox.opened(frames, 4, 'another')
    expect(inbox.snapshot()).toMatchObject([kept[1], { ...kept[2], to: 'another' }])
    receive(1, 1)
    expect(events()).toEqual(['show ann 1'])
  })

  test('does not keep how far a message of the old one had come', () => {
    receive(1, 7)
    renew()
    receive(1, 1)
    events()
    handle()
    expect(events()).toEqual(['show ann 1'])
    handle()
    expect(events()).toEqual(['recorded ann 1', 'ack 1'])
    expect(inbox.snapshot()).toMatchObject([{ n: 1 }])
  })
})

/** The small parts of the client library. */
import { afterEach, describe, expect, expectTypeOf, test, vi } from 'vitest'
import { backoff, defaultBackoff } from '../../src/client/backoff.ts'
import { AckdError, closeError } from '../../src/client/errors.ts'
import { Emitter } from '../../src/client/events.ts'
import { browserIdentity, idIn, readIdentity } from '../../src/client/identity.ts'
import { connect, type Client, type Message, type Sent } from '../../src/client/index.ts'
import { thisBrowser } from '../../src/client/browser/browser.ts'
import { Channel, framesOver, perform, type ChannelLike } from '../../src/client/browser/channel.ts'
import type { Word } from '../../src/client/browser/words.ts'
import { watchPage, type PageLike } from '../../src/client/browser/page.ts'
import { Requests } from '../../src/client/requests.ts'
import { webSockets, type WebSocketLike } from '../../src/client/sockets.ts'
import { readSync, syncRef, syncTarget } from '../../src/client/sync.ts'
import { afterTurn } from '../../src/client/turn.ts'

afterEach(() => {
  vi.unstubAllGlobals()
})

describe('backoff', () => {
  test('lies between nothing and a bound that doubles up to the highest', () => {
    expect([0, 1, 2, 10, 1_000].map(attempt => backoff(attempt, 0.5, defaultBackoff))).toEqual([
      125, 250, 500, 10_000, 10_000,
    ])
    expect(backoff(5, 0, defaultBackoff)).toBe(0)
  })
})

describe('errors', () => {
  test('say what to do and whether it may work later', () => {
    expect(new AckdError('outbox_full')).toMatchObject({ code: 'outbox_full', retryable: true })
    // A server's own sentence is not said twice.
    const { message } = new AckdError('no_such_room')
    expect(new AckdError('no_such_room', message).message).toBe(message)
    expect(new AckdError('unknown_recipient', 'bob')).toMatchObject({
      retryable: false,
      message: expect.stringMatching(/check the address.*\(bob\)/) as string,
    })
    expect(closeError('replaced', '')).toMatchObject({ code: 'replaced', retryable: false })
    expect(closeError('restart', '')).toMatchObject({ code: 'restart', retryable: true })
    expect(closeError('something new', 'why')).toMatchObject({ code: 'kicked' })
  })
})

describe('events', () => {
  test('reach every listener until it goes', () => {
    const emitter = new Emitter<{ tick: number }>()
    const heard: string[] = []
    const off = emitter.on('tick', (n: number) => heard.push(`a${n}`))
    emitter.on('tick', (n: number) => heard.push(`b${n}`))
    emitter.emit('tick', 1)
    off()
    emitter.emit('tick', 2)
    expect(heard).toEqual(['a1', 'b1', 'b2'])
  })
})

describe('identity', () => {
  test('is kept in localStorage, apart for each server', () => {
    const items = new Map<string, string>()
    vi.stubGlobal('localStorage', {
      getItem: (key: string) => items.get(key) ?? null,
      setItem: (key: string, value: string) => items.set(key, value),
      removeItem: (key: string) => items.delete(key),
    })
    browserIdentity('wss://one/ws').save({ id: 'a', secret: 's' })
    expect(browserIdentity('wss://one/ws').load()).toEqual({ id: 'a', secret: 's' })
    expect(browserIdentity('wss://two/ws').load()).toBeNull()
    expect(browserIdentity('wss://one/ws', 'work').load()).toBeNull()
    expect(idIn(browserIdentity('wss://one/ws'))).toBe('a')
  })

  test('leaves nothing old behind when there is no room for the new', () => {
    const items = new Map([['ackd one', '{"id":"a","secret":"old"}']])
    vi.stubGlobal('localStorage', {
      getItem: (key: string) => items.get(key) ?? null,
      setItem: () => {
        throw new Error('QuotaExceededError')
      },
      removeItem: (key: string) => items.delete(key),
    })
    const store = browserIdentity('wss://one/ws')
    expect(() => store.save({ id: 'a', secret: 'new' })).toThrow('Quota')
    expect(store.load()).toBeNull()
  })

  test('needs a localStorage that is there', () => {
    vi.stubGlobal('localStorage', undefined)
    expect(() => browserIdentity('wss://one/ws').load()).toThrow('no localStorage')
    expect(idIn(browserIdentity('wss://one/ws'))).toBeNull()
  })

  test.each([null, '', '{', '1', 'null', '{}', '{"id":1,"secret":"s"}'])('is not %s', text => {
    expect(readIdentity(text)).toBeNull()
  })
})

describe('requests', () => {
  test('are answered by ref, and refused when too many are open or the connection is gone', async () => {
    const requests = new Requests()
    const refs: unknown[] = []
    const one = requests.ask(ref => refs.push(ref))
    const two = requests.ask(ref => refs.push(ref))
    requests.replied(1, 'yes')
    requests.replied(1, 'again')
    requests.refused(2, new AckdError('forbidden'))
    expect(await one).toBe('yes')
    await expect(two).rejects.toMatchObject({ code: 'forbidden' })
    const open = Array.from({ length: 1_000 }, () => requests.ask(() => {}).catch(() => 'gone'))
    await expect(requests.ask(() => {})).rejects.toMatchObject({ code: 'busy' })
    requests.closed(new AckdError('not_connected'))
    expect(new Set(await Promise.all(open))).toEqual(new Set(['gone']))
  })
})

describe('sync', () => {
  test('has refs of its own', () => {
    expect(syncTarget(syncRef('bob'))).toBe('bob')
    expect(syncTarget(7)).toBeNull()
    expect(syncTarget('else')).toBeNull()
  })

  test.each([null, 1, {}, { last: 1 }, { last: -1, delivered: 0 }, { last: 1.5, delivered: 0 }])(
    'does not believe %j',
    value => {
      expect(readSync(value)).toBeNull()
    },
  )

  test('passes over losses that are none', () => {
    const lost = [[1, 'expired'], [2, 'eaten'], 3, [0.5, 'dead']]
    expect(readSync({ last: 3, delivered: 2, lost })).toEqual({ last: 3, delivered: 2, lost: [[1, 'expired']] })
  })
})

describe('sockets', () => {
  test('pass on what a WebSocket says', () => {
    const log: string[] = []
    const made: Fake[] = []
    class Fake implements WebSocketLike {
      binaryType = ''
      onopen: WebSocketLike['onopen'] = null
      onmessage: WebSocketLike['onmessage'] = null
      onclose: WebSocketLike['onclose'] = null
      onerror: WebSocketLike['onerror'] = null
      constructor() {
        made.push(this)
      }
      send(data: Uint8Array): void {
        log.push(`send ${data.length}`)
      }
      close(): void {
        log.push('close')
      }
    }
    const socket = webSockets(Fake)('ws://x', {
      opened: () => log.push('opened'),
      packet: (bytes, text) => log.push(`${text ? 'text' : 'binary'} ${bytes.length}`),
      closed: (number, name) => log.push(`closed ${number} ${name}`),
    })
    const [fake] = made
    fake?.onmessage?.({ data: 'hä' })
    fake?.onmessage?.({ data: new ArrayBuffer(2) })
    fake?.onclose?.({ code: 4500, reason: 'replaced' })
    socket.send(new Uint8Array(5))
    socket.close()
    expect(log).toEqual(['text 3', 'binary 2', 'closed 4500 replaced', 'send 5', 'close'])
  })
})

describe('a channel', () => {
  const pipe = (): ChannelLike & { sent: unknown[] } => {
    const sent: unknown[] = []
    return { sent, onmessage: null, postMessage: message => sent.push(structuredClone(message)), close: () => {} }
  }

  test('carries errors, and of a body only its own bytes', () => {
    const [from, to] = [pipe(), pipe()]
    const heard: Word[] = []
    const body = { bytes: new Uint8Array(1_000), start: 10, end: 13, text: false }
    const error = new AckdError('replaced', 'why')
    const words: Word[] = [
      { kind: 'told', call: ['signal', 'ann', 'bob', body] },
      { kind: 'told', call: ['status', { state: 'closed', reason: 'replaced', error }] },
    ]
    const speaker = new Channel(from, 'one', () => {})
    const listener = new Channel(to, 'two', (_, word) => heard.push(word))
    for (const word of words) speaker.say(word)
    speaker.say({ kind: 'bye' }, 'three')
    const hear = to.onmessage as (event: { data: unknown }) => void
    for (const data of from.sent) hear({ data })
    listener.close()
    expect(heard).toHaveLength(2)
    expect(heard[0]).toMatchObject({ call: ['signal', 'ann', 'bob', { bytes: new Uint8Array(3), start: 0, end: 3 }] })
    expect(heard[1]).toMatchObject({ call: ['status', { error: { code: 'replaced', detail: 'why' } }] })
  })

  test('turns calls into data and back', () => {
    const calls: unknown[] = []
    framesOver((op, args) => calls.push([op, ...args])).presence(7, ['bob'])
    expect(calls).toEqual([['presence', 7, ['bob']]])
    perform({ add: (...args: number[]) => calls.push(args) }, ['add', 1, 2])
    perform({}, ['nothing'])
    expect(calls[1]).toEqual([1, 2])
  })
})

describe('a page', () => {
  test('sleeps, wakes, and shows that something may have changed', () => {
    const log: string[] = []
    const document = Object.assign(new EventTarget(), { visibilityState: 'hidden' })
    const page: PageLike = Object.assign(new EventTarget(), { document })
    const note = (word: string) => () => void log.push(word)
    const unwatch = watchPage(page, { sleep: note('sleep'), wake: note('wake'), sign: note('sign') })
    const happens = (target: unknown, ...types: string[]): void => {
      for (const type of types) if (target instanceof EventTarget) target.dispatchEvent(new Event(type))
    }
    happens(document, 'visibilitychange', 'freeze', 'resume')
    document.visibilityState = 'visible'
    happens(document, 'visibilitychange')
    happens(page, 'pagehide', 'pageshow', 'online', 'offline')
    unwatch()
    happens(page, 'pagehide')
    expect(log).toEqual(['sleep', 'wake', 'sign', 'sleep', 'wake', 'sign', 'sign'])
  })

  test('is not everywhere', () => {
    expect(thisBrowser()).toBeNull()
    expect(() => watchPage(null, { sleep: () => {}, wake: () => {}, sign: () => {} })()).not.toThrow()
  })
})

test('the end of a turn comes after the microtasks', async () => {
  const log: string[] = []
  const end = new Promise<void>(resolve => {
    afterTurn(() => {
      log.push('end')
      resolve()
    })
  })
  await Promise.resolve()
  log.push('microtask')
  await end
  expect(log).toEqual(['microtask', 'end'])
})

test('the type of the payload goes through', () => {
  interface Chat {
    readonly text: string
  }
  expectTypeOf(connect<Chat>).returns.toEqualTypeOf<Client<Chat>>()
  expectTypeOf<Client<Chat>['send']>().parameter(1).toEqualTypeOf<Chat>()
  expectTypeOf<Client<Chat>['send']>().returns.resolves.toEqualTypeOf<Sent>()
  expectTypeOf<Client['send']>().parameter(1).toEqualTypeOf<unknown>()
  expectTypeOf<Message<Chat>['body']>().toEqualTypeOf<Chat>()
})

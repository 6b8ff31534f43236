/** What every store must do: one body of tests, run over each implementation through nothing but the interface. */
import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { streamName, type BindRequest, type BindResult, type Entry, type Parcel } from '../../src/protocol/mailbox.ts'
import { defaultStoreLimits, type Store, type StoreLimits } from '../../src/store/store.ts'

export interface Opened {
  readonly store: Store
  /** Closes the store and opens it again on what is kept; absent where nothing is. */
  readonly reopen?: () => Promise<Store>
  close(): Promise<void>
}

export type Open = (limits: StoreLimits, clock: () => number) => Promise<Opened>

export const stream = streamName('alice', 'outbox-1')
export const START = 1_800_000_000_000

export function hash(secret: string): Uint8Array {
  return createHash('sha256').update(secret).digest()
}

let nonces = 0

export function bindRequest(id: string, change: Partial<BindRequest> = {}): BindRequest {
  const proof = { kind: 'secret', hash: hash(`secret of ${id}`) } as const
  return { id, proof, create: false, node: 'n1', nonce: `nonce-${++nonces}`, outbox: 'outbox-b', attempt: 0, ...change }
}

export function parcel(n: number, change: Partial<Parcel> & { readonly text?: string } = {}): Parcel {
  const { text = `message ${n}`, ...rest } = change
  const bytes = Buffer.from(`<${text}>`)
  return {
    stream,
    n,
    floor: 1,
    time: START + n,
    expires: 0,
    body: { bytes, start: 1, end: bytes.length - 1, text: true },
    ...rest,
  }
}

export function parcels(from: number, to: number): Parcel[] {
  return Array.from({ length: to - from + 1 }, (_, index) => parcel(from + index))
}

export function textOf({ body }: Entry): string | null {
  return body === null ? null : Buffer.from(body.bytes.subarray(body.start, body.end)).toString()
}

function tokenOf(result: BindResult): string {
  if (result.kind !== 'bound') throw new Error(`not bound: ${result.kind}`)
  return result.token
}

/** Registers an id and returns the token of the session that did. */
export async function register(store: Store, id: string): Promise<string> {
  return tokenOf(await store.bind(bindRequest(id, { create: true })))
}

export async function page(store: Store, id: string, token: string, after = 0, limit = 1000, maxBytes = 1e9) {
  const result = await store.page(id, token, after, limit, maxBytes)
  if (result.kind !== 'page') throw new Error('stale')
  return result
}

const lostStore = { recipient: 'bob', stream }

export function describeStore(name: string, open: Open): void {
  let now = START
  let opened: Opened
  let store: Store
  const limits: StoreLimits = {
    ...defaultStoreLimits,
    mailboxMessages: 50,
    mailboxBytes: 2_000,
    streams: 8,
    lost: 5,
    deadLetters: 2,
  }

  beforeEach(async () => {
    now = START
    opened = await open(limits, () => now)
    store = opened.store
  })

  afterEach(async () => {
    await opened.close()
  })

  async function numbers(token: string, id = 'bob'): Promise<number[]> {
    return (await page(store, id, token)).entries.map(({ n }) => n)
  }

  async function failHead(times: number, token: string, s: number): Promise<string> {
    for (let time = 0; time < times; time++) {
      await store.unbind('bob', token, s)
      token = tokenOf(await store.bind(bindRequest('bob')))
    }
    return token
  }

  describe(`${name}: bind`, () => {
    test('registers an unknown id only when asked to', async () => {
      expect(await store.bind(bindRequest('bob'))).toEqual({ kind: 'unknown' })
      const bound = await store.bind(bindRequest('bob', { create: true }))
      expect(bound).toMatchObject({
        kind: 'bound',
        resumed: false,
        parked: 0,
        previous: null,
        expires: now + limits.idLifeMs,
      })
      expect(await store.bind(bindRequest('bob', { node: 'n2' }))).toMatchObject({
        kind: 'bound',
        resumed: true,
        previous: 'n1',
      })
    })

    test('tells how many messages wait', async () => {
      await register(store, 'bob')
      await store.enqueue('bob', parcels(1, 3))
      expect(await store.bind(bindRequest('bob'))).toMatchObject({ kind: 'bound', parked: 3 })
    })

    test('refuses a wrong secret, and a fresh id that is not fresh', async () => {
      const token = await register(store, 'bob')
      const proof = { kind: 'secret', hash: hash('guess') } as const
      expect(await store.bind(bindRequest('bob', { proof }))).toEqual({ kind: 'bad_secret' })
      expect(await store.bind(bindRequest('bob', { proof, create: true }))).toEqual({ kind: 'taken' })
      expect(await store.page('bob', token, 0, 1, 1)).toMatchObject({ kind: 'page' })
    })

    test('takes a token for a proof, and no secret for an id that never had one', async () => {
      const proof = { kind: 'token' } as const
      expect(await store.bind(bindRequest('bob', { proof }))).toEqual({ kind: 'unknown' })
      expect(await store.bind(bindRequest('bob', { proof, create: true }))).toMatchObject({
        kind: 'bound',
        resumed: false,
      })
      expect(await store.bind(bindRequest('bob', { proof, create: true }))).toMatchObject({
        kind: 'bound',
        resumed: true,
      })
      expect(await store.bind(bindRequest('bob'))).toEqual({ kind: 'bad_secret' })
    })

    test('answers the same when it is made twice', async () => {
      const first = bindRequest('bob', { create: true })
      const bound = await store.bind(first)
      expect(await store.bind(first)).toEqual(bound)
      const second = bindRequest('bob', { node: 'n2' })
      const again = await store.bind(second)
      expect(await store.bind(second)).toEqual(again)
      expect(again).not.toEqual(bound)
    })

    test('lets a registration that was not heard of be made again with another nonce', async () => {
      await register(store, 'bob')
      expect(await store.bind(bindRequest('bob', { create: true }))).toMatchObject({ kind: 'bound', resumed: false })
    })

    test('of one outbox, the higher attempt wins, and 0 always', async () => {
      await register(store, 'bob')
      const bind = (attempt: number) => store.bind(bindRequest('bob', { attempt }))
      expect(await bind(5)).toMatchObject({ kind: 'bound' })
      expect(await bind(4)).toEqual({ kind: 'superseded' })
      expect(await bind(5)).toMatchObject({ kind: 'bound' })
      const last = await bind(0)
      expect(last).toMatchObject({ kind: 'bound' })
      await store.unbind('bob', tokenOf(await bind(9)), 0)
      expect(await bind(3)).toMatchObject({ kind: 'bound' })
    })

    test('checks the proof before the attempt', async () => {
      await register(store, 'bob')
      await store.bind(bindRequest('bob', { attempt: 5 }))
      const proof = { kind: 'secret', hash: hash('guess') } as const
      expect(await store.bind(bindRequest('bob', { attempt: 4, proof }))).toEqual({ kind: 'bad_secret' })
    })

    test('refuses the sixth replacement by other outboxes within a minute, and only those', async () => {
      await register(store, 'bob')
      const bind = (outbox: string) => store.bind(bindRequest('bob', { outbox }))
      for (let round = 0; round < 5; round++) {
        expect(await bind(`outbox-${round}`)).toMatchObject({ kind: 'bound' })
        expect(await bind(`outbox-${round}`)).toMatchObject({ kind: 'bound' })
        now += 1_000
      }
      expect(await bind('outbox-9')).toEqual({ kind: 'flood' })
      expect(await bind('outbox-4')).toMatchObject({ kind: 'bound' })
      now += 56_000
      expect(await bind('outbox-9')).toMatchObject({ kind: 'bound' })
    })

    test('after a rotation both secrets are right until the new one is used', async () => {
      const token = await register(store, 'bob')
      expect(await store.rotate('bob', token, hash('new'))).toEqual({ kind: 'ok', lost: [] })
      expect(await store.rotate('bob', token, hash('new'))).toEqual({ kind: 'ok', lost: [] })
      const fresh = { kind: 'secret', hash: hash('new') } as const
      expect(await store.bind(bindRequest('bob'))).toMatchObject({ kind: 'bound' })
      expect(await store.bind(bindRequest('bob'))).toMatchObject({ kind: 'bound' })
      expect(await store.bind(bindRequest('bob', { proof: fresh }))).toMatchObject({ kind: 'bound' })
      expect(await store.bind(bindRequest('bob'))).toEqual({ kind: 'bad_secret' })
      expect(await store.bind(bindRequest('bob', { proof: fresh }))).toMatchObject({ kind: 'bound' })
    })
  })

  describe(`${name}: the fence`, () => {
    test('turns away every call of a session that was replaced', async () => {
      const old = await register(store, 'bob')
      const token = tokenOf(await store.bind(bindRequest('bob', { node: 'n2' })))
      await store.enqueue('bob', parcels(1, 2))
      expect(await store.page('bob', old, 0, 10, 1000)).toEqual({ kind: 'stale' })
      expect(await store.remove('bob', old, Number.MAX_SAFE_INTEGER)).toEqual({ kind: 'stale' })
      expect(await store.refuse('bob', old, 1, 'no')).toEqual({ kind: 'stale' })
      expect(await store.rotate('bob', old, hash('x'))).toEqual({ kind: 'stale' })
      expect(await store.unbind('bob', old, 0)).toEqual({ kind: 'stale' })
      expect(await numbers(token)).toEqual([1, 2])
    })

    test('turns away calls for nobody and after the end of a session', async () => {
      expect(await store.unbind('nobody', 'token', 0)).toEqual({ kind: 'stale' })
      expect(await store.page('nobody', 'token', 0, 1, 1)).toEqual({ kind: 'stale' })
      const token = await register(store, 'bob')
      expect(await store.unbind('bob', token, 0)).toEqual({ kind: 'ok', lost: [] })
      expect(await store.unbind('bob', token, 0)).toEqual({ kind: 'ok', lost: [] })
      expect(await store.page('bob', token, 0, 1, 1)).toEqual({ kind: 'stale' })
    })

    test('names the owner to whoever parks', async () => {
      const token = await register(store, 'bob')
      expect(await store.enqueue('bob', [parcel(1)])).toEqual({ outcomes: ['ok'], owner: 'n1' })
      await store.unbind('bob', token, 0)
      expect(await store.enqueue('bob', [parcel(2)])).toEqual({ outcomes: ['ok'], owner: null })
    })
  })

  describe(`${name}: enqueue`, () => {
    test('knows nobody who is not registered', async () => {
      expect(await store.enqueue('bob', parcels(1, 2))).toEqual({ outcomes: ['unknown', 'unknown'], owner: null })
    })

    test('keeps messages whole and in order', async () => {
      const token = await register(store, 'bob')
      const other = streamName('carol', 'outbox-2')
      const batch = [parcel(1), parcel(1, { stream: other, text: 'ünïcode', time: 7 }), parcel(2, { text: '' })]
      expect((await store.enqueue('bob', batch)).outcomes).toEqual(['ok', 'ok', 'ok'])
      const { entries, more, oldest, lost } = await page(store, 'bob', token)
      expect(entries.map(entry => [entry.stream, entry.n, entry.time, textOf(entry), entry.reason])).toEqual([
        [stream, 1, START + 1, 'message 1', ''],
        [other, 1, 7, 'ünïcode', ''],
        [stream, 2, START + 2, '', ''],
      ])
      expect(entries.every(({ body }) => body?.text === true)).toBe(true)
      expect({ more, oldest, lost }).toEqual({ more: false, oldest: entries[0]!.s, lost: [] })
    })

    test('keeps the encoding of a body', async () => {
      const token = await register(store, 'bob')
      const bytes = Uint8Array.of(0, 0xff, 0x80, 0, 1)
      await store.enqueue('bob', [parcel(1, { body: { bytes, start: 1, end: 4, text: false } })])
      const [entry] = (await page(store, 'bob', token)).entries
      expect(entry?.body?.text).toBe(false)
      expect([...entry!.body!.bytes.subarray(entry!.body!.start, entry!.body!.end)]).toEqual([0xff, 0x80, 0])
    })

    test('takes of each stream only the next number', async () => {
      const token = await register(store, 'bob')
      const { outcomes } = await store.enqueue('bob', [parcel(2), parcel(1), parcel(3), parcel(2), parcel(1)])
      expect(outcomes).toEqual([1, 'ok', 2, 'ok', 'stored'])
      expect(await numbers(token)).toEqual([1, 2])
    })

    test('lets the floor say where a stream goes on', async () => {
      const token = await register(store, 'bob')
      const { outcomes } = await store.enqueue('bob', [
        parcel(7, { floor: 7 }),
        parcel(8, { floor: 3 }),
        parcel(12, { floor: 11 }),
        parcel(11, { floor: 11 }),
      ])
      expect(outcomes).toEqual(['ok', 'ok', 11, 'ok'])
      expect(await numbers(token)).toEqual([7, 8, 11])
    })

    test('answers a repeat with the receipt that it has earned', async () => {
      const token = await register(store, 'bob')
      await store.enqueue('bob', parcels(1, 4))
      const { entries } = await page(store, 'bob', token)
      await store.remove('bob', token, entries[0]!.s)
      await store.refuse('bob', token, entries[1]!.s, 'no thanks')
      expect((await store.enqueue('bob', parcels(1, 5))).outcomes).toEqual([
        'delivered',
        'rejected',
        'stored',
        'stored',
        'ok',
      ])
    })

    test('takes no more than the mailbox may hold, and drops nothing old', async () => {
      const token = await register(store, 'bob')
      const { outcomes } = await store.enqueue('bob', parcels(1, 52))
      expect(outcomes.slice(0, 50)).toEqual(Array(50).fill('ok'))
      expect(outcomes.slice(50)).toEqual(['full', 51])
      const { entries } = await page(store, 'bob', token)
      expect(entries).toHaveLength(50)
      await store.remove('bob', token, entries[0]!.s)
      expect((await store.enqueue('bob', [parcel(51)])).outcomes).toEqual(['ok'])
    })

    test('counts the bytes of bodies', async () => {
      const token = await register(store, 'bob')
      const text = 'x'.repeat(1_000)
      const { outcomes } = await store.enqueue('bob', [
        parcel(1, { text }),
        parcel(2, { text }),
        parcel(3, { text: 'y' }),
      ])
      expect(outcomes).toEqual(['ok', 'ok', 'full'])
      const { entries } = await page(store, 'bob', token)
      await store.remove('bob', token, entries[0]!.s)
      expect((await store.enqueue('bob', [parcel(3, { text })])).outcomes).toEqual(['ok'])
      expect(await store.client('bob')).toMatchObject({ parked: 2, bytes: 2_000 })
    })

    test('gives places that rise and follow the clock in microseconds', async () => {
      const token = await register(store, 'bob')
      await store.enqueue('bob', parcels(1, 2))
      const [first, second] = (await page(store, 'bob', token)).entries
      expect([first?.s, second?.s]).toEqual([now * 1000, now * 1000 + 1])
      await store.remove('bob', token, second!.s)
      now -= 3_600_000
      await store.enqueue('bob', [parcel(3)])
      expect((await page(store, 'bob', token)).entries[0]?.s).toBe(second!.s + 1)
    })

    test('forgets the least recently used streams, which then go on from their floor', async () => {
      const token = await register(store, 'bob')
      const name = (index: number): string => streamName('alice', `outbox-${index}`)
      await store.enqueue('bob', [parcel(1, { stream: name(0) })])
      for (let index = 1; index <= 25; index++) {
        await store.enqueue('bob', [parcel(1, { stream: name(index) })])
        const { entries } = await page(store, 'bob', token)
        await store.remove('bob', token, entries.at(-1)!.s)
      }
      for (let index = 18; index <= 25; index++) expect(await store.sync('bob', name(index))).toMatchObject({ last: 1 })
      expect(await store.sync('bob', name(0))).toEqual({ last: 0, delivered: 0 })
      expect((await store.enqueue('bob', [parcel(2, { stream: name(0), floor: 2 })])).outcomes).toEqual(['ok'])
    })
  })

  describe(`${name}: page and remove`, () => {
    test('pages by cursor while new entries arrive', async () => {
      const token = await register(store, 'bob')
      await store.enqueue('bob', parcels(1, 5))
      const first = await page(store, 'bob', token, 0, 2)
      expect([first.entries.map(({ n }) => n), first.more]).toEqual([[1, 2], true])
      await store.remove('bob', token, first.entries[0]!.s)
      await store.enqueue('bob', [parcel(6)])
      const second = await page(store, 'bob', token, first.entries[1]!.s, 10)
      expect([second.entries.map(({ n }) => n), second.more, second.oldest]).toEqual([
        [3, 4, 5, 6],
        false,
        first.entries[1]!.s,
      ])
      const none = await page(store, 'bob', token, second.entries.at(-1)!.s, 10)
      expect([none.entries, none.more]).toEqual([[], false])
    })

    test('says with more exactly whether there is more', async () => {
      const token = await register(store, 'bob')
      expect(await page(store, 'bob', token)).toEqual({ kind: 'page', entries: [], more: false, oldest: 0, lost: [] })
      await store.enqueue('bob', parcels(1, 3))
      expect((await page(store, 'bob', token, 0, 3)).more).toBe(false)
      expect((await page(store, 'bob', token, 0, 2)).more).toBe(true)
    })

    test('keeps a page within its bytes, but gives at least one', async () => {
      const token = await register(store, 'bob')
      await store.enqueue('bob', [
        parcel(1, { text: 'x'.repeat(500) }),
        parcel(2, { text: 'yy' }),
        parcel(3, { text: 'z' }),
      ])
      const first = await page(store, 'bob', token, 0, 10, 100)
      expect([first.entries.map(({ n }) => n), first.more]).toEqual([[1], true])
      const rest = await page(store, 'bob', token, first.entries[0]!.s, 10, 3)
      expect([rest.entries.map(({ n }) => n), rest.more]).toEqual([[2, 3], false])
    })

    test('removes up to a place, once or twice', async () => {
      const token = await register(store, 'bob')
      await store.enqueue('bob', parcels(1, 3))
      const { entries } = await page(store, 'bob', token)
      for (let time = 0; time < 2; time++) {
        expect(await store.remove('bob', token, entries[1]!.s)).toEqual({ kind: 'ok', lost: [] })
      }
      expect(await numbers(token)).toEqual([3])
      expect(await store.sync('bob', stream)).toEqual({ last: 3, delivered: 2 })
    })

    test('refuses one, removes those before it, and tells once', async () => {
      const token = await register(store, 'bob')
      await store.enqueue('bob', parcels(1, 4))
      const { entries } = await page(store, 'bob', token)
      expect(await store.refuse('bob', token, entries[2]!.s, 'too long')).toEqual({
        kind: 'ok',
        lost: [{ ...lostStore, n: 3, kind: 'rejected', reason: 'too long' }],
      })
      expect(await store.refuse('bob', token, entries[2]!.s, 'too long')).toEqual({ kind: 'ok', lost: [] })
      expect(await numbers(token)).toEqual([4])
      expect(await store.sync('bob', stream)).toEqual({ last: 4, delivered: 2, lost: [[3, 'rejected']] })
      expect((await store.enqueue('bob', [parcel(3)])).outcomes).toEqual(['rejected'])
    })

    test('remembers the newest ended messages of a stream', async () => {
      const token = await register(store, 'bob')
      await store.enqueue('bob', parcels(1, 8))
      for (const { s } of (await page(store, 'bob', token)).entries) await store.refuse('bob', token, s, 'no')
      expect((await store.sync('bob', stream)).lost).toEqual([4, 5, 6, 7, 8].map(n => [n, 'rejected']))
    })

    test('knows nothing of unknown ids and streams', async () => {
      expect(await store.sync('bob', stream)).toEqual({ last: 0, delivered: 0 })
      await register(store, 'bob')
      expect(await store.sync('bob', stream)).toEqual({ last: 0, delivered: 0 })
    })

    test('does calls for one id in the order in which they were made', async () => {
      const token = await register(store, 'bob')
      const results = await Promise.all([
        store.enqueue('bob', [parcel(1)]),
        store.enqueue('bob', [parcel(2)]),
        store.page('bob', token, 0, 10, 1000),
        store.remove('bob', token, Number.MAX_SAFE_INTEGER),
        store.sync('bob', stream),
        store.enqueue('bob', [parcel(3)]),
        store.unbind('bob', token, 0),
        store.page('bob', token, 0, 10, 1000),
        store.client('bob'),
      ])
      expect(results).toMatchObject([
        { outcomes: ['ok'] },
        { outcomes: ['ok'] },
        { entries: [{ n: 1 }, { n: 2 }] },
        { kind: 'ok' },
        { last: 2, delivered: 2 },
        { outcomes: ['ok'] },
        { kind: 'ok' },
        { kind: 'stale' },
        { parked: 1, node: null },
      ])
    })
  })

  describe(`${name}: the end of messages`, () => {
    test('turns what has expired into voids, tells it once, and counts it no more', async () => {
      const token = await register(store, 'bob')
      await store.enqueue('bob', [parcel(1, { expires: now + 1_000 }), parcel(2), parcel(3, { expires: now + 5_000 })])
      now += 1_000
      const { entries, lost } = await page(store, 'bob', token)
      expect(lost).toEqual([{ ...lostStore, n: 1, kind: 'expired', reason: 'expired' }])
      expect(entries.map(entry => [entry.n, textOf(entry), entry.reason])).toEqual([
        [1, null, 'expired'],
        [2, 'message 2', ''],
        [3, 'message 3', ''],
      ])
      expect((await page(store, 'bob', token)).lost).toEqual([])
      expect((await store.enqueue('bob', [parcel(1)])).outcomes).toEqual(['expired'])
      expect(await store.client('bob')).toMatchObject({ parked: 3, bytes: 18 })
      await store.remove('bob', token, entries[1]!.s)
      expect(await store.sync('bob', stream)).toEqual({ last: 3, delivered: 2, lost: [[1, 'expired']] })
    })

    test('leaves what was handed over before the cursor to its ack', async () => {
      const token = await register(store, 'bob')
      await store.enqueue('bob', [parcel(1, { expires: now + 1_000 }), parcel(2, { expires: now + 1_000 })])
      const { entries } = await page(store, 'bob', token, 0, 1)
      now += 2_000
      expect((await page(store, 'bob', token, entries[0]!.s)).lost).toMatchObject([{ n: 2 }])
      expect(await store.sweep()).toEqual([])
      await store.remove('bob', token, entries[0]!.s)
      expect(await store.sync('bob', stream)).toMatchObject({ delivered: 1, lost: [[2, 'expired']] })
    })

    test('gives no message a longer life than the store does', async () => {
      const token = await register(store, 'bob')
      await store.enqueue('bob', [parcel(1), parcel(2, { expires: now + 10 * limits.messageLifeMs })])
      now += limits.messageLifeMs - 1
      expect((await page(store, 'bob', token)).lost).toEqual([])
      now += 1
      expect((await page(store, 'bob', token)).lost.map(({ n }) => n)).toEqual([1, 2])
    })

    test('expires in a sweep what waits for somebody who is away', async () => {
      const token = await register(store, 'bob')
      await store.unbind('bob', token, 0)
      await store.enqueue('bob', [parcel(1, { expires: now + 10 }), parcel(2)])
      expect(await store.sweep()).toEqual([])
      now += 10
      expect(await store.sweep()).toEqual([{ ...lostStore, n: 1, kind: 'expired', reason: 'expired' }])
      expect(await store.sweep()).toEqual([])
      expect((await store.view('bob', 0, 10)).map(({ n, reason }) => [n, reason])).toEqual([
        [1, 'expired'],
        [2, ''],
      ])
    })

    test('makes a dead letter of the head that five sessions in a row failed at', async () => {
      let token = await register(store, 'bob')
      await store.enqueue('bob', parcels(1, 2))
      const [head] = (await page(store, 'bob', token)).entries
      token = await failHead(4, token, head!.s)
      expect((await page(store, 'bob', token)).entries[0]?.reason).toBe('')
      expect(await store.unbind('bob', token, head!.s)).toEqual({
        kind: 'ok',
        lost: [{ ...lostStore, n: 1, kind: 'dead', reason: 'dead' }],
      })
      expect(await store.unbind('bob', token, head!.s)).toEqual({ kind: 'ok', lost: [] })
      const letters = await store.deadLetters('bob')
      expect(letters.map(entry => [entry.s, entry.n, textOf(entry), entry.reason])).toEqual([
        [head!.s, 1, 'message 1', 'dead'],
      ])
      token = tokenOf(await store.bind(bindRequest('bob')))
      expect((await page(store, 'bob', token)).entries.map(({ n, reason }) => [n, reason])).toEqual([
        [1, 'dead'],
        [2, ''],
      ])
      expect((await store.enqueue('bob', [parcel(1)])).outcomes).toEqual(['dead'])
      expect(await store.client('bob')).toMatchObject({ deadLetters: 1, parked: 2, bytes: 9 })
    })

    test('starts counting again when the head has moved on, and ignores a suspect that is not the head', async () => {
      let token = await register(store, 'bob')
      await store.enqueue('bob', parcels(1, 2))
      const [first, second] = (await page(store, 'bob', token)).entries
      token = await failHead(4, token, first!.s)
      token = await failHead(6, token, second!.s)
      await store.remove('bob', token, first!.s)
      token = await failHead(4, token, second!.s)
      expect(await store.deadLetters('bob')).toEqual([])
      expect((await store.unbind('bob', token, second!.s)).kind).toBe('ok')
      expect(await store.deadLetters('bob')).toMatchObject([{ n: 2 }])
    })

    test('keeps the newest dead letters, and those only for a while', async () => {
      let token = await register(store, 'bob')
      await store.enqueue('bob', parcels(1, 3))
      for (const { s } of (await page(store, 'bob', token)).entries) {
        token = await failHead(5, token, s)
        await store.remove('bob', token, s)
        now += 1_000
      }
      expect((await store.deadLetters('bob')).map(({ n }) => n)).toEqual([2, 3])
      now += limits.deadLifeMs - 1_500
      await store.sweep()
      expect((await store.deadLetters('bob')).map(({ n }) => n)).toEqual([3])
      expect(await store.client('bob')).toMatchObject({ deadLetters: 1 })
    })

    test('lets an id that is not used lapse with its mailbox, and not one that is connected or touched', async () => {
      for (const id of ['ann', 'bob', 'cid']) await store.unbind(id, await register(store, id), 0)
      await store.bind(bindRequest('cid'))
      await store.enqueue('bob', [parcel(1)])
      now += limits.idLifeMs - 1
      expect(await store.client('bob')).not.toBeNull()
      await store.touch(['ann', 'nobody'])
      now += 1
      expect(await store.client('bob')).toBeNull()
      expect(await store.bind(bindRequest('bob'))).toEqual({ kind: 'unknown' })
      expect((await store.enqueue('bob', [parcel(2)])).outcomes).toEqual(['unknown'])
      expect(await store.sweep()).toEqual([{ ...lostStore, n: 1, kind: 'expired', reason: 'expired' }])
      expect(await store.client('ann')).toMatchObject({ expires: now - 1 + limits.idLifeMs })
      expect(await store.client('cid')).toMatchObject({ node: 'n1' })
      const proof = { kind: 'secret', hash: hash('another') } as const
      expect(await store.bind(bindRequest('bob', { create: true, proof }))).toMatchObject({
        kind: 'bound',
        resumed: false,
        parked: 0,
      })
      expect(await store.sync('bob', stream)).toEqual({ last: 0, delivered: 0 })
    })

    test('registers a lapsed id anew before any sweep', async () => {
      await store.unbind('bob', await register(store, 'bob'), 0)
      await store.enqueue('bob', [parcel(1)])
      now += limits.idLifeMs
      const proof = { kind: 'secret', hash: hash('another') } as const
      expect(await store.bind(bindRequest('bob', { create: true, proof }))).toMatchObject({
        kind: 'bound',
        resumed: false,
        parked: 0,
      })
      expect((await store.enqueue('bob', [parcel(1)])).outcomes).toEqual(['ok'])
    })
  })

  describe(`${name}: views`, () => {
    test('lists the clients with something in the mailbox, by id, in pages', async () => {
      for (const id of ['dan', 'bob', 'ann', 'cid']) await register(store, id)
      for (const id of ['dan', 'bob', 'cid']) await store.enqueue(id, [parcel(1, { time: 5 })])
      const first = await store.mailboxes('', 2)
      expect(first.map(({ id }) => id)).toEqual(['bob', 'cid'])
      expect(await store.mailboxes('cid', 2)).toEqual([
        { id: 'dan', node: 'n1', parked: 1, bytes: 9, oldest: 5, expires: START + limits.idLifeMs, deadLetters: 0 },
      ])
    })

    test('shows a mailbox without owning it', async () => {
      await register(store, 'bob')
      await store.enqueue('bob', parcels(1, 3))
      const first = await store.view('bob', 0, 2)
      expect(first.map(textOf)).toEqual(['message 1', 'message 2'])
      expect((await store.view('bob', first[1]!.s, 2)).map(({ n }) => n)).toEqual([3])
      expect(await store.view('nobody', 0, 2)).toEqual([])
      expect(await store.client('nobody')).toBeNull()
      expect(await store.deadLetters('nobody')).toEqual([])
    })

    test('answers when asked whether it does', async () => {
      await expect(store.check()).resolves.toBeUndefined()
    })

    test('keeps everything but the owners through a restart', async ({ skip }) => {
      if (opened.reopen === undefined) skip('nothing is kept')
      const token = await register(store, 'bob')
      await store.enqueue('bob', [...parcels(1, 4), parcel(1, { stream: streamName('eve', 'outbox-3') })])
      const { entries } = await page(store, 'bob', token)
      await store.refuse('bob', token, entries[1]!.s, 'no')
      await store.rotate('bob', token, hash('new'))
      await store.enqueue('bob', [parcel(5)])
      store = await opened.reopen()
      expect(await store.page('bob', token, 0, 10, 1000)).toEqual({ kind: 'stale' })
      expect(await store.sync('bob', stream)).toEqual({ last: 5, delivered: 1, lost: [[2, 'rejected']] })
      expect(await store.client('bob')).toMatchObject({ node: null, parked: 4, bytes: 36 })
      expect((await store.enqueue('bob', [parcel(5), parcel(6)])).outcomes).toEqual(['stored', 'ok'])
      const proof = { kind: 'secret', hash: hash('new') } as const
      const next = tokenOf(await store.bind(bindRequest('bob', { proof })))
      expect(next).not.toBe(token)
      const after = await page(store, 'bob', next)
      expect(after.entries.map(({ n }) => n)).toEqual([3, 4, 1, 5, 6])
      expect(after.entries.at(-1)!.s).toBeGreaterThan(entries.at(-1)!.s)
    })
  })
}

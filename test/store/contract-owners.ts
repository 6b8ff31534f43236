/** What every store must do, first part: who owns a mailbox, and what goes into it. */
import { describe, expect, test } from 'vitest'

import { streamName } from '../../src/protocol/mailbox.ts'
import {
  bindRequest,
  hash,
  limits,
  page,
  parcel,
  parcels,
  register,
  setUp,
  START,
  stream,
  textOf,
  tokenOf,
} from './support.ts'
import type { Open } from './support.ts'

export function describeOwners(name: string, open: Open): void {
  const at = setUp(open)

  async function numbers(token: string, id = 'bob'): Promise<number[]> {
    return (await page(at.store, id, token)).entries.map(({ n }) => n)
  }

  describe(`${name}: bind`, () => {
    test('registers an unknown id only when asked to', async () => {
      expect(await at.store.bind(bindRequest('bob'))).toEqual({ kind: 'unknown' })
      const bound = await at.store.bind(bindRequest('bob', { create: true }))
      expect(bound).toMatchObject({
        kind: 'bound',
        resumed: false,
        parked: 0,
        previous: null,
        expires: at.now + limits.idLifeMs,
      })
      expect(await at.store.bind(bindRequest('bob', { node: 'n2' }))).toMatchObject({
        kind: 'bound',
        resumed: true,
        previous: 'n1',
      })
    })

    test('tells how many messages wait', async () => {
      await register(at.store, 'bob')
      await at.store.enqueue('bob', parcels(1, 3))
      expect(await at.store.bind(bindRequest('bob'))).toMatchObject({ kind: 'bound', parked: 3 })
    })

    test('refuses a wrong secret, and a fresh id that is not fresh', async () => {
      const token = await register(at.store, 'bob')
      const proof = { kind: 'secret', hash: hash('guess') } as const
      expect(await at.store.bind(bindRequest('bob', { proof }))).toEqual({ kind: 'bad_secret' })
      expect(await at.store.bind(bindRequest('bob', { proof, create: true }))).toEqual({ kind: 'taken' })
      expect(await at.store.page('bob', token, 0, 1, 1)).toMatchObject({ kind: 'page' })
    })

    test('takes a token for a proof, and no secret for an id that never had one', async () => {
      const proof = { kind: 'token' } as const
      expect(await at.store.bind(bindRequest('bob', { proof }))).toEqual({ kind: 'unknown' })
      expect(await at.store.bind(bindRequest('bob', { proof, create: true }))).toMatchObject({
        kind: 'bound',
        resumed: false,
      })
      expect(await at.store.bind(bindRequest('bob', { proof, create: true }))).toMatchObject({
        kind: 'bound',
        resumed: true,
      })
      expect(await at.store.bind(bindRequest('bob'))).toEqual({ kind: 'bad_secret' })
    })

    test('answers the same when it is made twice', async () => {
      const first = bindRequest('bob', { create: true })
      const bound = await at.store.bind(first)
      expect(await at.store.bind(first)).toEqual(bound)
      const second = bindRequest('bob', { node: 'n2' })
      const again = await at.store.bind(second)
      expect(await at.store.bind(second)).toEqual(again)
      expect(again).not.toEqual(bound)
    })

    test('lets a registration that was not heard of be made again with another nonce', async () => {
      await register(at.store, 'bob')
      expect(await at.store.bind(bindRequest('bob', { create: true }))).toMatchObject({ kind: 'bound', resumed: false })
    })

    test('of one outbox, the higher attempt wins, and 0 always', async () => {
      await register(at.store, 'bob')
      const bind = (attempt: number) => at.store.bind(bindRequest('bob', { attempt }))
      expect(await bind(5)).toMatchObject({ kind: 'bound' })
      expect(await bind(4)).toEqual({ kind: 'superseded' })
      expect(await bind(5)).toMatchObject({ kind: 'bound' })
      const last = await bind(0)
      expect(last).toMatchObject({ kind: 'bound' })
      await at.store.unbind('bob', tokenOf(await bind(9)), 0)
      expect(await bind(3)).toMatchObject({ kind: 'bound' })
    })

    test('checks the proof before the attempt', async () => {
      await register(at.store, 'bob')
      await at.store.bind(bindRequest('bob', { attempt: 5 }))
      const proof = { kind: 'secret', hash: hash('guess') } as const
      expect(await at.store.bind(bindRequest('bob', { attempt: 4, proof }))).toEqual({ kind: 'bad_secret' })
    })

    test('refuses the sixth replacement by other outboxes within a minute, and only those', async () => {
      await register(at.store, 'bob')
      const bind = (outbox: string) => at.store.bind(bindRequest('bob', { outbox }))
      for (let round = 0; round < 5; round++) {
        expect(await bind(`outbox-${round}`)).toMatchObject({ kind: 'bound' })
        expect(await bind(`outbox-${round}`)).toMatchObject({ kind: 'bound' })
        at.now += 1_000
      }
      expect(await bind('outbox-9')).toEqual({ kind: 'flood' })
      expect(await bind('outbox-4')).toMatchObject({ kind: 'bound' })
      at.now += 56_000
      expect(await bind('outbox-9')).toMatchObject({ kind: 'bound' })
    })

    test('after a rotation both secrets are right until the new one is used', async () => {
      const token = await register(at.store, 'bob')
      expect(await at.store.rotate('bob', token, hash('new'))).toEqual({ kind: 'ok', lost: [] })
      expect(await at.store.rotate('bob', token, hash('new'))).toEqual({ kind: 'ok', lost: [] })
      const fresh = { kind: 'secret', hash: hash('new') } as const
      expect(await at.store.bind(bindRequest('bob'))).toMatchObject({ kind: 'bound' })
      expect(await at.store.bind(bindRequest('bob'))).toMatchObject({ kind: 'bound' })
      expect(await at.store.bind(bindRequest('bob', { proof: fresh }))).toMatchObject({ kind: 'bound' })
      expect(await at.store.bind(bindRequest('bob'))).toEqual({ kind: 'bad_secret' })
      expect(await at.store.bind(bindRequest('bob', { proof: fresh }))).toMatchObject({ kind: 'bound' })
    })
  })

  describe(`${name}: the fence`, () => {
    test('turns away every call of a session that was replaced', async () => {
      const old = await register(at.store, 'bob')
      const token = tokenOf(await at.store.bind(bindRequest('bob', { node: 'n2' })))
      await at.store.enqueue('bob', parcels(1, 2))
      expect(await at.store.page('bob', old, 0, 10, 1000)).toEqual({ kind: 'stale' })
      expect(await at.store.remove('bob', old, Number.MAX_SAFE_INTEGER)).toEqual({ kind: 'stale' })
      expect(await at.store.refuse('bob', old, 1, 'no')).toEqual({ kind: 'stale' })
      expect(await at.store.rotate('bob', old, hash('x'))).toEqual({ kind: 'stale' })
      expect(await at.store.unbind('bob', old, 0)).toEqual({ kind: 'stale' })
      expect(await numbers(token)).toEqual([1, 2])
    })

    test('turns away calls for nobody and after the end of a session', async () => {
      expect(await at.store.unbind('nobody', 'token', 0)).toEqual({ kind: 'forgotten' })
      expect(await at.store.page('nobody', 'token', 0, 1, 1)).toEqual({ kind: 'forgotten' })
      const token = await register(at.store, 'bob')
      expect(await at.store.unbind('bob', token, 0)).toEqual({ kind: 'ok', lost: [] })
      expect(await at.store.unbind('bob', token, 0)).toEqual({ kind: 'ok', lost: [] })
      for (const call of [
        at.store.page('bob', token, 0, 1, 1),
        at.store.remove('bob', token, 1),
        at.store.refuse('bob', token, 1, 'no'),
        at.store.rotate('bob', token, hash('x')),
      ])
        expect(await call).toEqual({ kind: 'forgotten' })
    })

    test('tells a token that is later than any it knows that it has forgotten it, whoever it takes for the owner', async () => {
      await register(at.store, 'bob')
      expect(await at.store.page('bob', '2:lost-in-a-failover', 0, 1, 1)).toEqual({ kind: 'forgotten' })
      expect(await at.store.unbind('bob', '2:lost-in-a-failover', 0)).toEqual({ kind: 'forgotten' })
    })

    test('names the owner to whoever parks', async () => {
      const token = await register(at.store, 'bob')
      expect(await at.store.enqueue('bob', [parcel(1)])).toEqual({ outcomes: ['ok'], owner: 'n1' })
      await at.store.unbind('bob', token, 0)
      expect(await at.store.enqueue('bob', [parcel(2)])).toEqual({ outcomes: ['ok'], owner: null })
    })
  })

  describe(`${name}: online`, () => {
    test('is who is bound, until that ends, and nobody after a restart', async () => {
      const token = await register(at.store, 'bob')
      await register(at.store, 'ann')
      expect(await at.store.online(['bob', 'nobody', 'ann'])).toEqual(new Set(['ann', 'bob']))
      expect(await at.store.online(['ann'])).toEqual(new Set(['ann']))
      expect(await at.store.online([])).toEqual(new Set())
      await at.store.unbind('bob', token, 0)
      expect(await at.store.online(['bob', 'nobody', 'ann'])).toEqual(new Set(['ann']))
      await at.store.bind(bindRequest('bob'))
      expect(await at.store.online(['bob'])).toEqual(new Set(['bob']))
      if (await at.reopen()) expect(await at.store.online(['bob', 'ann'])).toEqual(new Set())
    })
  })

  describe(`${name}: enqueue`, () => {
    test('knows nobody who is not registered', async () => {
      expect(await at.store.enqueue('bob', parcels(1, 2))).toEqual({ outcomes: ['unknown', 'unknown'], owner: null })
    })

    test('keeps messages whole and in order', async () => {
      const token = await register(at.store, 'bob')
      const other = streamName('carol', 'outbox-2')
      const batch = [parcel(1), parcel(1, { stream: other, text: 'ünïcode', time: 7 }), parcel(2, { text: '' })]
      expect((await at.store.enqueue('bob', batch)).outcomes).toEqual(['ok', 'ok', 'ok'])
      const { entries, more, oldest, lost } = await page(at.store, 'bob', token)
      expect(entries.map(entry => [entry.stream, entry.n, entry.time, textOf(entry), entry.reason])).toEqual([
        [stream, 1, START + 1, 'message 1', ''],
        [other, 1, 7, 'ünïcode', ''],
        [stream, 2, START + 2, '', ''],
      ])
      expect(entries.every(({ body }) => body?.text === true)).toBe(true)
      expect({ more, oldest, lost }).toEqual({ more: false, oldest: entries[0]!.s, lost: [] })
    })

    test('keeps the encoding of a body', async () => {
      const token = await register(at.store, 'bob')
      const bytes = Uint8Array.of(0, 0xff, 0x80, 0, 1)
      await at.store.enqueue('bob', [parcel(1, { body: { bytes, start: 1, end: 4, text: false } })])
      const [entry] = (await page(at.store, 'bob', token)).entries
      expect(entry?.body?.text).toBe(false)
      expect([...entry!.body!.bytes.subarray(entry!.body!.start, entry!.body!.end)]).toEqual([0xff, 0x80, 0])
    })

    test('takes of each stream only the next number', async () => {
      const token = await register(at.store, 'bob')
      const { outcomes } = await at.store.enqueue('bob', [parcel(2), parcel(1), parcel(3), parcel(2), parcel(1)])
      expect(outcomes).toEqual([1, 'ok', 2, 'ok', 'stored'])
      expect(await numbers(token)).toEqual([1, 2])
    })

    test('lets the floor say where a stream goes on', async () => {
      const token = await register(at.store, 'bob')
      const { outcomes } = await at.store.enqueue('bob', [
        parcel(7, { floor: 7 }),
        parcel(8, { floor: 3 }),
        parcel(12, { floor: 11 }),
        parcel(11, { floor: 11 }),
      ])
      expect(outcomes).toEqual(['ok', 'ok', 11, 'ok'])
      expect(await numbers(token)).toEqual([7, 8, 11])
    })

    test('answers a repeat with the receipt that it has earned', async () => {
      const token = await register(at.store, 'bob')
      await at.store.enqueue('bob', parcels(1, 4))
      const { entries } = await page(at.store, 'bob', token)
      await at.store.remove('bob', token, entries[0]!.s)
      await at.store.refuse('bob', token, entries[1]!.s, 'no thanks')
      expect((await at.store.enqueue('bob', parcels(1, 5))).outcomes).toEqual([
        'delivered',
        'rejected',
        'stored',
        'stored',
        'ok',
      ])
    })

    test('takes no more than the mailbox may hold, and drops nothing old', async () => {
      const token = await register(at.store, 'bob')
      const { outcomes } = await at.store.enqueue('bob', parcels(1, 52))
      expect(outcomes.slice(0, 50)).toEqual(Array(50).fill('ok'))
      expect(outcomes.slice(50)).toEqual(['full', 51])
      const { entries } = await page(at.store, 'bob', token)
      expect(entries).toHaveLength(50)
      await at.store.remove('bob', token, entries[0]!.s)
      expect((await at.store.enqueue('bob', [parcel(51)])).outcomes).toEqual(['ok'])
    })

    test('counts the bytes of bodies', async () => {
      const token = await register(at.store, 'bob')
      const text = 'x'.repeat(1_000)
      const { outcomes } = await at.store.enqueue('bob', [
        parcel(1, { text }),
        parcel(2, { text }),
        parcel(3, { text: 'y' }),
      ])
      expect(outcomes).toEqual(['ok', 'ok', 'full'])
      const { entries } = await page(at.store, 'bob', token)
      await at.store.remove('bob', token, entries[0]!.s)
      expect((await at.store.enqueue('bob', [parcel(3, { text })])).outcomes).toEqual(['ok'])
      expect(await at.store.client('bob')).toMatchObject({ parked: 2, bytes: 2_000 })
    })

    test('gives places that rise and follow the clock in microseconds', async () => {
      const token = await register(at.store, 'bob')
      await at.store.enqueue('bob', parcels(1, 2))
      const [first, second] = (await page(at.store, 'bob', token)).entries
      expect([first?.s, second?.s]).toEqual([at.now * 1000, at.now * 1000 + 1])
      await at.store.remove('bob', token, second!.s)
      at.now -= 3_600_000
      await at.store.enqueue('bob', [parcel(3)])
      expect((await page(at.store, 'bob', token)).entries[0]?.s).toBe(second!.s + 1)
    })

    test('forgets the least recently used streams, which then go on from their floor', async () => {
      const token = await register(at.store, 'bob')
      const name = (index: number): string => streamName('alice', `outbox-${index}`)
      await at.store.enqueue('bob', [parcel(1, { stream: name(0) })])
      for (let index = 1; index <= 25; index++) {
        await at.store.enqueue('bob', [parcel(1, { stream: name(index) })])
        const { entries } = await page(at.store, 'bob', token)
        await at.store.remove('bob', token, entries.at(-1)!.s)
      }
      for (let index = 18; index <= 25; index++)
        expect(await at.store.sync('bob', name(index))).toMatchObject({ last: 1 })
      expect(await at.store.sync('bob', name(0))).toEqual({ last: 0, delivered: 0 })
      expect((await at.store.enqueue('bob', [parcel(2, { stream: name(0), floor: 2 })])).outcomes).toEqual(['ok'])
    })
  })
}

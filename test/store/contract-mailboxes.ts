/** What every store must do, second part: what comes out of a mailbox, and how messages end. */
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

const lostStore = { recipient: 'bob', stream }

export function describeMailboxes(name: string, open: Open): void {
  const at = setUp(open)

  async function numbers(token: string, id = 'bob'): Promise<number[]> {
    return (await page(at.store, id, token)).entries.map(({ n }) => n)
  }

  async function failHead(times: number, token: string, s: number): Promise<string> {
    for (let time = 0; time < times; time++) {
      await at.store.unbind('bob', token, s)
      token = tokenOf(await at.store.bind(bindRequest('bob')))
    }
    return token
  }

  describe(`${name}: page and remove`, () => {
    test('pages by cursor while new entries arrive', async () => {
      const token = await register(at.store, 'bob')
      await at.store.enqueue('bob', parcels(1, 5))
      const first = await page(at.store, 'bob', token, 0, 2)
      expect([first.entries.map(({ n }) => n), first.more]).toEqual([[1, 2], true])
      await at.store.remove('bob', token, first.entries[0]!.s)
      await at.store.enqueue('bob', [parcel(6)])
      const second = await page(at.store, 'bob', token, first.entries[1]!.s, 10)
      expect([second.entries.map(({ n }) => n), second.more, second.oldest]).toEqual([
        [3, 4, 5, 6],
        false,
        first.entries[1]!.s,
      ])
      const none = await page(at.store, 'bob', token, second.entries.at(-1)!.s, 10)
      expect([none.entries, none.more]).toEqual([[], false])
    })

    test('says with more exactly whether there is more', async () => {
      const token = await register(at.store, 'bob')
      expect(await page(at.store, 'bob', token)).toEqual({
        kind: 'page',
        entries: [],
        more: false,
        oldest: 0,
        lost: [],
      })
      await at.store.enqueue('bob', parcels(1, 3))
      expect((await page(at.store, 'bob', token, 0, 3)).more).toBe(false)
      expect((await page(at.store, 'bob', token, 0, 2)).more).toBe(true)
    })

    test('takes other limits while it runs, and keeps what it took under the old ones', async () => {
      const token = await register(at.store, 'bob')
      const offer = async (n: number): Promise<unknown> => (await at.store.enqueue('bob', [parcel(n)])).outcomes[0]
      at.store.limit({ ...limits, mailboxMessages: 2, messageLifeMs: 10_000 })
      expect([await offer(1), await offer(2), await offer(3)]).toEqual(['ok', 'ok', 'full'])
      at.store.limit({ ...limits, mailboxMessages: 3 })
      expect([await offer(3), await offer(4)]).toEqual(['ok', 'full'])
      at.store.limit({ ...limits, mailboxMessages: 1 })
      expect(await offer(4)).toBe('full')
      at.now += 10_001
      const { entries } = await page(at.store, 'bob', token)
      expect(entries.map(({ reason }) => reason)).toEqual(['expired', 'expired', ''])
    })

    test('says what an earlier session may have been sent', async () => {
      const first = await register(at.store, 'bob')
      await at.store.enqueue('bob', [parcel(1), parcel(2), parcel(3, { repeated: true }), parcel(4)])
      const shown = async (token: string): Promise<boolean[]> =>
        (await page(at.store, 'bob', token)).entries.map(({ repeated }) => repeated)
      await page(at.store, 'bob', first, 0, 1)
      expect(await shown(first)).toEqual([false, false, true, false])
      await at.store.unbind('bob', first, 0)
      await at.store.enqueue('bob', [parcel(5)])
      const second = tokenOf(await at.store.bind(bindRequest('bob')))
      expect(await shown(second)).toEqual([true, true, true, true, false])
    })

    test('keeps a page within its bytes, but gives at least one', async () => {
      const token = await register(at.store, 'bob')
      await at.store.enqueue('bob', [
        parcel(1, { text: 'x'.repeat(500) }),
        parcel(2, { text: 'yy' }),
        parcel(3, { text: 'z' }),
      ])
      const first = await page(at.store, 'bob', token, 0, 10, 100)
      expect([first.entries.map(({ n }) => n), first.more]).toEqual([[1], true])
      const rest = await page(at.store, 'bob', token, first.entries[0]!.s, 10, 3)
      expect([rest.entries.map(({ n }) => n), rest.more]).toEqual([[2, 3], false])
    })

    test('removes up to a place, once or twice', async () => {
      const token = await register(at.store, 'bob')
      await at.store.enqueue('bob', parcels(1, 3))
      const { entries } = await page(at.store, 'bob', token)
      for (let time = 0; time < 2; time++) {
        expect(await at.store.remove('bob', token, entries[1]!.s)).toEqual({ kind: 'ok', lost: [] })
      }
      expect(await numbers(token)).toEqual([3])
      expect(await at.store.sync('bob', stream)).toEqual({ last: 3, delivered: 2 })
    })

    test('refuses one, removes those before it, and tells once', async () => {
      const token = await register(at.store, 'bob')
      await at.store.enqueue('bob', parcels(1, 4))
      const { entries } = await page(at.store, 'bob', token)
      expect(await at.store.refuse('bob', token, entries[2]!.s, 'too long')).toEqual({
        kind: 'ok',
        lost: [{ ...lostStore, n: 3, kind: 'rejected', reason: 'too long' }],
      })
      expect(await at.store.refuse('bob', token, entries[2]!.s, 'too long')).toEqual({ kind: 'ok', lost: [] })
      expect(await numbers(token)).toEqual([4])
      expect(await at.store.sync('bob', stream)).toEqual({ last: 4, delivered: 2, lost: [[3, 'rejected']] })
      expect((await at.store.enqueue('bob', [parcel(3)])).outcomes).toEqual(['rejected'])
    })

    test('remembers the newest ended messages of a stream', async () => {
      const token = await register(at.store, 'bob')
      await at.store.enqueue('bob', parcels(1, 8))
      for (const { s } of (await page(at.store, 'bob', token)).entries) await at.store.refuse('bob', token, s, 'no')
      expect((await at.store.sync('bob', stream)).lost).toEqual([4, 5, 6, 7, 8].map(n => [n, 'rejected']))
    })

    test('knows nothing of unknown ids and streams', async () => {
      expect(await at.store.sync('bob', stream)).toEqual({ last: 0, delivered: 0 })
      await register(at.store, 'bob')
      expect(await at.store.sync('bob', stream)).toEqual({ last: 0, delivered: 0 })
    })

    test('takes no place that was never given out, since other messages may have the places before it', async () => {
      const token = await register(at.store, 'bob')
      await at.store.enqueue('bob', parcels(1, 3))
      const [first] = (await page(at.store, 'bob', token, 0, 1)).entries
      const ahead = first!.s + 1
      for (const call of [
        at.store.page('bob', token, ahead, 10, 1000),
        at.store.remove('bob', token, ahead),
        at.store.refuse('bob', token, ahead, 'no'),
      ])
        expect(await call).toEqual({ kind: 'forgotten' })
      expect(await numbers(token)).toEqual([1, 2, 3])
      expect(await at.store.remove('bob', token, ahead)).toEqual({ kind: 'ok', lost: [] })
      expect(await numbers(token)).toEqual([3])
    })

    test('does calls for one id in the order in which they were made', async () => {
      const token = await register(at.store, 'bob')
      const results = await Promise.all([
        at.store.enqueue('bob', [parcel(1)]),
        at.store.enqueue('bob', [parcel(2)]),
        at.store.page('bob', token, 0, 10, 1000),
        at.store.remove('bob', token, at.now * 1_000 + 1),
        at.store.sync('bob', stream),
        at.store.enqueue('bob', [parcel(3)]),
        at.store.unbind('bob', token, 0),
        at.store.page('bob', token, 0, 10, 1000),
        at.store.client('bob'),
      ])
      expect(results).toMatchObject([
        { outcomes: ['ok'] },
        { outcomes: ['ok'] },
        { entries: [{ n: 1 }, { n: 2 }] },
        { kind: 'ok' },
        { last: 2, delivered: 2 },
        { outcomes: ['ok'] },
        { kind: 'ok' },
        { kind: 'forgotten' },
        { parked: 1, node: null },
      ])
    })
  })

  describe(`${name}: the end of messages`, () => {
    test('turns what has expired into voids, tells it once, and counts it no more', async () => {
      const token = await register(at.store, 'bob')
      await at.store.enqueue('bob', [
        parcel(1, { expires: at.now + 1_000 }),
        parcel(2),
        parcel(3, { expires: at.now + 5_000 }),
      ])
      at.now += 1_000
      const { entries, lost } = await page(at.store, 'bob', token)
      expect(lost).toEqual([{ ...lostStore, n: 1, kind: 'expired', reason: 'expired' }])
      expect(entries.map(entry => [entry.n, textOf(entry), entry.reason])).toEqual([
        [1, null, 'expired'],
        [2, 'message 2', ''],
        [3, 'message 3', ''],
      ])
      expect((await page(at.store, 'bob', token)).lost).toEqual([])
      expect((await at.store.enqueue('bob', [parcel(1)])).outcomes).toEqual(['expired'])
      expect(await at.store.client('bob')).toMatchObject({ parked: 3, bytes: 18 })
      await at.store.remove('bob', token, entries[1]!.s)
      expect(await at.store.sync('bob', stream)).toEqual({ last: 3, delivered: 2, lost: [[1, 'expired']] })
    })

    test('leaves what was handed over before the cursor to its ack', async () => {
      const token = await register(at.store, 'bob')
      await at.store.enqueue('bob', [parcel(1, { expires: at.now + 1_000 }), parcel(2, { expires: at.now + 1_000 })])
      const { entries } = await page(at.store, 'bob', token, 0, 1)
      at.now += 2_000
      expect((await page(at.store, 'bob', token, entries[0]!.s)).lost).toMatchObject([{ n: 2 }])
      expect(await at.store.sweep()).toEqual([])
      await at.store.remove('bob', token, entries[0]!.s)
      expect(await at.store.sync('bob', stream)).toMatchObject({ delivered: 1, lost: [[2, 'expired']] })
    })

    test('gives no message a longer life than the store does', async () => {
      const token = await register(at.store, 'bob')
      await at.store.enqueue('bob', [parcel(1), parcel(2, { expires: at.now + 10 * limits.messageLifeMs })])
      at.now += limits.messageLifeMs - 1
      expect((await page(at.store, 'bob', token)).lost).toEqual([])
      at.now += 1
      expect((await page(at.store, 'bob', token)).lost.map(({ n }) => n)).toEqual([1, 2])
    })

    test('expires in a sweep what waits for somebody who is away', async () => {
      const token = await register(at.store, 'bob')
      await at.store.unbind('bob', token, 0)
      await at.store.enqueue('bob', [parcel(1, { expires: at.now + 10 }), parcel(2)])
      expect(await at.store.sweep()).toEqual([])
      at.now += 10
      expect(await at.store.sweep()).toEqual([{ ...lostStore, n: 1, kind: 'expired', reason: 'expired' }])
      expect(await at.store.sweep()).toEqual([])
      expect((await at.store.view('bob', 0, 10)).map(({ n, reason }) => [n, reason])).toEqual([
        [1, 'expired'],
        [2, ''],
      ])
    })

    test('makes a dead letter of the head that five sessions in a row failed at', async () => {
      let token = await register(at.store, 'bob')
      await at.store.enqueue('bob', parcels(1, 2))
      const [head] = (await page(at.store, 'bob', token)).entries
      token = await failHead(4, token, head!.s)
      expect((await page(at.store, 'bob', token)).entries[0]?.reason).toBe('')
      expect(await at.store.unbind('bob', token, head!.s)).toEqual({
        kind: 'ok',
        lost: [{ ...lostStore, n: 1, kind: 'dead', reason: 'dead' }],
      })
      expect(await at.store.unbind('bob', token, head!.s)).toEqual({ kind: 'ok', lost: [] })
      const letters = await at.store.deadLetters('bob')
      expect(letters.map(entry => [entry.s, entry.n, textOf(entry), entry.reason])).toEqual([
        [head!.s, 1, 'message 1', 'dead'],
      ])
      token = tokenOf(await at.store.bind(bindRequest('bob')))
      expect((await page(at.store, 'bob', token)).entries.map(({ n, reason }) => [n, reason])).toEqual([
        [1, 'dead'],
        [2, ''],
      ])
      expect((await at.store.enqueue('bob', [parcel(1)])).outcomes).toEqual(['dead'])
      expect(await at.store.client('bob')).toMatchObject({ deadLetters: 1, parked: 2, bytes: 9 })
    })

    test('starts counting again when the head has moved on, and ignores a suspect that is not the head', async () => {
      let token = await register(at.store, 'bob')
      await at.store.enqueue('bob', parcels(1, 2))
      const [first, second] = (await page(at.store, 'bob', token)).entries
      token = await failHead(4, token, first!.s)
      token = await failHead(6, token, second!.s)
      await at.store.remove('bob', token, first!.s)
      token = await failHead(4, token, second!.s)
      expect(await at.store.deadLetters('bob')).toEqual([])
      expect((await at.store.unbind('bob', token, second!.s)).kind).toBe('ok')
      expect(await at.store.deadLetters('bob')).toMatchObject([{ n: 2 }])
    })

    test('keeps the newest dead letters, and those only for a while', async () => {
      let token = await register(at.store, 'bob')
      await at.store.enqueue('bob', parcels(1, 3))
      for (const { s } of (await page(at.store, 'bob', token)).entries) {
        token = await failHead(5, token, s)
        await at.store.remove('bob', token, s)
        at.now += 1_000
      }
      expect((await at.store.deadLetters('bob')).map(({ n }) => n)).toEqual([2, 3])
      at.now += limits.deadLifeMs - 1_500
      await at.store.sweep()
      expect((await at.store.deadLetters('bob')).map(({ n }) => n)).toEqual([3])
      expect(await at.store.client('bob')).toMatchObject({ deadLetters: 1 })
    })

    test('lets an id that is not used lapse with its mailbox, and not one that is connected or touched', async () => {
      for (const id of ['ann', 'bob', 'cid']) await at.store.unbind(id, await register(at.store, id), 0)
      await at.store.bind(bindRequest('cid'))
      await at.store.enqueue('bob', [parcel(1)])
      at.now += limits.idLifeMs - 1
      expect(await at.store.client('bob')).not.toBeNull()
      await at.store.touch(['ann', 'nobody'])
      at.now += 1
      expect(await at.store.client('bob')).toBeNull()
      expect(await at.store.bind(bindRequest('bob'))).toEqual({ kind: 'unknown' })
      expect((await at.store.enqueue('bob', [parcel(2)])).outcomes).toEqual(['unknown'])
      expect(await at.store.sweep()).toEqual([{ ...lostStore, n: 1, kind: 'expired', reason: 'expired' }])
      expect(await at.store.client('ann')).toMatchObject({ expires: at.now - 1 + limits.idLifeMs })
      expect(await at.store.client('cid')).toMatchObject({ node: 'n1' })
      const proof = { kind: 'secret', hash: hash('another') } as const
      expect(await at.store.bind(bindRequest('bob', { create: true, proof }))).toMatchObject({
        kind: 'bound',
        resumed: false,
        parked: 0,
      })
      expect(await at.store.sync('bob', stream)).toEqual({ last: 0, delivered: 0 })
    })

    test('registers a lapsed id anew before any sweep', async () => {
      await at.store.unbind('bob', await register(at.store, 'bob'), 0)
      await at.store.enqueue('bob', [parcel(1)])
      at.now += limits.idLifeMs
      const proof = { kind: 'secret', hash: hash('another') } as const
      expect(await at.store.bind(bindRequest('bob', { create: true, proof }))).toMatchObject({
        kind: 'bound',
        resumed: false,
        parked: 0,
      })
      expect((await at.store.enqueue('bob', [parcel(1)])).outcomes).toEqual(['ok'])
    })
  })

  describe(`${name}: views`, () => {
    test('lists the clients with something in the mailbox, by id, in pages', async () => {
      for (const id of ['dan', 'bob', 'ann', 'cid']) await register(at.store, id)
      for (const id of ['dan', 'bob', 'cid']) await at.store.enqueue(id, [parcel(1, { time: 5 })])
      const first = await at.store.mailboxes('', 2)
      expect(first.map(({ id }) => id)).toEqual(['bob', 'cid'])
      expect(await at.store.mailboxes('cid', 2)).toEqual([
        { id: 'dan', node: 'n1', parked: 1, bytes: 9, oldest: 5, expires: START + limits.idLifeMs, deadLetters: 0 },
      ])
    })

    test('shows a mailbox without owning it', async () => {
      await register(at.store, 'bob')
      await at.store.enqueue('bob', parcels(1, 3))
      const first = await at.store.view('bob', 0, 2)
      expect(first.map(textOf)).toEqual(['message 1', 'message 2'])
      expect((await at.store.view('bob', first[1]!.s, 2)).map(({ n }) => n)).toEqual([3])
      expect(await at.store.view('nobody', 0, 2)).toEqual([])
      expect(await at.store.client('nobody')).toBeNull()
      expect(await at.store.deadLetters('nobody')).toEqual([])
    })

    test('answers when asked whether it does', async () => {
      await expect(at.store.check()).resolves.toBeUndefined()
    })

    test('keeps everything but the owners through a restart', async ({ skip }) => {
      if (!(await at.reopen())) skip('nothing is kept')
      const token = await register(at.store, 'bob')
      await at.store.enqueue('bob', [...parcels(1, 4), parcel(1, { stream: streamName('eve', 'outbox-3') })])
      const { entries } = await page(at.store, 'bob', token)
      await at.store.refuse('bob', token, entries[1]!.s, 'no')
      await at.store.rotate('bob', token, hash('new'))
      await at.store.enqueue('bob', [parcel(5)])
      await at.reopen()
      expect(await at.store.page('bob', token, 0, 10, 1000)).toEqual({ kind: 'forgotten' })
      expect(await at.store.sync('bob', stream)).toEqual({ last: 5, delivered: 1, lost: [[2, 'rejected']] })
      expect(await at.store.client('bob')).toMatchObject({ node: null, parked: 4, bytes: 36 })
      expect((await at.store.enqueue('bob', [parcel(5), parcel(6)])).outcomes).toEqual(['stored', 'ok'])
      const proof = { kind: 'secret', hash: hash('new') } as const
      const next = tokenOf(await at.store.bind(bindRequest('bob', { proof })))
      expect(next).not.toBe(token)
      const after = await page(at.store, 'bob', next)
      expect(after.entries.map(({ n }) => n)).toEqual([3, 4, 1, 5, 6])
      expect(after.entries.at(-1)!.s).toBeGreaterThan(entries.at(-1)!.s)
    })
  })
}

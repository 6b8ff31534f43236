/** What every store must do when an operator discards a mailbox. */
import { describe, expect, test } from 'vitest'

import { bindRequest, limits, page, parcel, parcels, register, setUp, stream, tokenOf } from './support.ts'
import type { Open } from './support.ts'

const lostStore = { recipient: 'bob', stream }

export function describeDiscards(name: string, open: Open): void {
  const at = setUp(open)

  describe(`${name}: discarding a mailbox`, () => {
    test('ends what is parked for somebody who is away: voids, told once', async () => {
      const token = await register(at.store, 'bob')
      await at.store.unbind('bob', token, 0)
      await at.store.enqueue('bob', [parcel(1), parcel(2, { expires: at.now + 1_000 }), parcel(3)])
      const reason = 'discarded by an operator'
      expect(await at.store.discard('bob')).toEqual([1, 2, 3].map(n => ({ ...lostStore, n, kind: 'expired', reason })))
      expect(await at.store.discard('bob')).toEqual([])
      expect(await at.store.client('bob')).toMatchObject({ parked: 3, bytes: 0 })
      expect((await at.store.enqueue('bob', [parcel(2), parcel(4)])).outcomes).toEqual(['expired', 'ok'])
      const next = tokenOf(await at.store.bind(bindRequest('bob')))
      const { entries, lost } = await page(at.store, 'bob', next)
      expect(entries.map(({ n, reason }) => [n, reason])).toEqual([
        [1, 'expired'],
        [2, 'expired'],
        [3, 'expired'],
        [4, ''],
      ])
      expect(lost).toEqual([])
      at.now += limits.messageLifeMs
      expect((await page(at.store, 'bob', next)).lost).toMatchObject([{ n: 4, reason: 'expired' }])
    })

    test('ends nothing that a connected client may have been sent, and nothing where nobody is', async () => {
      const token = await register(at.store, 'bob')
      await at.store.enqueue('bob', parcels(1, 3))
      const { entries } = await page(at.store, 'bob', token, 0, 1)
      expect(await at.store.discard('bob')).toMatchObject([{ n: 2 }, { n: 3 }])
      await at.store.remove('bob', token, entries[0]!.s)
      expect(await at.store.sync('bob', stream)).toMatchObject({ last: 3, delivered: 1 })
      expect(await at.store.discard('nobody')).toEqual([])
    })
  })
}

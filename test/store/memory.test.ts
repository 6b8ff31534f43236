import { expect, test } from 'vitest'

import { MemoryStore } from '../../src/store/memory.ts'
import { agreedUpTo } from '../../src/protocol/rooms.ts'
import { RoomTables } from '../../src/store/memory/rooms.ts'
import { MemoryTables } from '../../src/store/memory/tables.ts'
import { defaultStoreLimits } from '../../src/store/store.ts'
import { describeStore } from './contract.ts'
import { bindRequest, parcel, parcels, roomSettings, stream, type Open } from './support.ts'

const open: Open = (limits, clock) => {
  const store = new MemoryStore(limits, clock)
  return Promise.resolve({ store, close: () => store.close() })
}

describeStore('memory', open)

test('tables go back to a snapshot, any number of times', () => {
  const tables = new MemoryTables(defaultStoreLimits, () => 1_000)
  tables.bind(bindRequest('bob', { create: true }))
  tables.enqueue('bob', [parcel(1)])
  const snapshot = tables.snapshot()
  for (let time = 0; time < 2; time++) {
    expect(tables.enqueue('bob', [parcel(2)]).outcomes).toEqual(['ok'])
    tables.bind(bindRequest('bob'))
    tables.restore(snapshot)
    expect(tables.sync('bob', stream)).toEqual({ last: 1, delivered: 0 })
    expect(tables.client('bob')).toMatchObject({ parked: 1, node: 'n1' })
  }
})

test('rooms that go back to a snapshot begin a new epoch, and say how far the old one is still true', () => {
  const tables = new RoomTables(defaultStoreLimits.rooms, () => 1_000)
  const settings = roomSettings()
  tables.create('#hall', settings)
  tables.append('#hall', parcels(1, 3))
  const snapshot = tables.snapshot()
  tables.append('#hall', parcels(4, 5))
  for (let time = 0; time < 2; time++) {
    tables.restore(snapshot)
    const appended = tables.append('#hall', [parcel(4), parcel(5)])
    expect(appended).toMatchObject({ outcomes: [{ offset: 4 }, { offset: 5 }] })
    const page = tables.page('#hall', { after: 3, limit: 9, maxBytes: 1e9 })
    expect(page).toMatchObject({ entries: [{ offset: 4 }, { offset: 5 }], ended: [{ epoch: settings.epoch, last: 3 }] })
    if (page !== null && appended.kind === 'appended')
      expect([agreedUpTo(page, settings.epoch), agreedUpTo(page, appended.epoch), agreedUpTo(page, 'x')]).toEqual([
        3, 5, -1,
      ])
  }
})

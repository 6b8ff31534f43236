import { expect, test } from 'vitest'

import { MemoryStore } from '../../src/store/memory.ts'
import { MemoryTables } from '../../src/store/memory-tables.ts'
import { defaultStoreLimits } from '../../src/store/store.ts'
import { describeStore } from './contract.ts'
import { bindRequest, parcel, stream } from './support.ts'

describeStore('memory', (limits, clock) => {
  const store = new MemoryStore(limits, clock)
  return Promise.resolve({ store, close: () => store.close() })
})

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

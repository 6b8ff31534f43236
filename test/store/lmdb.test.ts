import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { openLmdbStore } from '../../src/store/lmdb.ts'
import { describeStore } from './contract.ts'

describeStore('lmdb', async (limits, clock) => {
  const directory = mkdtempSync(join(tmpdir(), 'ackd-store-'))
  const open = () => openLmdbStore({ directory, limits, clock, mapBytes: 2 ** 28 })
  let store = await open()
  return {
    store,
    reopen: async () => {
      await store.close()
      store = await open()
      return store
    },
    close: async () => {
      await store.close()
      rmSync(directory, { recursive: true })
    },
  }
})

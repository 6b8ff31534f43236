import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'vitest'

import { openLmdbStore } from '../../src/store/lmdb.ts'
import { openRedisStore } from '../../src/store/redis.ts'
import { redisProgram, RedisServer } from '../support/redis.ts'
import { modelled } from './model.ts'

test('LMDB answers as the model does', async () => {
  await modelled(async (limits, clock) => {
    const directory = mkdtempSync(join(tmpdir(), 'ackd-model-'))
    const store = await openLmdbStore({ directory, limits, clock, mapBytes: 2 ** 26 })
    const close = async (): Promise<void> => {
      await store.close()
      rmSync(directory, { recursive: true })
    }
    return { store, close }
  }, 60)
}, 30_000)

// Unit tests run where there is no Redis too; the slow ones insist on it.
test.skipIf(redisProgram === null)(
  'Redis answers as the model does',
  async () => {
    const server = await RedisServer.start()
    let runs = 0
    try {
      await modelled(async (limits, clock) => {
        const store = await openRedisStore({ url: server.url, limits, clock, prefix: `run-${++runs}:` })
        return { store, close: () => store.close() }
      }, 100)
    } finally {
      await server.stop()
    }
  },
  30_000,
)

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'vitest'

import { openLmdbStore } from '../../src/store/lmdb.ts'
import { openRedisStore } from '../../src/store/redis.ts'
import { redisProgram, RedisServer } from '../support/redis.ts'
import { modelled } from './model.ts'
import { modelledRooms } from './model-rooms.ts'

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

test('LMDB answers as the model does about rooms, through restarts', async () => {
  await modelledRooms(async (limits, clock) => {
    const directory = mkdtempSync(join(tmpdir(), 'ackd-model-'))
    const openHere = () => openLmdbStore({ directory, limits, clock, mapBytes: 2 ** 26, verifyMs: 0 })
    let store = await openHere()
    const restart = async () => {
      await store.close()
      store = await openHere()
      return store
    }
    const close = async (): Promise<void> => {
      await store.close()
      rmSync(directory, { recursive: true })
    }
    return { store, restart, close }
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

// As above.
test.skipIf(redisProgram === null)(
  'Redis answers as the model does about rooms, through what it takes for another server',
  async () => {
    const server = await RedisServer.start()
    let runs = 0
    try {
      await modelledRooms(async (limits, clock) => {
        const prefix = `run-${++runs}:`
        const open = () => openRedisStore({ url: server.url, limits, clock, prefix })
        let store = await open()
        const restart = async () => {
          // A replica that is promoted has another id than its master, and so has a master that was one for a moment.
          await server.ask('REPLICAOF 127.0.0.1 1')
          await server.ask('REPLICAOF NO ONE')
          // On one connection it may take a second until that is noticed.
          await store.close()
          store = await open()
          return store
        }
        return { store, restart, close: () => store.close() }
      }, 100)
    } finally {
      await server.stop()
    }
  },
  30_000,
)

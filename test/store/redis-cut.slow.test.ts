/**
 * Redis ended in the midst of writing its journal: what a mailbox is said to hold, which stands in a value beside its list, is what the list holds.
 * Whatever a script has written is in the journal as one transaction, of which Redis reads all or nothing; so the end may be anywhere.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

import { openRedisStore } from '../../src/store/redis.ts'
import { RedisServer } from '../support/redis.ts'
import { page, parcel, register } from './support.ts'

const CUTS = 16

/** The file that is appended to; Redis 6 has one in its directory, later ones have some in a directory of their own. */
function journalOf({ directory }: RedisServer): string {
  const names = readdirSync(directory, { recursive: true }).map(String)
  return join(directory, names.find(name => name.endsWith('.incr.aof')) ?? 'appendonly.aof')
}

test('a journal that ends anywhere leaves a mailbox with as many messages as it is said to hold', async () => {
  const server = await RedisServer.start('--appendonly', 'yes', '--appendfsync', 'always')
  const store = await openRedisStore({ url: server.url })
  const token = await register(store, 'bob')
  const from = readFileSync(journalOf(server)).length
  await store.enqueue('bob', [parcel(1), parcel(2)])
  await store.enqueue('bob', [parcel(3)])
  const { entries } = await page(store, 'bob', token, 0, 100_000)
  await store.remove('bob', token, entries[1]?.s ?? 0)
  await store.enqueue('bob', [parcel(4)])
  await store.close()
  await server.signal('SIGKILL')
  const journal = readFileSync(journalOf(server))
  const seen = new Set<number>()
  for (let cut = 0; cut <= CUTS; cut++) {
    writeFileSync(journalOf(server), journal.subarray(0, from + Math.floor(((journal.length - from) * cut) / CUTS)))
    await server.start()
    const again = await openRedisStore({ url: server.url })
    const parked = (await again.client('bob'))?.parked ?? 0
    expect(await server.ask('LLEN ackd:{bob}:mail')).toBe(`:${parked}`)
    seen.add(parked)
    await again.close()
    await server.signal('SIGKILL')
  }
  expect([...seen].sort()).toEqual([0, 1, 2, 3])
  await server.stop()
})

/**
 * A process that parks messages, one alone and several together in turn, and appends the same to a room, until it is killed:
 * `parker.ts <directory> [data bytes]`. Prints each number that was acknowledged by both, on a line of its own, and what went wrong otherwise.
 */
import { writeSync } from 'node:fs'

import { openLmdbStore } from '../../src/store/lmdb.ts'
import { StoreError } from '../../src/store/store.ts'
import { bindRequest, parcel, roomSettings, stream } from './support.ts'

const ROOM = '#hall'
const BATCH = 8

const [, , directory = '', bodyBytes = '100'] = process.argv
const text = 'x'.repeat(Number(bodyBytes))
const store = await openLmdbStore({ directory, verifyMs: 0 })
await store.bind(bindRequest('bob', { create: true }))
await store.rooms.create(ROOM, roomSettings({ messages: 100 }))
let { last } = await store.sync('bob', stream)
let posted = await store.rooms.taken(ROOM, stream)
writeSync(1, `from ${Math.min(last, posted)}\n`)
for (let failures = 0; failures < 20;) {
  const after = (before: number) => Array.from({ length: BATCH }, (_, index) => parcel(before + 1 + index, { text }))
  try {
    const batch = after(last)
    const parked = [batch.slice(0, 1), batch.slice(1)].map(some => store.enqueue('bob', some))
    const appended = after(posted).map(one => store.rooms.append(ROOM, [one]))
    const [results] = await Promise.all([Promise.all(parked), Promise.all(appended)])
    if (results.some(({ outcomes }) => outcomes.includes('full'))) break
    last += BATCH
    posted += BATCH
    writeSync(1, `${Math.min(last, posted)}\n`)
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    failures++
    writeSync(1, `failed ${error.message} / ${error.fix}\n`)
    await new Promise(resolve => setTimeout(resolve, 50))
    last = (await store.sync('bob', stream)).last
    posted = await store.rooms.taken(ROOM, stream)
    writeSync(1, `at ${Math.min(last, posted)}\n`)
  }
}

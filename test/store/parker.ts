/**
 * A process that parks messages until it is killed: `parker.ts <directory> [data bytes]`. Prints each number that was acknowledged, on
 * a line of its own, and what went wrong otherwise.
 */
import { writeSync } from 'node:fs'

import { openLmdbStore } from '../../src/store/lmdb.ts'
import { StoreError } from '../../src/store/store.ts'
import { bindRequest, parcel, stream } from './support.ts'

const [, , directory = '', bodyBytes = '100'] = process.argv
const text = 'x'.repeat(Number(bodyBytes))
const store = await openLmdbStore({ directory, verifyMs: 0 })
await store.bind(bindRequest('bob', { create: true }))
let { last } = await store.sync('bob', stream)
writeSync(1, `from ${last}\n`)
for (let failures = 0; failures < 20;) {
  const batch = Array.from({ length: 8 }, (_, index) => parcel(last + 1 + index, { text }))
  try {
    const results = await Promise.all(batch.map(one => store.enqueue('bob', [one])))
    if (results.some(({ outcomes }) => outcomes[0] === 'full')) break
    last += batch.length
    writeSync(1, `${last}\n`)
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    failures++
    writeSync(1, `failed ${error.message} / ${error.fix}\n`)
    await new Promise(resolve => setTimeout(resolve, 50))
    last = (await store.sync('bob', stream)).last
    writeSync(1, `at ${last}\n`)
  }
}

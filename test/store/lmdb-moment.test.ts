/** What becomes due while a call is being answered: each call that is answered at once goes by one time. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

import { openLmdbStore, type LmdbStore } from '../../src/store/lmdb.ts'
import { page, parcel, register, START, textOf } from './support.ts'

/** More often than any call looks at the clock. */
const LOOKS = 8

let directory: string
let store: LmdbStore
let now: number
/** Looks at the clock after which it goes on by one ms. */
let goesOnAfter: number

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'ackd-moment-'))
  now = START
  goesOnAfter = Infinity
  const clock = (): number => (goesOnAfter-- > 0 ? now : now + 1)
  store = await openLmdbStore({ directory, clock, mapBytes: 2 ** 26 })
})

afterEach(async () => {
  await store.close()
  rmSync(directory, { recursive: true })
})

test('a message that expires while a page is made is on it, since making a void of it is a transaction', async () => {
  const token = await register(store, 'bob')
  for (let looks = 1; looks <= LOOKS; looks++) {
    now += 1_000
    await store.enqueue('bob', [parcel(looks, { expires: now + 1 })])
    goesOnAfter = looks
    const made = page(store, 'bob', token)
    goesOnAfter = Infinity
    const { entries, lost } = await made
    expect({ looks, texts: entries.map(textOf), lost }).toEqual({ looks, texts: [`message ${looks}`], lost: [] })
    await store.remove('bob', token, entries[0]?.s ?? 0)
  }
})

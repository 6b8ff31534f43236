import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

import { openLmdbStore } from '../../src/store/lmdb.ts'
import { openLmdbReader } from '../../src/store/lmdb/reader.ts'
import { defaultStoreLimits } from '../../src/store/store.ts'
import { parcels, register, START, textOf } from './support.ts'

let directory: string
const clock = (): number => START

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ackd-reader-'))
})

afterEach(() => {
  rmSync(directory, { recursive: true })
})

test('shows what is parked when no server runs', async () => {
  const store = await openLmdbStore({ directory, clock })
  await register(store, 'bob')
  await store.enqueue('bob', parcels(1, 3))
  await store.close()
  const reader = openLmdbReader(directory, defaultStoreLimits, clock)
  expect(reader.mailboxes('', 10)).toMatchObject([{ id: 'bob', node: null, parked: 3 }])
  expect(reader.view('bob', 0, 2).map(textOf)).toEqual(['message 1', 'message 2'])
  expect(reader.client('bob')).toMatchObject({ parked: 3, deadLetters: 0 })
  expect(reader.client('nobody')).toBeNull()
  expect(reader.deadLetters('bob')).toEqual([])
  await reader.close()
})

test('says so when there is no data', () => {
  expect(() => openLmdbReader(directory)).toThrow('There is no data file')
})

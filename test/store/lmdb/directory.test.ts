/** A data directory of another version: an older one goes on as it is, a newer one is refused and not touched. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

import { openLmdbStore } from '../../../src/store/lmdb.ts'
import { dataFiles } from '../../../src/store/lmdb/directory.ts'
import { openEnvironment } from '../../../src/store/lmdb/environment.ts'
import { FORMAT_KEY, Tag } from '../../../src/store/lmdb/records.ts'
import { sumOf } from '../../../src/store/lmdb/sum.ts'
import { bindRequest, page, parcel, parcels, register, tokenOf } from '../support.ts'

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ackd-directory-'))
})

afterEach(() => {
  rmSync(directory, { recursive: true })
})

/** Parks four messages for bob, each in a record of its own. */
async function fill(): Promise<void> {
  const store = await openLmdbStore({ directory })
  await register(store, 'bob')
  for (let n = 1; n <= 4; n++) await store.enqueue('bob', [parcel(n)])
  await store.close()
}

/** Makes of what this version wrote what the format given would have in its place. */
async function disguise(format: number, marked = format): Promise<void> {
  const { data, marker } = dataFiles(directory)
  const name = readFileSync(marker, 'latin1')
  const environment = openEnvironment(data, { readOnly: false, mapBytes: 2 ** 26 })
  await environment.transaction(() => {
    environment.put(FORMAT_KEY, Buffer.from(name.replace('"format":2', `"format":${format}`)))
    const boxes = [...environment.range(Uint8Array.of(Tag.box), Uint8Array.of(Tag.box + 1))]
    for (const { key, value } of format === 1 ? boxes : []) {
      // The last number before the checksum came with format 2.
      const older = Buffer.from(value.subarray(0, value.length - 8))
      const end = older.length - 4
      older.writeUInt32BE(sumOf(older, 0, end, sumOf(key, 0, key.length)), end)
      environment.put(key, older)
    }
  })
  await environment.close()
  writeFileSync(marker, name.replace('"format":2', `"format":${marked}`))
}

test.each([
  { what: 'of format 1', data: 1, marked: 1 },
  { what: 'that was being changed to format 2', data: 2, marked: 1 },
])('$what is opened with all that waits in it, takes more, and says format 2', async ({ data, marked }) => {
  await fill()
  await disguise(data, marked)
  const store = await openLmdbStore({ directory })
  expect(readFileSync(dataFiles(directory).marker, 'latin1')).toMatch(/^\{"format":2,"store":"[-\w]+"\}$/)
  const token = tokenOf(await store.bind(bindRequest('bob')))
  expect((await store.enqueue('bob', parcels(5, 9))).outcomes).toEqual(['ok', 'ok', 'ok', 'ok', 'ok'])
  const { entries } = await page(store, 'bob', token)
  expect(entries.map(({ n }) => n)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
  await store.remove('bob', token, entries[6]?.s ?? 0)
  await store.close()
  const again = await openLmdbStore({ directory })
  expect((await again.view('bob', 0, 10)).map(({ n }) => n)).toEqual([8, 9])
  expect(await again.client('bob')).toMatchObject({ parked: 2, bytes: 18 })
  await again.close()
})

test('of a newer format is refused, with a word on what to do, and is there for the newer version', async () => {
  await fill()
  await disguise(3)
  const { marker } = dataFiles(directory)
  const before = readFileSync(marker, 'latin1')
  for (let time = 0; time < 2; time++) {
    await expect(openLmdbStore({ directory })).rejects.toMatchObject({
      message: expect.stringMatching(
        /messages\.mdb has format 3, and this version of ackd knows none after 2\.$/,
      ) as string,
      fix: 'Start the version of ackd that wrote it, or a newer one.',
    })
  }
  expect(readFileSync(marker, 'latin1')).toBe(before)
})

/** Damages data files in every way that a disk does, and wants to be told. */
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { streamName, type Parcel } from '../../src/protocol/mailbox.ts'
import { openLmdbStore } from '../../src/store/lmdb.ts'
import { dataFiles } from '../../src/store/lmdb/directory.ts'
import { StoreError, type Store } from '../../src/store/store.ts'
import { bindRequest, hash, parcel, register, roomSettings, stream, textOf } from './support.ts'

const CLIENTS = 12
const PARKED = 60
const PAGE = 4096
const ROOM = '#hall'

let whole: string
let copies = 0

const idOf = (client: number): string => `client-${client}`
const textFor = (client: number, n: number): string => `to ${client}, ${n} ${'x'.repeat(n % 7 === 0 ? 6_000 : 90)}`

function messagesTo(client: number, from: number, to: number): Parcel[] {
  return Array.from({ length: to - from + 1 }, (_, index) => {
    const n = from + index
    return parcel(n, { stream: streamName('alice', `outbox-${n % 3}`), floor: n, text: textFor(client, n) })
  })
}

beforeAll(async () => {
  whole = mkdtempSync(join(tmpdir(), 'ackd-damage-'))
  const store = await openLmdbStore({ directory: join(whole, 'whole') })
  for (let client = 0; client < CLIENTS; client++) {
    const token = await register(store, idOf(client))
    // One at a time, or several together, which stand in one record.
    const together = 1 + (client % 3) * 7
    for (let n = 1; n <= PARKED; n += together) {
      await store.enqueue(idOf(client), messagesTo(client, n, Math.min(PARKED, n + together - 1)))
    }
    const page = await store.page(idOf(client), token, 0, 5, 1e6)
    if (page.kind === 'page') await store.remove(idOf(client), token, page.entries.at(-1)?.s ?? 0)
  }
  await store.rooms.create(ROOM, roomSettings())
  for (let n = 1; n <= PARKED; n++) await store.rooms.append(ROOM, [parcel(n, { text: textFor(0, n) })])
  await store.close()
})

afterAll(() => {
  rmSync(whole, { recursive: true })
})

function copy(): string {
  const directory = join(whole, `copy-${++copies}`)
  cpSync(join(whole, 'whole'), directory, { recursive: true })
  return directory
}

/** Opens, and reads everything: `refused`, or how many messages are whole, void and moved aside. All else fails the test. */
async function outcome(
  directory: string,
  verifyMs = 5_000,
): Promise<'refused' | { intact: number; voids: number; aside: number }> {
  try {
    const store = await openLmdbStore({ directory, verifyMs })
    let intact = 0
    let voids = 0
    try {
      for (let client = 0; client < CLIENTS; client++) {
        const bound = await store.bind(
          bindRequest(idOf(client), { proof: { kind: 'secret', hash: hash(`secret of ${idOf(client)}`) } }),
        )
        if (bound.kind !== 'bound') throw new Error(`client ${client}: ${bound.kind}`)
        const page = await store.page(idOf(client), bound.token, 0, 1e6, 1e9)
        if (page.kind !== 'page') throw new Error('stale')
        for (const entry of page.entries) {
          if (entry.body === null) voids++
          else if (textOf(entry) === textFor(client, entry.n)) intact++
          else throw new Error(`message ${entry.n} of client ${client} was altered`)
        }
      }
      intact += await intactPosts(store)
      return { intact, voids, aside: store.quarantined }
    } finally {
      await store.close()
    }
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    expect(error.fix).not.toBe('')
    return 'refused'
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** How many messages of the room are whole; its last offset is never less than it was. */
async function intactPosts(store: Store): Promise<number> {
  const page = await store.rooms.page(ROOM, { after: 0, limit: 1e6, maxBytes: 1e9 })
  expect(page?.last).toBe(PARKED)
  const entries = page?.entries ?? []
  const altered = entries.filter(entry => entry.n !== entry.offset || textOf(entry) !== textFor(0, entry.n))
  expect(altered).toEqual([])
  return entries.length
}

const LEFT = CLIENTS * (PARKED - 5) + PARKED

describe('a damaged data file', () => {
  test('is not what a whole one is taken for', async () => {
    expect(await outcome(copy())).toEqual({ intact: LEFT, voids: 0, aside: 0 })
  })

  test('with flipped bits is refused, or what was hit is moved aside and counted', async () => {
    const { data } = dataFiles(join(whole, 'whole'))
    const size = statSync(data).size
    const seen = { refused: 0, moved: 0, unharmed: 0 }
    let seed = 20_261_122
    for (let round = 0; round < 150; round++) {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
      // Every fourth one hits the first eight pages, where the meta pages are.
      const at = Math.floor((seed / 2 ** 32) * (round % 4 === 0 ? Math.min(size, 8 * PAGE) : size))
      const directory = copy()
      const bytes = readFileSync(dataFiles(directory).data)
      bytes[at]! ^= 1 << (round % 8)
      writeFileSync(dataFiles(directory).data, bytes)
      const result = await outcome(directory)
      if (result === 'refused') seen.refused++
      else {
        expect([at, result.intact + result.aside]).toEqual([at, LEFT])
        expect(result.voids).toBeLessThanOrEqual(result.aside)
        if (result.aside > 0) seen.moved++
        else seen.unharmed++
      }
    }
    expect(seen.refused).toBeGreaterThan(0)
    expect(seen.moved).toBeGreaterThan(0)
  })

  test('with one page of zeros is refused, unless the page is free', async () => {
    const { data } = dataFiles(join(whole, 'whole'))
    let refused = 0
    for (let page = 0; page * PAGE < statSync(data).size; page += page < 8 ? 1 : 7) {
      const directory = copy()
      const bytes = readFileSync(dataFiles(directory).data)
      bytes.fill(0, page * PAGE, (page + 1) * PAGE)
      writeFileSync(dataFiles(directory).data, bytes)
      const result = await outcome(directory)
      if (result === 'refused') refused++
      else expect([page, result.intact + result.aside]).toEqual([page, LEFT])
    }
    expect(refused).toBeGreaterThan(0)
  })

  test.each([0, 1, 100, PAGE, 2 * PAGE, 3 * PAGE + 17, 0.5, 0.9])('truncated to %s is refused', async length => {
    const directory = copy()
    const { data } = dataFiles(directory)
    truncateSync(data, length > 0 && length < 1 ? Math.floor(statSync(data).size * length) : length)
    expect(await outcome(directory)).toBe('refused')
  })

  test('that is missing while its marker is there is refused, and so is that of another store', async () => {
    const missing = copy()
    unlinkSync(dataFiles(missing).data)
    expect(await outcome(missing)).toBe('refused')
    const foreign = copy()
    const other = join(whole, 'other')
    await (await openLmdbStore({ directory: other })).close()
    cpSync(dataFiles(other).data, dataFiles(foreign).data)
    expect(await outcome(foreign)).toBe('refused')
  })

  test('of which only the marker is missing starts', async () => {
    const directory = copy()
    unlinkSync(dataFiles(directory).marker)
    expect(await outcome(directory)).toEqual({ intact: LEFT, voids: 0, aside: 0 })
  })

  test('says which file is damaged, what is wrong and what to do', async () => {
    const directory = copy()
    truncateSync(dataFiles(directory).data, 5 * PAGE)
    const error = await openLmdbStore({ directory }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({
      message: expect.stringMatching(
        /^The data file .*messages\.mdb is damaged: .*truncated at 20480 bytes\.$/,
      ) as string,
      fix: expect.stringContaining('Restore a copy of') as string,
    })
  })
})

// Client 3 has a record for each message, client 4 one for eight.
test.each([3, 4])(
  'a message of client %i that is damaged while nobody looks becomes a void, is told once, and can be sent after',
  async client => {
    const directory = copy()
    const { data } = dataFiles(directory)
    const bytes = readFileSync(data)
    const text = textFor(client, 8)
    for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) bytes[at + 3]! ^= 4
    writeFileSync(data, bytes)
    const notes: string[] = []
    const store = await openLmdbStore({ directory, verifyMs: 0, onNote: note => notes.push(note) })
    const stream = streamName('alice', 'outbox-2')
    expect(store.quarantined).toBe(0)
    const view = await store.view(idOf(client), 0, 1e6)
    expect(view.filter(({ body }) => body === null)).toMatchObject([{ stream, n: 8, reason: 'dead' }])
    expect(view).toHaveLength(PARKED - 5)
    expect(view.filter(entry => entry.body !== null && textOf(entry) !== textFor(client, entry.n))).toEqual([])
    expect(store.quarantined).toBe(1)
    expect(notes).toHaveLength(1)
    expect(await store.sweep()).toEqual([
      { recipient: idOf(client), stream, n: 8, kind: 'dead', reason: 'damaged on the disk' },
    ])
    expect(await store.sweep()).toEqual([])
    expect((await store.enqueue(idOf(client), [parcel(8, { stream, floor: 8 })])).outcomes).toEqual(['dead'])
    await store.close()
    const again = await openLmdbStore({ directory })
    expect(again.quarantined).toBe(1)
    await again.close()
  },
)

// The newest message, so that its offset would be free if it were not counted; and the byte before it, which is of the header.
test.each([
  { what: 'body', at: 3, taken: PARKED },
  { what: 'header', at: -1, taken: PARKED - 1 },
])(
  'a message of a room whose $what is damaged leaves a hole, and its offset is not given out again',
  async ({ at, taken }) => {
    const directory = copy()
    const { data } = dataFiles(directory)
    const bytes = readFileSync(data)
    const text = textFor(0, PARKED)
    for (let found = bytes.indexOf(text); found >= 0; found = bytes.indexOf(text, found + 1)) bytes[found + at]! ^= 4
    writeFileSync(data, bytes)
    const notes: string[] = []
    const open = () => openLmdbStore({ directory, verifyMs: 0, onNote: note => notes.push(note) })
    const store = await open()
    expect(await intactPosts(store)).toBe(PARKED - 1)
    expect([store.quarantined, notes]).toEqual([
      1,
      ['1 damaged messages of #hall were moved aside; its log has holes there.'],
    ])
    expect(await store.rooms.taken(ROOM, stream)).toBe(taken)
    await store.close()
    const again = await open()
    expect(await again.rooms.append(ROOM, [parcel(PARKED + 1, { floor: PARKED + 1 })])).toMatchObject({
      outcomes: [{ offset: PARKED + 1 }],
    })
    await again.close()
  },
)

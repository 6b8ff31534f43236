import * as fc from 'fast-check'
import { expect, test } from 'vitest'

import { pageInSteps, type PageStep } from '../../src/store/room-pages.ts'
import { RoomTables } from '../../src/store/memory/rooms.ts'
import type { RoomEntry, RoomPage, RoomQuery } from '../../src/protocol/rooms.ts'
import { defaultRoomLimits } from '../../src/store/room-store.ts'
import { streamName } from '../../src/protocol/mailbox.ts'
import { parcel, roomSettings } from './support.ts'

/** A step over a log in memory that looks at so many messages. */
function stepOver(entries: readonly RoomEntry[], lookedAt: number, epoch = () => 'one') {
  return (query: RoomQuery): Promise<PageStep> => {
    const { after, before = Infinity, from, limit, maxBytes } = query
    const inside = entries.filter(({ offset }) => offset > (after ?? 0) && offset < before)
    const seen = (after === undefined ? inside.reverse() : inside).slice(0, lookedAt)
    const found: RoomEntry[] = []
    let bytes = 0
    let full = false
    for (const entry of seen) {
      if (from !== undefined && !entry.stream.startsWith(`${from} `)) continue
      bytes += entry.body.end - entry.body.start
      full ||= found.length === limit || (found.length > 0 && bytes > maxBytes)
      if (!full) found.push(entry)
    }
    const stopped = full || seen.length < lookedAt ? 0 : (seen.at(-1)?.offset ?? 0)
    const log = { epoch: epoch(), ended: [], first: 1, last: entries.length }
    return Promise.resolve({ log, found, stopped })
  }
}

function logOf(sizes: readonly number[]): RoomTables {
  const tables = new RoomTables(defaultRoomLimits, () => 0)
  tables.create('#hall', roomSettings())
  for (const [index, size] of sizes.entries()) {
    const stream = streamName(size % 2 === 0 ? 'ann' : 'bob', 'outbox-1')
    tables.append('#hall', [parcel(index + 1, { stream, floor: index + 1, text: 'x'.repeat(size) })])
  }
  return tables
}

const aQuery = fc.record(
  {
    after: fc.nat(20),
    before: fc.nat(20),
    from: fc.constantFrom('ann', 'bob', 'nobody'),
    limit: fc.integer({ min: 1, max: 8 }),
    maxBytes: fc.integer({ min: 1, max: 30 }),
  },
  { requiredKeys: ['limit', 'maxBytes'] },
)

test('a page by steps is the page that one look would find, however far a step looks', async () => {
  // No body is empty: nil is a byte.
  const sizes = fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 18 })
  await fc.assert(
    fc.asyncProperty(sizes, aQuery, fc.integer({ min: 1, max: 5 }), async (sizes, query, lookedAt) => {
      const tables = logOf(sizes)
      const entries = tables.page('#hall', { after: 0, limit: 100, maxBytes: 1e9 })?.entries ?? []
      const page = await pageInSteps(query, stepOver(entries, lookedAt))
      expect(page?.entries).toEqual(tables.page('#hall', query)?.entries)
    }),
    { numRuns: 500, examples: [[[0, 0, 0, 0, 12, 4, 0], { after: 4, limit: 3, maxBytes: 16 }, 1]] },
  )
})

test('a log that loses its end between two steps is looked through again', async () => {
  const old = logOf([2, 2, 2, 2]).page('#hall', { after: 0, limit: 9, maxBytes: 99 }) as RoomPage
  const now = logOf([2, 2, 4]).page('#hall', { after: 0, limit: 9, maxBytes: 99 }) as RoomPage
  let steps = 0
  const page = await pageInSteps({ after: 0, limit: 9, maxBytes: 99 }, query =>
    ++steps <= 3 ? stepOver(old.entries, 1)(query) : stepOver(now.entries, 1, () => 'two')(query),
  )
  expect(page).toMatchObject({ epoch: 'two', last: 3, entries: now.entries })
})

test('a room that is deleted between two steps is not there', async () => {
  const { entries } = logOf([2, 2]).page('#hall', { after: 0, limit: 9, maxBytes: 99 }) as RoomPage
  let steps = 0
  const step = stepOver(entries, 1)
  expect(
    await pageInSteps({ limit: 9, maxBytes: 99 }, query => (++steps > 1 ? Promise.resolve(null) : step(query))),
  ).toBe(null)
})

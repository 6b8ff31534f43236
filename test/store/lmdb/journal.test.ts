/** Random calls on the messages of one mailbox, in a real file and through restarts, against a list of what must be there. */
import * as fc from 'fast-check'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

import { openEnvironment, type Environment } from '../../../src/store/lmdb/environment.ts'
import { bodyBytes, Journal } from '../../../src/store/lmdb/journal.ts'
import type { ParkedEntry } from '../../../src/store/lmdb/entries.ts'
import { boxRange, type BoxRecord, Tag } from '../../../src/store/lmdb/records.ts'
import { addToRuns, cutRuns, type Run } from '../../../src/store/lmdb/runs.ts'

let directory: string
let environment: Environment

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ackd-journal-'))
  environment = openEnvironment(join(directory, 'data'), { readOnly: false, mapBytes: 2 ** 26 })
})

afterEach(async () => {
  await environment.close()
  rmSync(directory, { recursive: true })
})

function boxOf(number: number): BoxRecord {
  const counts = { expires: 0, count: 0, bytes: 0, through: 0, floor: 0, earliest: 0, headS: 0, headAttempts: 0 }
  return { number, ...counts, streams: 0, dead: 0, uses: 0, secret: null, nextSecret: null }
}

interface World {
  box: BoxRecord
  journal: Journal
  /** What must be there, oldest first. */
  there: ParkedEntry[]
  last: number
}

type Act = (world: World) => void

const add = fc
  .array(fc.record({ bytes: fc.constantFrom(0, 10, 300, 3_000, 9_000), stream: fc.constantFrom('a 1', 'b 2') }), {
    minLength: 1,
    maxLength: 40,
  })
  .map((drafts): Act => world => {
    const entries = drafts.map(({ bytes, stream }): ParkedEntry => {
      const s = ++world.last
      const body = { bytes: Buffer.alloc(bytes, s), start: 0, end: bytes, text: false }
      return { s, stream, n: s, time: 1, body, reason: '', repeated: false, expires: s * 2 }
    })
    world.last += drafts.length % 3
    world.journal.add(entries)
    world.there.push(...entries)
  })

const take = fc.record({ share: fc.nat(100), looks: fc.boolean() }).map(({ share, looks }): Act => world => {
  const upTo = world.there[Math.floor((world.there.length * share) / 101)]?.s ?? 0
  const handed: Run[] = []
  if (looks) for (const entry of world.journal.read(0, Infinity).entries) addToRuns(handed, entry)
  const runs = looks ? cutRuns(handed, upTo) : world.journal.upTo(upTo)
  const places = runs.flatMap(({ s, sizes }) => sizes.map((_, index) => s - sizes.length + 1 + index))
  expect(places).toEqual(world.there.filter(({ s }) => s <= upTo).map(({ s }) => s))
  for (const run of runs) world.journal.take(run)
  world.there = world.there.filter(({ s }) => s > upTo)
})

const replace = fc.array(fc.nat(1_000), { minLength: 1, maxLength: 5 }).map((places): Act => world => {
  const { entries } = world.journal.read(0, Infinity)
  const some = new Set(places.map(place => place % Math.max(1, entries.length)))
  const voids = entries
    .filter((_, index) => some.has(index))
    .map(entry => ({ ...entry, body: null, reason: 'expired' as const }))
  world.journal.replace(voids)
  const others = new Map(voids.map(entry => [entry.s, entry]))
  world.there = world.there.map(entry => others.get(entry.s) ?? entry)
})

const restart = fc.constant<Act>(world => {
  // The box is written down by others; of it only the number and the floor matter here.
  world.box = { ...boxOf(world.box.number), floor: world.box.floor }
  world.journal = new Journal(environment, world.box)
})

const read = fc
  .record({ share: fc.nat(100), limit: fc.integer({ min: 1, max: 50 }), maxBytes: fc.constantFrom(1, 2_000, 1e9) })
  .map(({ share, limit, maxBytes }): Act => ({ journal, there }) => {
    const after = there[Math.floor((there.length * share) / 101)]?.s ?? 0
    const rest = there.filter(({ s }) => s > after)
    const page: ParkedEntry[] = []
    let bytes = 0
    for (const entry of rest) {
      bytes += bodyBytes(entry)
      if (page.length === limit || (bytes > maxBytes && page.length > 0)) break
      page.push(entry)
    }
    const found = journal.read(after, limit, maxBytes)
    expect(found.entries.map(plain)).toEqual(page.map(plain))
    expect(found.more).toBe(page.length < rest.length)
  })

function plain({ s, stream, n, body, reason, expires }: ParkedEntry) {
  const bytes = body === null ? null : Buffer.from(body.bytes.subarray(body.start, body.end)).toString('hex')
  return { s, stream, n, bytes, reason, expires }
}

const acts = fc.oneof(
  { weight: 5, arbitrary: add },
  { weight: 5, arbitrary: take },
  { weight: 2, arbitrary: replace },
  { weight: 2, arbitrary: restart },
  { weight: 5, arbitrary: read },
)

function recordsOf(number: number): number {
  return [...environment.range(...boxRange(Tag.entry, number))].length
}

test('holds what was added and not taken, whatever the records are', async () => {
  let runs = 0
  await fc.assert(
    fc.asyncProperty(fc.array(acts, { minLength: 10, maxLength: 60, size: 'max' }), async script => {
      const box = boxOf(++runs)
      const world: World = { box, journal: new Journal(environment, box), there: [], last: runs * 100_000 }
      await environment.transaction(() => {
        for (const act of script) act(world)
        for (const one of world.journal.upTo(Infinity)) world.journal.take(one)
        expect(recordsOf(box.number)).toBe(0)
      })
    }),
    { numRuns: 40, interruptAfterTimeLimit: 4_000, markInterruptAsFailure: false },
  )
}, 30_000)

test('takes a record away with the last of it, and not before', async () => {
  const box = boxOf(1)
  const journal = new Journal(environment, box)
  const body = { bytes: Buffer.from('x'), start: 0, end: 1, text: true }
  const entry = { stream: 'a 1', time: 1, body, reason: '', repeated: false, expires: 9 } as const
  await environment.transaction(() => {
    journal.add([1, 2, 3].map(n => ({ ...entry, s: n, n })))
    expect(recordsOf(1)).toBe(1)
    for (const one of journal.upTo(2)) journal.take(one)
    expect([recordsOf(1), box.floor]).toEqual([1, 2])
    for (const one of journal.upTo(3)) journal.take(one)
    expect(recordsOf(1)).toBe(0)
  })
})

import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import type { KeptEntry } from '../../../src/store/lmdb/entries.ts'
import { addToRuns, cutRuns, messagesOf, oldestOf, type Run } from '../../../src/store/lmdb/runs.ts'

const bytes = Buffer.alloc(100)

function entryOf(s: number, changes: Partial<KeptEntry> = {}): KeptEntry {
  const body = { bytes, start: 0, end: s % 50, text: false }
  return { s, stream: 'a 1', n: s, time: 1, body, reason: '', repeated: false, expires: 9, under: 100, ...changes }
}

function runsOf(entries: readonly KeptEntry[]): Run[] {
  const runs: Run[] = []
  for (const entry of entries) addToRuns(runs, entry)
  return runs
}

/** The messages of runs, one by one. */
function spread(runs: readonly Run[]) {
  return runs.flatMap(({ stream, reason, under, s, n, sizes }) =>
    sizes.map((size, index) => {
      const before = sizes.length - 1 - index
      return { stream, reason, under, s: s - before, n: n - before, size }
    }),
  )
}

function plain({ s, stream, n, body, reason, under }: KeptEntry) {
  return { stream, reason, under, s, n, size: body === null ? 0 : body.end - body.start }
}

describe('runs of messages', () => {
  test('are one where each follows the one before', () => {
    expect(runsOf([1, 2, 3].map(s => entryOf(s)))).toEqual([
      { stream: 'a 1', reason: '', under: 100, s: 3, n: 3, sizes: [1, 2, 3] },
    ])
  })

  test.each([
    ['stream', { stream: 'b 2' }],
    ['record', { under: 200 }],
    ['number', { n: 9 }],
    ['place', { s: 9 }],
    ['end', { reason: 'expired', body: null } as const],
  ])('end where another %s begins', (_what, changes) => {
    expect(runsOf([entryOf(1), entryOf(2, changes)])).toHaveLength(2)
    expect(runsOf([entryOf(1, changes), entryOf(2)])).toHaveLength(2)
  })

  test('have a void alone, also beside another one', () => {
    const voids = [1, 2].map(s => entryOf(s, { reason: 'expired', body: null }))
    expect(runsOf(voids)).toHaveLength(2)
  })

  test('know their oldest message, and none of nothing', () => {
    const runs = runsOf([4, 5, 6].map(s => entryOf(s)))
    expect(oldestOf(runs)).toBe(4)
    cutRuns(runs, 5)
    expect(oldestOf(runs)).toBe(6)
    expect(oldestOf([])).toBeNull()
  })

  test('are cut between any two messages, and none is lost or changed', () => {
    const drafts = fc.array(
      fc.record({ stream: fc.constantFrom('a 1', 'b 2'), skips: fc.nat(1), record: fc.nat(3), isVoid: fc.boolean() }),
      { maxLength: 60 },
    )
    fc.assert(
      fc.property(drafts, fc.array(fc.nat(130), { maxLength: 5 }), (list, cuts) => {
        let s = 0
        const entries = list.map(({ stream, skips, record, isVoid }) => {
          s += 1 + skips
          const end = isVoid ? ({ reason: 'dead', body: null } as const) : {}
          return entryOf(s, { stream, under: 1_000 + record, ...end })
        })
        const runs = runsOf(entries)
        let rest = entries.map(plain)
        for (const upTo of cuts) {
          expect(spread(cutRuns(runs, upTo))).toEqual(rest.filter(one => one.s <= upTo))
          rest = rest.filter(one => one.s > upTo)
          expect(spread(runs)).toEqual(rest)
          expect([messagesOf(runs), oldestOf(runs)]).toEqual([rest.length, rest[0]?.s ?? null])
        }
      }),
    )
  })
})

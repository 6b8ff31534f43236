/** Several messages in one record: what comes out is what went in, and damage harms no more than the message that it hit. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'

import { putEntries, readEntries, salvage } from '../../../src/store/lmdb/bundle.ts'
import type { ParkedEntry } from '../../../src/store/lmdb/entries.ts'
import { DamagedRecord, entryPlace } from '../../../src/store/lmdb/records.ts'

const BOX = 7

interface Stored {
  readonly key: Buffer
  readonly value: Buffer
}

function stored(entries: readonly ParkedEntry[]): Stored[] {
  const records: Stored[] = []
  putEntries(BOX, entries, (key, value) => records.push({ key: Buffer.from(key), value: Buffer.from(value) }))
  return records
}

/** With the bytes of the body in the place of where they are. */
function plain({ s, stream, n, time, body, reason, repeated, expires }: ParkedEntry) {
  const bytes = body === null ? null : Buffer.from(body.bytes.subarray(body.start, body.end)).toString('hex')
  return { s, stream, n, time, bytes, text: body?.text === true, reason, repeated, expires }
}

const anEntry = fc.record({
  stream: fc.constantFrom('alice outbox-1', 'alice outbox-2', 'bob x'),
  n: fc.nat(2 ** 40),
  time: fc.nat(2 ** 41),
  expires: fc.nat(2 ** 41),
  bytes: fc.option(fc.constantFrom(0, 1, 100, 1_000, 8_000, 20_000), { freq: 8 }),
  text: fc.boolean(),
  repeated: fc.boolean(),
  reason: fc.constantFrom('rejected', 'expired', 'dead'),
  after: fc.constantFrom(1, 1, 1, 1, 1, 1, 1, 2, 1_000),
})

const someEntries = fc.array(anEntry, { minLength: 1, maxLength: 300, size: 'max' }).map(drafts => {
  let s = 1_800_000_000_000_000
  return drafts.map(({ bytes, text, reason, after, ...rest }, index): ParkedEntry => {
    s += after
    const body = bytes === null ? null : { bytes: Buffer.alloc(bytes + 2, index), start: 1, end: bytes + 1, text }
    return { ...rest, s, body, reason: body === null ? reason : '' }
  })
})

test('comes out as it went in, from any place and as many as are wanted', () => {
  fc.assert(
    fc.property(someEntries, fc.nat(), fc.integer({ min: 1, max: 300 }), (entries, at, limit) => {
      const records = stored(entries)
      const read = records.flatMap(({ key, value }) => readEntries(key, value))
      expect(read.map(plain)).toEqual(entries.map(plain))
      const after = entries[at % entries.length]?.s ?? 0
      for (const { key, value } of records) {
        const wanted = readEntries(key, value)
        expect(wanted.map(({ under }) => under)).toEqual(wanted.map(() => entryPlace(key)))
        expect(wanted.at(-1)?.s).toBe(entryPlace(key))
        const some = readEntries(key, value, after, limit)
        expect(some.map(plain)).toEqual(
          wanted
            .filter(({ s }) => s > after)
            .slice(0, limit)
            .map(plain),
        )
      }
    }),
    { numRuns: 40 },
  )
})

test('is few records for many messages, of which none is large because of it', () => {
  const entries = (bytes: number): ParkedEntry[] =>
    Array.from({ length: 128 }, (_, index) => {
      const body = { bytes: Buffer.alloc(bytes), start: 0, end: bytes, text: false }
      return {
        s: 100 + index,
        stream: 'alice outbox-1',
        n: 1 + index,
        time: 5,
        body,
        reason: '',
        repeated: false,
        expires: 9,
      }
    })
  expect(stored(entries(10)).length).toBe(1)
  expect(stored(entries(128)).length).toBe(3)
  expect(stored(entries(9_000)).length).toBe(128)
  for (const { value } of stored(entries(128))) expect(value.length).toBeLessThan(10_000)
})

const five = Array.from({ length: 5 }, (_, index): ParkedEntry => {
  const body = index === 3 ? null : { bytes: Buffer.from(`message ${index}`), start: 0, end: 9, text: true }
  const reason = body === null ? 'expired' : ''
  const stream = `alice outbox-${index >> 1}`
  return { s: 1_000 + index, stream, n: 10 + index, time: 77, body, reason, repeated: index === 2, expires: 99 }
})

/** Judges a record that was altered; answers how many of its messages are not whole. Throws if one that counts as whole is not as it was. */
function harmed({ key, value }: Stored): number {
  expect(() => readEntries(key, value)).toThrow(DamagedRecord)
  const messages = salvage(key, value)
  for (const { s, header, isWhole } of messages) {
    const original = five[s - 1_000]
    if (original === undefined) throw new Error(`there never was a message at ${s}`)
    if (header === null) continue
    if (isWhole) expect(plain(header)).toEqual(plain(original))
    else expect([header.n, header.stream, header.reason]).toEqual([original.n, original.stream, original.reason])
  }
  return messages.length === five.length ? messages.filter(({ isWhole }) => !isWhole).length : five.length
}

test('any one bit that is wrong is noticed, and harms one message at most', () => {
  const [record] = stored(five)
  if (record === undefined) throw new Error('nothing was written')
  let unharmed = 0
  for (let bit = 0; bit < record.value.length * 8; bit++) {
    const value = Buffer.from(record.value)
    value[bit >> 3]! ^= 1 << (bit & 7)
    const count = harmed({ ...record, value })
    expect([bit, count]).toEqual([bit, Math.min(count, 1)])
    if (count === 0) unharmed++
  }
  expect(unharmed).toBeGreaterThan(0)
})

test('bytes that are wrong together harm those messages that they hit, or all when both lists are gone, and alter none', () => {
  const [record] = stored(five)
  if (record === undefined) throw new Error('nothing was written')
  for (const length of [8, 40, 150, record.value.length]) {
    for (let at = 0; at + length <= record.value.length; at++) {
      const value = Buffer.from(record.value)
      value.fill(0xa5, at, at + length)
      const most = length === record.value.length ? five.length : Math.ceil(length / 40) + 1
      expect(harmed({ ...record, value })).toBeLessThanOrEqual(most)
    }
  }
})

test('a key that is wrong harms none', () => {
  const [record] = stored(five)
  if (record === undefined) throw new Error('nothing was written')
  for (let bit = 8; bit < record.key.length * 8; bit++) {
    const key = Buffer.from(record.key)
    key[bit >> 3]! ^= 1 << (bit & 7)
    expect(harmed({ ...record, key })).toBe(0)
    expect(salvage(key, record.value).map(({ box }) => box)).toEqual(five.map(() => BOX))
  }
})

/**
 * What a journal gives back after a crash of the machine: pages that were on their way to the disk together get there in any order, and
 * some of them not at all. So a hole may be followed by what is intact.
 */
import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { platform } from 'node:process'
import { crc32 } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Journal, readJournal } from '../../src/client/journal.node.ts'

const PAGE = 4_096
let dir: string
let path: string
let journal: Journal

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ackd-journal-'))
  path = join(dir, 'journal')
  journal = new Journal(path, () => Buffer.from('snapshot'), true)
})

afterEach(() => {
  journal.close()
  rmSync(dir, { recursive: true })
})

/** Writes records of those sizes at once, flushed or not, and returns how long the file is then. */
function write(name: string, sizes: readonly number[], durable: boolean): number {
  for (const [i, size] of sizes.entries()) journal.add(Buffer.from(`${name}${i} `.padEnd(size, '.')), durable)
  journal.commit()
  return statSync(path).size
}

/** What is in it, by the names of the records; null when it must not be used. */
function read(): readonly string[] | null {
  const content = readJournal(path)
  if (content === null || 'damagedAt' in content) return null
  return content.records.map(record => Buffer.from(record).toString().split(' ')[0] ?? '')
}

/** These bytes did not get to the disk. */
function lose(from: number, to: number): void {
  const bytes = readFileSync(path)
  bytes.fill(0, from, to)
  writeFileSync(path, bytes)
}

test('ends before what was torn in its middle, when a crash can have done that', () => {
  const kept = write('a', [100], true)
  write('b', [3_000, 3_000, 3_000, 3_000], true)
  lose(PAGE, 2 * PAGE)
  expect(read()).toEqual(['snapshot', 'a0', 'b0'])
  lose(kept, PAGE)
  expect(read()).toEqual(['snapshot', 'a0'])
})

test('ends before what was not flushed, though what was written after it was on its way to be', () => {
  const kept = write('a', [100], true)
  write('b', [PAGE], false)
  write('c', [PAGE], true)
  lose(kept, PAGE)
  expect(read()).toEqual(['snapshot', 'a0'])
})

test('ends before a record of which only the beginning got to the disk', () => {
  const kept = write('a', [100], true)
  const size = write('b', [100, 100], true)
  lose(kept + 4, size)
  expect(read()).toEqual(['snapshot', 'a0'])
})

test('is not used when something was lost from it that had been flushed', () => {
  write('a', [100], true)
  write('b', [100], true)
  write('c', [10], false)
  lose(60, 70)
  expect(read()).toBeNull()
})

test('is read in the form of the first version, in which every hole is damage', () => {
  const framed = (text: string): Buffer => {
    const record = Buffer.from(text)
    const prefix = Buffer.alloc(12)
    prefix.write('aJ\xf5\x01', 'latin1')
    prefix.writeUInt32BE(record.length, 4)
    prefix.writeUInt32BE(crc32(record), 8)
    return Buffer.concat([prefix, record])
  }
  const whole = Buffer.concat([Buffer.from('ackd journal 1\n'), framed('snapshot'), framed('a0'), framed('b0')])
  writeFileSync(path, whole)
  expect(read()).toEqual(['snapshot', 'a0', 'b0'])
  lose(whole.length - 1, whole.length)
  expect(read()).toEqual(['snapshot', 'a0'])
  writeFileSync(path, whole)
  lose(whole.indexOf('a0'), whole.indexOf('a0') + 2)
  expect(read()).toBeNull()
})

test.runIf(platform === 'linux')('is whole when a disk that took nothing takes something again', () => {
  const megabyte = Buffer.alloc(1_048_576)
  const full = `${path}.new`
  for (let i = 0; i < 4; i++) {
    // What is written there finds no space.
    symlinkSync('/dev/full', full)
    journal.add(megabyte, true)
    expect(() => journal.commit()).toThrow(expect.objectContaining({ code: 'ENOSPC' }))
  }
  journal.commit()
  expect(read()).toEqual(['snapshot'])
  write('a', [100], true)
  expect(read()).toEqual(['snapshot', 'a0'])
})

/** The group commit on a disk that hangs: what it has not taken is told to nobody. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { openEnvironment, type Environment } from '../../../src/store/lmdb/environment.ts'
import { LmdbWriter } from '../../../src/store/lmdb/writer.ts'

let directory: string
let disk: Environment

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ackd-writer-'))
  disk = openEnvironment(join(directory, 'messages.mdb'), { readOnly: false, mapBytes: 2 ** 24 })
})

afterEach(async () => {
  vi.useRealTimers()
  await disk.close()
  rmSync(directory, { recursive: true })
})

test('what was given up is waited for until the disk has it, since what is cached of it may never get there', async () => {
  let goOn = (): void => {}
  const hanging = new Promise<void>(resolve => {
    goOn = resolve
  })
  const hung: Environment = {
    ...disk,
    transaction: async run => {
      const result = await disk.transaction(run)
      await hanging
      return result
    },
  }
  const cached = { change: (run: () => void) => run(), settle: () => {} }
  const writer = new LmdbWriter(hung, cached, () => {}, Infinity)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  let isDone = false
  const write = writer.write('bob', 0, () => {
    isDone = true
  })
  const behind = writer.write('carol', 0, () => {})
  const refused = Promise.allSettled([write, behind])
  await expect.poll(() => isDone).toBe(true)
  const late = writer.write('dave', 0, () => {})
  late.catch(() => {})
  vi.advanceTimersByTime(30_000)
  for (const one of await refused) expect(one).toMatchObject({ status: 'rejected' })
  await expect(late).rejects.toThrow('has not taken a write')
  expect(['bob', 'carol', 'dave', 'erin'].map(id => writer.waits(id))).toEqual([true, true, false, false])
  goOn()
  await writer.drain()
  expect(['bob', 'carol'].map(id => writer.waits(id))).toEqual([false, false])
  await writer.write('bob', 0, () => {})
})

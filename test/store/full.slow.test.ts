/** Lets the disk run full under the store, gives it room again, and counts. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'

import { openLmdbStore } from '../../src/store/lmdb.ts'
import { bindRequest, expectWholeLog, page, parcel, register, stream } from './support.ts'

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ackd-full-'))
})

afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

/** Parks in a child process until a write fails, calls `free`, and waits until it parks again. Returns what the child printed. */
async function parkThrough(data: string, limitKiB: number | null, free: (pid: number) => void): Promise<string> {
  const limit = limitKiB === null ? '' : `ulimit -S -f ${limitKiB}; trap '' XFSZ; `
  const command = `${limit}exec "${process.execPath}" --import tsx test/store/parker.ts "${data}" 2000`
  // The driver writes failed commits to the standard error as well.
  const child = spawn('bash', ['-c', command], { stdio: ['ignore', 'pipe', 'ignore'] })
  const closed = once(child, 'close')
  let output = ''
  child.stdout.on('data', chunk => (output += String(chunk)))
  while (!output.includes('failed') && child.exitCode === null) await sleep(5)
  free(child.pid ?? 0)
  const recovered = (): boolean => /\nat \d+\n\d+\n/.test(output)
  for (let waited = 0; !recovered() && child.exitCode === null && waited < 10_000; waited += 20) await sleep(20)
  child.kill('SIGKILL')
  await closed
  expect(output).toMatch(/failed The store could not write: .* \/ .*[Ff]ree some space/)
  expect(recovered()).toBe(true)
  return output
}

/** All that was acknowledged is there, in order, and nothing that was never parked. */
async function expectWhole(data: string, output: string): Promise<void> {
  const promised = Math.max(...output.split('\n').slice(0, -1).map(Number).filter(Number.isFinite))
  const store = await openLmdbStore({ directory: data })
  const bound = await store.bind(bindRequest('bob'))
  if (bound.kind !== 'bound') throw new Error(bound.kind)
  const { entries } = await page(store, 'bob', bound.token, 0, 1e6)
  const { last } = await store.sync('bob', stream)
  expect(last).toBeGreaterThanOrEqual(promised)
  expect(entries.map(({ n }) => n)).toEqual(Array.from({ length: last }, (_, index) => index + 1))
  await expectWholeLog(store, promised)
  await store.close()
}

test('a file that may not grow fails what does not fit, keeps what does, and goes on when it may', async () => {
  const output = await parkThrough(directory, 2_048, pid =>
    execFileSync('prlimit', ['--pid', String(pid), '--fsize=unlimited']),
  )
  await expectWhole(directory, output)
})

test('a full disk fails what does not fit, keeps what does, and goes on when there is room', async ({ skip }) => {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', directory], { stdio: 'ignore' })
  } catch {
    skip('mounting a small disk needs rights that this user does not have')
  }
  try {
    writeFileSync(join(directory, 'ballast'), Buffer.alloc(1_500_000))
    const data = join(directory, 'data')
    const output = await parkThrough(data, null, () => rmSync(join(directory, 'ballast')))
    await expectWhole(data, output)
  } finally {
    execFileSync('umount', [directory])
  }
})

test('a data file that outgrows its first map is whole when it is opened again', async () => {
  const store = await openLmdbStore({ directory, mapBytes: 2 ** 20 })
  await register(store, 'bob')
  for (let n = 1; n <= 1_000; n++) await store.enqueue('bob', [parcel(n, { text: 'x'.repeat(3_000) })])
  await store.close()
  const again = await openLmdbStore({ directory, mapBytes: 2 ** 20 })
  expect(await again.sync('bob', stream)).toMatchObject({ last: 1_000 })
  expect(await again.client('bob')).toMatchObject({ parked: 1_000, bytes: 3_000_000 })
  await again.close()
})

/** Kills a process that parks messages, at any moment, and counts what is left. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'

import { openLmdbStore } from '../../src/store/lmdb.ts'
import { StoreError } from '../../src/store/store.ts'
import { bindRequest, expectWholeLog, page, stream } from './support.ts'

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ackd-kill-'))
})

afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

function park(): { child: ChildProcess; output: () => string } {
  const child = spawn(process.execPath, ['--import', 'tsx', 'test/store/parker.ts', directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', chunk => (output += String(chunk)))
  return { child, output: () => output }
}

/** The last number that a whole line of the output acknowledges. */
function acknowledged(output: string): number {
  const lines = output.slice(0, output.lastIndexOf('\n')).split('\n')
  return Number(lines.at(-1)?.replace('from ', ''))
}

test('what was acknowledged is there after any kill', async () => {
  let total = 0
  let taken = 0
  for (let round = 0; round < 6; round++) {
    const { child, output } = park()
    while (!output().includes('\n')) await sleep(5)
    await sleep(Math.random() * 120)
    child.kill('SIGKILL')
    await once(child, 'close')
    const promised = acknowledged(output())
    expect(promised).toBeGreaterThanOrEqual(total)
    const store = await openLmdbStore({ directory })
    const { last } = await store.sync('bob', stream)
    expect(last).toBeGreaterThanOrEqual(promised)
    const bound = await store.bind(bindRequest('bob'))
    if (bound.kind !== 'bound') throw new Error(bound.kind)
    const { entries } = await page(store, 'bob', bound.token, 0, 1e6)
    expect(entries.map(({ n }) => n)).toEqual(Array.from({ length: last - taken }, (_, index) => taken + 1 + index))
    // In the middle of a record, as often as not.
    const upTo = entries[Math.floor(entries.length * Math.random())]
    await store.remove('bob', bound.token, upTo?.s ?? 0)
    taken = upTo?.n ?? taken
    expect(await store.client('bob')).toMatchObject({ parked: last - taken })
    await expectWholeLog(store, promised)
    total = Math.min(last, await store.rooms.taken('#hall', stream))
    await store.close()
  }
  expect(total).toBeGreaterThan(0)
})

test('a second server is refused while the first lives, and takes over when it was killed', async () => {
  const { child, output } = park()
  while (!output().includes('\n')) await sleep(5)
  const refused = await openLmdbStore({ directory }).then(
    () => null,
    (error: unknown) => error,
  )
  expect(refused).toBeInstanceOf(StoreError)
  expect(refused).toMatchObject({ message: `The data directory is in use by another server (process ${child.pid}).` })
  child.kill('SIGKILL')
  await once(child, 'close')
  const store = await openLmdbStore({ directory })
  await expect(openLmdbStore({ directory })).rejects.toThrow('in use')
  await store.close()
  await (await openLmdbStore({ directory })).close()
})

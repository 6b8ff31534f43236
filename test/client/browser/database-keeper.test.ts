/** What the tab that leads keeps, also when there is no room. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Database, type Entry, type Written } from '../../../src/client/browser/database.ts'
import { DatabaseKeeper } from '../../../src/client/browser/database-keeper.ts'
import { memoryIdentity } from '../../../src/client/identity.ts'
import { Outbox } from '../../../src/client/outbox.ts'
import { textBody } from '../bodies.ts'
import { newDatabases, type Databases } from '../databases.ts'

/** A database that can be full, so that nothing or only less goes in; with less than no room, nothing can be taken out either. */
class SmallDatabase extends Database {
  room = Infinity
  writes = 0
  forgot = 0

  override write(entry: Entry): Promise<Written> {
    this.writes++
    const size = entry.records.reduce((sum, { length }) => sum + length, 0)
    return size > this.room ? Promise.reject(new Error('QuotaExceededError')) : super.write(entry)
  }

  override forget(taken: readonly number[]): Promise<void> {
    this.forgot++
    return this.room < 0 ? Promise.reject(new Error('The disk is full.')) : super.forget(taken)
  }
}

let databases: Databases
let database: SmallDatabase
let keeper: DatabaseKeeper
let outbox: Outbox
let errors: string[]
let fenced: number

async function open(): Promise<void> {
  const lead = await database.lead()
  const opened = new DatabaseKeeper(database, lead, memoryIdentity(), {
    fenced: () => fenced++,
    failed: error => errors.push(error.code),
  })
  keeper = opened
  outbox = new Outbox(
    { settled: () => {}, changed: change => opened.changed(change), reconnect: () => {} },
    { newName: () => 'outbox-x', ...(opened.outbox && { restore: opened.outbox }) },
  )
  opened.attach(
    () => outbox.snapshot(),
    () => [],
    () => [],
  )
}

const add = (text: string): unknown => outbox.add('bob', textBody(text), 0, 0, text)
const kept = (): string[] => outbox.snapshot().streams.flatMap(({ messages }) => messages.map(({ key }) => key))

beforeEach(async () => {
  databases = newDatabases()
  database = new SmallDatabase(databases, 'test')
  errors = []
  fenced = 0
  await open()
})

afterEach(() => {
  vi.useRealTimers()
})

test('everything is there the next time, though it was told in one turn or in many', async () => {
  add('a')
  const first = keeper.commit()
  add('b')
  const second = keeper.commit()
  add('c')
  expect(keeper.commit()).toBe(second)
  await Promise.all([first, second])
  expect(keeper.commit()).toBeUndefined()
  add('d')
  await keeper.commit()
  await open()
  expect(kept()).toEqual(['a', 'b', 'c', 'd'])
})

test('when the page goes at once, messages that are not in the journal yet become letters, in order', async () => {
  add('a')
  await keeper.commit()
  await database.file([{ key: 'taken', target: 'bob', body: textBody('taken'), ttl: 0 }], 0)
  const [letter] = await database.letters()
  add('b')
  add('taken')
  if (letter) keeper.took(letter)
  const writing = keeper.commit()
  add('c')
  keeper.recorded({ to: 'me', from: 'ann', outbox: 'outbox-a', n: 7 })
  keeper.close()
  await expect(writing).rejects.toThrow()
  await open()
  expect(kept()).toEqual(['a'])
  expect(keeper.cursors).toMatchObject([{ from: 'ann', n: 7 }])
  expect((await database.letters()).map(({ key }) => key)).toEqual(['taken', 'b', 'c'])
})

test('what has been written when the page goes becomes no letter', async () => {
  add('a')
  await keeper.commit()
  keeper.close()
  await open()
  expect([kept(), await database.letters()]).toEqual([['a'], []])
})

test('without room for more it keeps the whole, which may be less', async () => {
  add('a')
  await keeper.commit()
  for (let i = 0; i < 5; i++) outbox.nextAttempt()
  database.room = 60
  await keeper.commit()
  expect([errors, database.forgot]).toEqual([[], 0])
  await open()
  expect(outbox.snapshot().attempt).toBe(5)
})

test('without any room it goes on, keeps nothing rather than something old, and says so once', async () => {
  add('a')
  await keeper.commit()
  database.room = 0
  add('b')
  await keeper.commit()
  add('c')
  expect(keeper.commit()).toBeUndefined()
  expect(errors).toEqual(['not_kept'])
  await open()
  expect(kept()).toEqual([])
})

test('while nothing can be taken out either, it does not say that anything is kept, until it is', async () => {
  add('a')
  await keeper.commit()
  database.room = -1
  add('b')
  await expect(keeper.commit()).rejects.toThrow('The disk is full.')
  // Nothing was told since, and yet there is something to keep.
  await expect(keeper.commit()).rejects.toThrow('The disk is full.')
  database.room = Infinity
  await keeper.commit()
  expect(keeper.commit()).toBeUndefined()
  await open()
  expect(kept()).toEqual(['a', 'b'])
})

test('a letter that was taken while nothing could be written is taken out when something can', async () => {
  await database.file([{ key: 'letter', target: 'bob', body: textBody('letter'), ttl: 0 }], 0)
  const [letter] = await database.letters()
  database.room = -1
  add('letter')
  if (letter) keeper.took(letter)
  await expect(keeper.commit()).rejects.toThrow('The disk is full.')
  database.room = Infinity
  await keeper.commit()
  await open()
  expect(kept()).toEqual(['letter'])
  expect(await database.letters()).toEqual([])
})

test('with room again it keeps everything again', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  database.room = 0
  add('a')
  await keeper.commit()
  database.room = Infinity
  vi.advanceTimersByTime(10_000)
  add('b')
  await keeper.commit()
  await open()
  expect(kept()).toEqual(['a', 'b'])
})

test('does not grow without end', async () => {
  const body = 'x'.repeat(10_000)
  for (let i = 0; i < 150; i++) {
    add(body)
    outbox.opened({ send: () => {}, sync: () => {} }, { sendWindow: { messages: 8, bytes: 100_000 }, ackTimeout: 1 }, 0)
    outbox.delivered('bob', i + 1, 0)
    outbox.closed()
    await keeper.commit()
  }
  const { records } = await database.lead()
  expect(records.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(1_300_000)
})

test('tells when another tab leads, and writes nothing more', async () => {
  add('a')
  await keeper.commit()
  await new Database(databases, 'test').lead()
  add('b')
  await expect(keeper.commit()).rejects.toMatchObject({ code: 'replaced' })
  expect(fenced).toBe(1)
  await open()
  expect(kept()).toEqual(['a'])
})

test('what another tab’s lead has kept from being written becomes letters, in order', async () => {
  add('a')
  await keeper.commit()
  await new Database(databases, 'test').lead()
  add('b')
  const writing = keeper.commit()
  add('c')
  await expect(writing).rejects.toMatchObject({ code: 'replaced' })
  keeper.close()
  await open()
  expect(kept()).toEqual(['a'])
  expect((await database.letters()).map(({ key }) => key)).toEqual(['b', 'c'])
})

test('what cannot be read is told, and nothing of it is used', async () => {
  await database.write({
    records: [Uint8Array.of(0x91, 0xa3, 1, 2)],
    whole: true,
    taken: [],
    identity: null,
    durable: true,
    hurry: false,
  })
  await open()
  expect([errors, kept()]).toEqual([['unreadable'], []])
})

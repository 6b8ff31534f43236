/** What tabs keep together, on a real IndexedDB implementation. */
import { beforeEach, describe, expect, test } from 'vitest'
import { Database, type Entry } from '../../../src/client/browser/database.ts'
import type { IndexedDbLike } from '../../../src/client/browser/indexed-db.ts'
import { textBody } from '../bodies.ts'
import { newDatabases, type Databases } from '../databases.ts'

const nothing: Entry = { records: [], whole: false, taken: [], identity: null, durable: true, hurry: false }
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)
const letter = (key: string) => ({ key, target: 'bob', body: textBody(key), ttl: 0 })

let factory: Databases
let one: Database
let two: Database

beforeEach(() => {
  factory = newDatabases()
  one = new Database(factory, 'test')
  two = new Database(factory, 'test')
})

describe('the journal', () => {
  test('gives the next leader what the one before has written, in order', async () => {
    expect(await one.lead()).toEqual({ epoch: 1, records: [], identity: null })
    await one.write({ ...nothing, whole: true, records: [bytes(1)], identity: { id: 'me', secret: 'hush' } })
    await one.write({ ...nothing, records: [bytes(2), bytes(3)] })
    const lead = { epoch: 2, records: [bytes(1), bytes(2), bytes(3)], identity: { id: 'me', secret: 'hush' } }
    expect(await two.lead()).toEqual(lead)
  })

  test('starts anew with the whole', async () => {
    await one.lead()
    await one.write({ ...nothing, whole: true, records: [bytes(1)] })
    await one.write({ ...nothing, whole: true, records: [bytes(9)] })
    expect((await two.lead()).records).toEqual([bytes(9)])
  })

  test.each([true, false])('takes nothing from who does not lead any more (the whole: %s)', async whole => {
    await one.lead()
    await one.write({ ...nothing, whole: true, records: [bytes(1)] })
    await one.file([letter('a')], 5)
    const [filed] = await one.letters()
    await two.lead()
    expect(await one.write({ ...nothing, whole, records: [bytes(2)], taken: [filed?.at ?? 0] })).toBe('fenced')
    expect(await two.write({ ...nothing, whole: true, records: [bytes(3)] })).toBe('kept')
    expect((await one.lead()).records).toEqual([bytes(3)])
    expect(await one.letters()).toHaveLength(1)
  })

  test('passes over what a page wrote in its last moments, when that came too late', async () => {
    await one.lead()
    await one.write({ ...nothing, whole: true, records: [bytes(1)] })
    await two.lead()
    await two.write({ ...nothing, whole: true, records: [bytes(2)] })
    await one.write({ ...nothing, records: [bytes(9)], hurry: true })
    expect((await two.lead()).records).toEqual([bytes(2)])
  })

  test('says when it was emptied, and then takes only the whole', async () => {
    await one.lead()
    await one.write({ ...nothing, whole: true, records: [bytes(1)] })
    one.close()
    await new Promise<void>(resolve => {
      const request = (factory as unknown as { deleteDatabase(name: string): { onsuccess: unknown } }).deleteDatabase(
        'test',
      )
      request.onsuccess = () => resolve()
    })
    expect(await one.write({ ...nothing, records: [bytes(2)] })).toBe('wiped')
    expect(await one.write({ ...nothing, whole: true, records: [bytes(1), bytes(2)] })).toBe('kept')
    expect((await two.lead()).records).toEqual([bytes(1), bytes(2)])
  })
})

describe('letters', () => {
  test('wait in order, with their bodies, until they are taken together with a record', async () => {
    await two.file([letter('a'), letter('b')], 5)
    expect(await one.waiting()).toEqual({ count: 2, bytes: 2 * textBody('a').bytes.length })
    await one.lead()
    const letters = await one.letters()
    expect(letters).toMatchObject([
      { key: 'a', target: 'bob', ttl: 0, time: 5 },
      { key: 'b', target: 'bob' },
    ])
    expect(letters[0]?.body).toEqual(textBody('a'))
    await one.write({ ...nothing, whole: true, records: [bytes(1)], taken: letters.map(({ at }) => at) })
    expect(await two.letters()).toEqual([])
  })
})

test('a database that does not open is told', async () => {
  const broken: IndexedDbLike = {
    open: () => {
      throw new Error('forbidden')
    },
  }
  await expect(new Database(broken, 'test').open()).rejects.toThrow('forbidden')
})

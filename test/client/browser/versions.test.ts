/** Tabs with another version of the library than this one, whose database they share. */
import { expect, test } from 'vitest'
import { bobId, atBob, origin, Page, settle, until } from '../pages.ts'

/** A page with a later version opens the database, as browsers say it, and keeps it open. */
function openLater(): Promise<{ close(): void }> {
  return new Promise((resolve, reject) => {
    const request = origin.indexedDB.open('ackd test', 2)
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(new Error('does not open'))
  })
}

test('a later version gets the database at once: the tabs of this one write what they have, and end', async () => {
  const [one, two] = [new Page(), new Page()]
  await Promise.all([one.client.ready(), two.client.ready()])
  const last = two.client.send(bobId, 'last words')
  await last
  const later = await openLater()
  await until(() => one.state === 'closed' && two.state === 'closed')
  for (const { client } of [one, two]) {
    expect(client.status).toMatchObject({ state: 'closed', reason: 'outdated', error: { retryable: false } })
    await expect(client.send(bobId, 'too late')).rejects.toMatchObject({ code: 'outdated' })
    client.reconnect()
  }
  await settle()
  expect([one.state, two.state, atBob]).toEqual(['closed', 'closed', ['last words']])
  later.close()
})

test('a page of an earlier version than the database does not connect, and writes nothing', async () => {
  const later = await openLater()
  const page = new Page()
  await until(() => page.state === 'closed')
  expect(page.client.status).toMatchObject({ reason: 'outdated' })
  await expect(page.client.send(bobId, 'too late')).rejects.toMatchObject({ code: 'outdated' })
  expect([page.sockets, page.errors]).toEqual([0, []])
  later.close()
})

/** How much tabs hold when nothing leaves, and what they say when that is too much. */
import { describe, expect, test } from 'vitest'
import { bobId, Page, settle, until } from '../pages.ts'

interface Tally {
  readonly codes: string[]
  count: number
}

/** Sends so many, and tallies what becomes of them. */
function sendMany(page: Page, count: number, body: unknown): Tally {
  const tally: Tally = { codes: [], count }
  for (let i = 0; i < count; i++) {
    page.client.send(bobId, body).then(
      () => tally.codes.push('sent'),
      (error: unknown) => tally.codes.push(error instanceof Error && 'code' in error ? String(error.code) : '?'),
    )
  }
  return tally
}

/** A tab that leads and gets no answer from anywhere, and one that follows. */
async function openTwo(): Promise<{ leader: Page; other: Page }> {
  const [leader, other] = [new Page(), new Page()]
  await leader.client.ready()
  await other.client.ready()
  other.tab.page.document.visibilityState = 'hidden'
  leader.tab.hang()
  return { leader, other }
}

describe('what cannot be sent', () => {
  test.each([
    ['messages', 3_000, 'x', 2_000],
    ['bytes', 300, new Uint8Array(60_000), 2 * Math.ceil(5_000_000 / 60_000)],
  ])('is refused beyond a bound of %s, in a tab that follows', async (_, count, body, most) => {
    const { leader, other } = await openTwo()
    const tally = sendMany(other, count, body)
    await until(() => tally.codes.length >= count - most, 'what is too much is refused')
    await settle()
    expect(new Set(tally.codes)).toEqual(new Set(['outbox_full']))
    expect(count - tally.codes.length).toBeGreaterThan(most / 3)
    leader.tab.unhang()
    await until(() => tally.codes.length === count, 'the rest is sent')
    expect(new Set(tally.codes)).toEqual(new Set(['outbox_full', 'sent']))
  })

  test('is refused beyond a bound, in the tab that leads', async () => {
    const { leader } = await openTwo()
    const tally = sendMany(leader, 3_000, 'x')
    await until(() => tally.codes.length >= 1_000)
    expect(new Set(tally.codes)).toEqual(new Set(['outbox_full']))
    leader.tab.unhang()
    await until(() => tally.codes.length === 3_000, 'the rest is sent')
  })
})

test('twenty tabs are one client with one connection, whichever of them leads', async () => {
  const pages = Array.from({ length: 20 }, () => new Page())
  const ids = await Promise.all(pages.map(({ client }) => client.ready()))
  expect(new Set(ids).size).toBe(1)
  const sockets = (): number => pages.reduce((sum, page) => sum + page.sockets, 0)
  expect(sockets()).toBe(1)
  const rest = pages.filter(page => page.sockets === 0)
  for (let deaths = 1; deaths <= 5; deaths++) {
    pages.find(page => page.sockets === 1 && !page.tab.dead)?.kill()
    await until(() => sockets() === deaths + 1 && rest.every(page => page.tab.dead || page.state === 'connected'))
  }
  const living = pages.filter(page => !page.tab.dead)
  await Promise.all(living.map(({ client }, i) => client.send(bobId, i)))
  expect([living.length, sockets()]).toEqual([15, 6])
})

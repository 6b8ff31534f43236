/** Where a message is, from what a real server answers, and the words for it. */
import { afterEach, describe, expect, test, vi } from 'vitest'
import { Api } from '../../../src/web/console/api.ts'
import { find, verdictOf, type Whereabouts } from '../../../src/web/console/whereabouts.ts'
import { ADMIN_TOKEN, ApiCaller } from '../../gateway/api-caller.ts'
import { connectBySocket } from '../../gateway/peer.ts'

const callers: ApiCaller[] = []

afterEach(async () => {
  vi.unstubAllGlobals()
  await Promise.all(callers.splice(0).map(caller => caller.close()))
})

/** In a page, addresses are those of its server. */
async function start(trace = 1_000): Promise<{ caller: ApiCaller; api: Api }> {
  const caller = await ApiCaller.start({ trace })
  callers.push(caller)
  const { fetch } = globalThis
  vi.stubGlobal('fetch', (path: string, init: RequestInit) => fetch(new URL(path, caller.server.http), init))
  return { caller, api: new Api(ADMIN_TOKEN) }
}

const title = (found: Whereabouts): string => verdictOf(found).title

describe('a message', () => {
  test('is found from when it waits for its ack until it is stored, and by its sender and recipient alone', async () => {
    const { caller, api } = await start()
    const [alice, bob] = [await connectBySocket(caller.server.ws), await connectBySocket(caller.server.ws)]
    const { id: from } = await alice.hello({ outbox: 'alicesbox' })
    const { id: to } = await bob.hello()
    const question = { from, to, outbox: '', n: 2 }
    alice.say(frames => {
      for (const n of [1, 2]) frames.send(n, 1, to, 0, alice.body(`message ${n}`))
    })
    await bob.next('message')
    await bob.next('message')
    expect(title(await find(api, question))).toBe('Waiting for the ack')
    bob.hangUp()
    await bob.end()
    await alice.next('stored')
    await expect.poll(async () => title(await find(api, question))).toBe('Stored, number 2 in line')
    expect(title(await find(api, { ...question, n: 1 }))).toBe('Stored, next in line')
    const { others, message } = await find(api, { ...question, n: 0 })
    expect([others.map(({ n }) => n), message]).toEqual([[1, 2], null])
    expect(title(await find(api, { ...question, n: 9 }))).toBe('Never seen here, or forgotten')
    await caller.ask(`/api/clients/${to}/mailbox`, { method: 'DELETE' })
    expect(title(await find(api, question))).toBe('Expired')
  })

  test('whose outbox nobody knows is not guessed at', async () => {
    const { api } = await start()
    const found = await find(api, { from: 'nobody', to: 'nobody-else', outbox: '', n: 3 })
    expect(title(found)).toBe('Its outbox is not known')
  })

  test('of which a server that remembers no steps has heard nothing says how it would', async () => {
    const { api } = await start(0)
    const { text } = verdictOf(await find(api, { from: 'a', to: 'b', outbox: 'anoutbox', n: 3 }))
    expect(text).toContain('ACKD_TRACE')
  })

  test('in the log of a room is said to be there', async () => {
    const { caller, api } = await start()
    const posted = await caller.ask('/api/messages', { method: 'POST', body: { to: '#lobby', body: 1 } })
    const { from, outbox, n } = posted.value as { from: string; outbox: string; n: number }
    expect(title(await find(api, { from, to: '#lobby', outbox, n }))).toBe('In the log of #lobby')
  })
})

test.each([
  ['taken', 'In flight'],
  ['parked', 'On its way into the mailbox'],
  ['sent', 'Waiting for the ack'],
])('one that was last seen %s is said to be: %s', (step, said) => {
  const message = { to: 'b', state: 'held', steps: [{ time: 1, step, detail: '' }] } as const
  const question = { from: 'a', to: 'b', outbox: 'anoutbox', n: 1 }
  expect(title({ message, question, parked: null, others: [], isCut: false, remembered: 1 })).toBe(said)
})

import { afterEach, describe, expect, it } from 'vitest'
import { ApiError } from '../../src/gateway/api/route.ts'
import { Posting, type Post, type Posted } from '../../src/gateway/posting.ts'
import type { EnqueueResult, Parcel } from '../../src/protocol/mailbox.ts'
import { decodeBody, encodeBody } from '../../src/protocol/values.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import type { OnceStore } from '../../src/store/once-store.ts'
import { StoreError } from '../../src/store/store.ts'
import { Random } from '../simulation/random.ts'
import { register } from '../store/support.ts'
import { House } from './house.ts'

/** `lost`: it is done, and the answer is lost. `refused`: it is not done, and nobody is told. */
type Fate = 'done' | 'lost' | 'refused'

/** A store whose fate is planned: call by call, and `done` beyond the plan. */
class FatefulStore extends MemoryStore {
  plan: Fate[] = []
  next: () => Fate = () => this.plan.shift() ?? 'done'
  override readonly once: OnceStore

  constructor() {
    super()
    const { once } = new MemoryStore()
    this.once = { decide: (...args) => this.#fated(() => once.decide(...args)) }
  }

  override enqueue(id: string, batch: readonly Parcel[]): Promise<EnqueueResult> {
    return this.#fated(() => super.enqueue(id, batch))
  }

  async #fated<Result>(call: () => Promise<Result>): Promise<Result> {
    const fate = this.next()
    const result = fate === 'refused' ? null : await call()
    if (fate === 'done' && result !== null) return result
    throw new StoreError('The store is away.', 'Start it.')
  }
}

const houses: House[] = []

afterEach(() => {
  for (const house of houses.splice(0)) house.close()
})

function startPosting(store: MemoryStore): Posting {
  const house = new House({}, store)
  houses.push(house)
  return new Posting(house.gateway, store)
}

function say(body: string, more: Partial<Post> = {}): Post {
  return { target: 'bob', body: encodeBody(body, true), ttl: 0, key: '', ...more }
}

/** What became of a post: its number, or the code by which it was refused. */
async function outcome(posted: Promise<Posted>): Promise<string> {
  return posted.then(
    ({ n, receipt, repeated }) => `${n} ${receipt}${repeated ? ' again' : ''}`,
    (error: unknown) => (error instanceof ApiError ? error.code : String(error)),
  )
}

async function parked(store: MemoryStore): Promise<unknown[]> {
  const entries = await store.view('bob', 0, 1_000)
  return entries.map(({ body }) => (body === null ? null : decodeBody(body)))
}

describe('posting', () => {
  it('numbers what is for one target, in the order in which it comes, and stores it before it answers', async () => {
    const store = new MemoryStore()
    await register(store, 'bob')
    const posting = startPosting(store)
    const posted = await Promise.all(['a', 'b', 'c'].map(body => posting.post(say(body))))
    expect(posted.map(({ n }) => n)).toEqual([1, 2, 3])
    expect(new Set(posted.map(({ outbox }) => outbox)).size).toBe(1)
    expect(await parked(store)).toEqual(['a', 'b', 'c'])
    expect((await store.view('bob', 0, 1))[0]?.stream).toBe(`ackd:api ${posted[0]?.outbox}`)
  })

  it('gives a number that was refused to the next message', async () => {
    const store = new MemoryStore()
    const posting = startPosting(store)
    expect(await outcome(posting.post(say('too early')))).toBe('unknown_recipient')
    await register(store, 'bob')
    expect(await outcome(posting.post(say('in time')))).toBe('1 stored')
    expect(await outcome(posting.post(say('not a room', { target: '#none' })))).toBe('no_such_room')
  })

  it('never hides a message behind a number that may be taken', async () => {
    for (const fate of ['lost', 'refused'] as const) {
      const store = new FatefulStore()
      await register(store, 'bob')
      const posting = startPosting(store)
      expect(await outcome(posting.post(say('a')))).toBe('1 stored')
      store.plan = [fate]
      expect(await outcome(posting.post(say('b')))).toBe('unavailable')
      expect(await outcome(posting.post(say('c')))).toBe('1 stored')
      expect(await parked(store)).toEqual(fate === 'lost' ? ['a', 'b', 'c'] : ['a', 'c'])
    }
  })

  it('posts once what has a key, whoever asks, and however often', async () => {
    const store = new MemoryStore()
    await register(store, 'bob')
    const nodes = [startPosting(store), startPosting(store)]
    const asked = await Promise.all([0, 1, 0, 1].map(node => nodes[node]!.post(say('pay', { key: 'order 1' }))))
    expect(asked.filter(({ repeated }) => !repeated)).toHaveLength(1)
    expect(new Set(asked.map(({ outbox, n }) => `${outbox} ${n}`)).size).toBe(1)
    await Promise.all(nodes.map(node => node.post(say('other', { key: 'order 2' }))))
    await Promise.all(nodes.map((node, i) => node.post(say(`without ${i}`))))
    expect((await parked(store)).sort()).toEqual(['other', 'pay', 'without 0', 'without 1'])
  })

  it('leaves no number out, whoever repeats what', async () => {
    const store = new MemoryStore()
    await register(store, 'bob')
    const posting = startPosting(store)
    for (const key of ['a', 'a', '', 'a', 'b', 'b', '']) await posting.post(say(key === '' ? 'without' : key, { key }))
    const entries = await store.view('bob', 0, 100)
    expect(entries.map(({ n }) => n)).toEqual([1, 2, 3, 4])
    expect(new Set(entries.map(({ stream }) => stream)).size).toBe(1)
  })

  it('answers for what has a key and was answered to nobody', async () => {
    const store = new FatefulStore()
    await register(store, 'bob')
    const [one, two] = [startPosting(store), startPosting(store)]
    store.plan = ['done', 'lost', 'done', 'refused']
    expect(await outcome(one.post(say('a', { key: 'a' })))).toBe('unavailable')
    expect(await outcome(one.post(say('b', { key: 'b' })))).toBe('unavailable')
    expect(await outcome(two.post(say('a', { key: 'a' })))).toBe('1 stored again')
    expect(await outcome(two.post(say('b', { key: 'b' })))).toBe('1 stored')
    expect(await outcome(one.post(say('c')))).toBe('1 stored')
    expect(await parked(store)).toEqual(['a', 'b', 'c'])
  })

  it('keeps the number of a key that was refused for that key', async () => {
    const store = new MemoryStore()
    const posting = startPosting(store)
    expect(await outcome(posting.post(say('keyed', { key: 'key' })))).toBe('unknown_recipient')
    await register(store, 'bob')
    expect(await outcome(posting.post(say('another')))).toBe('1 stored')
    expect(await outcome(posting.post(say('keyed', { key: 'key' })))).toBe('1 stored')
    expect(await parked(store)).toEqual(['another', 'keyed'])
  })

  it('refuses another message under a key, for the same target only', async () => {
    const store = new MemoryStore()
    await Promise.all([register(store, 'bob'), register(store, 'carol')])
    const posting = startPosting(store)
    expect(await outcome(posting.post(say('a', { key: 'key' })))).toBe('1 stored')
    expect(await outcome(posting.post(say('b', { key: 'key' })))).toBe('conflict')
    expect(await outcome(posting.post(say('a', { key: 'key', ttl: 5 })))).toBe('conflict')
    expect(await outcome(posting.post(say('b', { key: 'key', target: 'carol' })))).toBe('1 stored')
  })

  it('refuses what it would have to hold beyond its limits, and what comes while the server shuts down', async () => {
    const store = new MemoryStore()
    await register(store, 'bob')
    const posting = startPosting(store)
    const many = await Promise.all(Array.from({ length: 1_001 }, (_, i) => outcome(posting.post(say(`${i}`)))))
    expect([many[999], many[1_000]]).toEqual(['1000 stored', 'overloaded'])
    const large = Array.from({ length: 17 }, () => outcome(posting.post(say('x'.repeat(1_000_000)))))
    expect((await Promise.all(large)).slice(-2)).toEqual(['1016 stored', 'overloaded'])
    await houses[0]!.gateway.drain()
    expect(await outcome(posting.post(say('late')))).toBe('unavailable')
  })

  it('loses and doubles nothing, whatever the store does, on two nodes', async () => {
    for (let seed = 1; seed <= 200; seed++) {
      const random = new Random(seed)
      const store = new FatefulStore()
      await register(store, 'bob')
      store.next = () => random.pick(['done', 'done', 'done', 'done', 'lost', 'refused'] as const) ?? 'done'
      const nodes = [startPosting(store), startPosting(store)]
      const answered: string[] = []
      const unanswered: string[] = []
      const backend = async (name: string): Promise<void> => {
        for (let i = 0; i < 5; i++) {
          const body = `${name} ${i}`
          const key = random.chance(0.5) ? body : ''
          let told = 'unavailable'
          for (let attempt = 0; told === 'unavailable' && (attempt === 0 || key !== ''); attempt++)
            told = await outcome(random.pick(nodes)!.post(say(body, { key })))
          if (told === 'unavailable') unanswered.push(body)
          else answered.push(body)
        }
      }
      await Promise.all(['a', 'b', 'c'].map(backend))
      const found = await parked(store)
      const numbers = new Map<string, number[]>()
      for (const { stream, n } of await store.view('bob', 0, 1_000))
        numbers.set(stream, [...(numbers.get(stream) ?? []), n])
      for (const of of numbers.values()) expect(of, `seed ${seed}: no hole`).toEqual(of.map((_, i) => of[0]! + i))
      expect(new Set(found).size, `seed ${seed}: nothing twice`).toBe(found.length)
      expect(
        answered.filter(body => !found.includes(body)),
        `seed ${seed}: nothing lost`,
      ).toEqual([])
      expect(found.filter(body => !answered.includes(String(body)) && !unanswered.includes(String(body)))).toEqual([])
      for (const name of ['a', 'b', 'c']) {
        const own = found.map(String).filter(body => body.startsWith(name))
        // What got no answer may come late; what did has its place.
        const inOrder = own.filter(body => answered.includes(body))
        expect(inOrder, `seed ${seed}: in order`).toEqual([...inOrder].sort())
      }
      for (const house of houses.splice(0)) house.close()
    }
  })
})

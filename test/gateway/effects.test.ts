import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import type { Log } from '../../src/gateway/log.ts'
import type { EnqueueResult } from '../../src/protocol/mailbox.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { StoreError } from '../../src/store/store.ts'
import { exchange, House } from './house.ts'

/** A memory store whose `enqueue` can be made to fail, to throw, or to hang until it is released. */
class MoodyStore extends MemoryStore {
  mood: 'well' | 'rejects' | 'throws' | 'hangs' = 'well'
  readonly calls: string[] = []
  release: () => void = () => {}

  override enqueue(...args: Parameters<MemoryStore['enqueue']>): Promise<EnqueueResult> {
    this.calls.push(args[0])
    switch (this.mood) {
      case 'well':
        return super.enqueue(...args)
      case 'rejects':
        return Promise.reject(new StoreError('the disk is full', 'Free some space.'))
      case 'throws':
        throw new Error('on purpose')
      case 'hangs': {
        const answer = super.enqueue(...args)
        return new Promise(resolve => (this.release = () => resolve(answer)))
      }
    }
  }
}

describe('the effects over a store', () => {
  const store = new MoodyStore()
  const warned: object[] = []
  const log: Log = {
    debug() {},
    info() {},
    warn: fields => void warned.push(fields),
    error: fields => void warned.push(fields),
  }
  // Where other nodes may own mailboxes, a first message goes through the store.
  const shared = { core: { soleOwner: false } }
  let house = new House(shared, store, log)

  afterEach(() => {
    house.close()
    warned.length = 0
    store.mood = 'well'
    house = new House(shared, store, log)
  })

  it.each(['rejects', 'throws'] as const)('offer a batch again when the store %s', async mood => {
    const alice = house.connect()
    await alice.hello({ outbox: 'alicesbox' })
    const { id } = await house.connect().hello()
    store.mood = mood
    alice.say(frames => frames.send(1, 1, id, 0, alice.body(1)))
    await sleep(50)
    store.mood = 'well'
    expect((await alice.next('stored')).slice(1)).toEqual([id, 1])
    expect(house.gateway.effects.stats['enqueue']?.failures).toBe(1)
  })

  it('say in the log what an operator can do', async () => {
    const alice = house.connect()
    await alice.hello({ outbox: 'alicesbox' })
    const { id } = await house.connect().hello()
    store.mood = 'rejects'
    alice.say(frames => frames.send(1, 1, id, 0, alice.body(1)))
    await sleep(50)
    expect(warned).toEqual([{ op: 'enqueue', unsaid: 0, error: 'the disk is full', fix: 'Free some space.' }])
    expect(house.gateway.effects.stats['enqueue']?.failures).toBe(1)
  })

  it('give up on a call after two seconds, and drop its late answer', async () => {
    const alice = house.connect()
    const bob = house.connect()
    await alice.hello({ outbox: 'alicesbox' })
    const { id } = await bob.hello()
    store.mood = 'hangs'
    alice.say(frames => frames.send(1, 1, id, 0, alice.body(1)))
    await sleep(2_400)
    const { release } = store
    store.mood = 'well'
    expect(house.gateway.effects.stats['enqueue']?.failures).toBe(1)
    await alice.next('stored')
    release()
    await sleep(20)
    expect(alice.heard.filter(([name]) => name === 'stored')).toHaveLength(1)
    expect(house.gateway.effects.pending).toBe(0)
    await exchange(() => house.connect())
  })

  it('make ids and secrets of the forms that the protocol names', async () => {
    const { id, secret } = await house.connect().hello()
    expect(id).toMatch(/^[A-Za-z0-9_-]{16}$/)
    expect(secret).toMatch(/^[A-Za-z0-9_-]{43}$/)
  })

  it('rotate a secret: the new one works, and ends the old one', async () => {
    const alice = house.connect()
    const { id, secret: old = '' } = await alice.hello()
    alice.say(frames => frames.rotate(1))
    const [, , value] = await alice.next('reply')
    const { secret } = value as { secret: string }
    expect((await house.connect().hello({ id, secret })).resumed).toBe(true)
    const late = house.connect()
    late.say(frames => frames.hello({ v: 1, id, secret: old }))
    expect((await late.end()).name).toBe('bad_secret')
  })
})

/** What processes that share a store must know of each other's rooms: one body of tests, run over each way in which they can share one. */
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { areOfOneRoom } from '../../src/protocol/rooms.ts'
import type { RollAnswer, RollReport } from '../../src/protocol/rolls.ts'
import type { Hearing } from '../../src/store/neighbours.ts'
import type { Store } from '../../src/store/store.ts'
import { RollTables } from '../support/roll-tables.ts'
import { bindRequest, parcel, parcels, roomSettings, START } from './support.ts'

const ROOM = '#hall'
/** ms until what was told must have been heard, on a busy machine. */
const HEARD_MS = 10_000

/** Opens one more process on the same store. */
export type Join = (clock: () => number) => Promise<Store>

const present = (id: string): { id: string; name: string } => ({ id, name: `${id} {"the": great}` })

/** A process, and what it has heard. */
class Process {
  readonly store: Store
  readonly heard: string[] = []

  /** `node`: under which name it binds clients. */
  constructor(store: Store, node: string) {
    this.store = store
    const note = (line: string): void => void this.heard.push(line)
    const hearing: Hearing = {
      woken: id => note(`mail for ${id}`),
      settled: (stream, recipient) => note(`${stream} has ended at ${recipient}`),
      evicted: (id, token) => note(`${id} is elsewhere by ${token}`),
      appended: (room, end) => note(`${room} ${end === null ? 'is deleted' : `goes to ${end.last} in ${end.epoch}`}`),
      reported: (room, { changes }) => note(`${room} ${changes.map(([id, name]) => `${id}: ${name}`).join(', ')}`),
      signalled: (room, from, { bytes, start, end, text }, epoch) => {
        const what = text ? Buffer.from(bytes.subarray(start, end)).toString() : 'signals'
        note(`${room} ${from} ${what}${epoch === '' ? '' : ` in ${epoch}`}`)
      },
      missed: room => note(`missed ${room}`),
    }
    this.neighbours.listen(node, hearing)
  }

  get neighbours(): NonNullable<Store['neighbours']> {
    if (this.store.neighbours === null) throw new Error('nobody else has this store')
    return this.store.neighbours
  }

  report(more: Partial<RollReport> & { readonly epoch: string }): Promise<RollAnswer | null> {
    return this.neighbours.report(ROOM, { coming: [], going: [], seen: 0, ...more })
  }

  async follow(): Promise<void> {
    this.neighbours.follow(ROOM)
    await this.hears(line => line === `missed ${ROOM}`)
    this.heard.length = 0
  }

  /** Resolves when it hears what is told to it. */
  async listens(): Promise<void> {
    await this.hears(line => line === 'missed null')
    this.heard.length = 0
  }

  async hears(wanted: (line: string) => boolean): Promise<void> {
    await expect.poll(() => this.heard.some(wanted), { timeout: HEARD_MS, interval: 5 }).toBe(true)
  }
}

export function describeNeighbours(name: string, begin: () => Join): void {
  describe(`${name}: neighbours`, () => {
    const settings = roomSettings({ created: START })
    const { epoch } = settings
    let now = START
    let all: Process[]
    let one: Process
    let two: Process

    const open = async (join: Join): Promise<Process> => {
      const process = new Process(await join(() => now), `n${all.length + 1}`)
      all.push(process)
      await process.listens()
      return process
    }

    beforeEach(async () => {
      all = []
      now = START
      const join = begin()
      one = await open(join)
      two = await open(join)
      await one.store.rooms.create(ROOM, settings)
    })

    afterEach(async () => {
      for (const { store } of all) await store.close()
    })

    test('a roll is read at first, and then whenever more has changed than by the report itself', async () => {
      const read = await one.report({ epoch })
      expect(read).toEqual({ mark: START * 1_000, stayed: [], everybody: [] })
      now++
      const came = await one.report({ epoch, coming: [present('ann')], seen: read?.mark ?? -1 })
      expect(came).toEqual({ mark: now * 1_000, stayed: [], everybody: null })
      // Who is on it already changes nothing.
      now++
      const again = await one.report({ epoch, coming: [present('ann')], seen: came?.mark ?? -1 })
      expect(again).toEqual(came)
      expect(await two.report({ epoch, seen: 5 })).toEqual({
        mark: came?.mark,
        stayed: [],
        everybody: [{ ...present('ann'), here: false }],
      })
    })

    test('only who is there at the process that reports is taken off', async () => {
      await one.report({ epoch, coming: [present('ann'), present('bob')] })
      const moved = await two.report({ epoch, coming: [present('bob')] })
      expect(moved?.everybody).toEqual(
        expect.arrayContaining([
          { ...present('ann'), here: false },
          { ...present('bob'), here: true },
        ]),
      )
      const left = await one.report({ epoch, going: ['ann', 'bob', 'nobody'], seen: moved?.mark ?? -1 })
      expect(left).toMatchObject({ stayed: ['bob'], everybody: null })
      expect(await one.store.rooms.find(ROOM)).toMatchObject({ members: 1 })
    })

    test('everybody who follows the room hears what changes its roll, once', async () => {
      await two.follow()
      await one.report({ epoch, coming: [present('ann')] })
      await one.report({ epoch, coming: [present('ann')] })
      await one.report({ epoch, going: ['ann'], coming: [present('bob')] })
      await two.hears(line => line.includes('ann: null'))
      expect(two.heard).toEqual([`${ROOM} ann: ann {"the": great}`, `${ROOM} bob: bob {"the": great}, ann: null`])
    })

    test('whoever was at a process that is gone is taken off by the next who looks, once', async () => {
      const [ann, bob] = [present('ann'), present('bob')]
      await two.report({ epoch, coming: [ann, bob] })
      const seen = await one.report({ epoch, coming: [ann] })
      await one.follow()
      await two.store.close()
      // It may be known only when the process has been missed for a while.
      await expect
        .poll(async () => (await one.report({ epoch }))?.everybody, { timeout: HEARD_MS })
        .toEqual([{ ...ann, here: true }])
      await one.hears(line => line.includes('bob: null'))
      expect(one.heard.filter(line => line.startsWith(ROOM))).toEqual([`${ROOM} bob: null`])
      expect(await one.store.rooms.list('', 9, true)).toMatchObject([{ members: 1 }])
      expect(await one.report({ epoch, seen: seen?.mark ?? -1 })).not.toMatchObject({ everybody: null })
    })

    test('a room that is no more, and another one of that name, have no roll for it', async () => {
      await one.report({ epoch, coming: [present('ann')] })
      await two.follow()
      expect(await one.store.rooms.delete(ROOM, epoch)).toBe(true)
      await two.hears(line => line === `${ROOM} is deleted`)
      expect(await one.report({ epoch })).toBeNull()
      const other = roomSettings()
      await one.store.rooms.create(ROOM, other)
      expect(await one.report({ epoch, coming: [present('ann')] })).toBeNull()
      expect(await one.report({ epoch: other.epoch })).toMatchObject({ everybody: [] })
    })

    test('an append is heard by the others, and only one that has added something', async () => {
      await one.follow()
      await two.follow()
      await one.store.rooms.append(ROOM, parcels(1, 3))
      await one.store.rooms.append(ROOM, parcels(2, 3))
      await one.store.rooms.append(ROOM, [parcel(4)])
      await two.hears(line => line.includes('goes to 4'))
      expect(two.heard).toEqual([`${ROOM} goes to 3 in ${epoch}`, `${ROOM} goes to 4 in ${epoch}`])
      expect(one.heard).toEqual([])
    })

    test('signals are heard in the order in which they were made', async () => {
      await two.follow()
      const made = Array.from({ length: 20 }, (_, i) => `goes on ${i}`)
      for (const text of made) one.neighbours.signal(ROOM, 'ann', parcel(1, { text }).body, 'made.2')
      await two.hears(() => two.heard.length === made.length)
      expect(two.heard).toEqual(made.map(text => `${ROOM} ann ${text} in made.2`))
    })

    test('a signal is heard by the others while they follow the room', async () => {
      await one.follow()
      await two.follow()
      const { body } = parcel(1, { text: 'is typing a b c' })
      one.neighbours.signal(ROOM, 'ann', body, 'made')
      one.neighbours.signal(ROOM, 'ann', { ...body, text: false }, 'made')
      await two.hears(line => line.includes('signals'))
      expect(two.heard).toEqual([`${ROOM} ann is typing a b c in made`, `${ROOM} ann signals in made`])
      expect(one.heard).toEqual([])
      two.neighbours.unfollow(ROOM)
      // What is asked after it has its answer after it.
      await two.store.check()
      two.heard.length = 0
      await expect
        .poll(async () => {
          const before = two.heard.length
          one.neighbours.signal(ROOM, 'ann', body, 'made')
          await one.store.check()
          await new Promise(resolve => setTimeout(resolve, 50))
          return two.heard.length === before
        })
        .toBe(true)
    })

    test('that there is mail, and that a client has moved, is heard by the process that is told, and by no other', async () => {
      for (const id of ['ann', 'bob', 'ann']) one.neighbours.wake('n2', id)
      one.neighbours.wake('n3', 'dan')
      await two.hears(line => line.endsWith('bob'))
      one.neighbours.evict('n2', 'ann', '7:nonce')
      await two.hears(line => line.includes('elsewhere'))
      expect(two.heard).toEqual(['mail for ann', 'mail for bob', 'ann is elsewhere by 7:nonce'])
      expect(one.heard).toEqual([])
    })

    test('that messages have ended is heard where their sender is, once for each stream and turn', async () => {
      const bind = (id: string, node: string): Promise<unknown> =>
        two.store.bind(bindRequest(id, { create: true, node }))
      await Promise.all([bind('ann', 'n2'), bind('bob', 'n1')])
      // Who has heard nothing of another process yet may take itself to be alone.
      two.neighbours.wake('n1', 'carl')
      await one.hears(line => line === 'mail for carl')
      one.heard.length = 0
      for (const stream of ['ann out', 'ann out', 'ann other', 'bob out', 'nobody out']) {
        one.neighbours.settled(stream, 'carl')
        one.neighbours.settled(stream, 'dan')
      }
      await two.hears(line => line === 'ann other has ended at dan')
      expect(two.heard.toSorted()).toEqual(
        ['ann out', 'ann other']
          .flatMap(stream => ['carl', 'dan'].map(id => `${stream} has ended at ${id}`))
          .toSorted(),
      )
      expect(one.heard).toEqual([])
    })

    test('a signal to a client is heard where that is now, unless that is here', async () => {
      const request = bindRequest('bob', { create: true, node: 'n2' })
      expect(await two.store.bind(request)).toMatchObject({ kind: 'bound' })
      const { body } = parcel(1, { text: 'is typing a b c' })
      one.neighbours.signal('bob', 'ann', body, '')
      one.neighbours.signal('bob', 'ann', { ...body, text: false }, '')
      await two.hears(line => line.endsWith('signals'))
      expect(two.heard).toEqual(['bob ann is typing a b c', 'bob ann signals'])
      two.heard.length = 0
      two.neighbours.signal('bob', 'ann', body, '')
      one.neighbours.signal('nobody', 'ann', body, '')
      const moved = await one.store.bind(bindRequest('bob', { node: 'n1', attempt: 1 }))
      if (moved.kind !== 'bound') throw new Error(`bob is ${moved.kind}`)
      two.neighbours.signal('bob', 'ann', body, '')
      await one.hears(line => line.endsWith('a b c'))
      await one.store.unbind('bob', moved.token, 0)
      two.neighbours.signal('bob', 'ann', body, '')
      one.neighbours.wake('n2', 'bob')
      await two.hears(line => line === 'mail for bob')
      expect(two.heard).toEqual(['mail for bob'])
      expect(one.heard).toEqual(['bob ann is typing a b c'])
    })

    test('a roll is read by whoever asks, page by page', async () => {
      await one.report({ epoch, coming: [present('carl'), present('ann')] })
      await two.report({ epoch, coming: [present('bob')] })
      const [ann, bob, carl] = ['ann', 'bob', 'carl'].map(present)
      expect(await one.neighbours.roll(ROOM, '', 2)).toMatchObject([ann, bob])
      expect(await two.neighbours.roll(ROOM, 'bob', 2)).toMatchObject([carl])
      expect(await two.neighbours.roll('#nowhere', '', 2)).toEqual([])
    })

    test('what a process says of itself is known to the others, the last of it, until it ends', async () => {
      expect(await one.neighbours.others()).toEqual({ said: [], unheard: 1 })
      two.neighbours.say('I am new')
      two.neighbours.say('I am well {"of": "course"}')
      one.neighbours.say('so am I')
      // What is asked after it has its answer after it.
      await Promise.all([one.store.check(), two.store.check()])
      const { said, unheard } = await one.neighbours.others()
      expect([said.map(({ text }) => text), unheard]).toEqual([['I am well {"of": "course"}'], 0])
      expect(said[0]?.ageMs).toBeLessThan(HEARD_MS)
      await two.store.close()
      await expect.poll(() => one.neighbours.others(), { timeout: HEARD_MS }).toEqual({ said: [], unheard: 0 })
    })

    test('answers what the model answers, whatever is reported by whom', { timeout: 60_000 }, async () => {
      const id = fc.constantFrom('ann', 'bob', 'carl', 'dan')
      const act = fc.record({
        by: fc.nat(1),
        coming: fc.uniqueArray(id, { maxLength: 3 }),
        going: fc.uniqueArray(id, { maxLength: 3 }),
        seen: fc.boolean(),
        passes: fc.nat(2),
      })
      let runs = 0
      await fc.assert(
        fc.asyncProperty(fc.array(act, { minLength: 1, maxLength: 30 }), async acts => {
          const room = `#room-${++runs}`
          const { epoch: made } = roomSettings()
          await one.store.rooms.create(room, roomSettings({ epoch: made }))
          const model = new RollTables({
            clock: () => now * 1_000,
            knows: (_, epoch) => areOfOneRoom(epoch, made),
            lives: () => true,
            changed: () => {},
          })
          const marks = [0, 0]
          for (const { by, coming, going, seen, passes } of acts) {
            now += passes
            const rest = going.filter(one => !coming.includes(one))
            const report = { epoch: made, coming: coming.map(present), going: rest, seen: seen ? (marks[by] ?? 0) : 0 }
            const answer = await (by === 0 ? one : two).neighbours.report(room, report)
            const expected = model.report(room, String(by), report)
            expect(sorted(answer)).toEqual(sorted(expected))
            marks[by] = answer?.mark ?? 0
          }
        }),
        { numRuns: 40 },
      )
    })
  })
}

function sorted(answer: RollAnswer | null): unknown {
  const everybody = answer?.everybody?.toSorted((a, b) => (a.id < b.id ? -1 : 1)) ?? null
  return answer === null ? null : { ...answer, stayed: answer.stayed.toSorted(), everybody }
}

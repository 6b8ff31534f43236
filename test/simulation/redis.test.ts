/**
 * The simulated worlds again, on a real Redis: the scripts instead of the tables, a store for each node, and between each store and Redis
 * a way that delays, loses replies and is cut. `ACKD_REDIS_SCHEDULES` says how many, from `ACKD_SEED` on.
 *
 * The worlds deal their own faults besides (calls that never arrive, answers that come too late, nodes that are killed). What the way does is
 * not part of a seed, so a red one may turn out green; it is printed with what was wrong.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { RoomEffects } from '../../src/core/room-effects.ts'
import { Clock } from '../../src/gateway/clock.ts'
import { Neighbourhood } from '../../src/gateway/neighbourhood.ts'
import { Passwords } from '../../src/gateway/passwords.ts'
import { StoreRoomEffects } from '../../src/gateway/room-effects.ts'
import { openRedisStore, type RedisStore } from '../../src/store/redis.ts'
import type { RoomStore } from '../../src/store/room-store.ts'
import type { Store } from '../../src/store/store.ts'
import { Proxy } from '../support/proxy.ts'
import { RedisServer } from '../support/redis.ts'
import type { Kept, RealStore } from './kept.ts'
import type { Node } from './node.ts'
import { roomScenarios, scenarios } from './scenarios.ts'
import { World } from './world.ts'

const schedules = Number(process.env['ACKD_REDIS_SCHEDULES'] ?? 40)
const first = Number(process.env['ACKD_SEED'] ?? Math.floor(Date.now() / 86_400_000) * 1_000)
/** Replies between two cuts of the way, on average, and ms that everything takes there and back, at most. */
const CUT_ONE_IN = 80
const DELAY_MS = 2
/** ms of real time that a store may take to be there again. */
const BACK_MS = 10_000

let server: RedisServer

beforeAll(async () => {
  server = await RedisServer.start('--appendonly', 'yes', '--appendfsync', 'no')
})

afterAll(() => server.stop())

/** Waits until a store is there again: the time of a world does not pass meanwhile. */
async function back(store: RedisStore): Promise<void> {
  for (const end = performance.now() + BACK_MS; performance.now() < end;) {
    await sleep(5)
    const isThere = await store.check().then(
      () => true,
      () => false,
    )
    if (isThere) return
  }
  throw new Error(`the store was not back within ${BACK_MS} ms`)
}

function patient(store: RedisStore): RealStore {
  const waited = <Value>(call: Promise<Value>): Promise<Value> =>
    call.catch(async (error: unknown) => {
      await back(store)
      throw error
    })
  // It is the judge who asks, and has to know.
  const mailboxes: Kept['mailboxes'] = (...args) =>
    store.mailboxes(...args).catch(() => back(store).then(() => mailboxes(...args)))
  const kept: Kept = {
    bind: request => waited(store.bind(request)),
    unbind: (...args) => waited(store.unbind(...args)),
    enqueue: (...args) => waited(store.enqueue(...args)),
    page: (...args) => waited(store.page(...args)),
    remove: (...args) => waited(store.remove(...args)),
    refuse: (...args) => waited(store.refuse(...args)),
    sync: (...args) => waited(store.sync(...args)),
    client: id => waited(store.client(id)),
    mailboxes,
  }
  const { rooms, neighbours } = store
  // It is the world that makes the room, and has to know.
  const create: RoomStore['create'] = (...args) =>
    rooms.create(...args).catch(() => back(store).then(() => create(...args)))
  const shared: Pick<Store, 'rooms' | 'neighbours'> = {
    rooms: {
      create,
      delete: (...args) => waited(rooms.delete(...args)),
      find: (...args) => waited(rooms.find(...args)),
      list: (...args) => waited(rooms.list(...args)),
      append: (...args) => waited(rooms.append(...args)),
      page: (...args) => waited(rooms.page(...args)),
      taken: (...args) => waited(rooms.taken(...args)),
    },
    neighbours: {
      listen: (...args) => neighbours.listen(...args),
      wake: (...args) => neighbours.wake(...args),
      settled: (...args) => neighbours.settled(...args),
      evict: (...args) => neighbours.evict(...args),
      follow: room => neighbours.follow(room),
      unfollow: room => neighbours.unfollow(room),
      report: (...args) => waited(neighbours.report(...args)),
      roll: (...args) => neighbours.roll(...args),
      say: text => neighbours.say(text),
      others: () => neighbours.others(),
      signal: (...args) => neighbours.signal(...args),
    },
  }
  return { kept, rooms: shared.rooms, effects: node => effectsOf(node, shared) }
}

/** As in production. */
function effectsOf(node: Node, shared: Pick<Store, 'rooms' | 'neighbours'>): RoomEffects {
  const nobody = {
    roomMade: () => {},
    roomDeleted: () => {},
    roomWanted: () => null,
    passwordOffered: () => null,
    passwordChecked: () => {},
  }
  const neighbourhood = new Neighbourhood(shared.neighbours, new Clock(), input => node.tell(node.life, input))
  neighbourhood.listen(node.name)
  return new StoreRoomEffects(shared, neighbourhood, new Passwords(1), nobody, {
    call: (_op, start, answer) => node.ask(start, answer),
    work: () => {
      throw new Error('nobody has a password here')
    },
  })
}

async function runOnRedis(seed: number, worlds = scenarios): Promise<{ wrong: readonly string[]; cuts: number }> {
  const scenario = { ...worlds[seed % worlds.length]!, failover: false }
  const world = new World(seed, scenario)
  const ends: (() => Promise<void>)[] = []
  const proxies: Proxy[] = []
  try {
    const wrong = await world.runOn(async (_, limits, clock) => {
      const proxy = await Proxy.start(server.port)
      const url = `redis://127.0.0.1:${proxy.port}`
      const store = await openRedisStore({ url, limits, clock, prefix: `world-${seed}:` })
      proxy.cutsOneReplyIn = CUT_ONE_IN
      proxy.delayMs = seed % (DELAY_MS + 1)
      proxies.push(proxy)
      ends.push(() => store.close().then(() => proxy.close()))
      return patient(store)
    })
    return { wrong, cuts: proxies.reduce((sum, proxy) => sum + proxy.cuts, 0) }
  } finally {
    for (const end of ends) await end()
  }
}

/** Those in which nodes share the store. A node that is killed keeps its lease here, since its store lives on, so nobody leaves for good. */
const sharedRooms = roomScenarios.filter(({ pollMs }) => pollMs > 0).map(world => ({ ...world, retires: false }))

it.each([
  { what: 'schedules', worlds: scenarios, count: schedules },
  { what: 'schedules with a room', worlds: sharedRooms, count: Math.ceil(schedules / 7) },
])(
  `$count $what from seed ${first}, on a Redis behind a bad way`,
  { timeout: Math.max(300_000, schedules * 10_000) },
  async ({ what, worlds, count }) => {
    process.stdout.write(`simulation on Redis: ${count} ${what} from seed ${first}\n`)
    let cuts = 0
    const red: unknown[] = []
    for (let seed = first; seed < first + count; seed++) {
      const run = await runOnRedis(seed, worlds)
      cuts += run.cuts
      if (run.wrong.length > 0) red.push({ seed, wrong: run.wrong.slice(0, 5) })
    }
    expect(red).toEqual([])
    expect(cuts).toBeGreaterThan(count)
    process.stdout.write(`the way was cut ${cuts} times\n`)
  },
)

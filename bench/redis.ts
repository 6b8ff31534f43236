/**
 * What Redis as the store costs, for each way of writing its journal: `npx tsx bench/redis.ts [messages] [mailboxes] [body bytes]`.
 *
 * A redis-server of its own is started for each `appendfsync`. Messages are parked as they would come: each turn of the loop brings some for many
 * mailboxes whose owners are away, first one for each of them, then a window's worth for a few. Then every mailbox is drained by pages and removed; the same with rooms, whose logs are read through. Printed are messages a second,
 * and the CPU time of this process and of Redis; where nothing keeps them apart, each has a core.
 */
import type { Parcel } from '../src/protocol/mailbox.ts'
import { openRedisStore } from '../src/store/redis.ts'
import { defaultStoreLimits, type Store } from '../src/store/store.ts'
import { RedisServer } from '../test/support/redis.ts'
import { cpuOf } from './usage.ts'
import { appendAll, benchRoomLimits, createRooms, readAll } from './rooms.ts'

const messages = Number(process.argv[2] ?? 200_000)
const mailboxes = Number(process.argv[3] ?? 1_000)
const bodyBytes = Number(process.argv[4] ?? 250)

/** Messages parked within one turn, and turns whose calls may be unanswered. */
const PER_TURN = 512
const TURNS_AHEAD = 4
const PAGE = 256
/** Mailboxes drained at the same time. */
const DRAINS = 64

const proof = { kind: 'token' } as const
const idOf = (mailbox: number): string => `client${String(mailbox * 7919).padStart(10, '0')}`
const sent = new Map<string, number>()

function parcelOf(id: string): Parcel {
  const n = (sent.get(id) ?? 0) + 1
  sent.set(id, n)
  const body = { bytes: Buffer.alloc(bodyBytes, n), start: 0, end: bodyBytes, text: false }
  return { stream: 'sender0000000000 outbox000000', n, floor: 1, time: Date.now(), expires: 0, body, repeated: false }
}

/** Of the Redis that is measured. */
let redis = 0

async function measured(what: string, count: number, run: () => Promise<void>): Promise<void> {
  const [own, its] = [cpuOf(process.pid), cpuOf(redis)]
  const start = performance.now()
  await run()
  const seconds = (performance.now() - start) / 1000
  const each = (spent: number): string => (spent / 1000 / count).toFixed(1)
  const cpu = `${each(cpuOf(process.pid) - own)} µs of CPU each here, ${each(cpuOf(redis) - its)} in Redis`
  console.log(`  ${what.padEnd(34)} ${Math.round(count / seconds)} messages/s, ${cpu}`)
}

/** Parks `count` messages, `batch` of them in each call. */
async function park(store: Store, count: number, batch: number): Promise<void> {
  const open = new Set<Promise<unknown>>()
  for (let index = 0, call = 0; index < count;) {
    const calls: Promise<unknown>[] = []
    for (let parked = 0; parked < PER_TURN; parked += batch, call++) {
      const id = idOf(call % mailboxes)
      calls.push(
        store.enqueue(
          id,
          Array.from({ length: batch }, () => parcelOf(id)),
        ),
      )
    }
    index += PER_TURN
    const turn: Promise<unknown> = Promise.all(calls).then(() => open.delete(turn))
    open.add(turn)
    if (open.size >= TURNS_AHEAD) await Promise.race(open)
    await new Promise(setImmediate)
  }
  await Promise.all(open)
}

async function bind(store: Store, id: string, nonce: string): Promise<string> {
  const bound = await store.bind({ id, proof, create: true, node: 'n', nonce, outbox: 'outbox00', attempt: 0 })
  if (bound.kind !== 'bound') throw new Error(bound.kind)
  return bound.token
}

async function drain(store: Store, id: string): Promise<number> {
  const token = await bind(store, id, 'drain')
  for (let drained = 0, after = 0; ;) {
    const page = await store.page(id, token, after, PAGE, 1e9)
    if (page.kind !== 'page') throw new Error('stale')
    const last = page.entries.at(-1)
    if (last === undefined) {
      await store.unbind(id, token, 0)
      return drained
    }
    drained += page.entries.length
    after = last.s
    await store.remove(id, token, after)
  }
}

async function drainAll(store: Store, expected: number): Promise<void> {
  let drained = 0
  for (let mailbox = 0; mailbox < mailboxes; mailbox += DRAINS) {
    const group = Array.from({ length: Math.min(DRAINS, mailboxes - mailbox) }, (_, index) =>
      drain(store, idOf(mailbox + index)),
    )
    for (const count of await Promise.all(group)) drained += count
  }
  if (drained !== expected) throw new Error(`${drained} of ${expected} messages came back`)
}

for (const appendfsync of ['everysec', 'always', 'no']) {
  const server = await RedisServer.start('--appendonly', 'yes', '--appendfsync', appendfsync)
  const store = await openRedisStore({ url: server.url, limits: { ...defaultStoreLimits, rooms: benchRoomLimits } })
  redis = Number(/process_id:(\d+)/.exec(await server.ask('INFO server'))?.[1])
  sent.clear()
  console.log(`appendfsync ${appendfsync}, ${messages} messages of ${bodyBytes} bytes, ${mailboxes} mailboxes`)
  for (let mailbox = 0; mailbox < mailboxes; mailbox++) {
    await store.unbind(idOf(mailbox), await bind(store, idOf(mailbox), 'first'), 0)
  }
  const rounds = Math.ceil(messages / PER_TURN) * PER_TURN
  await measured('parked, one in a call', rounds, () => park(store, rounds, 1))
  await measured('drained', rounds, () => drainAll(store, rounds))
  await measured('parked, 64 in a call', rounds, () => park(store, rounds, 64))
  await measured('drained', rounds, () => drainAll(store, rounds))
  await createRooms(store.rooms, mailboxes)
  const { rooms } = store
  await measured('appended to rooms, one in a call', rounds, () => appendAll(rooms, rounds, mailboxes, bodyBytes, 1))
  await measured('read through', rounds, () => readAll(rooms, mailboxes, rounds))
  await store.close()
  await server.stop()
}

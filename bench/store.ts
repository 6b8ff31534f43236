/**
 * What the embedded store costs: `npx tsx bench/store.ts [messages] [mailboxes or rooms] [body bytes]`.
 *
 * Messages are parked as they would come: each turn of the loop brings a few for many mailboxes, one to a call, and then many to a call. Then every
 * mailbox is drained by pages and removed. The same is done with rooms, whose logs are then read through. Printed is the CPU time of the whole process, driver and kernel included, and the wall time.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { Parcel } from '../src/protocol/mailbox.ts'
import { openLmdbStore, type LmdbStore } from '../src/store/lmdb.ts'
import { defaultStoreLimits } from '../src/store/store.ts'
import { appendAll, benchRoomLimits, createRooms, readAll } from './rooms.ts'

const mailboxes = Number(process.argv[3] ?? 1_000)
const each = Math.ceil(Number(process.argv[2] ?? 100_000) / mailboxes)
const messages = each * mailboxes
const bodyBytes = Number(process.argv[4] ?? 128)

/** Messages that come within one turn, and turns whose calls may be unanswered. */
const PER_TURN = 256
const TURNS_AHEAD = 4
const PAGE = 256

async function measured(what: string, run: () => Promise<void>): Promise<void> {
  const cpu = process.cpuUsage()
  const start = performance.now()
  await run()
  const { user, system } = process.cpuUsage(cpu)
  const per = (value: number): string => (value / messages).toFixed(2)
  const wall = (performance.now() - start) * 1000
  console.log(
    `${what}: ${per(user + system)} µs of CPU a message (user ${per(user)}, system ${per(system)}), ${per(wall)} µs of time`,
  )
}

function parcelOf(stream: string, n: number): Parcel {
  const bytes = Buffer.alloc(bodyBytes, n)
  const body = { bytes, start: 0, end: bodyBytes, text: false }
  return { stream, n, floor: 1, time: Date.now(), expires: 0, body, repeated: false }
}

const idOf = (mailbox: number): string => `client${String(mailbox * 7919).padStart(10, '0')}`

/** The same number into each mailbox, so many in a call. */
async function parkAll(store: LmdbStore, inCall: number): Promise<void> {
  const stream = `sender0000000000 outbox${String(inCall).padStart(6, '0')}`
  const open = new Set<Promise<unknown>>()
  let calls: Promise<unknown>[] = []
  for (let first = 1; first <= each; first += inCall) {
    const count = Math.min(inCall, each - first + 1)
    for (let mailbox = 0; mailbox < mailboxes; mailbox++) {
      const batch = Array.from({ length: count }, (_, index) => parcelOf(stream, first + index))
      calls.push(store.enqueue(idOf(mailbox), batch))
      if (calls.length * inCall < PER_TURN) continue
      const turn: Promise<unknown> = Promise.all(calls).then(() => open.delete(turn))
      calls = []
      open.add(turn)
      if (open.size >= TURNS_AHEAD) await Promise.race(open)
      await new Promise(setImmediate)
    }
  }
  await Promise.all([...open, ...calls])
}

async function drain(store: LmdbStore, mailbox: number): Promise<number> {
  const id = idOf(mailbox)
  const proof = { kind: 'token' } as const
  const bound = await store.bind({
    id,
    proof,
    create: false,
    node: 'n',
    nonce: 'drain',
    outbox: 'drained0',
    attempt: 0,
  })
  if (bound.kind !== 'bound') throw new Error(bound.kind)
  for (let drained = 0; ;) {
    const page = await store.page(id, bound.token, 0, PAGE, 1e9)
    if (page.kind !== 'page') throw new Error('stale')
    const last = page.entries.at(-1)
    if (last === undefined) return drained
    drained += page.entries.length
    await store.remove(id, bound.token, last.s)
  }
}

async function drainAll(store: LmdbStore): Promise<void> {
  let drained = 0
  for (let mailbox = 0; mailbox < mailboxes; mailbox += 64) {
    const group = Array.from({ length: Math.min(64, mailboxes - mailbox) }, (_, index) => drain(store, mailbox + index))
    for (const count of await Promise.all(group)) drained += count
  }
  if (drained !== messages) throw new Error(`${drained} of ${messages} messages came back`)
}

const directory = mkdtempSync(join(tmpdir(), 'ackd-bench-'))
const store = await openLmdbStore({ directory, limits: { ...defaultStoreLimits, rooms: benchRoomLimits } })
const proof = { kind: 'token' } as const
for (let mailbox = 0; mailbox < mailboxes; mailbox += 256) {
  const ids = Array.from({ length: Math.min(256, mailboxes - mailbox) }, (_, index) => idOf(mailbox + index))
  await Promise.all(
    ids.map(id => store.bind({ id, proof, create: true, node: 'n', nonce: 'first', outbox: 'outbox00', attempt: 0 })),
  )
}
for (const inCall of [1, 64]) {
  await measured(`parked, ${inCall} in a call`, () => parkAll(store, inCall))
  await measured('drained', () => drainAll(store))
}
await createRooms(store.rooms, mailboxes)
await measured('appended to rooms, one in a call', () => appendAll(store.rooms, messages, mailboxes, bodyBytes, 1))
await measured('read through', () => readAll(store.rooms, mailboxes, messages))
await store.close()
rmSync(directory, { recursive: true })

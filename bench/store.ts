/**
 * What the embedded store costs: `npx tsx bench/store.ts [messages] [mailboxes or rooms] [body bytes]`.
 *
 * Messages are parked as they would come: each turn of the loop brings a few for many mailboxes. Then every mailbox is drained by
 * pages and removed. The same is done with rooms, whose logs are then read through. Printed is the CPU time of the whole process, driver and kernel included, and the wall time.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { Parcel } from '../src/protocol/mailbox.ts'
import { openLmdbStore, type LmdbStore } from '../src/store/lmdb.ts'
import { defaultStoreLimits } from '../src/store/store.ts'
import { appendAll, benchRoomLimits, createRooms, readAll } from './rooms.ts'

const messages = Number(process.argv[2] ?? 100_000)
const mailboxes = Number(process.argv[3] ?? 1_000)
const bodyBytes = Number(process.argv[4] ?? 128)

/** Mailboxes that get a message within one turn, and turns whose calls may be unanswered. */
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

function parcelOf(index: number): Parcel {
  const n = Math.floor(index / mailboxes) + 1
  const bytes = Buffer.alloc(bodyBytes, index)
  const body = { bytes, start: 0, end: bodyBytes, text: false }
  return { stream: 'sender0000000000 outbox000000', n, floor: 1, time: Date.now(), expires: 0, body, repeated: false }
}

const idOf = (mailbox: number): string => `client${String(mailbox * 7919).padStart(10, '0')}`

async function parkAll(store: LmdbStore): Promise<void> {
  const open = new Set<Promise<unknown>>()
  for (let index = 0; index < messages;) {
    const calls: Promise<unknown>[] = []
    for (const end = Math.min(messages, index + PER_TURN); index < end; index++) {
      calls.push(store.enqueue(idOf(index % mailboxes), [parcelOf(index)]))
    }
    const turn: Promise<unknown> = Promise.all(calls).then(() => open.delete(turn))
    open.add(turn)
    if (open.size >= TURNS_AHEAD) await Promise.race(open)
    await new Promise(setImmediate)
  }
  await Promise.all(open)
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
await measured('parked ', () => parkAll(store))
await measured('drained', () => drainAll(store))
await createRooms(store.rooms, mailboxes)
await measured('appended to rooms, one in a call', () => appendAll(store.rooms, messages, mailboxes, bodyBytes, 1))
await measured('read through', () => readAll(store.rooms, mailboxes, messages))
await store.close()
rmSync(directory, { recursive: true })

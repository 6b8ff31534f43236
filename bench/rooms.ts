/** The load that `store.ts` and `redis.ts` put on rooms: appended as messages come, and read through by pages. */
import type { RoomParcel } from '../src/protocol/rooms.ts'
import { defaultRoomLimits, type RoomStore } from '../src/store/room-store.ts'

/** Messages appended within one turn, and turns whose calls may be unanswered. */
const PER_TURN = 256
const TURNS_AHEAD = 4
const PAGE = 200
/** Rooms read at the same time. */
const READERS = 64

/** A log keeps them all, so that each can be read. */
export const benchRoomLimits = { ...defaultRoomLimits, messages: 1_000_000 }

const nameOf = (room: number): string => `#room-${room}`

export async function createRooms(store: RoomStore, rooms: number): Promise<void> {
  for (let room = 0; room < rooms; room++) {
    await store.create(nameOf(room), {
      owner: '',
      private: false,
      password: '',
      messages: benchRoomLimits.messages,
      epoch: `epoch${room}`,
      created: Date.now(),
    })
  }
}

/** Appends `messages` to `rooms`, `batch` of them in each call. */
export async function appendAll(
  store: RoomStore,
  messages: number,
  rooms: number,
  bodyBytes: number,
  batch: number,
): Promise<void> {
  const open = new Set<Promise<unknown>>()
  const sent = new Map<number, number>()
  const next = (room: number): RoomParcel => {
    const n = (sent.get(room) ?? 0) + 1
    sent.set(room, n)
    const body = { bytes: Buffer.alloc(bodyBytes, n), start: 0, end: bodyBytes, text: false }
    return { stream: 'sender0000000000 outbox000000', n, floor: n, time: Date.now(), body }
  }
  for (let index = 0, call = 0; index < messages;) {
    const calls: Promise<unknown>[] = []
    for (const end = Math.min(messages, index + PER_TURN); index < end; call++) {
      const size = Math.min(batch, end - index)
      const parcels = Array.from({ length: size }, () => next(call % rooms))
      calls.push(store.append(nameOf(call % rooms), parcels))
      index += size
    }
    const turn: Promise<unknown> = Promise.all(calls).then(() => open.delete(turn))
    open.add(turn)
    if (open.size >= TURNS_AHEAD) await Promise.race(open)
    await new Promise(setImmediate)
  }
  await Promise.all(open)
}

export async function readAll(store: RoomStore, rooms: number, expected: number): Promise<void> {
  let read = 0
  const through = async (name: string): Promise<void> => {
    for (let after = 0; ;) {
      const page = await store.page(name, { after, limit: PAGE, maxBytes: 1e9 })
      const last = page?.entries.at(-1)
      if (page === null || last === undefined) return
      read += page.entries.length
      after = last.offset
    }
  }
  for (let room = 0; room < rooms; room += READERS) {
    await Promise.all(
      Array.from({ length: Math.min(READERS, rooms - room) }, (_, index) => through(nameOf(room + index))),
    )
  }
  if (read !== expected) throw new Error(`${read} of ${expected} messages were read`)
}

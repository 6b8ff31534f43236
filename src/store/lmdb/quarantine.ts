/**
 * What happens to a message that does not match its checksum: it is moved aside, where it is counted and can be looked at.
 *
 * In a mailbox, if its header is whole, a void with the reason `dead` takes its place, and the sender is told. If not, its number cannot be
 * known; then the recipient sees a hole in the numbers of a stream, which its library reports. In the log of a room it leaves a hole in
 * the offsets, which members see.
 */
import type { Lost } from '../../protocol/mailbox.ts'
import type { Table } from './environment.ts'
import {
  DamagedRecord,
  boxNumber,
  boxRange,
  entryPlace,
  putEntry,
  quarantineKey,
  readEntry,
  readHeader,
  Tag,
} from './records.ts'
import type { ParkedEntry } from './records.ts'
import type { LmdbRoomTables } from './room-tables.ts'
import type { LmdbTables } from './tables.ts'

/** Moves aside every damaged message of the mailbox in which `key` stands. Must run inside a transaction. */
export function quarantine(
  table: Table,
  tables: LmdbTables,
  key: Uint8Array,
): { moved: number; lost: readonly Lost[] } {
  const number = boxNumber(key)
  const damaged = [Tag.entry, Tag.dead].flatMap(tag => damagedKeys(table, tag, number))
  const ended: ParkedEntry[] = []
  for (const at of damaged) {
    const header = moveAside(table, number, at)
    if (header !== null) ended.push(header)
  }
  const id = tables.idOf(number)
  return { moved: damaged.length, lost: id === null ? [] : tables.recount(id, ended) }
}

/** The same for the room in whose log `key` stands. `room` is null when nobody knows to which it belonged. */
export function quarantinePosts(
  table: Table,
  rooms: LmdbRoomTables,
  key: Uint8Array,
): { moved: number; room: string | null } {
  const number = boxNumber(key)
  const damaged = damagedKeys(table, Tag.post, number)
  const moved = damaged.map(at => ({ offset: entryPlace(at), header: moveAside(table, number, at) }))
  return { moved: moved.length, room: rooms.recount(number, moved) }
}

function damagedKeys(table: Table, tag: number, number: number): Uint8Array[] {
  const [start, end] = boxRange(tag, number)
  return [...table.range(start, end)].filter(({ key, value }) => isDamaged(key, value)).map(({ key }) => key)
}

function isDamaged(key: Uint8Array, value: Buffer): boolean {
  try {
    readEntry(key, value)
    return false
  } catch (error) {
    if (error instanceof DamagedRecord) return true
    throw error
  }
}

/** What can still be known of the message; of one in a mailbox, if it left a void. */
function moveAside(table: Table, number: number, key: Uint8Array): ParkedEntry | null {
  const value = table.get(key)
  if (value === undefined) return null
  table.put(quarantineKey(key), value)
  table.remove(key)
  const header = key[0] === Tag.dead ? null : readHeader(key, value)
  if (header === null || key[0] === Tag.post) return header
  putEntry(number, { ...header, body: null, reason: 'dead' }, (at, bytes) => table.put(at, bytes))
  return header.reason === '' ? header : null
}

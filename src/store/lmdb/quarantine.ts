/**
 * What happens to a message that does not match its checksum: it is moved aside, where it is counted and can be looked at.
 *
 * In a mailbox it is judged alone, whatever else stands in its record. If its header is whole, a void with the reason `dead` takes its place, and the sender is told. If not, its number cannot be
 * known; then the recipient sees a hole in the numbers of a stream, which its library reports. In the log of a room it leaves a hole in
 * the offsets, which members see.
 */
import type { Lost } from '../../protocol/mailbox.ts'
import { putEntries, readEntries, salvage, type Salvaged } from './bundle.ts'
import type { Table } from './environment.ts'
import { type KeptEntry, readEntry, readHeader } from './entries.ts'
import { boxNumber, boxRange, DamagedRecord, entryKey, entryPlace, quarantineKey, Tag } from './records.ts'
import type { LmdbRoomTables } from './room-tables.ts'
import type { LmdbTables } from './tables.ts'

/** Moves aside every damaged message of the mailbox in which `key` stands. Must run inside a transaction. */
export function quarantine(
  table: Table,
  tables: LmdbTables,
  key: Uint8Array,
): { moved: number; lost: readonly Lost[] } {
  const number = boxNumber(key)
  const dead = damagedKeys(table, Tag.dead, number)
  for (const at of dead) moveAside(table, at)
  const salvaged = damagedKeys(table, Tag.entry, number).flatMap(at => takeOut(table, at))
  let moved = dead.length
  const lost: Lost[] = []
  // It may be the key that is damaged, and the messages those of another mailbox.
  for (const owner of new Set([number, ...salvaged.map(({ box }) => box)])) {
    const box = tables.boxOf(owner)
    const floor = box?.floor ?? 0
    // What is not above the floor was taken away before.
    const messages = salvaged.filter(message => message.box === owner && message.s > floor)
    const mended = putBack(table, owner, messages)
    moved += mended.moved
    if (box !== null) lost.push(...tables.recount(box.id, mended.ended))
  }
  return { moved, lost }
}

function takeOut(table: Table, key: Uint8Array): readonly Salvaged[] {
  const value = table.get(key)
  table.remove(key)
  return value === undefined ? [] : salvage(key, value)
}

/**
 * Moves the damaged ones of these messages aside, and writes the others again, with voids for those whose headers are whole. Answers
 * how many were moved, and which of them left a void.
 */
function putBack(
  table: Table,
  box: number,
  messages: readonly Salvaged[],
): { moved: number; ended: readonly KeptEntry[] } {
  const put = (at: Uint8Array, bytes: Uint8Array): void => table.put(at, bytes)
  const kept: KeptEntry[] = []
  const ended: KeptEntry[] = []
  let moved = 0
  for (const { s, bytes, header, isWhole } of messages) {
    if (!isWhole) {
      moved++
      put(quarantineKey(entryKey(box, s)), bytes)
      if (header?.reason === '') ended.push(header)
    }
    if (header !== null) kept.push(isWhole ? header : { ...header, body: null, reason: header.reason || 'dead' })
  }
  putEntries(box, kept, put)
  return { moved, ended }
}

/** The same for the room in whose log `key` stands. `room` is null when nobody knows to which it belonged. */
export function quarantinePosts(
  table: Table,
  rooms: LmdbRoomTables,
  key: Uint8Array,
): { moved: number; room: string | null } {
  const number = boxNumber(key)
  const damaged = damagedKeys(table, Tag.post, number)
  const moved = damaged.map(at => ({ offset: entryPlace(at), header: moveAside(table, at) }))
  return { moved: moved.length, room: rooms.recount(number, moved) }
}

function damagedKeys(table: Table, tag: number, number: number): Uint8Array[] {
  const [start, end] = boxRange(tag, number)
  return [...table.range(start, end)].filter(({ key, value }) => isDamaged(key, value)).map(({ key }) => key)
}

function isDamaged(key: Uint8Array, value: Buffer): boolean {
  try {
    if (key[0] === Tag.entry) readEntries(key, value)
    else readEntry(key, value)
    return false
  } catch (error) {
    if (error instanceof DamagedRecord) return true
    throw error
  }
}

/** Moves a record of one message aside, and answers what can still be known of it. */
function moveAside(table: Table, key: Uint8Array): KeptEntry | null {
  const value = table.get(key)
  if (value === undefined) return null
  table.put(quarantineKey(key), value)
  table.remove(key)
  return readHeader(key, value)
}

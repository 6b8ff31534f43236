/**
 * How rooms are written down in LMDB. The record of a room is JSON, since it is read and written seldom; the messages of its log are
 * written like those of a mailbox, under the number of the room and with the offset in the place of `s`, and its streams are too.
 */
import type { EndedEpoch, RoomSettings } from '../../protocol/rooms.ts'
import { type ParkedEntry, readHeader } from './entries.ts'
import { DamagedRecord, entryKey, putText, readText, Tag } from './records.ts'

/** What is kept of a room besides its messages and streams; true of everything up to `through`. */
export interface KeptRoom {
  /** Takes the place of the name in all other keys. Boxes and rooms are numbered together. */
  readonly number: number
  readonly settings: RoomSettings
  epoch: string
  ended: readonly EndedEpoch[]
  /** Names the start of the process that used it last. */
  term: string
  /** The highest offset that is counted here. */
  through: number
  /** Streams written down. */
  streams: number
  /** Rises with each use of a stream, to know the least recently used. */
  uses: number
}

export function roomKey(name: string): Buffer {
  return Buffer.concat([Uint8Array.of(Tag.room), Buffer.from(name, 'latin1')])
}

export function roomName(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1', 1)
}

export function postKey(room: number, offset: number): Buffer {
  return entryKey(room, offset, Tag.post)
}

export function putRoom(name: string, room: KeptRoom, put: (key: Uint8Array, value: Uint8Array) => void): void {
  putText(roomKey(name), JSON.stringify(room), put)
}

export function readRoom(key: Uint8Array, value: Buffer): KeptRoom {
  return JSON.parse(readText(key, value, `the record of room ${roomName(key)}`)) as KeptRoom
}

/** What the header of a message says; its body is not looked at. */
export function readPost(key: Uint8Array, value: Buffer): ParkedEntry {
  const header = readHeader(key, value)
  if (header === null) throw new DamagedRecord('a message of a room does not match its checksum', key)
  return header
}

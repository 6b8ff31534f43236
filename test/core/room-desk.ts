/** A desk at which somebody is in a room, or on his way in, and the pages that a log has. */
import type { RoomEntry, RoomLog, RoomPage, RoomRecord } from '../../src/protocol/rooms.ts'
import { bodyOf, Desk, start, type Connected } from './recorder.ts'

export const room = '#tea'

export function logOf(last: number, more: Partial<RoomLog> = {}): RoomLog {
  return { epoch: 'e1', ended: [], first: 1, last, ...more }
}

export function recordOf(last: number, more: Partial<RoomRecord> = {}): RoomRecord {
  return { ...logOf(last), room, owner: 'olga', private: false, password: '', messages: 100, created: start, ...more }
}

export function pageOf(first: number, upTo: number, last = upTo, more: Partial<RoomLog> = {}): RoomPage {
  const entries: RoomEntry[] = []
  for (let offset = first; offset <= upTo; offset++)
    entries.push({ offset, stream: 'carol out', n: offset, time: start, body: bodyOf(1) })
  return { entries, ...logOf(last, more) }
}

export class RoomDesk extends Desk {
  get rooms(): Desk['hub']['rooms'] {
    return this.hub.rooms
  }

  /** Somebody is in the room, whose log ends at `last`; what that took is not written down. */
  within(id: string, last = 0): Connected {
    const connected = this.connect(id)
    this.rooms.join(connected.session, id, room, {})
    this.hub.turn()
    this.rooms.found(room, recordOf(last))
    this.hub.turn()
    this.calls.read()
    this.quiet(connected)
    return connected
  }

  /** Somebody joins behind an offset. */
  joining(id: string, since: number, last: number, epoch = 'e1'): Connected {
    const connected = this.connect(id)
    this.rooms.join(connected.session, id, room, { since, epoch })
    this.hub.turn()
    this.calls.read()
    this.rooms.found(room, recordOf(last))
    this.hub.turn()
    return connected
  }

  quiet(...all: readonly Connected[]): void {
    for (const { line } of all) line.read()
  }

  /** The member that the store was asked to feed last. */
  get fed(): Parameters<Desk['hub']['rooms']['fed']>[0] {
    const member = this.calls.rooms.members.at(-1)
    if (member === undefined) throw new Error('nobody is fed')
    return member
  }

  appended(offsets: readonly number[], last = offsets.at(-1) ?? 0, epoch = 'e1'): void {
    this.hub.appended(room, { kind: 'appended', outcomes: offsets.map(offset => ({ offset })), epoch, last })
    this.hub.turn()
  }
}

export function alone(more: ConstructorParameters<typeof Desk>[0] = {}): RoomDesk {
  return new RoomDesk({ soleOwner: true, ...more })
}

/**
 * Who may do what in rooms, by his rights, by what a room is set to, and by being in it.
 */
import { areOfOneRoom, type RoomRecord } from '../protocol/rooms.ts'
import type { Member } from './member.ts'
import { covers } from './rights.ts'
import type { Session } from './session.ts'

/** Whether it may do what the owner of a room may. */
export function owns(session: Session, { owner }: RoomRecord): boolean {
  return session.rights.admin || owner === session.id
}

/** Whether its token names that room. */
export function isNamed({ rights }: Session, room: string): boolean {
  return rights.rooms !== null && covers(rights.rooms, room)
}

/** Whether it has the right still by which it came in. */
export function isStillLetIn(session: Session, { by, room }: Member): boolean {
  return by === null || session.rights.admin || (by === 'name' && isNamed(session, room))
}

/** Whether it may know what is said in a room, and who is in it. `epoch`: of the room that is meant, if another one may have its name by now. */
export function isWithin(session: Session, name: string, epoch?: string): boolean {
  if (session.rights.admin) return true
  const member = session.attendance?.members.get(name)
  return member?.state === 'live' && (epoch === undefined || areOfOneRoom(member.epoch, epoch))
}

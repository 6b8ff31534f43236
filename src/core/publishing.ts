/**
 * Where the messages of one session to one room go: into the log, if the session is in the room; if it is on its way in, they wait
 * for that. It stands where a stream to a client has that client's session.
 */
import { refusals, type ErrorCode } from '../protocol/errors.ts'
import { areOfOneRoom } from '../protocol/rooms.ts'
import type { Member } from './member.ts'
import type { Message } from './message.ts'
import type { Hub } from './hub.ts'
import type { Session } from './session.ts'

export class Publishing {
  readonly open = true
  readonly #hub: Hub
  readonly #session: Session
  readonly #room: string

  constructor(hub: Hub, session: Session, room: string) {
    this.#hub = hub
    this.#session = session
    this.#room = room
  }

  take(message: Message): void {
    const { custody } = this.#hub
    const member = this.#session.attendance?.members.get(this.#room)
    if (member === undefined) custody.refuse(message, 'not_joined')
    // Rights may have become less since it joined.
    else if (!this.#session.mayEnter(this.#room)) custody.refuse(message, 'forbidden')
    else if (member.state === 'live') custody.publish(message, member)
    else member.waiting.push(message)
  }
}

/** Somebody has come in: what he sent meanwhile goes into the log, unless it was meant for another room, that had this name before. */
export function publishWaiting({ custody }: Hub, member: Member): void {
  const { meant, epoch, waiting } = member
  const isOther = meant !== '' && !areOfOneRoom(meant, epoch)
  member.meant = epoch
  for (const message of waiting.splice(0)) {
    if (message.ended) continue
    if (isOther) custody.refuse(message, 'not_joined')
    else custody.publish(message, member)
  }
}

/** Somebody is not let in: what he sent meanwhile is refused, or goes back to him for that many ms if he may try again. */
export function returnWaiting({ custody }: Hub, { session, waiting }: Member, code: ErrorCode, pauseMs: number): void {
  for (const message of waiting.splice(0)) {
    if (message.ended) continue
    // Nobody is left to be told.
    if (session.gone) custody.move(message, null)
    if (refusals[code].retryable) custody.handBack(message, code, pauseMs)
    else custody.refuse(message, code)
  }
}

/** What clients are told in answer to what they asked about rooms. */
import { refusals, type ErrorCode } from '../protocol/errors.ts'
import type { Ref } from '../protocol/frames.ts'
import type { Created } from '../protocol/rooms.ts'
import type { Session } from './session.ts'

/** Who has gone meanwhile is told nothing. */
export function reply(session: Session, ref: Ref, value: unknown): void {
  if (!session.gone) session.connection.reply(ref, value)
}

/** The same. */
export function refuse(session: Session, ref: Ref | null, code: ErrorCode, text: string = refusals[code].text): void {
  if (!session.gone) session.connection.error(ref, code, text)
}

/** Why something could not be made, or checked; null: the store did not answer. */
export function codeOf(result: Exclude<Created, 'created'> | 'busy' | null): ErrorCode {
  if (result === 'exists') return 'room_exists'
  if (result === 'too_many' || result === 'owns_too_many') return 'forbidden'
  return result === 'busy' ? 'overloaded' : 'unavailable'
}

/** What to do about that. */
export function adviceOf(result: Exclude<Created, 'created'> | 'busy' | null): string {
  if (result === 'owns_too_many') return 'You own as many rooms as you may; delete one first.'
  if (result === 'too_many') return 'There are as many rooms as this server keeps; its operator can raise ACKD_ROOMS.'
  return refusals[codeOf(result)].text
}

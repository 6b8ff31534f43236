/** What clients are told in answer to what they asked about rooms. */
import { refusals, type ErrorCode } from '../protocol/errors.ts'
import type { Ref } from '../protocol/frames.ts'
import type { Created } from '../protocol/rooms.ts'
import type { Wait } from './room-effects.ts'
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
export function codeOf(result: Exclude<Created, 'created'> | 'busy' | Wait | null): ErrorCode {
  if (typeof result === 'object' && result !== null) return 'rate_limited'
  if (result === 'exists') return 'room_exists'
  if (result === 'too_many' || result === 'owns_too_many') return 'forbidden'
  return result === 'busy' ? 'overloaded' : 'unavailable'
}

/** What to do about that. */
export function adviceOf(result: Exclude<Created, 'created'> | 'busy' | Wait | null): string {
  if (typeof result === 'object' && result !== null)
    return `That was tried too often; try again after ${Math.ceil(result.waitMs / 1_000)} s.`
  if (result === 'owns_too_many') return 'You own as many rooms as you may; delete one first.'
  if (result === 'too_many') return 'There are as many rooms as this server keeps; its operator can raise ACKD_ROOMS.'
  return refusals[codeOf(result)].text
}

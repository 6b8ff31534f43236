/** What a refusal says about who may have taken the message after all. */
import type { ErrorCode } from '../protocol/errors.ts'

/** Refused at the door: the messages were not looked at, so nobody has taken them. */
export const atTheDoor: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['rate_limited', 'window_exceeded', 'overloaded'])
/** Refused because nobody could ever have taken the message. */
export const neverTaken: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'bad_id',
  'bad_number',
  'unknown_recipient',
  'too_large',
])

/**
 * What clients, rooms and people are called on a command line. What no server would take is refused here, before anything is connected,
 * by the forms of the wire.
 */
import { MAX_NAME } from '../protocol/limits.ts'
import { isClientId, isRoom } from '../protocol/names.ts'
import { Failure } from './failure.ts'
import type { Address } from './profiles.ts'

/** The client that a message may go to, or that may be asked about. Throws for what was `given` and cannot be one. */
export function clientAt(address: Address, given: string): Address {
  if (isClientId(address.id)) return address
  const fix = given.startsWith('#')
    ? `to say something in a room: ackd chat '${given}'`
    : 'name a profile, or an id: 1 to 64 of A-Za-z0-9_.:@-'
  throw new Failure('usage', `'${given}' cannot be a client`, fix)
}

/** A room as one types it: to a shell a # begins a comment, so it may be left out. Throws for what no room is called. */
export function roomName(name: string): string {
  const room = name.startsWith('#') ? name : `#${name}`
  if (isRoom(room)) return room
  throw new Failure(
    'usage',
    `'${name}' cannot name a room`,
    'take 1 to 64 of A-Za-z0-9_.:-, with or without a # before it',
  )
}

/** What others see of somebody. Throws for what cannot be seen, and for what the server would cut off. */
export function shownName(name: string): string {
  if (name.trim() !== '' && name.length <= MAX_NAME) return name
  throw new Failure('usage', `--name cannot be '${name}'`, `take 1 to ${MAX_NAME} characters`)
}

/**
 * Whose a token is, as it says itself: its `sub`; null: it is no JSON Web Token, or has none that could be an id. Nothing is checked,
 * which is for the server that is shown it: a command only has to know where to keep what it sends.
 */
export function subjectOf(token: string): string | null {
  const [, payload = ''] = token.split('.')
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString())
    if (typeof claims !== 'object' || claims === null || !('sub' in claims)) return null
    return typeof claims.sub === 'string' && isClientId(claims.sub) ? claims.sub : null
  } catch {
    return null
  }
}

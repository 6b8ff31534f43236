/**
 * Which conversation an address of the page is about: `/#to=ADDRESS` somebody, `/#room=NAME` a room, `/` none.
 *
 * A conversation is part of the page's address, so that it can be linked to, and so that "back" leads back.
 */

/** As the protocol has them: rooms begin with `#`, an address is 1 to 64 characters. */
const ROOM = /^#[A-Za-z0-9_.:-]{1,64}$/
const ADDRESS = /^[A-Za-z0-9_.:@-]{1,64}$/

/** The target that the hash of a location names; null for none, and for what is no target. */
export function targetIn(hash: string): string | null {
  const fields = new URLSearchParams(hash.replace(/^#/, ''))
  const to = fields.get('to')
  if (to !== null) return ADDRESS.test(to) ? to : null
  const room = fields.get('room')
  return room === null ? null : roomOf(room)
}

/** The hash that leads to a target. */
export function hashOf(target: string | null): string {
  if (target === null) return '#'
  return target.startsWith('#') ? `#room=${encodeURIComponent(target.slice(1))}` : `#to=${encodeURIComponent(target)}`
}

/** The room that somebody means, with or without `#`; null when there can be none of that name. */
export function roomOf(text: string): string | null {
  const room = `#${text.trim().replace(/^#/, '')}`
  return ROOM.test(room) ? room : null
}

/** The address in what somebody has pasted: the address itself, or a link to it. Null when there is none. */
export function addressIn(text: string): string | null {
  const given = text.trim()
  const at = given.indexOf('#to=')
  if (at >= 0) return targetIn(given.slice(at))
  return ADDRESS.test(given) ? given : null
}

export function isRoom(target: string): boolean {
  return target.startsWith('#')
}

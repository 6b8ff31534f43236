/** The forms of names on the wire, §2: ids, outboxes, rooms. Any value may be asked about. */

/** The forms of ids, outboxes and rooms, for those that describe them. */
export const clientIdForm = /^[A-Za-z0-9_.:@-]{1,64}$/
const assignedId = /^[A-Za-z0-9_-]{16}$/
export const outboxForm = /^[A-Za-z0-9_-]{8,32}$/
export const roomForm = /^#[A-Za-z0-9_.:-]{1,64}$/

/** An address of a client: one that a server assigned, or the `sub` of a token. */
export function isClientId(name: string): boolean {
  return clientIdForm.test(name)
}

/** Begins the addresses that are the server's own. Whoever proves one of them by a token or a certificate is turned away. */
const SERVER_PREFIX = 'ackd:'

/** From whom the messages come that backends post over HTTP. */
export const SERVER_ID = `${SERVER_PREFIX}api`

export function isServerId(name: string): boolean {
  return name.startsWith(SERVER_PREFIX)
}

/** An id of the form that a server assigns. */
export function isAssignedId(name: string): boolean {
  return assignedId.test(name)
}

export function isOutbox(name: string): boolean {
  return outboxForm.test(name)
}

export function isRoom(name: string): boolean {
  return roomForm.test(name)
}

/** Where a message can go: a client or a room. */
export function isTarget(name: string): boolean {
  return name.startsWith('#') ? isRoom(name) : isClientId(name)
}

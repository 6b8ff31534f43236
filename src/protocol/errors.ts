/**
 * Every way in which ackd says no, in two tables: why a connection was closed, and why a frame or a message was refused.
 *
 * Types, documentation and the words of the command line come from here, so a name exists once. Numbers and names are part of
 * the wire contract; the texts are not, and may be made clearer at any time.
 */

interface CloseReason {
  /** The WebSocket close number. 4000–4499: come back with back-off. 4500–4999: do not come back by yourself. */
  readonly number: number
  readonly text: string
}

/** Why the server ends a connection. */
export const closeReasons = {
  restart: { number: 4000, text: 'The server is restarting; connect again after retryAfterMs.' },
  overloaded: { number: 4001, text: 'Too many connections arrive at once; connect again after retryAfterMs.' },
  unavailable: { number: 4002, text: 'The store cannot be reached; connect again later.' },
  timeout: { number: 4003, text: 'Nothing was heard in time; connect again and answer pings.' },
  idle: {
    number: 4004,
    text: 'The connection was idle for longer than this server allows; connect again when needed.',
  },
  slow: { number: 4005, text: 'What was written was not read in time; read faster or ask for a smaller window.' },
  ack_timeout: {
    number: 4006,
    text: 'A message was not acked in time; it is parked and comes again on the next connection.',
  },
  replaced: { number: 4500, text: 'A newer connection of the same client took over; close one of the two.' },
  bad_secret: {
    number: 4501,
    text: 'The secret does not belong to this id; connect with the right one or without an id.',
  },
  unauthorized: { number: 4502, text: 'The token is missing, invalid or expired; fetch a new one and connect again.' },
  bad_frame: { number: 4503, text: 'The bytes are not a frame of this protocol; see the protocol page, section 1.' },
  too_large: { number: 4504, text: 'The packet is larger than maxPacket in welcome; split it or send a link.' },
  flood: { number: 4505, text: 'Limits were ignored again and again; slow down and obey retry receipts.' },
  kicked: { number: 4506, text: 'An operator closed this connection.' },
  version: { number: 4507, text: 'This server speaks protocol version 1; send {v: 1} in hello.' },
} as const satisfies Record<string, CloseReason>

export type CloseName = keyof typeof closeReasons

/** Whether a client may come back by itself after this close. A close this library does not know is judged by its number. */
export function mayReconnect(name: string, number: number): boolean {
  const known = Object.hasOwn(closeReasons, name) ? closeReasons[name as CloseName].number : number
  return known < 4500 || known > 4999
}

interface Refusal {
  /** True: the same message may be offered again later. False: offering it again unchanged will be refused again. */
  readonly retryable: boolean
  readonly text: string
}

/** Why one frame or one message was refused while its connection stays. */
export const refusals = {
  unknown_op: { retryable: false, text: 'This server does not know that frame; check its first element.' },
  bad_id: { retryable: false, text: 'The target is not a client id or a room; an id is 1 to 64 of A-Za-z0-9_.:@-.' },
  bad_number: {
    retryable: false,
    text: 'n and floor must be integers with 1 ≤ floor ≤ n ≤ floor + 1024, need an outbox in hello, and ttl must be a positive number of seconds.',
  },
  unknown_recipient: { retryable: false, text: 'No client has this id, or it has lapsed; check the address.' },
  mailbox_full: { retryable: false, text: 'The mailbox of the recipient is full; send again when it has read some.' },
  too_large: { retryable: false, text: 'The message is larger than this server takes; split it or send a link.' },
  forbidden: { retryable: false, text: 'This client may not do that; ask for the right in its token or of the owner.' },
  no_such_room: { retryable: false, text: 'There is no such room; create it first or check its name.' },
  room_exists: { retryable: false, text: 'The room exists already; join it instead.' },
  bad_password: { retryable: false, text: 'The password of the room is wrong.' },
  not_joined: { retryable: false, text: 'Join the room first.' },
  internal: { retryable: false, text: 'The server failed at this frame; its log says why.' },
  gap: {
    retryable: true,
    text: 'An earlier message of this stream is missing; send again from the number that the receipt names.',
  },
  rate_limited: { retryable: true, text: 'Too much in too short a time; try again in a few seconds, and more slowly.' },
  window_exceeded: {
    retryable: true,
    text: 'Too many sends are unsettled; wait for receipts, see sendWindow in welcome.',
  },
  unavailable: { retryable: true, text: 'The store cannot be reached; try again in a few seconds.' },
  overloaded: { retryable: true, text: 'The server holds as much as it may; try again in a few seconds.' },
} as const satisfies Record<string, Refusal>

export type ErrorCode = keyof typeof refusals

/** Why a stored message ended without having been delivered. */
export type EndReason = 'rejected' | 'expired' | 'dead'

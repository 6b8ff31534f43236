/** The limits that both ends of the wire must agree on. Limits that an operator sets are in `options.ts`. */

export const PROTOCOL_VERSION = 1

/** Bytes; a packet length never reaches it, so the first length byte on a stream is always zero. */
export const PACKET_CEILING = 16 * 1024 * 1024

export const DEFAULT_MAX_PACKET = 1024 * 1024

/** Bytes of all packets, `hello` and its token included, that may arrive before `welcome` was sent. */
export const MAX_BEFORE_WELCOME = 4096

/** Levels of nesting of a value; a scalar is level 1, the array that is the frame itself does not count. */
export const MAX_DEPTH = 16

/** The highest number of a message: 48 bits, nine thousand years at a thousand a second. */
export const MAX_NUMBER = 2 ** 48 - 1

/** How far n may run ahead of its floor. */
export const MAX_AHEAD = 1024

/** How many un-acked frames a client may ask for, and gets by default. */
export const MAX_WINDOW = 4096
export const DEFAULT_WINDOW = 256

/** Levels of nesting of what the server says: the reply of `history` holds bodies three levels down. */
export const MAX_REPLY_DEPTH = MAX_DEPTH + 3

export const MAX_PRESENCE_IDS = 200

/** Messages in a page of history, and names in a page of rooms or members, at most and if the client does not say. */
export const MAX_PAGE = 200

/** Characters of a name in hello; a longer one is cut. */
export const MAX_NAME = 64

/** Characters of the password of a room. */
export const MAX_ROOM_PASSWORD = 200

/** Characters of the reason in a nack; a longer one is cut. */
export const MAX_REASON = 200

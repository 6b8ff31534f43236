/**
 * Ids and secrets for clients that are new, and what is kept of a secret.
 *
 * Random bytes are fetched for many of them at once: a call for each costs more than all else that a secret takes.
 */
import { hash, randomFillSync } from 'node:crypto'

/** 96 random bits, 16 characters. */
const NAME_BYTES = 12
/**
 * So many ids, made one after another, have the first four characters in common, which are as random. Their records then lie side by side: what writes down
 * many new clients writes a few pages, and not one for each. The other 72 bits are each its own.
 */
const KIN = 64
const KIN_BYTES = 3
/** 256 random bits (§2). */
const SECRET_BYTES = 32

const pool = Buffer.allocUnsafeSlow(4_096)
let taken = pool.length

/** The name of what no two may share: of a session, and of an outbox that nobody has named. */
export function makeName(): string {
  return random(NAME_BYTES)
}

const beginning = Buffer.allocUnsafeSlow(KIN_BYTES)
let made = KIN

export function makeId(): string {
  if (made === KIN) {
    begin()
    made = 0
  }
  made++
  return random(NAME_BYTES, beginning)
}

/** Never with a dash: a command line would take such an address for an option. */
function begin(): void {
  do randomFillSync(beginning)
  while (beginning.toString('base64url').startsWith('-'))
}

export function makeSecret(): string {
  return random(SECRET_BYTES)
}

/** In the 64 characters of base64url, in one piece. What was handed out is not kept. */
function random(bytes: number, first?: Buffer): string {
  if (taken + bytes > pool.length) {
    randomFillSync(pool)
    taken = 0
  }
  const start = taken
  taken += bytes
  first?.copy(pool, start)
  const text = pool.toString('base64url', start, taken)
  pool.fill(0, start, taken)
  return text
}

/** All that is kept of a secret. */
export function sha256(secret: string): Uint8Array {
  return hash('sha256', secret, 'buffer')
}

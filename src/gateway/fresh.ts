/**
 * Ids and secrets for clients that are new, and what is kept of a secret.
 *
 * Random bytes are fetched for many secrets at once: a call for each costs more than all else that a secret takes.
 */
import { hash, randomFillSync } from 'node:crypto'
import { nanoid } from 'nanoid'

const ID_LENGTH = 16
/** 256 random bits (§2). */
const SECRET_BYTES = 32

const pool = Buffer.allocUnsafeSlow(SECRET_BYTES * 128)
let taken = pool.length

/** Never begins with a dash: a command line would take such an address for an option. */
export function makeId(): string {
  let id = nanoid(ID_LENGTH)
  while (id.startsWith('-')) id = nanoid(ID_LENGTH)
  return id
}

export function makeSecret(): string {
  if (taken === pool.length) {
    randomFillSync(pool)
    taken = 0
  }
  const start = taken
  taken += SECRET_BYTES
  const secret = pool.toString('base64url', start, taken)
  pool.fill(0, start, taken)
  return secret
}

/** All that is kept of a secret. */
export function sha256(secret: string): Uint8Array {
  return hash('sha256', secret, 'buffer')
}

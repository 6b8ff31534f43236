/**
 * One string for the same bytes, again and again: ids, outboxes and rooms repeat in frame after frame.
 *
 * A table of fixed size, one place for each hash, the newer string takes the place of the older. So it needs no bookkeeping,
 * never grows, and whoever floods it only makes the server build the strings that it would otherwise have built anyway. Only
 * short ASCII is kept. Never give it a secret: what it holds lives on.
 *
 * Beside each string are the bytes that it was made of, and these are compared: to ask a string for its length and its characters costs more than the
 * rest of reading a short frame, and brings a further piece of memory into the cache.
 */
const SLOTS = 16_384
const LONGEST = 64
const slots: string[] = new Array<string>(SLOTS).fill('')
const lengths = new Uint8Array(SLOTS)
const kept = new Uint8Array(SLOTS * LONGEST)
/** Where the last name was found: the frames of a packet are often to one target, which then needs no hash. */
let latest = 0

/** The string that these bytes are, or null if they are longer than 64 or not ASCII. */
export function internAscii(bytes: Uint8Array, start: number, end: number): string | null {
  const length = end - start
  if (length > LONGEST) return null
  if (isKept(latest, bytes, start, length)) return slots[latest] as string
  let hash = length
  let all = 0
  // Two bytes a step: the multiplications wait for each other.
  for (let at = start + 1; at < end; at += 2) {
    const pair = ((bytes[at - 1] as number) << 8) | (bytes[at] as number)
    hash = Math.imul(hash ^ pair, 0x01000193)
    all |= pair
  }
  if ((length & 1) === 1) {
    const last = bytes[end - 1] as number
    hash = Math.imul(hash ^ last, 0x01000193)
    all |= last
  }
  if ((all & 0x8080) !== 0) return null
  const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1)
  latest = slot
  if (isKept(slot, bytes, start, length)) return slots[slot] as string
  const made = String.fromCharCode(...bytes.subarray(start, end))
  slots[slot] = made
  lengths[slot] = length
  kept.set(bytes.subarray(start, end), slot * LONGEST)
  return made
}

function isKept(slot: number, bytes: Uint8Array, start: number, length: number): boolean {
  if (lengths[slot] !== length) return false
  const first = slot * LONGEST
  for (let i = 0; i < length; i++) {
    if (kept[first + i] !== bytes[start + i]) return false
  }
  return true
}

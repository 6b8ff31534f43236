/**
 * UTF-8: checked, read and written.
 *
 * The check is by hand, because the platform offers none that neither allocates nor copies; ASCII, which most text on the wire
 * is, passes eight bytes at a time.
 */

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const encoder = new TextEncoder()

/** Whether these bytes are valid UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF, no cut sequence. */
export function isUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start
  while (at < end) {
    at = asciiEnd(bytes, at, end)
    if (at < end) at = sequenceEnd(bytes, at, end)
    if (at < 0) return false
  }
  return true
}

/** Where the run of ASCII that begins at `at` ends. */
function asciiEnd(bytes: Uint8Array, at: number, end: number): number {
  while (at + 8 <= end) {
    const some =
      (bytes[at] as number) |
      (bytes[at + 1] as number) |
      (bytes[at + 2] as number) |
      (bytes[at + 3] as number) |
      (bytes[at + 4] as number) |
      (bytes[at + 5] as number) |
      (bytes[at + 6] as number) |
      (bytes[at + 7] as number)
    if (some > 0x7f) break
    at += 8
  }
  while (at < end && (bytes[at] as number) < 0x80) at++
  return at
}

/** The end of the sequence of two to four bytes that begins at `at`, or -1. */
export function sequenceEnd(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at] as number
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
  if (lead < 0xc2 || lead > 0xf4 || at + length > end) return -1
  const second = bytes[at + 1] as number
  // The second byte alone tells overlong forms, surrogates and what lies above U+10FFFF.
  const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
  const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
  if (second < lowest || second > highest) return -1
  for (let next = at + 2; next < at + length; next++) {
    if (((bytes[next] as number) & 0xc0) !== 0x80) return -1
  }
  return at + length
}

export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  return decoder.decode(bytes.subarray(start, end))
}

export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text)
}

/** Writes to `into` at `at`, where at least three bytes for each character must be free; returns where the text ends. */
export function writeUtf8(text: string, into: Uint8Array, at: number): number {
  return at + encoder.encodeInto(text, into.subarray(at)).written
}

/**
 * Base64 with padding, the standard alphabet. By hand because the platform's `btoa` takes strings of bytes, and because a decoder
 * is wanted that refuses what it could not write back the same.
 */

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const form = /^[A-Za-z0-9+/]*={0,2}$/
const values = new Uint8Array(128)
for (let i = 0; i < alphabet.length; i++) values[alphabet.charCodeAt(i)] = i

/** Characters made at a time, so that neither a call gets too many arguments nor a string too many pieces. */
const CHUNK = 8190

export function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (let start = 0; start < bytes.length; start += CHUNK) text += encodeChunk(bytes.subarray(start, start + CHUNK))
  return text
}

function encodeChunk(bytes: Uint8Array): string {
  const codes: number[] = []
  for (let at = 0; at < bytes.length; at += 3) {
    const left = bytes.length - at
    const group = ((bytes[at] as number) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)
    codes.push(code(group >> 18), code(group >> 12))
    codes.push(left > 1 ? code(group >> 6) : 0x3d, left > 2 ? code(group) : 0x3d)
  }
  return String.fromCharCode(...codes)
}

function code(sixBits: number): number {
  return alphabet.charCodeAt(sixBits & 0x3f)
}

/** The bytes, or null if the text is anything but what `toBase64` writes. */
export function fromBase64(text: string): Uint8Array | null {
  if (text.length % 4 !== 0 || !form.test(text)) return null
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const bytes = new Uint8Array((text.length / 4) * 3 - padding)
  let group = 0
  let at = 0
  for (let i = 0; i < text.length; i += 4) {
    group = (value(text, i) << 18) | (value(text, i + 1) << 12) | (value(text, i + 2) << 6) | value(text, i + 3)
    for (let shift = 16; shift >= 0 && at < bytes.length; shift -= 8) bytes[at++] = group >> shift
  }
  const unused = padding === 0 ? 0 : group & (padding === 1 ? 0xff : 0xffff)
  return unused === 0 ? bytes : null
}

function value(text: string, at: number): number {
  return values[text.charCodeAt(at)] as number
}

/** A body as it is shown to an operator: as text, as JSON, or byte by byte. Only ever as characters; nothing of it is run. */

export type Form = 'text' | 'JSON' | 'hex'

/** Bytes of a body that are shown byte by byte, and characters otherwise. */
const MAX_HEX = 4_096
const MAX_SHOWN = 64 * 1_024
const ROW = 16

/** `body` as the API gives it: bytes are `{"$bin": "base64"}`. */
export function shownAs(body: unknown, form: Form): string {
  if (form === 'hex') return hexOf(bytesOf(body))
  const text = form === 'JSON' ? JSON.stringify(body, null, 2) : textOf(body)
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}… (${text.length.toLocaleString()} characters)` : text
}

/** Which form says most of it at once. */
export function bestForm(body: unknown): Form {
  if (typeof body === 'string') return 'text'
  return bin(body) === null ? 'JSON' : 'hex'
}

function textOf(body: unknown): string {
  const bytes = bin(body)
  if (bytes !== null) return new TextDecoder().decode(bytes)
  return typeof body === 'string' ? body : JSON.stringify(body)
}

/** Those of a body that is bytes; of any other, those of its text in UTF-8. */
function bytesOf(body: unknown): Uint8Array {
  return bin(body) ?? new TextEncoder().encode(textOf(body))
}

function bin(body: unknown): Uint8Array | null {
  if (typeof body !== 'object' || body === null || !('$bin' in body) || typeof body.$bin !== 'string') return null
  return Uint8Array.from(atob(body.$bin), character => character.charCodeAt(0))
}

function hexOf(bytes: Uint8Array): string {
  const rows: string[] = []
  for (let at = 0; at < Math.min(bytes.length, MAX_HEX); at += ROW) {
    const row = [...bytes.subarray(at, at + ROW)]
    const hex = row.map(byte => byte.toString(16).padStart(2, '0')).join(' ')
    const seen = row.map(byte => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·')).join('')
    rows.push(`${at.toString(16).padStart(4, '0')}  ${hex.padEnd(ROW * 3)} ${seen}`)
  }
  if (bytes.length > MAX_HEX) rows.push(`… (${bytes.length.toLocaleString()} bytes)`)
  return rows.join('\n')
}

/**
 * What the page puts into messages and signals, and what it makes of those of others.
 *
 * Programs of all kinds meet on one server, so whatever comes is read with patience: a bare text is a message as well, and what is
 * none at all is named instead of shown.
 */

/** A message of this page. */
export interface Body {
  readonly text: string
  /** What its sender is called; there is no other place where somebody who has left is named. */
  readonly name: string
  /** The sender's own name for the message, by which it knows it again in the log of a room. */
  readonly key: string
}

/** Characters of a text: what a person types at once, and far below what a packet holds. */
export const MAX_TEXT = 8_000
/** Characters of a name that are shown. */
export const MAX_NAME = 40

/** Reads a body, whoever sent it. */
export function readBody(value: unknown): Body {
  if (typeof value === 'string') return { text: cut(value), name: '', key: '' }
  const { text, name, key } = fieldsOf(value)
  if (typeof text === 'string')
    return { text: cut(text), name: readName(name), key: typeof key === 'string' ? key : '' }
  return { text: `(not a text: ${excerptOf(value)})`, name: '', key: '' }
}

/** Whether a signal says that its sender is typing; null when it is about something else. */
export function readTyping(value: unknown): boolean | null {
  const { typing } = fieldsOf(value)
  return typeof typing === 'boolean' ? typing : null
}

/** A name as it is shown: one line, without what would change the direction of the text around it. */
export function readName(value: unknown): string {
  if (typeof value !== 'string') return ''
  const line = value.slice(0, MAX_NAME * 8).replace(/[\p{Cc}\p{Bidi_C}\s]+/gu, ' ')
  const name = Array.from(line.trim()).slice(0, MAX_NAME).join('')
  // Something of it must be seen.
  return /[\p{L}\p{N}\p{P}\p{S}]/u.test(name) ? name : ''
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  // Any object can be asked for any field.
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
}

function cut(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text
}

function excerptOf(value: unknown): string {
  if (value === undefined) return 'nothing'
  const text = JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner))
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}

/**
 * Bodies of messages as text, both ways.
 *
 * A body is any value that MessagePack knows. A string is shown as it is; everything else as JSON, in the notation that text
 * packets use (`docs/protocol.md`, §1): bytes are `{"$bin": "<base64>"}`, large integers `{"$int": "…"}`.
 */
import { Failure } from './failure.ts'

/** One line of JSON. */
export function toJson(value: unknown): string {
  return JSON.stringify(plain(value))
}

/** What a person reads; a string is not quoted. Not yet safe for a terminal. */
export function toText(value: unknown): string {
  return typeof value === 'string' ? value : toJson(value)
}

/** What somebody has said, for people: of a body that has a `text`, as the chat page writes it, that text. Not yet safe for a terminal. */
export function toSpeech(value: unknown): string {
  const hasText = typeof value === 'object' && value !== null && 'text' in value && typeof value.text === 'string'
  return hasText ? String(value.text) : toText(value)
}

/** The value of `--body-json`. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new Failure(
      'usage',
      `the body is not JSON: ${why}`,
      'quote it for the shell, or leave --body-json out to send text',
    )
  }
}

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return { $bin: Buffer.from(value).toString('base64') }
  if (typeof value === 'bigint') return { $int: value.toString() }
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
  }
  return value ?? null
}

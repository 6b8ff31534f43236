/**
 * The one class of errors that the client library rejects with. Codes of the server keep their names; the library adds its own few.
 */
import { closeReasons, refusals, type CloseName, type EndReason, type ErrorCode } from '../protocol/errors.ts'

interface Refusal {
  readonly retryable: boolean
  readonly text: string
}

/** How a message can end that is neither kept nor delivered, and what can go wrong on this side of the wire. */
const own = {
  rejected: { retryable: false, text: 'The recipient refused the message; its reason is in the text.' },
  expired: { retryable: true, text: 'The message was not read within its ttl; send it again if it still matters.' },
  dead: { retryable: false, text: 'The recipient failed at the message again and again; an operator can look at it.' },
  outbox_full: { retryable: true, text: 'The outbox holds as much as it may; wait until earlier sends have resolved.' },
  closed: { retryable: false, text: 'The client was closed; connect a new one.' },
  not_connected: { retryable: true, text: 'There is no connection now; wait for ready() and ask again.' },
  busy: { retryable: true, text: 'Too many questions are open; wait for their answers.' },
  bad_key: {
    retryable: false,
    text: 'A key is 1 to 64 characters, and no two messages that are on their way have the same; give this one its own.',
  },
  bad_body: { retryable: false, text: 'The body cannot be sent; use JSON values, bytes and bigints of 64 bits.' },
  not_kept: {
    retryable: true,
    text: 'What must outlive the process could not be written; make room or fix the rights.',
  },
  unreadable: { retryable: false, text: 'A file of this profile is damaged; restore it, or remove it and lose it.' },
  handler_failed: { retryable: true, text: 'The message handler threw; the message is shown again or refused.' },
  outdated: {
    retryable: false,
    text: 'Another tab runs a later version of this page, which keeps its messages in another form; load the page again.',
  },
  no_token: {
    retryable: true,
    text: 'There is no token that could be used: the token function failed, or the server refused what it gave. It is asked again.',
  },
  in_use: { retryable: true, text: 'Another client uses this directory; end it, or give this one its own.' },
  bad_url: {
    retryable: false,
    text: 'The address is not a URL that this client can connect to; use ws:// or wss://, on Node also tcp:// or tls://.',
  },
} as const satisfies Record<string, Refusal>

export type AckdErrorCode = ErrorCode | CloseName | EndReason | keyof typeof own

/** `code` is for programs and stays; the message is for people and says what to do. */
export class AckdError extends Error {
  readonly code: AckdErrorCode
  /** What it is about, in the message too, unless it says the same. */
  readonly detail: string
  /** Whether the same call may succeed later. */
  readonly retryable: boolean

  constructor(code: AckdErrorCode, detail = '', cause?: unknown) {
    const { retryable, text } = lookUp(code)
    super(detail === '' || detail === text ? text : `${text} (${detail})`, cause === undefined ? undefined : { cause })
    this.name = 'AckdError'
    this.code = code
    this.detail = detail
    this.retryable = retryable
  }
}

function lookUp(code: AckdErrorCode): Refusal {
  const tables: readonly Readonly<Record<string, Refusal>>[] = [refusals, own]
  for (const table of tables) {
    const found = Object.hasOwn(table, code) ? table[code] : undefined
    if (found) return found
  }
  const closes: Readonly<Record<string, { readonly number: number; readonly text: string }>> = closeReasons
  const close = closes[code]
  return { retryable: (close?.number ?? 0) < 4500, text: close?.text ?? code }
}

/** The error of a connection that the server ended for good; a reason that this version does not know counts as `kicked`. */
export function closeError(reason: string, text: string): AckdError {
  return new AckdError(isCloseName(reason) ? reason : 'kicked', text)
}

function isCloseName(name: string): name is CloseName {
  return Object.hasOwn(closeReasons, name)
}

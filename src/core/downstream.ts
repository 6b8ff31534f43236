/**
 * A stream at its recipient's end: what the session of the recipient knows of it.
 *
 * `acked ≤ sent ≤ tail`, once something was sent. Everything up to `sent` went to the recipient in this session, live or from the mailbox. Everything
 * up to `tail` was taken on by this node: it waits in `held`, or is on its way into the mailbox. Only what follows `tail`
 * without a hole may wait here, and only what follows `sent` without a hole may go live.
 */
import { splitStream } from '../protocol/mailbox.ts'
import type { Message } from './message.ts'

/** Rejected numbers remembered per stream, so that a resend hears the same again; the oldest is forgotten first. */
const REJECTED = 100

export class Downstream {
  readonly stream: string
  readonly from: string
  readonly outbox: string
  /** Highest n sent in this session, or known to need no sending; -1: nothing is known, so nothing may go live yet. */
  sent = -1
  /** Highest n acked in this session. */
  acked = 0
  /** Highest n that this node has taken on in this session. */
  tail = 0
  /** How many live messages of it are in the window, un-acked. */
  live = 0
  /** What waits for its predecessor or for room in the window, in order. */
  readonly held: Message[] = []
  #rejected: Map<number, string> | null = null

  constructor(stream: string) {
    this.stream = stream
    const [from, outbox] = splitStream(stream)
    this.from = from
    this.outbox = outbox
  }

  /** Whether the session may forget it: what comes next then goes through the mailbox. */
  get idle(): boolean {
    return this.live === 0 && this.held.length === 0
  }

  markSent(n: number): void {
    if (n > this.sent) this.sent = n
    if (n > this.tail) this.tail = n
  }

  markRejected(n: number, reason: string): void {
    this.#rejected ??= new Map()
    this.#rejected.set(n, reason)
    for (const oldest of this.#rejected.keys()) {
      if (this.#rejected.size <= REJECTED) break
      this.#rejected.delete(oldest)
    }
  }

  rejected(n: number): string | undefined {
    return this.#rejected?.get(n)
  }
}

/** What the application was promised for each of its sends: turns what the outbox says into promises kept. */
import type { EndReason } from '../protocol/errors.ts'
import type { Ticket } from './courier.ts'
import { AckdError } from './errors.ts'
import type { Outcome } from './outgoing.ts'

/** How a stored message ends. `unknown`: it is stored, and the client stopped listening for more. */
export type Ending = 'delivered' | EndReason | 'failed' | 'unknown'

/** The server has the message, or its recipient has. */
export interface Sent {
  readonly status: 'delivered' | 'stored'
  readonly to: string
  /** With `outbox` and the own id: the name of this message everywhere. */
  readonly n: number
  readonly outbox: string
  /** The name that it was given when it was sent. */
  readonly key: string
  /** Resolves when the recipient has acked it, or when it ended otherwise. Never rejects. */
  readonly delivered: Promise<Ending>
}

interface Pending {
  readonly resolve: (sent: Sent) => void
  readonly reject: (error: AckdError) => void
}

export class Sends {
  readonly #pending = new Map<string, Pending>()
  readonly #stored = new Map<string, (ending: Ending) => void>()

  /** Whether a message of that name has not ended yet. */
  has(key: string): boolean {
    return this.#pending.has(key) || this.#stored.has(key)
  }

  /** The promise of a message that is about to be handed over. */
  promise(key: string): Promise<Sent> {
    return new Promise((resolve, reject) => this.#pending.set(key, { resolve, reject }))
  }

  settled({ key, target, n }: Ticket, outbox: string, outcome: Outcome): void {
    const { kind } = outcome
    if (kind !== 'stored') this.#finish(key, kind === 'forgotten' ? 'unknown' : kind)
    const pending = this.#pending.get(key)
    if (!pending) return
    this.#pending.delete(key)
    if (kind === 'delivered') {
      pending.resolve({ status: kind, to: target, n, outbox, key, delivered: Promise.resolve(kind) })
    } else if (kind === 'stored') {
      const delivered = new Promise<Ending>(resolve => this.#stored.set(key, resolve))
      pending.resolve({ status: kind, to: target, n, outbox, key, delivered })
    } else {
      pending.reject(errorOf(target, outcome))
    }
  }

  /** It was not taken. */
  refused(key: string, error: AckdError): void {
    this.#pending.get(key)?.reject(error)
    this.#pending.delete(key)
  }

  /** The client is closed: what is open is refused, what is stored stays unknown. */
  closed(error: AckdError): void {
    for (const pending of this.#pending.values()) pending.reject(error)
    this.#pending.clear()
    for (const finish of this.#stored.values()) finish('unknown')
    this.#stored.clear()
  }

  #finish(key: string, ending: Ending): void {
    this.#stored.get(key)?.(ending)
    this.#stored.delete(key)
  }
}

function errorOf(target: string, outcome: Outcome): AckdError {
  if (outcome.kind === 'failed') return new AckdError(outcome.code, `to ${target}`)
  if ('reason' in outcome) return new AckdError(outcome.kind, `to ${target}: ${outcome.reason}`)
  return new AckdError('internal', `to ${target}`)
}

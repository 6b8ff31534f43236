/** What the application was promised for each of its sends: turns what the outbox says into promises kept. */
import type { EndReason } from '../protocol/errors.ts'
import { AckdError } from './errors.ts'
import type { Outcome, Outgoing } from './outgoing.ts'

/** How a stored message ends. `unknown`: it is stored, and the client stopped listening for more. */
export type Ending = 'delivered' | EndReason | 'failed' | 'unknown'

/** The server has the message, or its recipient has. */
export interface Sent {
  readonly status: 'delivered' | 'stored'
  readonly to: string
  /** With `outbox` and the own id: the name of this message everywhere. */
  readonly n: number
  readonly outbox: string
  /** Resolves when the recipient has acked it, or when it ended otherwise. Never rejects. */
  readonly delivered: Promise<Ending>
}

interface Pending {
  readonly resolve: (sent: Sent) => void
  readonly reject: (error: AckdError) => void
}

export class Sends {
  readonly #pending = new Map<number, Pending>()
  readonly #stored = new Map<number, (ending: Ending) => void>()

  /** The promise of a message that the outbox has taken. */
  promise(message: Outgoing): Promise<Sent> {
    return new Promise((resolve, reject) => this.#pending.set(message.id, { resolve, reject }))
  }

  settled(message: Outgoing, outbox: string, outcome: Outcome): void {
    const { id, target, n } = message
    const { kind } = outcome
    if (kind !== 'stored') this.#finish(id, kind === 'forgotten' ? 'unknown' : kind)
    const pending = this.#pending.get(id)
    if (!pending) return
    this.#pending.delete(id)
    if (kind === 'delivered') {
      pending.resolve({ status: kind, to: target, n, outbox, delivered: Promise.resolve(kind) })
    } else if (kind === 'stored') {
      const delivered = new Promise<Ending>(resolve => this.#stored.set(id, resolve))
      pending.resolve({ status: kind, to: target, n, outbox, delivered })
    } else {
      pending.reject(errorOf(target, outcome))
    }
  }

  /** The client is closed: what is open is refused, what is stored stays unknown. */
  closed(error: AckdError): void {
    for (const pending of this.#pending.values()) pending.reject(error)
    this.#pending.clear()
    for (const finish of this.#stored.values()) finish('unknown')
    this.#stored.clear()
  }

  #finish(id: number, ending: Ending): void {
    this.#stored.get(id)?.(ending)
    this.#stored.delete(id)
  }
}

function errorOf(target: string, outcome: Outcome): AckdError {
  if (outcome.kind === 'failed') return new AckdError(outcome.code, `to ${target}`)
  if ('reason' in outcome) return new AckdError(outcome.kind, `to ${target}: ${outcome.reason}`)
  return new AckdError('internal', `to ${target}`)
}

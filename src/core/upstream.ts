/**
 * A stream at its sender's end: what the connection of the sender is told about it, and what it may send next.
 *
 * Receipts are cumulative, so ends are only noted here and written once per turn of the loop. A refusal is written at once, and
 * only once: everything above it is then dropped until the refused number itself comes again (§4, `retry` and `failed`),
 * because the sender goes back to it anyway. Streams numbered by the server are told each refusal, since nobody goes back.
 */
import type { EndReason, ErrorCode } from '../protocol/errors.ts'
import type { Receiving } from './receiving.ts'
import type { Sending } from './sending.ts'

export class Upstream {
  readonly sending: Sending
  readonly stream: string
  readonly target: string
  /** Whether the sender numbers it. */
  readonly numbered: boolean
  /** How many of its messages this node holds without an end. */
  open = 0
  /** Of a stream that the server numbers: the next number, and the lowest that may still be open. */
  next = 1
  floor = 1
  /** The highest number that its recipient was sent, or may be sent out of the mailbox; it is not free for another message any more. */
  taken = 0
  /** Where the recipient is connected, if it was looked up; valid while `receiving.open`. */
  receiving: Receiving | null = null
  #refused = 0
  /**
   * The highest number to tell at the end of this turn, 0 for none. Not the highest ever told: after a failover the store may have
   * less than it had, and saying again what was true then would be a lie now.
   */
  #delivered = 0
  #stored = 0

  constructor(sending: Sending, stream: string, target: string, numbered: boolean) {
    this.sending = sending
    this.stream = stream
    this.target = target
    this.numbered = numbered
  }

  /** Whether something is noted that was not written yet. */
  get hasReceipt(): boolean {
    return this.#delivered !== 0 || this.#stored !== 0
  }

  /**
   * Whether message n is to be dropped in silence, because one below it was refused and has not come again. It never will if the
   * sender no longer holds it, which its floor says.
   */
  skips(n: number, floor: number): boolean {
    if (this.#refused === 0) return false
    if (n > this.#refused && floor <= this.#refused) return true
    this.#refused = 0
    return false
  }

  /** The sender learns that everything up to n was taken, so a number refused before need not come again. */
  known(n: number): void {
    if (n >= this.#refused) this.#refused = 0
  }

  delivered(n: number): void {
    if (!this.hasReceipt) this.sending.tell(this)
    if (n > this.taken) this.taken = n
    if (n > this.#delivered) this.#delivered = n
    if (n >= this.#refused) this.#refused = 0
  }

  stored(n: number): void {
    if (!this.hasReceipt) this.sending.tell(this)
    if (n > this.taken) this.taken = n
    if (n > this.#stored) this.#stored = n
    if (n >= this.#refused) this.#refused = 0
  }

  ended(kind: EndReason, n: number, reason: string): void {
    if (n >= this.#refused) this.#refused = 0
    this.sending.connection.ended(kind, this.target, n, reason)
  }

  failed(n: number, code: ErrorCode): void {
    if (this.#refuse(n)) this.sending.connection.failed(this.target, n, code)
  }

  retry(n: number, code: ErrorCode, afterMs: number): void {
    if (this.#refuse(n)) this.sending.connection.retry(this.target, n, code, afterMs)
  }

  /** Writes what was noted since the last turn. */
  flush(): void {
    const { connection, closed } = this.sending
    if (this.#delivered > 0 && !closed) connection.delivered(this.target, this.#delivered)
    if (this.#stored > this.#delivered && !closed) connection.stored(this.target, this.#stored)
    this.#delivered = 0
    this.#stored = 0
  }

  /** Notes a refusal; false when the sender was told of one at or below n already. */
  #refuse(n: number): boolean {
    if (!this.numbered) {
      if (n < this.next) this.next = n
      return true
    }
    if (this.#refused !== 0 && n >= this.#refused) return false
    this.#refused = n
    if (this.#stored >= n) this.#stored = n - 1
    return true
  }
}

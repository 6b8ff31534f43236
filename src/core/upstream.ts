/**
 * A stream at its sender's end: what the connection of the sender is told about it, and what it may send next.
 *
 * Receipts are cumulative, so ends are only noted here and written once per turn of the loop. A refusal is written at once, and
 * only once: everything above it is then dropped until the refused number itself comes again (§4, `retry` and `failed`),
 * because the sender goes back to it anyway. Streams numbered by the server are told each refusal, since nobody goes back.
 *
 * A receipt `delivered` covers what lies below it, those told otherwise apart; so it may only be written when nothing below has ended
 * otherwise without the sender hearing of it. Where that is not known — the sender may keep something as a shadow, and it or its recipient was
 * elsewhere meanwhile — the mailbox is asked first, and tells what was missed.
 */
import type { EndReason, ErrorCode } from '../protocol/errors.ts'
import type { SyncReply } from '../protocol/frames.ts'
import { MAX_AHEAD } from '../protocol/limits.ts'
import { isRoom } from '../protocol/names.ts'
import type { Message } from './message.ts'
import type { Origin } from './origin.ts'
import type { Receiving } from './receiving.ts'
import type { StreamEnd } from './remembered.ts'
import type { Sending } from './sending.ts'

interface End {
  readonly kind: EndReason
  readonly n: number
  readonly reason: string
}

/** Takes on a message, whose end is from then on its to bring about. */
export interface Taker {
  readonly open: boolean
  take(message: Message): void
}

export class Upstream implements StreamEnd {
  older: StreamEnd | null = null
  newer: StreamEnd | null = null
  readonly sending: Sending
  readonly origin: Origin
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
  /** Who takes its messages, if that was looked up: the recipient's session, or a way into a room. Valid while it is open. */
  receiving: Taker | null
  /** Whether something of it has ended here that came out of the mailbox. */
  wasParked = false
  /** The number that was refused and has to come before anything above it is taken; 0 for none. */
  refused = 0
  #noted = false
  /**
   * The highest number up to which all is known to have ended, and the highest that was in the mailbox, where it may have ended
   * without a word to this connection.
   */
  #settled = 0
  #parked: number
  /** Numbers above it that were told to have ended otherwise. */
  #ended: Set<number> | null = null
  /** The session of the recipient from which on this connection has heard of every end. */
  #heard: Receiving | null = null
  /** The mailbox is being asked, for the receipt of that number. */
  #asking = false
  #asked = 0
  /** Something has ended in the mailbox, of which only that knows what: it is to be looked into; and whether that is being done. */
  #news = false
  #looking = false
  /** The lowest number to be told delivered that has no end yet, and when it must have one; 0 for none. */
  #open = 0
  #due = 0
  /** Other ends, to be told after the answer; no more than the connection has open. */
  #ends: End[] | null = null
  /**
   * Of those, which were handed back together with a message below them: they come again, or are told before anything above them is called
   * delivered. Until then nobody else may know of them. No more than may be open, since their sender goes no further.
   */
  #unsaid: Map<number, End> | null = null
  /**
   * The highest number to tell at the end of this turn, 0 for none. Not the highest ever told: after a failover the store may have
   * less than it had, and saying again what was true then would be a lie now.
   */
  #delivered = 0
  #stored = 0
  /** The highest number taken when it was looked at last, for whether it moved. */
  #seen = 0

  /** `isNew`: nothing of this stream can have been sent before. `receiving`: who takes its messages, where that is known from the start. */
  constructor(
    sending: Sending,
    origin: Origin,
    target: string,
    numbered: boolean,
    isNew: boolean,
    receiving: Taker | null = null,
  ) {
    this.#parked = isNew ? 0 : Infinity
    this.sending = sending
    this.origin = origin
    this.target = target
    this.numbered = numbered
    this.receiving = receiving
  }

  get stream(): string {
    return this.origin.stream
  }

  /** Whether nothing of it is open, and everything was told. */
  get idle(): boolean {
    return this.open === 0 && !this.hasReceipt && !this.#asking && !this.#news
  }

  /**
   * Whether everything that it was ever given has an end that was told. Then whoever forgets it loses nothing: what comes next is a number that
   * its recipient cannot have seen, and what lies below was told. A room keeps what it took, and tells no further end.
   */
  get isClean(): boolean {
    if (!this.idle || this.refused !== 0 || (this.#unsaid?.size ?? 0) > 0) return false
    return isRoom(this.target) || (this.taken <= this.#settled && this.#parked <= this.#settled)
  }

  moved(): boolean {
    const moved = this.taken !== this.#seen
    this.#seen = this.taken
    return moved
  }

  forget(): boolean {
    return this.sending.forget(this)
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
    if (this.refused === 0) return false
    if (n > this.refused && floor <= this.refused) return true
    this.refused = 0
    return false
  }

  /** The sender learns that everything up to n was taken, so a number refused before need not come again. */
  known(n: number): void {
    if (n >= this.refused) this.refused = 0
  }

  /**
   * The store has not answered for message n, and may have taken it. Its sender gives it the same number when he sends it again; a number of the
   * server's own is not given twice, since the message that had it next would be taken for the one that is there, and be lost.
   */
  offered(n: number): void {
    if (!this.numbered && n > this.taken) this.taken = n
  }

  /** Message n came out of the mailbox and was acked; what it followed there may have ended without a word to this connection. */
  drained(n: number): void {
    this.wasParked = true
    if (n > this.#parked) this.#parked = n
    this.delivered(n)
  }

  /** `due`, monotonic ms: when this must be told, if it is the first word of the end of that message; else 0. */
  delivered(n: number, due = 0): void {
    this.note()
    if (n === this.#settled + 1) this.#settled = n
    if (due > 0) {
      if (this.#open === 0 || n < this.#open) this.#open = n
      if (this.#due === 0 || due < this.#due) this.#due = due
    }
    if (n > this.taken) this.taken = n
    if (n > this.#delivered) this.#delivered = n
    if (n >= this.refused) this.refused = 0
  }

  stored(n: number): void {
    this.note()
    if (n > this.taken) this.taken = n
    if (n > this.#stored) this.#stored = n
    if (n >= this.refused) this.refused = 0
  }

  /** Told after what was delivered before it: a sender that hears of n alone would lack a number below it. */
  ended(kind: EndReason, n: number, reason: string): void {
    if (this.#delivered > 0 && !this.#asking) this.#flushDelivered()
    if (this.#asking && this.#open > 0 && n > this.#open) this.#later({ kind, n, reason })
    else this.#writeEnd({ kind, n, reason })
  }

  /** It ended in the mailbox, which may say so more than once. */
  lost(kind: EndReason, n: number, reason: string): void {
    this.wasParked = true
    if (!this.#knows(n)) this.ended(kind, n, reason)
  }

  failed(n: number, code: ErrorCode): void {
    if (this.#refuse(n)) this.sending.connection.failed(this.target, n, code)
  }

  retry(n: number, code: ErrorCode, afterMs: number): void {
    if (this.#refuse(n)) this.sending.connection.retry(this.target, n, code, afterMs)
  }

  /** Another node says that something of it has ended in the mailbox. Where nothing of it can be there any more, that is an old story. */
  settled(): void {
    if (this.open === 0 && this.#parked <= this.#settled && this.#stored === 0) return
    this.#news = true
    this.note()
  }

  /** Whether the answer that is awaited says more than was asked for, to a sender who does not know it. */
  get isLooking(): boolean {
    return this.#looking
  }

  /** Writes what was noted since the last turn. */
  flush(): void {
    this.#noted = false
    if (this.sending.closed) return
    this.#flushReceipts()
    if (this.#news && !this.#asking) this.#ask(0)
  }

  #flushReceipts(): void {
    const stored = this.#stored
    const delivered = this.#delivered
    this.#stored = 0
    if (delivered > 0) this.#flushDelivered()
    // Delivered says it for what is below, once it was told; while the mailbox is asked it may yet be handed back.
    if (stored === 0 || (stored <= delivered && this.#delivered === 0)) return
    if (stored > this.#parked) this.#parked = stored
    this.#told(stored)
    this.sending.connection.stored(this.target, stored)
  }

  /**
   * What the mailbox knows of the stream; null when it did not answer. What has an end to be told is then handed back: it comes again
   * and is known. What else was delivered can wait. False: ask again.
   */
  verified(reply: SyncReply | null, heard: Receiving | null): boolean {
    const looked = this.#looking
    let asked = this.#asked
    for (const [n, kind] of reply?.lost ?? []) if (!this.#knows(n)) this.#later({ kind, n, reason: kind })
    if (looked && reply !== null && reply.delivered > this.#settled) {
      this.delivered(reply.delivered)
      asked = Math.max(asked, reply.delivered)
    }
    this.#asking = this.#looking = false
    this.#asked = 0
    if (this.#news) this.note()
    if (reply === null) {
      this.#news ||= looked
      return (this.#handBack() || this.#delivered === 0) && !this.#news
    }
    const ends = this.#ends ?? []
    this.#ends = null
    for (const end of ends) if (end.n <= asked) this.#writeEnd(end)
    // More may have come into it since it was read.
    if (this.#parked === Infinity) this.#parked = Math.max(reply.last, this.taken)
    this.#heard = heard
    if (this.#delivered > asked) this.note()
    if (asked > 0) this.#writeDelivered(asked)
    for (const end of ends) if (end.n > asked) this.#writeEnd(end)
    return true
  }

  /** Hands back what cannot be told in time. */
  check(now: number): void {
    if (this.#due > 0 && now >= this.#due) this.#handBack()
  }

  /** Has what is noted looked at, at the end of the turn. */
  note(): void {
    if (this.#noted) return
    this.#noted = true
    this.sending.tell(this)
  }

  #knows(n: number): boolean {
    return n <= this.#settled || this.#ended?.has(n) === true || this.#ends?.some(end => end.n === n) === true
  }

  #later(end: End): void {
    this.#ends ??= []
    this.#ends.push(end)
  }

  #writeEnd({ kind, n, reason }: End): void {
    if (n === this.#settled + 1) this.#settled = n
    this.#unsaid?.delete(n)
    this.#ended ??= new Set()
    this.#ended.add(n)
    for (const oldest of this.#ended) {
      if (this.#ended.size <= MAX_AHEAD) break
      this.#ended.delete(oldest)
    }
    if (n >= this.refused) this.refused = 0
    this.sending.connection.ended(kind, this.target, n, reason)
  }

  /** What ended otherwise above it is handed back as well. Who goes back to no number hears of each. */
  #handBack(): boolean {
    if (this.#open === 0) return false
    for (const end of this.#ends ?? []) (this.#unsaid ??= new Map<number, End>()).set(end.n, end)
    this.#ends = null
    const afterMs = this.sending.awaited()
    if (this.numbered) this.retry(this.#open, 'unavailable', afterMs)
    else
      for (let n = this.#open; n <= this.#delivered; n++)
        if (this.#ended?.has(n) !== true) this.retry(n, 'unavailable', afterMs)
    this.#open = this.#due = 0
    this.#delivered = this.#asked = 0
    return true
  }

  #flushDelivered(): void {
    const n = this.#delivered
    // What ended otherwise meanwhile is told with the answer, and before what covers it.
    if (this.#asking) return
    if (n > this.#settled && this.#parked > this.#settled && !this.#hearsAll()) this.#ask(n)
    else this.#writeDelivered(n)
  }

  /** Asks the mailbox what became of it; of number n it is known already that it was acked. */
  #ask(n: number): void {
    this.#asking = true
    this.#asked = n
    this.#looking = this.#news
    this.#news = false
    this.sending.verify(this)
  }

  #writeDelivered(n: number): void {
    if (this.#unsaid !== null) for (const end of this.#unsaid.values()) if (end.n <= n) this.#writeEnd(end)
    if (n > this.#settled) this.#settled = n
    if (this.#ended !== null) for (const ended of this.#ended) if (ended <= n) this.#ended.delete(ended)
    if (n >= this.#delivered) this.#delivered = 0
    this.#told(n)
    this.sending.connection.delivered(this.target, n)
  }

  /** Everything up to n has an end that is told now. */
  #told(n: number): void {
    if (n >= this.#open) this.#open = this.#open > 0 && this.#delivered > n ? n + 1 : 0
    if (this.#open === 0) this.#due = 0
  }

  /** Whether every end since the last one that was told came to this node, which told it. */
  #hearsAll(): boolean {
    return this.#heard?.open === true || (this.#parked < Infinity && this.sending.hearsAll)
  }

  /** Notes a refusal; false when the sender was told of one at or below n already. */
  #refuse(n: number): boolean {
    if (!this.numbered) {
      // A number that its recipient has seen would be dropped as a repeat.
      if (n < this.next) this.next = Math.max(n, this.taken + 1)
      return true
    }
    if (this.refused !== 0 && n >= this.refused) return false
    this.refused = n
    if (this.#stored >= n) this.#stored = n - 1
    return true
  }
}

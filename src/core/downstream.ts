/**
 * A stream at its recipient's end: what the session of the recipient knows of it.
 *
 * `acked ≤ sent ≤ tail`, once something was sent. Everything up to `sent` went to the recipient in this session, live or from the mailbox. Everything
 * up to `tail` was taken on by this node: it waits in `held`, or is on its way into the mailbox. Only what follows `tail`
 * without a hole may wait here, and only what follows `sent` without a hole may go live.
 */
import type { EndReason } from '../protocol/errors.ts'
import type { SyncReply } from '../protocol/frames.ts'
import { MAX_AHEAD } from '../protocol/limits.ts'
import type { Lanes } from './lanes.ts'
import type { Message } from './message.ts'
import type { Origin } from './origin.ts'
import type { StreamEnd } from './remembered.ts'

/** An end of a message that was not delivered. */
interface Loss {
  readonly kind: EndReason
  readonly reason: string
}

/** Undelivered ends remembered per stream, so that a resend hears the same again; no sender asks further back. */
const LOSSES = MAX_AHEAD
/** What most streams hold at any time; they are many, so each having a list of its own would cost. */
const nothing: readonly Message[] = []

export class Downstream implements StreamEnd {
  older: StreamEnd | null = null
  newer: StreamEnd | null = null
  readonly origin: Origin
  /** Highest n sent in this session, or known to need no sending; -1: nothing is known, so nothing may go live yet. */
  sent = -1
  /** Lowest n sent in this session, 0 for none. Of what lies below only the mailbox knows how it ended. */
  first = 0
  /** Highest n acked in this session. */
  acked = 0
  /** Highest n that this node has taken on in this session. */
  tail = 0
  /** How many messages of it are in the window, un-acked: live ones, and those out of the mailbox. */
  live = 0
  parked = 0
  readonly #lanes: Lanes
  #held: Message[] | null = null
  /** Its tail when it was looked at last, for whether it moved. */
  #seen = 0
  #losses: Map<number, Loss> | null = null

  constructor(lanes: Lanes, origin: Origin) {
    this.#lanes = lanes
    this.origin = origin
  }

  get stream(): string {
    return this.origin.stream
  }

  /** What waits for its predecessor or for room in the window, in order. */
  get held(): readonly Message[] {
    return this.#held ?? nothing
  }

  /** Whether nothing live is under way. */
  get idle(): boolean {
    return this.live === 0 && this.#held === null
  }

  /** Whether it may be forgotten: what comes next then goes through the mailbox. An end that is still to come must be noted in it. */
  get isSettled(): boolean {
    return this.idle && this.parked === 0
  }

  /** Whether it knows of ends that no mailbox may have heard of. */
  get hasLosses(): boolean {
    return this.#losses !== null
  }

  moved(): boolean {
    const moved = this.tail !== this.#seen
    this.#seen = this.tail
    return moved
  }

  /** What was refused here no mailbox may have heard of, so such a lane only its session forgets, in need. */
  forget(): boolean {
    if (!this.isSettled || this.hasLosses) return false
    this.#lanes.forget(this)
    return true
  }

  /** Has a message wait at its end. */
  hold(message: Message): void {
    message.lane = this
    this.tail = message.n
    if (this.#held === null) this.#held = [message]
    else this.#held.push(message)
  }

  /** The first `count` wait no longer. */
  release(count: number): void {
    if (this.#held === null || count === 0) return
    if (count >= this.#held.length) this.#held = null
    else this.#held.splice(0, count)
  }

  /** Keeps of what waits only that which `stays`, and returns the rest. */
  keep(stays: (message: Message) => boolean): Message[] {
    const gone: Message[] = []
    const kept: Message[] = []
    for (const message of this.held) (stays(message) ? kept : gone).push(message)
    this.#held = kept.length === 0 ? null : kept
    return gone
  }

  markSent(n: number): void {
    if (n < this.first || this.first === 0) this.first = n
    if (n > this.sent) this.sent = n
    if (n > this.tail) this.tail = n
  }

  /** Message n, acked or nacked in this session, has ended without having been delivered. */
  markLost(n: number, kind: EndReason, reason: string): void {
    this.#losses ??= new Map()
    this.#losses.set(n, { kind, reason })
    for (const oldest of this.#losses.keys()) {
      if (this.#losses.size <= LOSSES) break
      this.#losses.delete(oldest)
    }
  }

  /** Message n, which was taken on, comes again. Where nothing of this stream was sent, there is nothing that it could wait behind. */
  goBack(n: number): void {
    const isUnknown = this.sent < 0 && this.#held === null
    this.tail = isUnknown ? 0 : Math.max(this.sent, Math.min(this.tail, n - 1))
  }

  /**
   * The floor of what is parked now, which its sender gave as `floor`: all that was acked is settled. Not a refused number, though: if
   * its sender has not heard of that, the mailbox, which knows nothing of it either, would call it delivered. So it is asked for.
   */
  floorAbove(floor: number): number {
    let settled = this.acked + 1
    for (const n of this.#losses?.keys() ?? []) if (n >= floor && n < settled) settled = n
    return Math.max(floor, settled)
  }

  /** How message n ended, if it was not delivered. */
  loss(n: number): Loss | undefined {
    return this.#losses?.get(n)
  }

  /** What the mailbox says of this stream, with what this session knows besides. */
  complete({ last, delivered, lost = [] }: SyncReply): SyncReply {
    const ends = new Map(lost)
    for (const [n, { kind }] of this.#losses ?? []) ends.set(n, kind)
    return { last, delivered: Math.max(delivered, this.acked), ...(ends.size > 0 && { lost: [...ends] }) }
  }
}

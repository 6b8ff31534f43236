/**
 * The messages in this node's custody: taken from their senders, and not yet brought to an end.
 *
 * Every one of them meets exactly one of four ends — delivered, stored, retry, failed — within the time that a sender is promised
 * (I1), and all ends are here, side by side; each goes through `settle`, which gives back the credit and the bytes. (What was
 * nacked, or is known to have ended in a mailbox, counts as the fifth word of a receipt, but is the same kind of end.)
 * How many bytes are held is bounded (I5): what does not fit is not taken.
 */
import type { EndReason, ErrorCode } from '../protocol/errors.ts'
import type { SyncReply } from '../protocol/frames.ts'
import type { EnqueueResult, Lost } from '../protocol/mailbox.ts'
import { isRoom } from '../protocol/names.ts'
import type { AppendResult } from '../protocol/rooms.ts'
import { assert } from './assert.ts'
import type { Hub } from './hub.ts'
import type { Member } from './member.ts'
import type { Message } from './message.ts'
import { GRACE_MS, Parking, type Arrival } from './parking.ts'
import type { ParkReason } from './stats.ts'
import type { Step } from './trace.ts'
import type { Upstream } from './upstream.ts'

/**
 * Bytes that a held message costs besides its body: with both ends of its stream, and the question to the store, if it is the first. Measured:
 * 960.
 */
const OVERHEAD = 1_024
/** ms until a message that does not fit into its mailbox, and may not fail, is offered again. */
const FULL_RETRY_MS = 5_000

/** ms that a sender waits whose message was not taken: a second, and more as more have to. */
const LEAST_PAUSE_MS = 1_000
const MOST_PAUSE_MS = 8_000

export class Custody {
  readonly #hub: Hub
  readonly #parkings = new Map<string, Parking>()
  #toPark: Parking[] = []
  #bytes = 0
  /** Messages that were not taken since then, and those that met an end; and how long the next ones that are not taken have to wait. */
  #refused = 0
  #settled = 0
  #since = 0
  #pauseMs = LEAST_PAUSE_MS
  /** Messages for which the store did not answer, within the span that began then. */
  #unanswered = 0

  constructor(hub: Hub) {
    this.#hub = hub
  }

  /** Bytes held without an end. */
  get bytes(): number {
    return this.#bytes
  }

  get empty(): boolean {
    return this.#parkings.size === 0
  }

  /** Whether there is room for one more message of this size. */
  admits(size: number): boolean {
    return !this.#hub.overloaded && this.#bytes + size + OVERHEAD <= this.#hub.options.heldBytes
  }

  /**
   * One more was not taken: ms until it shall be offered again. As many times as many are refused as come to an end, so many seconds: they would else
   * all come again each second, and the refusals alone keep the node from what it holds.
   */
  turnAway(): number {
    this.#refused++
    return this.#pauseMs
  }

  /** A message was taken from its sender; from here on it has to meet an end. */
  take(message: Message, up: Upstream): void {
    this.#bytes += message.size + OVERHEAD
    this.#hub.stats.accepted++
    this.#note('taken', message)
    if (up.receiving?.open !== true) up.receiving = this.#hub.receiving(up.target)
    if (up.receiving === null) this.park(message, 'absent')
    else up.receiving.take(message)
  }

  /** Puts it on its way into the mailbox of its recipient. */
  park(message: Message, reason: ParkReason): void {
    this.#hub.stats.parked[reason]++
    this.#note('parked', message, reason)
    this.#onItsWay(message)
  }

  #onItsWay(message: Message): void {
    let parking = this.#parkings.get(message.recipient)
    if (parking === undefined) {
      parking = new Parking(this.#hub, message.recipient)
      this.#parkings.set(message.recipient, parking)
    }
    if (parking.add(message)) this.#toPark.push(parking)
  }

  /** Puts it on its way into the log of the room that its sender is in. */
  publish(message: Message, { epoch }: Member): void {
    message.epoch = epoch
    this.#hub.stats.published++
    this.#onItsWay(message)
  }

  /** Whether anything is on its way into that mailbox. */
  isParking(recipient: string): boolean {
    return this.#parkings.has(recipient)
  }

  /** Whether something of that stream may be on its way there. */
  mayPark(recipient: string, stream: string): boolean {
    return this.#parkings.get(recipient)?.mayHold(stream) ?? false
  }

  turn(now: number): void {
    if (this.#toPark.length === 0) return
    const parkings = this.#toPark
    this.#toPark = []
    for (const parking of parkings) parking.flush(now)
  }

  tick(now: number): void {
    if (now - this.#since >= LEAST_PAUSE_MS) {
      const pauseMs = Math.round((LEAST_PAUSE_MS * this.#refused) / Math.max(1, this.#settled))
      this.#pauseMs = Math.min(Math.max(pauseMs, LEAST_PAUSE_MS), MOST_PAUSE_MS)
      this.#since = now
      this.#refused = this.#settled = this.#unanswered = 0
    }
    for (const parking of [...this.#parkings.values()]) {
      parking.tick(now)
      if (parking.empty) this.#parkings.delete(parking.id)
    }
  }

  enqueued(id: string, result: EnqueueResult | null, now: number): void {
    const parking = this.#parkings.get(id)
    if (parking === undefined) return
    parking.answered(result?.outcomes ?? null, now)
    // Without an answer, too, there may be something.
    this.#hub.receiving(id)?.arrived()
    if (parking.empty) this.#parkings.delete(id)
    else this.#toPark.push(parking)
  }

  /** The answer to an append: the room is told first, since what was stored is for its members whatever its sender was told meanwhile. */
  appended(room: string, result: AppendResult | null, now: number): void {
    const parking = this.#parkings.get(room)
    if (parking === undefined) return
    const batch = parking.underWay
    this.#hub.rooms.appended(room, batch, result)
    parking.answered(result === null ? null : outcomesOf(batch, result), now)
    if (parking.empty) this.#parkings.delete(room)
    else this.#toPark.push(parking)
  }

  /** Hands back what has waited for so long that its sender must be told. */
  expire(waiting: readonly Message[]): void {
    for (const message of waiting) {
      if (!message.ended && this.#hub.now >= message.deadline) this.unavailable(message)
    }
  }

  /**
   * The mailbox has accepted everything of a stream up to `last`, and its recipient has acked everything up to `delivered`. The
   * sender is about to hear of it, so what is still on its way there must end now, or the two would count credit differently.
   */
  learned(recipient: string, stream: string, { last, delivered, lost = [] }: SyncReply): void {
    for (const message of this.#open(recipient, stream, 1, Math.max(last, delivered))) {
      const kind = lost.find(([n]) => n === message.n)?.[1]
      if (kind !== undefined) this.ended(message, kind, kind)
      else if (message.n <= delivered) this.delivered(message)
      else this.stored(message)
    }
    this.#hub.receiving(recipient)?.forgetEnded(stream)
  }

  /** Its recipient has acked message n, which came out of its mailbox. */
  drained(recipient: string, stream: string, n: number): void {
    if (!this.#parkings.has(recipient)) return
    for (const message of this.#open(recipient, stream, n, n)) this.delivered(message)
    this.#hub.receiving(recipient)?.forgetEnded(stream)
  }

  /** Message n has ended in its mailbox. False: it was not waited for here. */
  lost({ recipient, stream, n, kind, reason }: Lost): boolean {
    let waited = false
    for (const message of this.#open(recipient, stream, n, n)) {
      this.ended(message, kind, reason)
      waited = true
    }
    if (waited) this.#hub.receiving(recipient)?.forgetEnded(stream)
    return waited
  }

  // ── ends ────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The store has answered for one parked message. */
  parked(message: Message, outcome: Arrival): void {
    const { recipient, stream } = message
    switch (outcome) {
      case 'ok':
      case 'stored':
        return this.stored(message)
      case 'delivered':
        this.delivered(message)
        break
      case 'rejected':
      case 'expired':
      case 'dead':
        this.ended(message, outcome, outcome)
        break
      case 'full':
        if (mayHaveBeenSeen(message)) return this.handBack(message, 'overloaded', FULL_RETRY_MS)
        return this.refuse(message, 'mailbox_full')
      case 'unknown':
        return this.refuse(message, isRoom(recipient) ? 'no_such_room' : 'unknown_recipient')
      case 'not_joined':
        return this.refuse(message, outcome)
      default:
        return this.handBack(message, 'gap', 0, outcome)
    }
    // It ended long ago, so no page will bring it, and what waits behind it here would wait in vain.
    this.#hub.receiving(recipient)?.parkHeld(stream)
  }

  /** It is in the mailbox, durably. */
  stored(message: Message): void {
    this.#hub.stats.stored++
    this.#note('stored', message)
    message.source?.stored(message.n)
    this.settle(message)
  }

  /** The recipient acked it. */
  delivered(message: Message): void {
    this.#hub.stats.delivered++
    this.#note('delivered', message)
    message.source?.delivered(message.n, message.deadline + GRACE_MS)
    this.settle(message)
  }

  /** It ended for good without having been delivered. */
  ended(message: Message, kind: EndReason, reason: string): void {
    this.#hub.stats[kind]++
    this.#note(kind, message, reason)
    message.source?.ended(kind, message.n, reason)
    this.settle(message)
  }

  /** It is its sender's again, who has to send from number `from` on. */
  handBack(message: Message, code: ErrorCode, afterMs: number, from: number = message.n): void {
    this.#hub.stats.retried++
    this.#note('retry', message, code)
    message.source?.retry(from, code, afterMs)
    this.settle(message)
    this.#dropFrom(message, from)
  }

  /** It is its sender's again, because the store does not answer. */
  unavailable(message: Message): void {
    this.handBack(message, 'unavailable', this.awaited())
  }

  /**
   * One more stream waits for a store that does not answer: ms until it shall go on. Each a millisecond later than the one before, over seven seconds,
   * since they would else all come at once, and again at once when they are turned away.
   */
  awaited(): number {
    return LEAST_PAUSE_MS + (this.#unanswered++ % (MOST_PAUSE_MS - LEAST_PAUSE_MS))
  }

  /** It follows a message that was refused, so its sender sends it again after that one. Nothing is told twice. */
  dropped(message: Message): void {
    this.#hub.stats.retried++
    this.#note('retry', message, 'gap')
    message.source?.retry(message.n, 'gap', 0)
    this.settle(message)
  }

  /** The message stays, but another connection of its sender now waits for its end. */
  move(message: Message, to: Upstream | null): void {
    message.source?.sending.release(message.source, message.size)
    message.source = to
    to?.sending.adopt(to, message.size)
  }

  settle(message: Message): void {
    assert(!message.ended, 'I1: a message ends once')
    message.ended = true
    this.#settled++
    this.#bytes -= message.size + OVERHEAD
    assert(this.#bytes >= 0, 'I5: bytes are given back once')
    message.source?.sending.release(message.source, message.size)
  }

  /** It was refused for good, and its number is free. */
  refuse(message: Message, code: ErrorCode): void {
    this.#hub.stats.failed++
    this.#note('failed', message, code)
    message.source?.failed(message.n, code)
    this.settle(message)
    this.#dropFrom(message, message.n)
  }

  #note(step: Step, message: Message, detail = ''): void {
    this.#hub.trace.note(this.#hub.time, step, message, detail)
  }

  /** The numbers from `first` to `last` of a stream that have no end yet, wherever they are. */
  *#open(recipient: string, stream: string, first: number, last: number): Generator<Message> {
    yield* this.#parkings.get(recipient)?.open(stream, first, last) ?? []
    yield* this.#hub.receiving(recipient)?.unended(stream, first, last) ?? []
  }

  /** What follows a refused message of its stream cannot be taken before that one. */
  #dropFrom(refused: Message, n: number): void {
    this.#parkings.get(refused.recipient)?.dropFrom(refused.stream, n)
    this.#hub.receiving(refused.recipient)?.dropFrom(refused.stream, n)
  }
}

/**
 * Whether its recipient may have been sent this number before: then it is not free for another message, which a recipient who has
 * it would drop as a repeat. What an earlier connection of the sender had sent live nobody remembers, so there every number may be.
 */
function mayHaveBeenSeen({ sentAt, source, n }: Message): boolean {
  return sentAt > 0 || source === null || !source.sending.isFirst || n <= source.taken
}

/** What an append says of each message, in the words of a mailbox. */
function outcomesOf(batch: readonly Message[], result: AppendResult): readonly Arrival[] {
  if (result.kind === 'no_such_room') return batch.map(() => 'unknown')
  if (result.kind === 'another_room') return batch.map(() => 'not_joined')
  return result.outcomes.map(outcome => {
    if (outcome === 'stored') return outcome
    return 'offset' in outcome ? 'ok' : outcome.missing
  })
}

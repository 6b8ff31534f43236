/**
 * The receiving half of a session: one window, fed by pages of the mailbox and by live messages, and emptied by acks.
 *
 * The live rule: a message goes live only if it directly follows one of its stream that was sent in this session. If it follows
 * one that this node still holds, it waits here behind it. Everything else goes through the mailbox, and comes back as a page
 * of the drain.
 */
import { acked, rejected } from './acks.ts'
import { assert } from './assert.ts'
import type { SyncReply } from '../protocol/frames.ts'
import type { Entry, Fenced, FencedResult, PageResult } from '../protocol/mailbox.ts'
import type { Due } from './deadlines.ts'
import type { Downstream } from './downstream.ts'
import { Drain } from './drain.ts'
import type { Hub } from './hub.ts'
import { Lanes } from './lanes.ts'
import { Message } from './message.ts'
import type { Session } from './session.ts'
import type { ParkReason } from './stats.ts'
import { Window } from './window.ts'

/** ms un-acked from which a close, too, makes the head of the mailbox suspect. */
const SUSPECT_MS = 1_000

export class Receiving implements Due {
  armed = false
  /** Live messages are taken; false once closing has begun. */
  open = true
  readonly #hub: Hub
  readonly #session: Session
  readonly #room: number
  readonly #roomBytes: number
  readonly #window = new Window()
  readonly #lanes: Lanes
  readonly #drain: Drain
  #dirty = false
  /** The next entry did not fit; an ack makes room. */
  #full = false

  /** `isFresh`: the id was made up for this very session. */
  constructor(hub: Hub, session: Session, window: number, isFresh: boolean) {
    this.#hub = hub
    this.#session = session
    this.#room = window
    this.#roomBytes = hub.options.windowBytes
    this.#lanes = new Lanes(hub.remembered)
    this.#drain = new Drain(hub, session, isFresh)
    this.touch()
  }

  /** What the mailbox says of a stream, with what this session knows besides: acks and nacks that no mailbox has heard of. */
  complete(stream: string, reply: SyncReply): SyncReply {
    return this.#lanes.find(stream)?.complete(reply) ?? reply
  }

  get windowSize(): number {
    return this.#window.size
  }

  /** Takes on a message, whose end from now on is this node's to bring about. */
  take(message: Message): void {
    const { n, stream, source } = message
    const lane = this.#lanes.get(stream, source?.origin)
    if (n === lane.tail + 1 && lane.tail > 0) {
      if (lane.sent === lane.tail && this.#hasRoomLive(message.size)) this.#sendLive(message, lane)
      else if (!lane.idle || this.#hasRoomLive(message.size)) this.#hold(message, lane)
      else this.#park(message, lane)
    } else if (lane.tail === 0 && this.#hub.options.soleOwner) {
      this.#hold(message, lane)
      this.#hub.effects.recall(this.#session, lane.stream)
    } else if (n > lane.tail) {
      // What is held goes first: the mailbox would ask for it, and it would be dropped here.
      this.#parkLane(lane)
      this.#park(message, lane)
    } else if (!this.#repeated(message, lane)) this.#park(message, lane)
  }

  /**
   * The mailbox was read for the first message of a stream, which waits here. If nothing of the stream is missing it may go live:
   * it counts as following what was sent. A store that does not answer is not asked to park it as well: it goes back to its sender.
   */
  recalled(stream: string, reply: SyncReply | null): void {
    const lane = this.#lanes.find(stream)
    const head = lane?.held[0]
    if (!this.open || lane === undefined || head === undefined) return
    if (reply === null) return this.#lanes.keep(lane, () => false).forEach(held => this.#hub.custody.unavailable(held))
    const next = Math.max(reply.last + 1, head.floor)
    if (lane.sent < 0 && head.n === next && this.#drain.hasSent(stream, next)) lane.sent = next - 1
    this.#release()
    // Not released for want of room alone, it goes on waiting.
    if (lane.held[0] === head && head.n !== lane.sent + 1) this.#parkLane(lane)
  }

  /** Everything up to seq is done with. False: that seq was never sent. */
  ack(seq: number): boolean {
    return this.#settle(seq, null)
  }

  /** Everything before seq is done with, and seq is refused for good. False: that seq was never sent. */
  nack(seq: number, reason: string): boolean {
    return this.#settle(seq, reason)
  }

  /** The mailbox has, or may have, something new. */
  arrived(): void {
    this.#drain.arrived()
    this.touch()
  }

  paged(result: PageResult | null): void {
    if (!this.open) return
    const entries = this.#drain.paged(result)
    if ('kind' in entries) this.#end(entries)
    else this.#sendParked(entries)
  }

  removed(result: FencedResult | null): void {
    if (!this.open) return this.#drain.finished(result)
    const fenced = this.#drain.removed(result)
    if (fenced === null) this.touch()
    else this.#end(fenced)
  }

  /** The sender of that stream is to be told elsewhere once what was acked has left the mailbox. False: it has. */
  owe(stream: string): boolean {
    return this.#drain.forward(stream)
  }

  /** The numbers from `first` to `last` of a stream that came from their sender and have no end yet. */
  *unended(stream: string, first: number, last: number): Generator<Message> {
    const lane = this.#lanes.find(stream)
    if (lane === undefined) return
    const within = ({ n, ended }: Message): boolean => n >= first && n <= last && !ended
    for (const message of this.#window) if (message.s === 0 && message.lane === lane && within(message)) yield message
    for (const message of lane.held) if (within(message)) yield message
  }

  /** What was held of a stream and has ended elsewhere comes out of the mailbox, if at all. */
  forgetEnded(stream: string): void {
    this.#lanes.keep(this.#lanes.find(stream), ({ ended }) => !ended)
  }

  /** A message of this stream was refused: n is what its sender has to send next, so what waits here from there on goes. */
  dropFrom(stream: string, n: number): void {
    const lane = this.#lanes.find(stream)
    if (lane === undefined) return
    for (const message of this.#lanes.keep(lane, held => held.n < n)) this.#hub.custody.dropped(message)
    lane.goBack(n)
  }

  /** What waits behind an entry that will not come waits no longer. */
  parkHeld(stream: string): void {
    this.#parkLane(this.#lanes.find(stream))
  }

  /** At the end of a turn: removals and the next page, one call each whatever happened. */
  flush(): void {
    this.#dirty = false
    if (!this.open) return
    const { size, bytes } = this.#window
    const free = this.#room - size
    // Small pages cost as much as large ones, so a page waits until a quarter of the window is free.
    const room = this.#full || (size > 0 && free < this.#room >> 2) ? 0 : free
    if (!this.#drain.flush(room, this.#roomBytes - bytes)) this.#hub.later(this)
  }

  /** Looks into the mailbox again if nobody said for long that there is something. */
  poll(now: number): void {
    if (this.#drain.isStale(now, this.#hub.options.pollMs)) this.arrived()
  }

  check(now: number): number {
    if (!this.open) return 0
    let earliest = Infinity
    for (const message of this.#window) {
      if (message.deadline <= now) {
        this.#session.close('ack_timeout')
        return 0
      }
      earliest = Math.min(earliest, message.deadline)
    }
    for (const lane of [...this.#lanes.waiting]) {
      const head = lane.held[0]
      if (head === undefined) continue
      // Its predecessor is in the mailbox, and is slow to come; it is no fault of this client.
      if (head.deadline <= now) this.#parkLane(lane)
      else earliest = Math.min(earliest, head.deadline)
    }
    return earliest === Infinity ? 0 : earliest
  }

  /**
   * Parks, in order, the live part of the window and what is held. `fenced`: another session has the token, so the mailbox is
   * no longer ours to touch, but may still be added to.
   */
  close(fenced: boolean, timedOut: boolean): void {
    if (!this.open) return
    this.open = false
    const { id, token } = this.#session
    const reason = timedOut ? 'ack_timeout' : 'closed'
    if (!fenced) this.#drain.finish()
    const head = this.#window.peek()
    const suspect = head !== undefined && (timedOut || this.#hub.now - head.sentAt >= SUSPECT_MS) ? head.s : 0
    while (this.#window.size > 0) {
      const message = this.#window.shift()
      if (message.s === 0 && !message.ended) this.#parkAt(message, reason)
    }
    for (const lane of this.#lanes.waiting) for (const message of lane.held) this.#parkAt(message, reason)
    this.#lanes.clear()
    if (!fenced) this.#hub.effects.unbind(id, token, suspect)
  }

  /** Asks for a `flush` at the end of the turn, if there is anything to ask of the store. */
  touch(): void {
    if (this.#dirty || !this.open || !this.#drain.hasWork) return
    this.#dirty = true
    this.#hub.hasWork(this)
  }

  /** The token is not the current one any more. Only who was replaced has to stay away. */
  #end({ kind }: Fenced): void {
    if (kind === 'stale') this.#session.close('replaced')
    else this.#session.close('unavailable', 'The store has lost this session; connect again.')
  }

  #settle(seq: number, refusal: string | null): boolean {
    const window = this.#window
    if (seq >= window.next) return false
    if (seq < window.first) return true
    const hub = this.#hub
    const drain = this.#drain
    while (window.first < seq) acked(hub, drain, window.shift())
    const last = window.shift()
    if (refusal === null || last.reason !== '') acked(hub, drain, last)
    else rejected(hub, drain, last, refusal)
    this.#full = false
    if (this.#lanes.waiting.length > 0) this.#release()
    this.touch()
    return true
  }

  #hasRoom(size: number): boolean {
    const { size: count, bytes } = this.#window
    return count < this.#room && (count === 0 || bytes + size <= this.#roomBytes)
  }

  /** While the mailbox has something, a quarter of the window is left for it, so that live messages cannot keep it out. */
  #hasRoomLive(size: number): boolean {
    if (!this.#drain.isDry && this.#window.size >= this.#room - Math.max(1, this.#room >> 2)) return false
    return this.#hasRoom(size)
  }

  #send(message: Message, lane: Downstream): void {
    assert(this.open, 'I8: nothing is sent once closing has begun')
    const { connection } = this.#session
    const { n, body, reason } = message
    const { from, outbox } = lane.origin
    message.lane = lane
    message.sentAt = this.#hub.now
    lane.markSent(n)
    const seq = this.#window.push(message)
    this.#hub.trace.note(this.#hub.time, 'sent', message, message.path)
    if (reason !== '') {
      connection.void(seq, from, outbox, n, reason)
      this.#hub.news.lost(message, reason, reason)
    } else connection.message(seq, from, outbox, n, message.time, message.flags, body)
    message.repeated = true
    if (!this.armed) this.#hub.arm(this, message.deadline)
  }

  #sendLive(message: Message, lane: Downstream): void {
    const { source, n } = message
    lane.live++
    if (source !== null && n > source.taken) source.taken = n
    this.#hub.stats.sentLive++
    this.#send(message, lane)
  }

  #hold(message: Message, lane: Downstream): void {
    this.#lanes.hold(message, lane)
    if (!this.armed) this.#hub.arm(this, message.deadline)
  }

  #park(message: Message, lane: Downstream): void {
    if (message.n > lane.tail) lane.tail = message.n
    this.#hub.custody.park(message, 'order')
  }

  /** Parks what was taken on here: all below the acked number is settled, which its sender may not know yet. */
  #parkAt(message: Message, reason: ParkReason): void {
    if (message.lane !== null) message.floor = message.lane.floorAbove(message.floor)
    this.#hub.custody.park(message, reason)
  }

  #parkLane(lane: Downstream | undefined): void {
    for (const message of this.#lanes.keep(lane, () => false)) this.#parkAt(message, 'waited')
  }

  /** Answers a resend of something at or below the tail. False: the mailbox knows more of it than this session. */
  #repeated(message: Message, lane: Downstream): boolean {
    const { n } = message
    for (const held of lane.held) if (held.n === n) return this.#adopt(held, message)
    if (lane.first === 0 || n < lane.first) return false
    if (n <= lane.acked) {
      const loss = lane.loss(n)
      if (loss === undefined) this.#hub.custody.delivered(message)
      else this.#hub.custody.ended(message, loss.kind, loss.reason)
      return true
    }
    for (const sent of this.#window) {
      if (sent.lane !== lane || sent.n !== n) continue
      if (sent.s === 0 && !sent.ended) return this.#adopt(sent, message)
      this.#hub.custody.stored(message)
      return true
    }
    return false
  }

  /** The end of what is here already will be told to the connection that offered it last. */
  #adopt(here: Message, again: Message): boolean {
    this.#hub.custody.move(here, again.source)
    this.#hub.custody.settle(again)
    return true
  }

  /** Sends what waited, as far as its turn has come and the window has room; a stream at a time, so that none starves. */
  #release(): void {
    for (const lane of this.#lanes.waiting) {
      let count = 0
      for (const message of lane.held) {
        if (message.n !== lane.sent + 1 || !this.#hasRoomLive(message.size)) break
        this.#sendLive(message, lane)
        count++
      }
      lane.release(count)
    }
    this.#lanes.settle()
    this.#lanes.rotate()
  }

  #sendParked(entries: readonly Entry[]): void {
    const deadline = this.#hub.now + this.#hub.options.ackTimeoutMs
    this.#window.reserve(entries.length)
    let lane: Downstream | null = null
    for (const entry of entries) {
      const message = Message.fromMailbox(this.#session.id, entry, deadline)
      this.#full = !this.#hasRoom(message.size)
      if (this.#full) {
        this.#drain.arrived()
        break
      }
      if (!this.#drain.advance(entry.s)) continue
      this.#hub.stats.sentParked++
      // Most are of the stream of the one before, which holds its lane.
      if (lane?.stream !== entry.stream) lane = this.#lanes.get(entry.stream)
      lane.parked++
      this.#send(message, lane)
      this.#overtaken(lane)
    }
    if (this.#lanes.waiting.length > 0) this.#release()
    this.touch()
  }

  /** What waits here and came out of the mailbox meanwhile was offered twice; it is stored. */
  #overtaken(lane: Downstream): void {
    for (let head = lane.held[0]; head !== undefined && head.n <= lane.sent; head = lane.held[0]) {
      lane.release(1)
      this.#hub.custody.stored(head)
    }
  }
}

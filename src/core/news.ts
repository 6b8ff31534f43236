/**
 * News for senders: what became of messages that were in mailboxes.
 *
 * A sender who is here is told at once. One who is not here may be at another node on the same store, which is told as soon as the
 * mailbox says it, too; what that node hears is no claim, only a reason to look there (`Upstream.settled`), so it may be lost, late, doubled
 * or long untrue, and nothing false is said.
 */
import type { EndReason } from '../protocol/errors.ts'
import { splitStream, type Lost } from '../protocol/mailbox.ts'
import { isServerId } from '../protocol/names.ts'
import type { Drain } from './drain.ts'
import type { Hub } from './hub.ts'
import type { Message } from './message.ts'
import type { Origin } from './origin.ts'
import type { Sending } from './sending.ts'

export class News {
  readonly #hub: Hub

  constructor(hub: Hub) {
    this.#hub = hub
  }

  /** A message from a mailbox was acked, and is about to be removed from there. */
  drained(message: Message, drain: Drain): void {
    const { lane, recipient, n, reason } = message
    if (lane === null) return
    const { from, stream } = lane.origin
    const hub = this.#hub
    const sender = hub.session(from)
    if (sender === undefined) this.#owe(lane.origin, drain)
    if (reason !== '') return
    hub.stats.drained++
    hub.trace.note(hub.time, 'delivered', message, message.path)
    hub.custody.drained(recipient, stream, n)
    sender?.sending?.drained(stream, recipient, n)
  }

  /** A message from a mailbox was refused, which is about to be noted there. */
  refused(origin: Origin, drain: Drain): void {
    if (this.#hub.session(origin.from) === undefined) this.#owe(origin, drain)
  }

  /** The mailbox has noted how messages of these streams ended. */
  settled(recipient: string, streams: Iterable<string>): void {
    for (const stream of streams) this.#settled(stream, recipient)
  }

  /**
   * A sender has gone. What was acked just before may have been told to a connection that was dead already, while he asked elsewhere before the
   * mailbox had it. `replaced`: he is elsewhere now, so what the mailbox has is told there too.
   */
  left(sending: Sending, replaced: boolean): void {
    if (this.#hub.options.soleOwner) return
    for (const { stream, target } of sending.drainedStreams()) {
      const isOwed = this.#hub.receiving(target)?.owe(stream) ?? false
      if (replaced && !isOwed) this.#settled(stream, target)
    }
  }

  /** Another node says that messages of that stream, whose sender may be here, have ended in the mailbox of that recipient. */
  heard(stream: string, recipient: string): void {
    this.#hub.session(splitStream(stream)[0])?.sending?.settled(stream, recipient)
  }

  /** These ended in mailboxes without having been delivered. */
  told(lost: readonly Lost[]): void {
    for (const one of lost) if (!this.#tell(one)) this.#hub.stats[one.kind]++
    this.noted(lost)
  }

  /** The mailbox has noted these; their senders, if they are here, are told by another way. */
  noted(lost: readonly Lost[]): void {
    if (this.#hub.options.soleOwner) return
    for (const { stream, recipient } of lost) {
      const [from] = splitStream(stream)
      if (this.#hub.session(from) === undefined && !isServerId(from)) this.#hub.effects.settled(stream, recipient)
    }
  }

  /**
   * A message with a recipient who is here ended undelivered: it was nacked, or is on its way as a void. Its sender, who may be here, is
   * told at once and not when the store has noted it: an ack of what follows would else be told before, and take it along (§4).
   */
  lost({ recipient, lane, n }: Message, kind: EndReason, reason: string): void {
    if (lane !== null) this.#tell({ recipient, stream: lane.stream, n, kind, reason })
  }

  /** Its sender may have come here since the message left. */
  #settled(stream: string, recipient: string): void {
    if (this.#hub.session(splitStream(stream)[0]) === undefined) this.#hub.effects.settled(stream, recipient)
    else this.heard(stream, recipient)
  }

  /** Once the mailbox has noted it, the node of that sender is to be told. A backend is at none. */
  #owe({ from, stream }: Origin, drain: Drain): void {
    if (!this.#hub.options.soleOwner && !isServerId(from)) drain.owe(stream)
  }

  /** Tells an end to whoever waits for it; true when it ended a message that was held here. */
  #tell(lost: Lost): boolean {
    const { custody, trace, time } = this.#hub
    const waited = custody.lost(lost)
    const { recipient, stream, n, kind, reason } = lost
    if (!waited) trace.note(time, kind, lost, reason)
    const [from] = splitStream(stream)
    // What waited may have come over an earlier connection of the sender, which has heard on this one that a copy of it is stored.
    this.#hub.session(from)?.sending?.lost(stream, recipient, n, kind, reason)
    return waited
  }
}

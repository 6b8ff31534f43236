/**
 * What the acks and nacks of one session end: each message that leaves its window by one of them comes here.
 *
 * What came from its sender ends in the hands of this node, which tells the sender. What came out of the mailbox has to leave that too,
 * and its sender is told if it is here.
 */
import type { Drain } from './drain.ts'
import type { Hub } from './hub.ts'
import type { Message } from './message.ts'

/** A message was acked. */
export function acked(hub: Hub, drain: Drain, message: Message): void {
  const { lane, n, s, reason } = message
  if (lane === null) return
  if (s > 0) lane.parked--
  // A copy of what was refused, acked as the repeat that it is, stays refused.
  const loss = s > 0 && reason === '' ? lane.loss(n) : undefined
  if (loss?.kind === 'rejected') return refuse(hub, drain, message, loss.reason)
  if (n > lane.acked) lane.acked = n
  if (reason !== '') lane.markLost(n, reason, reason)
  const { stats, custody, now, time, options } = hub
  if (s === 0) {
    lane.live--
    stats.ackMs.add(now - message.sentAt)
    stats.deliveryMs.add(now - message.deadline + options.ackTimeoutMs)
    if (message.ended) message.source?.delivered(n)
    else custody.delivered(message)
  } else {
    drain.acked(s)
    stats.drainAckMs.add(now - message.sentAt)
    stats.drainDeliveryMs.add(Math.max(0, time - message.time))
    hub.news.drained(message, drain)
  }
}

/** A message was refused for good. */
export function rejected(hub: Hub, drain: Drain, message: Message, reason: string): void {
  const { lane, n, s, source } = message
  if (lane === null) return
  if (n > lane.acked) lane.acked = n
  lane.markLost(n, 'rejected', reason)
  if (s > 0) {
    lane.parked--
    hub.stats.rejected++
    return refuse(hub, drain, message, reason)
  }
  lane.live--
  // Its sender may have come back meanwhile, and have heard that a copy of it is stored.
  if (source === null || source.sending.closed) hub.news.lost(message, 'rejected', reason)
  if (message.ended) source?.ended('rejected', n, reason)
  else hub.custody.ended(message, 'rejected', reason)
}

function refuse(hub: Hub, drain: Drain, message: Message, reason: string): void {
  drain.nacked(message.s, reason)
  if (message.lane !== null) hub.news.refused(message.lane.origin, drain)
  hub.news.lost(message, 'rejected', reason)
}

/** What the core counts: plain integers, which the shell copies into metrics when it is asked for them. */

/** Upper bounds in ms; the last bucket is everything above. A bound at the default ack timeout shows what came too late. */
export const ackBucketsMs = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000] as const

export class Histogram {
  readonly counts: number[] = new Array<number>(ackBucketsMs.length + 1).fill(0)
  sum = 0

  add(ms: number): void {
    let bucket = 0
    while (bucket < ackBucketsMs.length && ms > (ackBucketsMs[bucket] ?? Infinity)) bucket++
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1
    this.sum += ms
  }
}

/**
 * Why a message took the way through the mailbox: its recipient is not here; it does not follow one that was sent in this session, or
 * the window is full; it waited too long for its turn; its session was not acking in time, or ended.
 */
export type ParkReason = 'absent' | 'order' | 'waited' | 'ack_timeout' | 'closed'

export class Stats {
  /** Clients that are ready now. */
  sessions = 0
  /** Messages taken from senders, and how they ended. */
  accepted = 0
  delivered = 0
  stored = 0
  retried = 0
  failed = 0
  rejected = 0
  expired = 0
  dead = 0
  /** Messages sent to recipients: on the live path, and from mailboxes. */
  sentLive = 0
  sentParked = 0
  /** Messages on their way into the logs of rooms, and how often messages of rooms were told to members. */
  published = 0
  fannedOut = 0
  /** Messages from mailboxes that were acked. */
  drained = 0
  readonly parked: Record<ParkReason, number> = { absent: 0, order: 0, waited: 0, ack_timeout: 0, closed: 0 }
  /** Sessions that ended because something was not acked in time, and because a newer one took over. */
  ackTimeouts = 0
  takeovers = 0
  /** ms from sending to ack, for live messages and for those from a mailbox. */
  readonly ackMs = new Histogram()
  readonly drainAckMs = new Histogram()
  /** ms from being accepted by the server to the ack. */
  readonly deliveryMs = new Histogram()
  readonly drainDeliveryMs = new Histogram()
}

/** What a mailbox remembers of one stream, and the one rule by which it takes numbers. */
import type { EndReason } from '../protocol/errors.ts'
import type { SyncReply } from '../protocol/frames.ts'
import type { Outcome } from '../protocol/mailbox.ts'
import type { RoomParcel } from '../protocol/rooms.ts'

export interface StreamRecord {
  /** The highest number accepted; 0 for none. */
  last: number
  /** The highest number acked; 0 for none. */
  delivered: number
  /** What ended otherwise, oldest first. */
  lost: (readonly [n: number, reason: EndReason])[]
}

export function createStream(): StreamRecord {
  return { last: 0, delivered: 0, lost: [] }
}

/** Why a parcel is not taken: it was taken before, or one before it is missing. Null when its turn has come. */
export function untaken(stream: StreamRecord, { n, floor }: RoomParcel): Outcome | null {
  if (n <= stream.last) return earned(stream, n)
  const next = Math.max(stream.last + 1, floor)
  return n === next ? null : next
}

function earned({ delivered, lost }: StreamRecord, n: number): Outcome {
  const ended = lost.find(([number]) => number === n)
  if (ended !== undefined) return ended[1]
  return n <= delivered ? 'delivered' : 'stored'
}

export function recordDelivered(stream: StreamRecord, n: number): void {
  stream.delivered = Math.max(stream.delivered, n)
  stream.last = Math.max(stream.last, n)
}

/** Remembers the newest `limit` of those that ended undelivered. */
export function recordLost(stream: StreamRecord, n: number, kind: EndReason, limit: number): void {
  stream.last = Math.max(stream.last, n)
  stream.lost.push([n, kind])
  if (stream.lost.length > limit) stream.lost.shift()
}

export function syncReply({ last, delivered, lost }: StreamRecord): SyncReply {
  return lost.length === 0 ? { last, delivered } : { last, delivered, lost: [...lost] }
}

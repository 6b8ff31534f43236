/**
 * A message in the hands of this node: either taken from its sender and not yet brought to one of its four ends, or paged from
 * a mailbox and not yet acked.
 *
 * One class for both, so that a window holds one shape. It is also a `Parcel`, so that parking hands it on as it is.
 */
import type { EndReason } from '../protocol/errors.ts'
import { MessageFlag, type Body } from '../protocol/frames.ts'
import type { Entry, Parcel } from '../protocol/mailbox.ts'
import type { Downstream } from './downstream.ts'
import type { Upstream } from './upstream.ts'

const nothing: Body = { bytes: new Uint8Array(0), start: 0, end: 0, text: false }

export class Message implements Parcel {
  readonly recipient: string
  readonly stream: string
  readonly n: number
  /** Raised when it is parked: what the recipient acked lies below it. */
  floor: number
  readonly time: number
  readonly expires: number
  readonly body: Body
  /** Its place in the mailbox; 0: it came from its sender, and its end must be told. */
  readonly s: number
  /** Why it is a void, else ''. */
  readonly reason: EndReason | ''
  /** For a room: one of its epochs, so that it goes to no other room of that name, into which its sender may not have been let. */
  epoch = ''
  /** The stream at its sender's end, which is told the end. A resend on a newer connection takes this over. */
  source: Upstream | null = null
  /** The stream at its recipient's end, once it is sent or held there. */
  lane: Downstream | null = null
  /** Monotonic ms: when it must have been acked, or parked. */
  deadline: number
  /** Monotonic ms: when it was sent to its recipient. */
  sentAt = 0
  /** It was sent to its recipient, in this session or in an earlier one. */
  repeated = false
  /** Met its end; what still refers to it passes it over. */
  ended = false

  constructor(
    recipient: string,
    stream: string,
    n: number,
    floor: number,
    time: number,
    expires: number,
    body: Body,
    s: number,
    reason: EndReason | '',
    deadline: number,
  ) {
    this.recipient = recipient
    this.stream = stream
    this.n = n
    this.floor = floor
    this.time = time
    this.expires = expires
    this.body = body
    this.s = s
    this.reason = reason
    this.deadline = deadline
  }

  static fromMailbox(recipient: string, entry: Entry, deadline: number): Message {
    const { stream, n, time, body, s, reason } = entry
    const message = new Message(recipient, stream, n, n, time, 0, body ?? nothing, s, reason, deadline)
    message.repeated = entry.repeated
    return message
  }

  /** `MessageFlag` bits. */
  get flags(): number {
    return (this.s > 0 ? MessageFlag.parked : 0) | (this.repeated ? MessageFlag.repeated : 0)
  }

  /** By which way it goes to its recipient. */
  get path(): 'live' | 'drain' | 'void' {
    if (this.reason !== '') return 'void'
    return this.s === 0 ? 'live' : 'drain'
  }

  get size(): number {
    return this.body.end - this.body.start
  }
}

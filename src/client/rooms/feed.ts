/**
 * The feed of a room: hands its messages over in the order of their offsets, each once, and leaves no hole unspoken.
 *
 *   offset ≤ top      seen before: dropped
 *   offset = top + 1  queued; shown when its turn comes; recorded when its handler is done
 *   beyond            dropped, and asked for: the log has it (`history`)
 *
 * The server keeps the log of a room, and its messages are not acked, so the feed may let go of whatever it can ask for again. That is
 * also its flow control: when its queue is full it drops what comes, notes how far the room is (`seen`), and asks when there is
 * space again. What the log has not kept is told as a gap.
 *
 * An epoch is the name of one log. When it is another one, and the server does not say that it holds all that was read (`recovered`), the
 * old log is gone and the new one begins at 1; publishers offer again what was lost, under the same numbers of their streams, by which
 * the feed knows what it has shown already.
 *
 * Pure, like the inbox. Questions are answered by `page`, or not at all when the connection ends before.
 */

/** A message of a room. */
export interface RoomMessage<Payload = unknown> {
  readonly room: string
  readonly offset: number
  readonly from: string
  /** The sender's outbox, and the number of the message in the stream from there to this room. */
  readonly outbox: string
  readonly n: number
  /** ms since the epoch, the server's clock: when it was accepted. */
  readonly time: number
  readonly body: Payload
}

/** How far a room was read. */
export interface RoomCursor {
  readonly room: string
  readonly epoch: string
  /** The highest offset that was dealt with. */
  readonly offset: number
  /** ms; when that was. */
  readonly time: number
}

export interface FeedEvents {
  /** Deal with this message, and then call `handled`. Not called again before. */
  show(message: RoomMessage): void
  /** The log does not have the offsets from first to last any more. */
  gap(first: number, last: number): void
  /** Another log has taken the place of this one; whatever of the old one was not seen will not come. */
  lost(): void
  recorded(cursor: RoomCursor): void
  /** Join once more, behind what was seen; the answer goes to `joined`. */
  rejoin(): void
  /** Ask for what the log has after that offset, at most `limit` messages; the answer goes to `page`. */
  ask(after: number, limit: number): void
}

/** Messages and bytes of bodies that may wait to be shown; what comes beyond is asked for later. */
const QUEUE = 1_000
const QUEUE_BYTES = 4 * 1024 * 1024
/** Messages of one question, and the bytes that they are taken for, since their own are not known. */
const PAGE = 100
const PAGE_BYTES = 1024 * 1024
/** Streams of publishers that are remembered against repeats. */
const STREAMS = 1_000

interface Queued {
  readonly message: RoomMessage
  /** Which log it is of. */
  readonly log: number
  readonly size: number
}

export class Feed {
  readonly #room: string
  readonly #events: FeedEvents
  #epoch = ''
  /** Counts the logs that this room has had. */
  #log = 0
  /** The highest offset that was queued or passed over; -1: the feed begins where the room is when it is joined. */
  #top = -1
  /** The highest offset up to which everything was dealt with. */
  #done = -1
  /** The highest offset that the room is known to have. */
  #seen = -1
  #joined = false
  /** What is asked for comes after this offset, and holds whatever was seen then; -1: nothing is asked. */
  #askedAfter = -1
  #askedSeen = -1
  #queue: Queued[] = []
  #bytes = 0
  #shown: Queued | null = null
  #showing = false
  #started = false
  /** By sender and outbox, the highest number that was queued; the least recently used first. */
  readonly #streams = new Map<string, number>()

  /** `cursor`: how far an earlier feed had read; an empty epoch stands for any. */
  constructor(room: string, events: FeedEvents, cursor: Pick<RoomCursor, 'epoch' | 'offset'> | null = null) {
    this.#room = room
    this.#events = events
    if (cursor === null) return
    this.#epoch = cursor.epoch
    this.#top = this.#done = this.#seen = cursor.offset
  }

  /** What to say when joining; null: to join where the room is. */
  get since(): { readonly offset: number; readonly epoch: string } | null {
    return this.#top < 0 ? null : { offset: this.#top, epoch: this.#epoch }
  }

  get epoch(): string {
    return this.#epoch
  }

  /** The highest offset up to which everything was dealt with; -1 before the first join. */
  get offset(): number {
    return this.#done
  }

  /** How many messages the room is ahead of what was dealt with. */
  get behind(): number {
    return Math.max(0, this.#seen - this.#done)
  }

  /** Somebody is there to be shown messages. */
  start(now: number): void {
    this.#started = true
    this.#showNext(now)
  }

  stop(): void {
    this.#started = false
  }

  /**
   * The server has let this client in; `offset` is the last one of the log, as far as that node knows. `recovered`: the log is still the
   * one that was read, whatever its epoch is now: a server that was started again has another one, and has lost nothing.
   */
  joined(offset: number, epoch: string, recovered: boolean, now: number): void {
    this.#joined = true
    if (this.#top < 0) this.#top = this.#done = offset
    else if (this.#epoch !== '' && this.#epoch !== epoch && !recovered) this.#begin()
    this.#epoch = epoch
    this.#seen = Math.max(this.#seen, this.#top, offset)
    this.#record(now)
    this.#settle(now)
    this.#fill()
  }

  /** What comes now is of that epoch of the log, which holds all that was read; the reply to the join is still to come. */
  renamed(epoch: string, now: number): void {
    if (this.#top < 0) return
    this.#epoch = epoch
    this.#record(now)
  }

  /** The connection is gone, and with it the membership and the answers. What is queued stays. */
  closed(): void {
    this.#joined = false
    this.#askedAfter = -1
  }

  /** A message that came by itself; `size`: the bytes of its body. */
  message(message: RoomMessage, size: number, now: number): void {
    const { offset } = message
    if (this.#top < 0 || offset <= this.#top) return
    this.#seen = Math.max(this.#seen, offset)
    if (offset === this.#top + 1 && this.#hasSpace(size)) this.#take(message, size, now)
    else this.#fill()
  }

  /** The answer to a question; null: it was refused, and is asked again at the next occasion. */
  page(messages: readonly RoomMessage[] | null, epoch: string, now: number): void {
    const [after, seen] = [this.#askedAfter, this.#askedSeen]
    if (after < 0) return
    this.#askedAfter = -1
    if (messages === null) return
    if (epoch !== this.#epoch) {
      // Whether that log holds what was read of this one, only the answer to a join says.
      this.#joined = false
      return this.#events.rejoin()
    }
    const size = Math.ceil(PAGE_BYTES / Math.max(messages.length, 1))
    const fresh = messages.filter(({ offset }) => offset > after)
    for (const message of fresh) this.#takePaged(message, size, now)
    // Nothing is left after that offset, of what was seen when it was asked for.
    if (messages.length === 0) this.#passTo(seen)
    this.#settle(now)
    if (messages.length === 0 || fresh.length > 0) this.#fill()
  }

  /** The message that was shown is dealt with. */
  handled(now: number): void {
    const shown = this.#shown
    if (shown === null) return
    this.#shown = null
    if (shown.log === this.#log) {
      this.#done = shown.message.offset
      this.#record(now)
    }
    this.#showNext(now)
    this.#fill()
  }

  /** Another log, from its beginning. What is queued of the old one is still shown. */
  #begin(): void {
    this.#events.lost()
    this.#log++
    this.#top = this.#done = this.#seen = 0
  }

  #hasSpace(size: number): boolean {
    return this.#queue.length < QUEUE && (this.#bytes === 0 || this.#bytes + size <= QUEUE_BYTES)
  }

  #takePaged(message: RoomMessage, size: number, now: number): void {
    const { offset } = message
    if (offset <= this.#top) return
    this.#seen = Math.max(this.#seen, offset)
    this.#passTo(offset - 1)
    this.#take(message, size, now)
  }

  #take(message: RoomMessage, size: number, now: number): void {
    this.#top = message.offset
    if (this.#isRepeat(message)) return this.#settle(now)
    this.#queue.push({ message, log: this.#log, size })
    this.#bytes += size
    this.#showNext(now)
  }

  /** Notes the number of a message in its stream. */
  #isRepeat({ from, outbox, n }: RoomMessage): boolean {
    const stream = `${from} ${outbox}`
    const highest = this.#streams.get(stream) ?? 0
    this.#streams.delete(stream)
    this.#streams.set(stream, Math.max(highest, n))
    const [oldest] = this.#streams.keys()
    if (this.#streams.size > STREAMS && oldest !== undefined) this.#streams.delete(oldest)
    return n <= highest
  }

  #passTo(offset: number): void {
    if (offset <= this.#top) return
    this.#events.gap(this.#top + 1, offset)
    this.#top = offset
  }

  /** Asks for what is missing, if it would fit. */
  #fill(): void {
    if (!this.#joined || this.#askedAfter >= 0 || this.#top < 0 || this.#top >= this.#seen) return
    if (this.#queue.length + PAGE > QUEUE || this.#bytes + PAGE_BYTES > QUEUE_BYTES) return
    this.#askedAfter = this.#top
    this.#askedSeen = this.#seen
    this.#events.ask(this.#top, PAGE)
  }

  /** A handler may be done within `show`, so this is a loop that is not entered twice. */
  #showNext(now: number): void {
    if (this.#showing) return
    this.#showing = true
    while (this.#started && this.#shown === null) {
      const next = this.#queue.shift()
      if (next === undefined) break
      this.#bytes -= next.size
      this.#shown = next
      this.#events.show(next.message)
    }
    this.#showing = false
    this.#settle(now)
  }

  /** With nothing left to be shown, all up to the top is dealt with. */
  #settle(now: number): void {
    if (this.#queue.length > 0 || this.#shown !== null || this.#done >= this.#top) return
    this.#done = this.#top
    this.#record(now)
  }

  #record(time: number): void {
    this.#events.recorded({ room: this.#room, epoch: this.#epoch, offset: this.#done, time })
  }
}

/**
 * The inbox: shows every message once and in order, and acks only what was dealt with (§6).
 *
 *   n ≤ cursor                    a repeat: acked, not shown
 *   n = cursor + 1, or no cursor  queued; shown when its turn comes; acked when its handler is done
 *   beyond                        one new connection; if the hole is still there the gap is told, and n is queued
 *
 * One message is with its handler at a time. Frames that are not done yet wait in the order of their seq, and an ack names the
 * last one before the first that is not; so it never passes a message whose handler has not finished.
 *
 * The cursor moves when a message is queued. When the connection ends, what is queued and was not shown is dropped and the cursors
 * move back, since the server sends it all again; a message that is with its handler stays there, and when it comes again
 * its new frame waits for the same handler. So while the process lives nothing is shown twice. A message counts as *recorded* when its
 * handler is done: a process that dies between the two is shown it again when it comes back with its recorded cursors, and
 * one without them is shown again whatever it had not acked.
 *
 * Pure, like the outbox, and without a clock: what was read is forgotten for the sake of what was read later, and never for its age, since the
 * clock of a machine can be years off, and be set right. Acks are not written at once: `flush` writes one for all that was done since.
 */
import type { Body, ClientFrames } from '../protocol/frames.ts'

/** A message, or a void: a number that will never come. */
export interface Incoming {
  readonly from: string
  readonly outbox: string
  readonly n: number
  /** ms since the epoch: when the server accepted it; 0 in a void. */
  readonly time: number
  /** `MessageFlag` bits. */
  readonly flags: number
  /** Null in a void. */
  readonly body: Body | null
  /** Of a void: why the message ended. */
  readonly reason: string
}

/** How far a stream is known. */
export interface Cursor {
  /** The address that it leads to: to another one, the same sender begins anew. Null in what an earlier version has kept, which is believed. */
  readonly to: string | null
  readonly from: string
  readonly outbox: string
  /** The highest number that was dealt with. */
  readonly n: number
}

export interface InboxEvents {
  /** Deal with this message, and then call `handled` or `refused`. Not called again before. */
  show(message: Incoming): void
  /** The numbers from first to last will not come; why: the reason of a void, or `missing`. */
  gap(from: string, outbox: string, first: number, last: number, reason: string): void
  /** A cursor to keep, for an inbox that outlives the process. It comes before the ack. */
  recorded(cursor: Cursor): void
  /** Close this connection and open another. What comes until then is ignored. */
  reconnect(reason: string): void
}

export interface InboxOptions {
  /** Streams whose cursors are kept; the one that was used least recently is forgotten first, and could be shown repeats. */
  readonly maxStreams?: number
  /** Bytes of bodies that may wait to be shown. A server that sends more loses the connection. */
  readonly maxBytes?: number
  readonly restore?: readonly Cursor[]
  /** Only look: nothing is acked or recorded, so all of it comes again. The server parks it after its ack timeout, and sends no more than a window. */
  readonly lookOnly?: boolean
}

class Track {
  /** See `Cursor`. */
  to: string | null
  readonly from: string
  readonly outbox: string
  /** The highest number that was queued, and the highest that was dealt with; null when there is none. */
  top: number | null = null
  done: number | null = null
  /** The number that was missing when a new connection was asked for. */
  missing = 0
  /** Messages of it that are queued or with their handler. */
  waiting = 0

  constructor(to: string | null, from: string, outbox: string) {
    this.to = to
    this.from = from
    this.outbox = outbox
  }
}

interface Queued {
  readonly message: Incoming
  readonly track: Track
  /** `top` of the track before. */
  readonly before: number | null
  /** 0: it came over an earlier connection and not again yet. */
  seq: number
}

interface Nack {
  readonly seq: number
  readonly reason: string
}

/** Refusals that are remembered, in case the message comes again because the nack was lost. */
const MAX_REFUSED = 100

export class Inbox {
  readonly #events: InboxEvents
  readonly #maxStreams: number
  readonly #maxBytes: number
  readonly #lookOnly: boolean
  /** The least recently used first. */
  readonly #tracks = new Map<string, Track>()
  readonly #refused = new Map<string, string>()
  #queue: Queued[] = []
  #queuedBytes = 0
  #shown: Queued | null = null
  #showing = false
  #started = false
  /** That of the last connection. */
  #address: string | null = null
  #frames: Pick<ClientFrames, 'ack' | 'nack'> | null = null
  #deaf = true
  #window = 0
  #received = 0
  #acked = 0
  /** In the order of seq. */
  #nacks: Nack[] = []

  constructor(events: InboxEvents, options: InboxOptions = {}) {
    this.#events = events
    this.#maxStreams = options.maxStreams ?? 10_000
    this.#lookOnly = options.lookOnly ?? false
    this.#maxBytes = options.maxBytes ?? 32 * 1024 * 1024
    for (const { to, from, outbox, n } of options.restore ?? []) {
      const track = this.#track(from, outbox)
      track.to = to
      track.top = track.done = n
    }
  }

  /** Somebody is there to be shown messages. Until then they are queued and not acked. */
  start(): void {
    this.#started = true
    this.#showNext()
  }

  /** Nothing more is shown; what is with its handler may still be dealt with. */
  stop(): void {
    this.#started = false
  }

  /** A message is with its handler. */
  get busy(): boolean {
    return this.#shown !== null
  }

  /** A connection was welcomed, with that window, at that address: what came to another one says nothing about what comes to this. */
  opened(frames: Pick<ClientFrames, 'ack' | 'nack'>, window: number, address: string): void {
    if (address !== this.#address) this.#moveTo(address)
    this.#frames = frames
    this.#window = window
    this.#deaf = false
  }

  /** The connection is gone. What is queued comes again. */
  closed(): void {
    this.#frames = null
    this.#deaf = true
    for (const { track, before } of this.#queue.reverse()) {
      track.top = before
      track.waiting--
    }
    this.#queue = []
    this.#queuedBytes = 0
    this.#nacks = []
    this.#received = this.#acked = 0
    if (this.#shown !== null) this.#shown.seq = 0
  }

  message(seq: number, from: string, outbox: string, n: number, time: number, flags: number, body: Body): void {
    this.#take(seq, { from, outbox, n, time, flags, body, reason: '' })
  }

  void(seq: number, from: string, outbox: string, n: number, reason: string): void {
    this.#take(seq, { from, outbox, n, time: 0, flags: 0, body: null, reason })
  }

  /** The message that was shown is dealt with. */
  handled(): void {
    const entry = this.#shown
    if (entry === null) return
    this.#shown = null
    this.#record(entry)
    this.#showNext()
  }

  /** The message that was shown is refused for good: its sender is told so, with the reason. */
  refused(reason: string): void {
    const entry = this.#shown
    if (entry === null) return
    const first = this.#refused.keys().next()
    if (this.#refused.size >= MAX_REFUSED && first.done !== true) this.#refused.delete(first.value)
    this.#refused.set(nameOf(entry.message), reason)
    if (entry.seq > 0) this.#nack(entry.seq, reason)
    this.handled()
  }

  /** Writes the acks that are due. To be called once per turn. */
  flush(): void {
    if (this.#frames === null || this.#lookOnly) return
    const done = this.#done
    for (let nack = this.#nacks[0]; nack !== undefined && nack.seq <= done; nack = this.#nacks[0]) {
      this.#nacks.shift()
      this.#frames.nack(nack.seq, nack.reason)
      this.#acked = nack.seq
    }
    if (done > this.#acked) this.#frames.ack(done)
    this.#acked = Math.max(this.#acked, done)
  }

  /** Every cursor that is to be kept. */
  snapshot(): Cursor[] {
    const cursors: Cursor[] = []
    for (const { to, from, outbox, done } of this.#tracks.values()) {
      if (done !== null) cursors.push({ to, from, outbox, n: done })
    }
    return cursors
  }

  /** The seq up to which nothing waits any more. */
  get #done(): number {
    let next = this.#received + 1
    if (this.#shown !== null && this.#shown.seq > 0) next = Math.min(next, this.#shown.seq)
    return Math.min(next, this.#queue[0]?.seq ?? Infinity) - 1
  }

  #take(seq: number, message: Incoming): void {
    if (this.#deaf) return
    const { from, outbox, n } = message
    const track = this.#track(from, outbox)
    const { top } = track
    if (top !== null && n <= top) {
      this.#received = seq
      return this.#repeat(seq, message, track)
    }
    if (top !== null && n > top + 1 && track.missing !== top + 1) {
      // §6.4: what is missing may only have been overtaken.
      track.missing = top + 1
      return this.#giveUp('a message is missing')
    }
    const size = bytesOf(message)
    if (this.#queue.length >= this.#window || (this.#queuedBytes > 0 && this.#queuedBytes + size > this.#maxBytes)) {
      return this.#giveUp('more came than was asked for')
    }
    this.#received = seq
    track.top = n
    track.waiting++
    this.#queue.push({ message, track, before: top, seq })
    this.#queuedBytes += size
    this.#showNext()
  }

  #repeat(seq: number, message: Incoming, track: Track): void {
    const shown = this.#shown
    if (shown !== null && shown.track === track && shown.message.n === message.n) {
      if (shown.seq === 0) shown.seq = seq
      return
    }
    const reason = this.#refused.get(nameOf(message))
    if (reason !== undefined) this.#nack(seq, reason)
  }

  #nack(seq: number, reason: string): void {
    this.#nacks.push({ seq, reason })
    this.#nacks.sort((a, b) => a.seq - b.seq)
  }

  #giveUp(reason: string): void {
    this.#deaf = true
    this.#events.reconnect(reason)
  }

  /** A handler may be done within `show`, so this is a loop that is not entered twice. */
  #showNext(): void {
    if (this.#showing || !this.#started) return
    this.#showing = true
    for (let entry = this.#next(); entry !== null; entry = this.#next()) this.#showOne(entry)
    this.#showing = false
  }

  #next(): Queued | null {
    return this.#started && this.#shown === null ? (this.#queue.shift() ?? null) : null
  }

  #showOne(entry: Queued): void {
    const { message, before } = entry
    const { from, outbox, n } = message
    this.#queuedBytes -= bytesOf(message)
    if (before !== null && n > before + 1) this.#events.gap(from, outbox, before + 1, n - 1, 'missing')
    if (message.body !== null) {
      this.#shown = entry
      this.#events.show(message)
    } else {
      this.#events.gap(from, outbox, n, n, message.reason)
      this.#record(entry)
    }
  }

  #record({ track, message }: Queued): void {
    const { to, from, outbox } = track
    const { n } = message
    track.waiting--
    // It may have come to an earlier address.
    if (this.#lookOnly || this.#tracks.get(`${from} ${outbox}`) !== track) return
    track.done = n
    this.#events.recorded({ to, from, outbox, n })
  }

  /** The track of a stream, which becomes the one that was used last. */
  #track(from: string, outbox: string): Track {
    const name = `${from} ${outbox}`
    const known = this.#tracks.get(name)
    const track = known ?? new Track(this.#address, from, outbox)
    if (known) this.#tracks.delete(name)
    else if (this.#tracks.size >= this.#maxStreams) this.#forgetOne()
    this.#tracks.set(name, track)
    return track
  }

  #moveTo(address: string): void {
    this.#address = address
    for (const [name, track] of this.#tracks) {
      track.to ??= address
      if (track.to !== address) this.#tracks.delete(name)
    }
    this.#refused.clear()
  }

  #forgetOne(): void {
    for (const [name, track] of this.#tracks) {
      if (track.waiting > 0) continue
      this.#tracks.delete(name)
      return
    }
  }
}

function nameOf({ from, outbox, n }: Incoming): string {
  return `${from} ${outbox} ${n}`
}

function bytesOf({ body }: Incoming): number {
  return body === null ? 0 : body.end - body.start
}

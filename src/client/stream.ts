/**
 * One stream as its sender sees it: the messages that the outbox still holds for one target, in the order of their numbers.
 *
 *   shadows          on their way       open
 *   [ stored … ]     [ sent … ]         [ … ]          two counts tell where one part ends and the next begins
 *
 * A single list with two marks, rather than a state in each message: every receipt is cumulative and every refusal goes back, so
 * all that ever happens is that a mark moves or that the front is cut off. Nothing here knows of connections, windows or time.
 */
import type { Body } from '../protocol/frames.ts'
import type { Outgoing } from './outgoing.ts'

/** ms beyond ackTimeout until silence is a fault. */
const STALL_SLACK_MS = 10_000

export class Held implements Outgoing {
  readonly id: number
  readonly key: string
  readonly target: string
  readonly body: Body
  readonly ttl: number
  readonly time: number
  readonly size: number
  n: number
  stored = false
  /** It was sent, and what became of that is not known: somebody may have taken it under its number. */
  doubtful = false

  constructor(id: number, n: number, target: string, body: Body, ttl: number, time: number, key: string) {
    this.id = id
    this.key = key
    this.n = n
    this.target = target
    this.body = body
    this.ttl = ttl
    this.time = time
    this.size = body.end - body.start
  }

  /** Seconds that are left of its life; 0: as long as the server keeps messages. */
  left(now: number): number {
    return this.ttl === 0 ? 0 : Math.max(1, this.ttl - Math.floor(Math.max(0, now - this.time) / 1_000))
  }
}

export class Stream {
  readonly target: string
  readonly held: Held[] = []
  /** So many of `held`, from the front, are shadows. */
  stored = 0
  /** So many after those were sent on this connection, and nothing was heard of them. */
  sent = 0
  sentBytes = 0
  /** The number of the next message. */
  next = 1
  /** The highest number that was ever sent, as numbers are given now: receipts above it are not believed. */
  top = 0
  /** ms; nothing is sent before. */
  pausedUntil = 0
  /** Refusals since something was taken. */
  strikes = 0
  /** ms; when something was last heard of it, or when there began to be something to hear. */
  heardAt = 0
  /** Nothing is sent until the server has told what it has of the stream. */
  gated = false
  /** Nothing is sent: whether the target is still the one that is meant is being asked. */
  isShut = false
  /** A `sync` was sent and not answered; it can tell of shadows up to this number. */
  asking = false
  askedUpTo = 0
  /** ms; when to ask again. */
  askAt = 0

  constructor(target: string) {
    this.target = target
  }

  /** The next message to send. */
  get first(): Held | undefined {
    return this.held[this.stored + this.sent]
  }

  /** Whether the server is to be asked what it has of it. */
  get wantsSync(): boolean {
    return !this.asking && (this.gated || this.stored > 0)
  }

  /** The lowest number that is still held. */
  get floor(): number {
    return this.held[0]?.n ?? this.next
  }

  /** ms; when silence is a fault. */
  stallAt(ackTimeout: number): number {
    return this.sent > 0 || this.asking ? this.heardAt + ackTimeout + STALL_SLACK_MS : Infinity
  }

  /** How many of `held` have a number up to n. */
  upTo(n: number): number {
    let low = 0
    let high = this.held.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.held[middle]?.n ?? Infinity) <= n) low = middle + 1
      else high = middle
    }
    return low
  }

  push(message: Held): void {
    this.held.push(message)
    this.next = message.n + 1
  }

  /** The first open message is on its way. */
  advance(message: Held): void {
    this.sent++
    this.sentBytes += message.size
    if (message.n > this.top) this.top = message.n
  }

  /** Cuts the first `count` messages off and returns them. */
  cut(count: number): Held[] {
    const gone = this.held.splice(0, count)
    const shadows = Math.min(this.stored, gone.length)
    const sent = Math.min(this.sent, gone.length - shadows)
    for (let i = shadows; i < shadows + sent; i++) this.sentBytes -= gone[i]?.size ?? 0
    this.stored -= shadows
    this.sent -= sent
    return gone
  }

  /** Takes the message at that place out, wherever it is. */
  remove(at: number): void {
    const [gone] = this.held.splice(at, 1)
    if (at < this.stored) this.stored--
    else if (at < this.stored + this.sent) {
      this.sent--
      this.sentBytes -= gone?.size ?? 0
    }
  }

  /** The first `count` messages are shadows now; returns those that were not. */
  store(count: number): Held[] {
    const fresh = this.held.slice(this.stored, count)
    const sent = Math.min(this.sent, fresh.length)
    for (let i = 0; i < sent; i++) this.sentBytes -= fresh[i]?.size ?? 0
    this.sent -= sent
    this.stored += fresh.length
    return fresh
  }

  /** Everything from that place on is open again, shadows too. True if something of it had been sent or stored. */
  reopen(from: number, doubtful: boolean): boolean {
    const end = this.stored + this.sent
    if (from >= end) return false
    for (const message of this.held.slice(from, end)) if (doubtful) message.doubtful = true
    for (const message of this.held.slice(Math.max(from, this.stored), end)) this.sentBytes -= message.size
    this.sent = Math.max(0, from - this.stored)
    this.stored = Math.min(this.stored, from)
    return true
  }

  /** Gives the messages from that place on the numbers from n on. */
  renumber(at: number, n: number): Held[] {
    const moved = this.held.slice(at)
    let number = n
    for (const message of moved) message.n = number++
    this.next = number
    return moved
  }
}

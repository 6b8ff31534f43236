/**
 * The outbox: owns every message until somebody else does (§5). It numbers, sends, sends again, and knows when it may forget.
 *
 *   add ─> open ─> sent ─> stored (a shadow) ─> delivered | expired | rejected | dead
 *                   │ └──> delivered | rejected
 *                   ├─ failed n: the message ends, its number goes to the next one
 *                   └─ retry n: everything from n on is open again, and sent again once, in order
 *
 * Pure: no clock, timer, randomness or I/O. Time (ms, never running back) is an argument, what happened is an input, what is to
 * be done is a call on `frames` or `events`, made after the state is whole. Inputs between `closed` and `opened` are ignored.
 *
 * What keeps late receipts harmless. A connection is in order, and a refused number silences everything above it until it
 * comes again; so after `failed n` nothing can still come for a number ≥ n in its old meaning — provided that no number is under
 * way twice, hence a stalled stream gets a new connection instead of a second try on this one. Receipts above the highest number
 * ever sent are cut down to it.
 *
 * When a number is free. A message that was sent on an earlier connection, or came back from a store that failed, may have
 * been taken after all: its recipient may have seen its number, and would drop another message under it as a repeat. Such a *doubtful*
 * message is not failed by a full mailbox but offered again, with growing pauses; refused for another reason than one that
 * rules out that anybody took it, it ends, but its number is passed over: the shadows below are given up, so that the floor
 * rises above it, and a new connection forgets that the number was missing.
 */
import { MAX_AHEAD } from '../protocol/limits.ts'
import type { EndReason, ErrorCode } from '../protocol/errors.ts'
import type { Body, ClientFrames, SyncReply } from '../protocol/frames.ts'
import { usualLimits, type OutboxLimits, type Outcome, type Outgoing, type SendTerms } from './outgoing.ts'
import type { OutboxEvents, OutboxOptions, OutboxSnapshot } from './outgoing.ts'
import { atTheDoor, neverTaken } from './refusals.ts'
import { Held, type Stream } from './stream.ts'
import { Streams } from './streams.ts'
import { syncRef } from './sync.ts'

/** Shadows of one stream, so that n − floor stays below `MAX_AHEAD`. */
const MAX_SHADOWS = 1_000
const PAUSE_MS = 1_000
const MAX_PAUSE_MS = 30_000
const FIRST_PAUSE_MS = 10
const DELIVERED: Outcome = { kind: 'delivered' }
const STORED: Outcome = { kind: 'stored' }
const FORGOTTEN: Outcome = { kind: 'forgotten' }
const NOT_JOINED: Outcome = { kind: 'failed', code: 'not_joined' }

export class Outbox {
  readonly #events: OutboxEvents
  readonly #newName: () => string
  readonly #limits: OutboxLimits
  readonly #streams = new Streams()
  /** Those that have something to send and may; served in turn. */
  readonly #ready = new Set<Stream>()
  #name: string
  #attempt = 0
  #lastId = 0
  #frames: Pick<ClientFrames, 'send' | 'sync'> | null = null
  #terms: SendTerms = { sendWindow: { messages: 0, bytes: 0 }, ackTimeout: 0 }

  constructor(events: OutboxEvents, { newName, restore, ...limits }: OutboxOptions) {
    this.#events = events
    this.#newName = newName
    this.#limits = { ...usualLimits, ...limits }
    this.#name = restore?.name ?? newName()
    if (restore) {
      this.#attempt = restore.attempt
      this.#lastId = restore.lastId
      this.#streams.restore(restore.streams)
    }
  }

  get name(): string {
    return this.#name
  }

  /** Messages that are nobody else's yet. */
  get open(): number {
    return this.#streams.open
  }

  /** Messages held, shadows too. */
  get count(): number {
    return this.#streams.count
  }

  /** Counts a connection that is about to be opened, for `attempt` in its hello (§7). */
  nextAttempt(): number {
    this.#attempt++
    this.#events.changed({ kind: 'attempted', attempt: this.#attempt })
    return this.#attempt
  }

  /** Takes a message over; null when as many are held as may be. It may be sent within the call. */
  add(target: string, body: Body, ttl: number, now: number, key = ''): Outgoing | null {
    const size = body.end - body.start
    if (!this.#makeRoom(size)) return null
    const stream = this.#streamFor(target)
    if (stream === null) return null
    const message = new Held(++this.#lastId, stream.next, target, body, ttl, now, key)
    this.#streams.push(stream, message)
    this.#events.changed({ kind: 'added', message })
    this.#wake(stream, now)
    this.#pump(now)
    return message
  }

  /** A connection was welcomed. Streams with shadows, and those of an earlier outbox, are asked for first; others are sent at once, since a number that the server knows earns its receipt again. */
  opened(frames: Pick<ClientFrames, 'send' | 'sync'>, terms: SendTerms, now: number): void {
    this.#frames = frames
    this.#terms = terms
    for (const stream of this.#streams.active) {
      if (stream.stored > 0) stream.gated = true
      if (stream.gated) this.#ask(stream, now)
      this.#wake(stream, now)
    }
    this.#pump(now)
  }

  /** The connection is gone, or given up. What was on its way may have arrived. */
  closed(): void {
    this.#frames = null
    this.#ready.clear()
    this.#streams.closed()
    for (const stream of this.#streams.active) {
      this.#streams.reopen(stream, stream.stored, true)
    }
  }

  /** §4: every n up to this one was acked by the recipient. */
  delivered(target: string, n: number, now: number): void {
    const stream = this.#heard(target, now)
    if (stream === null) return
    stream.strikes = 0
    this.#end(stream, stream.upTo(Math.min(n, stream.top)), DELIVERED)
    this.#pump(now)
  }

  /** §4: every n up to this one is delivered or durably kept. */
  stored(target: string, n: number, now: number): void {
    const stream = this.#heard(target, now)
    if (stream === null) return
    stream.strikes = 0
    this.#store(stream, stream.upTo(Math.min(n, stream.top)), now)
    this.#pump(now)
  }

  /** §4: exactly n ended for good. */
  ended(kind: EndReason, target: string, n: number, reason: string, now: number): void {
    const stream = this.#heard(target, now)
    if (stream === null) return
    this.#endOne(stream, n, { kind, reason })
    this.#pump(now)
  }

  /** §4: exactly n was refused for good. */
  failed(target: string, n: number, code: ErrorCode, now: number): void {
    const stream = this.#heard(target, now)
    if (stream === null) return
    const at = stream.upTo(n) - 1
    const message = stream.held[at]
    // Only what is on its way can fail; a number that is not was told before.
    if (message?.n !== n || at < stream.stored || at >= stream.stored + stream.sent) return
    if (message.doubtful && code === 'mailbox_full') {
      this.#goBack(stream, at, true)
      this.#pause(stream, Math.min(PAUSE_MS * 2 ** stream.strikes, MAX_PAUSE_MS), now)
    } else {
      this.#fail(stream, at, message, code)
      this.#wake(stream, now)
    }
    this.#pump(now)
  }

  /** §4: nothing from n on was taken. */
  retry(target: string, n: number, code: ErrorCode, afterMs: number, now: number): void {
    const stream = this.#heard(target, now)
    if (stream === null || n > stream.top) return
    const at = stream.upTo(n - 1)
    this.#goBack(stream, at, !atTheDoor.has(code))
    if (code === 'gap') this.#passOver(stream, at, n)
    this.#pause(stream, Math.max(afterMs, Math.min(FIRST_PAUSE_MS * 2 ** stream.strikes, MAX_PAUSE_MS)), now)
    this.#pump(now)
  }

  /** The answer to a `sync`; null when it was refused. */
  synced(target: string, reply: SyncReply | null, now: number): void {
    const stream = this.#streams.get(target)
    if (this.#frames === null || stream === undefined || !stream.asking) return
    // An answer says nothing about the messages on their way, so it does not keep a stall from being seen.
    if (stream.sent === 0) stream.heardAt = now
    stream.asking = false
    stream.askAt = now + (reply ? this.#limits.resyncMs : PAUSE_MS)
    if (reply) {
      // §5.6: somebody else uses this name.
      if (Math.max(reply.last, reply.delivered) > stream.top) return this.#rename()
      stream.gated = false
      this.#learn(stream, reply, now)
      this.#wake(stream, now)
    }
    this.#pump(now)
  }

  /** Nobody keeps any more what is stored there: it is not offered again. */
  giveUp(target: string): void {
    const stream = this.#streams.get(target)
    while (stream?.stored) this.#forget(stream)
  }

  /** Until it is released, or the connection is gone, nothing is sent to that target. */
  hold(target: string): void {
    const stream = this.#streams.shut(target, true)
    if (stream !== undefined) this.#ready.delete(stream)
  }

  release(target: string, now: number): void {
    const stream = this.#streams.shut(target, false)
    if (stream !== undefined) this.#wake(stream, now)
    this.#pump(now)
  }

  /** It is not the one that was meant, which is no more: nothing that is held goes there. To be called while it is held. */
  disown(target: string): void {
    const stream = this.#streams.get(target)
    const isHeard = stream !== undefined && stream.sent > 0
    for (const message of stream === undefined ? [] : this.#streams.cut(stream, stream.held.length))
      this.#tell(message, 'gone', message.stored ? FORGOTTEN : NOT_JOINED)
    // What may still be said of their numbers must not be taken for a word about later ones.
    if (isHeard) this.#events.reconnect('what was under way has no recipient any more')
  }

  /** Lets time pass; to be called at `due` or a little later. */
  tick(now: number): void {
    for (const stream of this.#streams.active) {
      while ((stream.held[0]?.time ?? Infinity) < now - this.#limits.shadowLifeMs && stream.stored > 0)
        this.#forget(stream)
      if (this.#frames === null) continue
      if (now >= stream.stallAt(this.#terms.ackTimeout)) return this.#events.reconnect('no answer')
      if (stream.wantsSync && now >= stream.askAt) this.#ask(stream, now)
      this.#wake(stream, now)
    }
    this.#pump(now)
  }

  /** ms; when `tick` has something to do next, or Infinity. */
  get due(): number {
    return this.#frames === null ? Infinity : this.#streams.due(this.#ready, this.#terms.ackTimeout)
  }

  /** All that a later outbox needs to go on under the same name. */
  snapshot(): OutboxSnapshot {
    return { name: this.#name, attempt: this.#attempt, lastId: this.#lastId, streams: this.#streams.snapshot() }
  }

  /** The stream to a target; null when there are far too many. */
  #streamFor(target: string): Stream | null {
    const known = this.#streams.get(target)
    if (known) return known
    // A stream cannot be forgotten by itself: its numbers would start again under a name for which the server knows higher ones.
    if (this.#streams.size >= this.#limits.maxStreams && this.#streams.count === 0) this.#rename()
    else if (this.#streams.size >= 2 * this.#limits.maxStreams) return null
    return this.#streams.create(target)
  }

  /** Gives up shadows, the oldest first, until there is room; false when there is none without them. */
  #makeRoom(size: number): boolean {
    while (this.#streams.count >= this.#limits.maxMessages || this.#streams.bytes + size > this.#limits.maxBytes) {
      const oldest = this.#streams.oldest()
      if (oldest === null) return false
      this.#forget(oldest)
    }
    return true
  }

  #heard(target: string, now: number): Stream | null {
    const stream = this.#frames === null ? undefined : this.#streams.get(target)
    if (stream !== undefined) stream.heardAt = now
    return stream ?? null
  }

  #wake(stream: Stream, now: number): void {
    if (this.#frames === null || stream.first === undefined || stream.isShut) return
    if (!stream.gated && stream.pausedUntil <= now) this.#ready.add(stream)
    else if (stream.gated && !stream.asking && stream.askAt <= now) this.#ask(stream, now)
  }

  /** Sends what the window allows, one message of each stream in turn. */
  #pump(now: number): void {
    if (this.#frames === null) return
    for (const stream of this.#ready) {
      const message = stream.first
      if (message !== undefined && !this.#fits(message)) return
      this.#ready.delete(stream)
      if (message === undefined) continue
      this.#send(this.#frames, stream, message, now)
      this.#wake(stream, now)
    }
  }

  #fits(message: Held): boolean {
    const { sent, sentBytes } = this.#streams
    const { messages, bytes } = this.#terms.sendWindow
    return sent === 0 || (sent < messages && sentBytes + message.size <= bytes)
  }

  #send(frames: Pick<ClientFrames, 'send'>, stream: Stream, message: Held, now: number): void {
    while (stream.stored > 0 && message.n - stream.floor >= MAX_SHADOWS) this.#forget(stream)
    // What is left below is under way; its receipts make room.
    if (message.n - stream.floor > MAX_AHEAD) return this.#pause(stream, PAUSE_MS, now)
    if (stream.sent === 0) stream.heardAt = now
    this.#streams.advance(stream, message)
    frames.send(message.n, stream.floor, message.target, message.left(now), message.body)
  }

  #ask(stream: Stream, now: number): void {
    stream.asking = true
    stream.heardAt = now
    stream.askedUpTo = stream.held[stream.stored - 1]?.n ?? 0
    this.#frames?.sync(syncRef(stream.target), stream.target)
  }

  #learn(stream: Stream, reply: SyncReply, now: number): void {
    const known = Math.max(reply.last, reply.delivered)
    for (const [n, reason] of reply.lost ?? []) this.#endOne(stream, n, { kind: reason, reason })
    // What is on its way here counts at the server until its receipt, which comes by itself; so it counts here as long.
    const upTo = (n: number): number => Math.min(stream.upTo(n), stream.sent > 0 ? stream.stored : Infinity)
    this.#end(stream, upTo(reply.delivered), DELIVERED)
    this.#store(stream, upTo(reply.last), now)
    const at = stream.upTo(known)
    // What is on its way meets the hole at the server and comes back with a retry, which goes back far enough.
    const lost = at < stream.stored && (stream.held[at]?.n ?? Infinity) <= stream.askedUpTo
    if (lost && stream.sent === 0) this.#goBack(stream, at, true)
  }

  #end(stream: Stream, count: number, outcome: Outcome): void {
    if (count === 0) return
    for (const message of this.#streams.cut(stream, count)) this.#tell(message, 'gone', outcome)
  }

  #endOne(stream: Stream, n: number, outcome: Outcome): void {
    const at = stream.upTo(n) - 1
    const message = stream.held[at]
    if (message?.n !== n || n > stream.top) return
    this.#streams.remove(stream, at, message)
    this.#tell(message, 'gone', outcome)
  }

  #store(stream: Stream, count: number, now: number): void {
    if (count <= stream.stored) return
    if (stream.stored === 0) stream.askAt = now + this.#limits.resyncMs
    const kept = this.#streams.store(stream, count).filter(message => !message.stored)
    for (const message of kept) message.stored = true
    for (const message of kept) this.#tell(message, 'stored', STORED)
  }

  #fail(stream: Stream, at: number, message: Held, code: ErrorCode): void {
    const free = !message.doubtful || neverTaken.has(code)
    this.#streams.remove(stream, at, message)
    this.#goBack(stream, at, false)
    stream.strikes = 0
    if (free) {
      stream.renumber(at, message.n)
      stream.top = message.n - 1
    } else {
      while (stream.stored > 0) this.#forget(stream)
      // Nothing is sent or heard on this connection any more.
      this.#frames = null
    }
    this.#tell(message, free ? 'freed' : 'gone', { kind: 'failed', code })
    if (!free) this.#events.reconnect('a number was passed over')
  }

  /** The mailbox misses a number that has ended. Once all below it are shadows they are given up: the floor rises above it. */
  #passOver(stream: Stream, at: number, n: number): void {
    if ((stream.held[at]?.n ?? n) === n || stream.stored < at) return
    while (stream.stored > 0) this.#forget(stream)
  }

  #goBack(stream: Stream, at: number, doubtful: boolean): void {
    if (this.#streams.reopen(stream, at, doubtful)) stream.strikes++
  }

  #pause(stream: Stream, ms: number, now: number): void {
    stream.pausedUntil = Math.max(stream.pausedUntil, now + ms)
    this.#ready.delete(stream)
  }

  #forget(stream: Stream): void {
    this.#end(stream, 1, FORGOTTEN)
  }

  #rename(): void {
    this.#frames = null
    this.#ready.clear()
    for (const stream of [...this.#streams.active]) while (stream.stored > 0) this.#forget(stream)
    this.#streams.restart()
    this.#name = this.#newName()
    this.#events.changed({ kind: 'named', name: this.#name })
    this.#events.reconnect('the outbox took a new name')
  }

  #tell(message: Held, kind: 'stored' | 'gone' | 'freed', outcome: Outcome): void {
    this.#events.changed({ kind, message })
    this.#events.settled(message, outcome)
  }
}

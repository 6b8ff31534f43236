/**
 * A session's hold on its mailbox: reads it page by page, and removes what was acked.
 *
 * Pages go by cursor, never by count, and reading takes nothing out: an entry leaves only by the removal that follows its ack,
 * under the session's token. At most one page and one removal are under way; what is acked meanwhile goes with the next
 * removal. When the store does not answer, both wait a second and are asked again, for as long as the session lives.
 */
import type { Entry, Fenced, FencedResult, PageResult } from '../protocol/mailbox.ts'
import type { Hub } from './hub.ts'
import type { Session } from './session.ts'

/** The most entries asked for at once. */
const PAGE = 256
/** ms between attempts when the store does not answer. */
const PAUSE_MS = 1_000

export class Drain {
  readonly #hub: Hub
  readonly #session: Session
  /** Entries, by their `s`: the last sent, the last acked, the last removed, the last asked to be removed. */
  #sent = 0
  #acked = 0
  #removed = 0
  #asked = 0
  #removing = false
  #paging = false
  /**
   * There may be something after the last sent. True at first, whatever the bind said of the mailbox, since a message can have come into it
   * between the bind and its answer; but not where nobody could know of that mailbox.
   */
  #more: boolean
  #pauseUntil = 0
  #lookedAt: number
  /** Nacked entries, in order, whose removal the store has not confirmed; no more than the window holds. */
  #nacked: { readonly s: number; readonly reason: string }[] | null = null
  /**
   * Streams whose senders' nodes are to be told, once what was acked or refused of them has left the mailbox: what is noted, and what the
   * removal under way has in it. No more than the window held.
   */
  #owed: Set<string> | null = null
  #owedByRemoval: Set<string> | null = null

  /** `isFresh`: the id was made up for this very session, and nobody was told of it yet. */
  constructor(hub: Hub, session: Session, isFresh: boolean) {
    this.#hub = hub
    this.#session = session
    this.#more = !isFresh
    this.#lookedAt = hub.now
  }

  /** The mailbox has, or may have, something new. */
  arrived(): void {
    this.#more = true
  }

  /** Notes that an entry is next to be sent; false for one that was sent already. */
  advance(s: number): boolean {
    if (s <= this.#sent) return false
    this.#sent = s
    return true
  }

  acked(s: number): void {
    this.#acked = s
  }

  nacked(s: number, reason: string): void {
    this.#acked = s
    this.#nacked ??= []
    this.#nacked.push({ s, reason })
  }

  /** The node at which the sender of that stream is, is to be told when what was acked or refused is removed. */
  owe(stream: string): void {
    this.#owed ??= new Set()
    this.#owed.add(stream)
  }

  /** As `owe`, for a stream of which what was acked may be on its way out already. False: all that was acked is out. */
  forward(stream: string): boolean {
    if (this.#acked <= this.#removed) return false
    this.owe(stream)
    if (this.#removing) this.#owesAfter()
    return true
  }

  /** Whether a removal or a page is due, or will be once the one under way is answered. */
  get hasWork(): boolean {
    return this.#more || this.#acked > this.#removed
  }

  /** Asks the store for what is due, where `room` and `roomBytes` are free in the window. False: the store needs a pause. */
  flush(room: number, roomBytes: number): boolean {
    const { now, effects } = this.#hub
    if (now < this.#pauseUntil) return false
    if (!this.#removing) this.#remove()
    if (this.#more && !this.#paging && room > 0 && roomBytes > 0) {
      this.#paging = true
      this.#more = false
      this.#lookedAt = now
      effects.page(this.#session, this.#sent, Math.min(room, PAGE), roomBytes)
    }
    return true
  }

  /** The entries of a page, or why the session is over. */
  paged(result: PageResult | null): readonly Entry[] | Fenced {
    this.#paging = false
    if (result === null) return this.#pause()
    if (result.kind !== 'page') return result
    if (result.more) this.#more = true
    // A failover has brought back what was removed.
    if (result.oldest > 0 && result.oldest <= this.#removed) this.#removed = 0
    return result.entries
  }

  /** Null, or why the session is over. */
  removed(result: FencedResult | null): Fenced | null {
    this.#removing = false
    if (result === null) this.#pause()
    else if (result.kind !== 'ok') return result
    else {
      if (this.#nacked?.[0]?.s === this.#asked) this.#nacked.shift()
      this.#removed = this.#asked
      this.#tellOwed()
    }
    return null
  }

  /**
   * Removes what was acked, in one last call: the session is closing. Up to the first nacked one and no further, since a refusal that
   * got lost would else be taken for an ack; what is behind it comes again, as a repeat.
   */
  finish(): void {
    if (this.#acked > this.#removed) this.#ask()
  }

  /** The session is over, and a removal that was under way has been answered. */
  finished(result: FencedResult | null): void {
    if (result?.kind === 'ok') this.#tellOwed()
  }

  /** Whether all that the mailbox holds, as far as this node knows, was sent. */
  get isDry(): boolean {
    return !this.#more && !this.#paging
  }

  /**
   * Whether all of a stream below `next` that the mailbox may hold was sent, where nobody else fills it. Below number 1 there is
   * nothing, and so the mail of others does not matter, which would else beget more mail.
   */
  hasSent(stream: string, next: number): boolean {
    const { custody } = this.#hub
    const { id } = this.#session
    return next === 1 ? !custody.mayPark(id, stream) : this.isDry && !custody.isParking(id)
  }

  /** Whether nobody has looked into the mailbox for `pollMs`. */
  isStale(now: number, pollMs: number): boolean {
    return now - this.#lookedAt >= pollMs
  }

  #remove(): void {
    if (this.#acked <= this.#removed) return
    this.#removing = true
    this.#ask()
  }

  #ask(): void {
    const nacked = this.#nacked?.[0]
    this.#asked = nacked?.s ?? this.#acked
    this.#owesAfter()
    if (nacked === undefined) this.#hub.effects.remove(this.#session, this.#acked)
    else this.#hub.effects.refuse(this.#session, nacked.s, nacked.reason)
  }

  #owesAfter(): void {
    if (this.#owed === null) return
    this.#owedByRemoval ??= new Set()
    for (const stream of this.#owed) this.#owedByRemoval.add(stream)
    // A refusal goes alone: of what was acked behind it the mailbox hears by the next removal.
    if (this.#asked === this.#acked) this.#owed = null
  }

  #tellOwed(): void {
    const streams = this.#owedByRemoval
    this.#owedByRemoval = null
    if (streams !== null) this.#hub.news.settled(this.#session.id, streams)
  }

  #pause(): readonly Entry[] {
    this.#more = true
    this.#pauseUntil = this.#hub.now + PAUSE_MS
    return []
  }
}

/**
 * A room, as one node knows it: its members here, and how far its log was told to them.
 *
 * The cursor is the offset of the last message that was fanned out. Appends of this node that follow it are fanned out from memory;
 * whatever else the log has, the node reads from there on. So whoever appended, and whichever answer was lost, each member
 * hears every message once, in the order of offsets.
 *
 * Everything that is said during a turn goes out at its end, encoded once for all. Those who have caught up are let in after that,
 * together, and are the first to hear of their coming.
 */
import { refusals, type ErrorCode } from '../protocol/errors.ts'
import type { Body, HistoryMessage } from '../protocol/frames.ts'
import type { RollAnswer, RollNews } from '../protocol/rolls.ts'
import { agreedUpTo, areOfOneRoom, asHistory } from '../protocol/rooms.ts'
import type { AppendResult, LogEnd, RoomLog, RoomPage, RoomRecord } from '../protocol/rooms.ts'
import { assert } from './assert.ts'
import { Company } from './company.ts'
import type { Hub } from './hub.ts'
import { HERE, type Member } from './member.ts'
import type { Message } from './message.ts'
import { publishWaiting, returnWaiting } from './publishing.ts'
import { Recent } from './recent.ts'
import type { Answer } from './room-effects.ts'
import { Strangers } from './strangers.ts'
import { Telling, type News } from './telling.ts'

/** What is read of a log at once. */
const PAGE = 256
const PAGE_BYTES = 256 * 1024
/** Bytes that one who joins may leave unread before the next page. */
const UNREAD_BYTES = 256 * 1024
/** ms until a store that did not answer is asked again. */
const PAUSE_MS = 1_000

export class Room {
  readonly name: string
  readonly #hub: Hub
  /** Those who are in it now. */
  readonly company: Company
  readonly #joining = new Set<Member>()
  readonly #strangers = new Strangers()
  /** -1: not known yet. */
  #cursor = -1
  /** The log as it was when the store spoke of it last; null: not known yet. */
  #log: RoomLog | null = null
  readonly #telling: Telling
  readonly #recent = new Recent()
  /** The log may have something beyond the cursor. */
  #behind = false
  #paging = false
  #pauseUntil = 0
  #lookedAt = 0
  #dirty = false

  constructor(hub: Hub, name: string) {
    this.#hub = hub
    this.name = name
    this.company = new Company(!hub.options.soleOwner)
    this.#telling = new Telling(name)
  }

  /** Nobody has anything to do with it, and no answer comes that would be taken for that to a later question. */
  get empty(): boolean {
    const lookedAt = this.#paging || this.#behind ? 0 : this.#lookedAt
    const isEmpty = this.company.isEmpty(this.#cursor < 0 ? Infinity : lookedAt)
    return isEmpty && this.#joining.size === 0 && !this.#strangers.asking
  }

  // ── coming and going ────────────────────────────────────────────────────────────────────────────────────────────────

  /** Somebody wants to come in. */
  enter(member: Member): void {
    this.#joining.add(member)
    this.#strangers.add(member)
    this.#touch()
  }

  /** The store has said whether there is such a room. Returns those who wanted to know. */
  found(answer: Answer<RoomRecord>): readonly Member[] {
    if (answer === 'no_such_room') this.dissolve()
    else if (answer !== null) this.#learn(answer)
    this.#touch()
    return this.#strangers.answered()
  }

  /** It is about to be made. */
  wait(members: readonly Member[]): void {
    this.#strangers.wait(members)
  }

  /** It was made, or could not be. */
  lookAgain(made: boolean): void {
    for (const member of this.#strangers.answered()) {
      if (made) this.#strangers.add(member)
      else this.refuse(member, 'unavailable')
    }
    this.#touch()
  }

  /** Lets somebody in, behind the last offset that it has seen if the log still says the same. */
  admit(member: Member, record: RoomRecord): void {
    // While its password was checked the room was deleted, and perhaps another one made: that may be closed to it.
    if (this.#log === null || !areOfOneRoom(this.#log.epoch, record.epoch)) return this.enter(member)
    member.admit(record)
    this.#touch()
  }

  /** Keeps somebody out, who is told why; what it sent meanwhile goes back. For now only: it is away, until it tries again. */
  refuse(member: Member, code: ErrorCode, text: string = refusals[code].text): void {
    const { session, ref, state } = member
    const { retryable } = refusals[code]
    this.#drop(member)
    if (retryable && !session.gone) this.#await(member)
    // Who is away has had an answer to its join.
    if (!session.gone && state !== 'away') session.connection.error(ref, code, text)
    returnWaiting(this.#hub, member, code, PAUSE_MS)
  }

  /** Somebody who was sent away joins again; returns what he has sent meanwhile. */
  takeOver(member: Member): readonly Message[] {
    this.#drop(member)
    return member.waiting
  }

  /** Somebody who is in leaves by his own wish, or his session has ended. `returning`: he is here still, on a newer connection. */
  leave(member: Member, returning: boolean): void {
    this.#tell(this.company.leave(member, returning ? this.#hub.now : null))
    this.#drop(member)
  }

  /** The room is no more, or is another one. Those who have only asked for it get an answer of their own. */
  dissolve(coming: ErrorCode = 'no_such_room'): void {
    this.#sendAway(coming)
    this.#cursor = -1
    this.#log = null
    this.#touch()
  }

  // ── what the store has said ─────────────────────────────────────────────────────────────────────────────────────────

  /** The answer to an append of this node. */
  appended(batch: readonly Message[], result: AppendResult | null): void {
    if (this.#cursor < 0) return
    if (result === null) return this.#pause()
    if (result.kind === 'no_such_room') return this.dissolve()
    if (result.kind === 'another_room') return this.#disowned(batch)
    if (result.epoch === this.#log?.epoch) {
      for (const [i, outcome] of result.outcomes.entries()) {
        const message = batch[i]
        if (message === undefined || typeof outcome === 'string' || !('offset' in outcome)) continue
        // What is not the next one comes with a page, after those before it.
        if (outcome.offset === this.#cursor + 1) this.#fanOut(asHistory(outcome.offset, message))
      }
      if (result.last > this.#cursor) this.#behind = true
    } else this.#behind = true
    this.#touch()
  }

  paged(answer: Answer<RoomPage>): void {
    this.#paging = false
    if (this.#cursor < 0) return
    if (answer === null) return this.#pause()
    if (answer === 'no_such_room') return this.dissolve()
    this.#learn(answer)
    const fresh = answer.entries.filter(({ offset }) => offset > this.#cursor)
    for (const entry of fresh) this.#fanOut(asHistory(entry.offset, entry))
    // The log has nothing more of what lies between. A page of what was fanned out meanwhile says nothing of what comes after it.
    if (answer.entries.length === 0) this.#cursor = Math.max(this.#cursor, answer.last)
    else if (answer.last > this.#cursor) this.#behind = true
    this.#touch()
  }

  /** A page for one who joins. */
  fed(member: Member, answer: Answer<RoomPage>): void {
    member.paging = false
    if (member.state === 'feeding' && answer !== null && answer !== 'no_such_room') this.#learn(answer)
    if (member.state !== 'feeding') return
    if (answer === null) return this.refuse(member, 'unavailable')
    if (answer === 'no_such_room') return this.dissolve()
    member.reconcile(answer)
    if (member.at !== HERE) {
      for (const entry of answer.entries) member.tell(asHistory(entry.offset, entry))
      if (answer.entries.length === 0) member.at = Math.max(member.at, answer.last)
    }
    this.#touch()
  }

  /** The log goes as far as that; null: perhaps further than is known. */
  woken(end: LogEnd | null): void {
    if (end !== null && end.epoch === this.#log?.epoch && end.last <= this.#cursor) return
    this.#behind = true
    this.#touch()
  }

  /** The answer to a report of who came and went. */
  reported(answer: Answer<RollAnswer>): void {
    if (answer === 'no_such_room') {
      if (this.company.disowned()) this.dissolve()
      return this.#touch()
    }
    this.#tell(this.company.reported(answer))
    if (answer === null) this.#pause()
  }

  /** Another node has reported who came and went. */
  heard(news: RollNews): void {
    this.#tell(this.company.heard(news))
  }

  /** What was said or reported elsewhere may have been missed. */
  look(): void {
    this.company.look()
    this.woken(null)
  }

  signal(from: Member, body: Body): void {
    this.company.signal(this.name, from.id, body)
    if (this.company.isElsewhere) this.#hub.effects.rooms.signal(this.name, from.id, body, from.epoch)
  }

  /** Somebody at another node signals to the room with that epoch. If it is another one than this, one of both nodes has missed something. */
  signalled(from: string, body: Body, epoch: string): void {
    const isHere = epoch === '' || this.#log === null || areOfOneRoom(this.#log.epoch, epoch)
    if (isHere) this.company.signal(this.name, from, body)
    else if (this.#hub.now - this.#lookedAt >= PAUSE_MS) this.woken(null)
  }

  // ── time ────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The end of a turn. */
  flush(): void {
    this.#dirty = false
    if (!this.#waits()) this.#say()
    // Whoever is let in was given the messages that are still to be told.
    if (!this.#telling.hasMessages) this.#caughtUp()
    if (!this.#waits()) this.#say()
    if (this.#joining.size === 0) this.#recent.clear()
    this.#ask()
  }

  tick(now: number): void {
    const isComing = (id: string): boolean => [...this.#joining].some(member => member.id === id)
    this.#tell(this.company.tick(now, isComing))
    for (const member of this.#joining) this.#hub.custody.expire(member.waiting)
    const { pollMs } = this.#hub.options
    if (pollMs > 0 && now - this.#lookedAt >= pollMs) this.look()
    if (this.#behind || this.#joining.size > 0 || !this.#telling.isEmpty) this.#touch()
  }

  // ── inside ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  #touch(): void {
    if (this.#dirty) return
    this.#dirty = true
    this.#hub.rooms.hasWork(this)
  }

  #tell(all: readonly News[]): void {
    this.#note(all)
    this.#touch()
  }

  #note(all: readonly News[]): void {
    const isHeard = this.company.size > 0 && !this.#hub.draining
    if (isHeard) for (const news of all) this.#telling.news(news, this.#hub.now)
  }

  #drop(member: Member): void {
    member.state = 'gone'
    this.#joining.delete(member)
    member.session.attendance?.members.delete(this.name)
    this.#touch()
  }

  /** It is expected to join again. */
  #await(member: Member): void {
    member.state = 'away'
    this.#joining.add(member)
    member.session.attendance?.members.set(this.name, member)
  }

  /** Whoever is in must join again. `coming`: what those are told who are on their way in, if they have to ask again, too. */
  #sendAway(coming: ErrorCode | null): void {
    this.#say()
    // What was said is of a log that is gone.
    this.#recent.clear()
    if (coming !== null)
      for (const member of [...this.#joining]) if (member.state !== 'asking') this.refuse(member, coming)
    const sent = [...this.company.members()]
    this.company.clear()
    for (const member of sent) {
      this.#drop(member)
      // It is the same room: what is sent to it meanwhile can wait.
      if (coming === null) this.#await(member)
      member.session.connection.members(this.name, 'leave', member.id, member.name)
    }
  }

  /** Looks at where the log stands: it may have lost its end since this node looked. */
  #learn(log: RoomLog): void {
    const known = this.#log
    this.#log = log
    if (known === null) {
      this.#cursor = log.last
      // Whoever has appended since then may have told nobody here.
      this.#behind = !this.#hub.options.soleOwner
      this.#lookedAt = this.#hub.now
    } else if (this.#cursor > agreedUpTo(log, known.epoch) && log.epoch !== known.epoch) {
      // Members have seen what is gone, and what comes now has offsets that they know: they must begin anew.
      // Another room of that name has not been asked whether it lets those in who were on their way into the one before.
      this.#sendAway(areOfOneRoom(log.epoch, known.epoch) ? null : 'unavailable')
      this.#cursor = log.last
    } else if (log.epoch !== known.epoch) {
      this.#say()
      this.company.renamed(this.#cursor, log.epoch)
    }
  }

  /** There is another room of that name, unless that is the one that this is by now. Whoever is on his way in asks again. */
  #disowned([first]: readonly Message[]): void {
    const known = this.#log
    if (known !== null && first !== undefined && areOfOneRoom(known.epoch, first.epoch)) this.dissolve('unavailable')
  }

  #fanOut(message: HistoryMessage): void {
    assert(message.offset > this.#cursor, 'a room is told each offset once, in order')
    this.#cursor = message.offset
    this.#hub.stats.fannedOut += this.company.size
    if (this.company.size > 0) this.#telling.message(message, this.#hub.now)
    if (this.#joining.size > 0) this.#recent.push(message)
  }

  #waits(): boolean {
    const more = this.#joining.size === 0 && this.#hub.custody.isParking(this.name)
    return this.#telling.waits(this.company.size, more, this.#hub.now)
  }

  /** Tells all members what there is to be told. */
  #say(): void {
    const broadcast = this.#telling.take()
    if (broadcast !== null) this.company.tell(broadcast)
  }

  /** Lets in who has, or is now given, all that the members were told. */
  #caughtUp(): void {
    const ready: Member[] = []
    const log = this.#log
    for (const member of this.#joining) {
      if (member.state !== 'feeding' || log === null) continue
      if (member.epoch !== log.epoch) member.reconcile(log)
      if (member.at >= 0 && member.at < this.#cursor) {
        for (const message of this.#recent.after(member.at) ?? []) member.tell(message)
      }
      if (member.at === HERE || member.at === this.#cursor) {
        if (this.company.admits(member, this.#hub.now)) ready.push(member)
      } else if (member.at < this.#cursor) this.#read(member)
      // It has read further than this node.
      else this.#behind = true
    }
    for (const member of ready) this.#letIn(member)
    const { count } = this.company
    for (const member of ready) this.#welcome(member, count)
  }

  #letIn(member: Member): void {
    member.state = 'live'
    this.#joining.delete(member)
    this.#note(this.company.enter(member))
  }

  #welcome(member: Member, members: number): void {
    const { session, ref, recovered, epoch } = member
    session.connection.reply(ref, { offset: this.#cursor, epoch, recovered, members })
    publishWaiting(this.#hub, member)
  }

  #read(member: Member): void {
    if (member.paging || member.session.connection.unread > UNREAD_BYTES) return
    member.paging = true
    this.#hub.effects.rooms.feed(member, { after: member.at, limit: PAGE, maxBytes: PAGE_BYTES })
  }

  #ask(): void {
    const { effects, now } = this.#hub
    if (this.#strangers.ask()) effects.rooms.find(this.name)
    const mayReport = now >= this.#pauseUntil && !this.#hub.draining
    const report = this.#log !== null && mayReport ? this.company.report(this.#log.epoch, now) : null
    if (report !== null) effects.rooms.report(this.name, report)
    if (!this.#behind || this.#paging || this.#cursor < 0 || now < this.#pauseUntil) return
    this.#paging = true
    this.#behind = false
    this.#lookedAt = now
    effects.rooms.page(this.name, { after: this.#cursor, limit: PAGE, maxBytes: PAGE_BYTES })
  }

  #pause(): void {
    this.#behind = true
    this.#pauseUntil = this.#hub.now + PAUSE_MS
  }
}

/**
 * Those who are in a room: its members at this node, who are told what happens, and the roll of everybody.
 *
 * A membership ends with its session. One whose connection was replaced by a newer one has not left: he is given some seconds to join again,
 * here or at another node, and nobody is told anything.
 */
import { createBroadcast } from '../protocol/broadcast.ts'
import type { Body, Broadcast } from '../protocol/frames.ts'
import type { RollAnswer, RollNews, RollReport } from '../protocol/rolls.ts'
import type { Member } from './member.ts'
import { Replaced } from './replaced.ts'
import { Roll } from './roll.ts'
import type { News } from './telling.ts'

/** Bytes that a member may leave unread before signals pass it by. */
const UNREAD_SIGNALS = 64 * 1024

/** ms for which nobody is let in while the roll does not come; later it tells those who are in of everybody whom it names. */
const ROLL_MS = 5_000

/** ms behind which a store does not fall back, when one of its servers takes the place of another. */
const FALLEN_MS = 5_000

export class Company {
  /** By id. */
  readonly #live = new Map<string, Member>()
  readonly #replaced = new Replaced()
  readonly #roll: Roll
  readonly #shared: boolean
  /** Monotonic ms: when somebody was here last, or it was reported that he went; null: never, or nobody else has to know. */
  #usedAt: number | null = null

  /** `shared`: other nodes have members too. */
  constructor(shared: boolean) {
    this.#shared = shared
    this.#roll = new Roll(shared, id => this.#live.has(id) || this.#replaced.has(id))
  }

  /** Members at this node, who are told what happens. */
  get size(): number {
    return this.#live.size
  }

  /** Everybody. */
  get count(): number {
    return this.#roll.size
  }

  get isKnown(): boolean {
    return this.#roll.isKnown
  }

  /** Whether one who has caught up may be let in: the roll says who is at other nodes, or does not come, and he has waited long enough. */
  admits(member: Member, now: number): boolean {
    member.waitsSince ??= now
    return this.#roll.isKnown || now - member.waitsSince >= ROLL_MS
  }

  /** Whether somebody is at another node, as far as is known. */
  get isElsewhere(): boolean {
    return !this.#roll.isKnown || this.#roll.size > this.#live.size + this.#replaced.size
  }

  /**
   * Nobody is here, and nothing is left to be reported. A store that falls back may have those here again who went, or joined elsewhere, and
   * nobody but this node would take them off: so the room must have been looked at since, when that can be no more. `lookedAt`: when it was.
   */
  isEmpty(lookedAt: number): boolean {
    const isSettled = this.#usedAt === null || lookedAt - this.#usedAt >= FALLEN_MS
    return this.#isDeserted && !this.#roll.isBusy && isSettled
  }

  get #isDeserted(): boolean {
    return this.#live.size === 0 && this.#replaced.size === 0
  }

  members(): IterableIterator<Member> {
    return this.#live.values()
  }

  list(after: string, limit: number): (readonly [id: string, name: string])[] {
    return this.#roll.list(after, limit)
  }

  /** What follows from it is news for those who are here, as with everything below. */
  enter(member: Member): News[] {
    const { id, name } = member
    this.#live.set(id, member)
    this.#replaced.return(id)
    return this.#roll.come(id, name)
  }

  /** `now`: he is expected on a newer connection; null: he is not. */
  leave(member: Member, now: number | null): News[] {
    const { id } = member
    if (this.#live.get(id) !== member) return []
    this.#live.delete(id)
    if (now === null) return this.#roll.go(id)
    this.#replaced.add(id, now)
    return []
  }

  /** Those whose time to come back is over, unless they are on their way. */
  tick(now: number, isComing: (id: string) => boolean): News[] {
    return this.#replaced.overdue(now, isComing).flatMap(id => this.#roll.go(id))
  }

  /** All of them, here and elsewhere, are members of it no more. */
  clear(): void {
    this.#live.clear()
    this.#replaced.clear()
    this.#roll.clear()
  }

  tell(broadcast: Broadcast): void {
    for (const member of this.#live.values()) member.session.connection.broadcast(broadcast)
  }

  /** The log goes on under that epoch, and holds all that they were told, which is up to that offset. Who has asked for it is told so, as in the reply to his join. */
  renamed(offset: number, epoch: string): void {
    for (const { session, ref, options } of this.#live.values()) {
      if (options.epochs) session.connection.reply(ref, { offset, epoch, recovered: true, members: this.count })
    }
  }

  /** Somebody, here or at another node, lets the others know of something that passes. */
  signal(room: string, from: string, body: Body): void {
    const broadcast = createBroadcast(frames => frames.signal(from, room, body))
    for (const { id, session } of this.#live.values()) {
      if (id !== from && session.connection.unread <= UNREAD_SIGNALS) session.connection.broadcast(broadcast)
    }
  }

  /** Some nodes, or their reports, may not have been heard of. */
  look(): void {
    this.#roll.look()
  }

  report(epoch: string, now: number): RollReport | null {
    if (this.#shared && (!this.#isDeserted || this.#roll.hasNews)) this.#usedAt = now
    return this.#roll.report(epoch)
  }

  reported(answer: RollAnswer | null): News[] {
    return this.#roll.answered(answer)
  }

  /** The store knows no such room. False: that is no answer about the one that this is now. */
  disowned(): boolean {
    return this.#roll.disowned()
  }

  heard(news: RollNews): News[] {
    return this.#roll.heard(news)
  }
}

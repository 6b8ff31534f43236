/**
 * The rooms of a node: what clients ask about them, judged, and what the store answers, passed on.
 *
 * A `Room` is here while somebody at this node is in it or on his way in. Who may do what is decided here: a room is entered by whom its
 * settings and his own rights let in, and deleted by its owner; admins may do both.
 */
import type { Body, CreateOptions, HistoryOptions, JoinOptions, ListOptions, Ref } from '../protocol/frames.ts'
import { MAX_PAGE, MAX_ROOM_PASSWORD } from '../protocol/limits.ts'
import { streamName } from '../protocol/mailbox.ts'
import { isRoom } from '../protocol/names.ts'
import type { RollAnswer, RollNews } from '../protocol/rolls.ts'
import {
  asHistory,
  type Created,
  type LogEnd,
  type RoomPage,
  type RoomQuery,
  type RoomRecord,
} from '../protocol/rooms.ts'
import { isNamed, isStillLetIn, isWithin, owns } from './access.ts'
import type { Hub } from './hub.ts'
import { adviceOf, codeOf, refuse, reply } from './answers.ts'
import { attendanceOf, Member } from './member.ts'
import type { Message } from './message.ts'
import { Room } from './room.ts'
import type { Answer, Ask, PasswordAnswer, Wait } from './room-effects.ts'
import type { Session } from './session.ts'

/** The room that is always there. */
export const LOBBY = '#lobby'

/** Questions of one session that the store has not answered. */
const ASKS = 16
/** Rooms that are looked at in a tick, after other nodes could not be heard. */
const LOOKS = 256
/** Of a reply, what is not bodies. */
const REPLY_ROOM = 1_024

export class Rooms {
  readonly #hub: Hub
  readonly #rooms = new Map<string, Room>()
  #work: Room[] = []
  /** Those in which something may have happened that was not heard of, and how many of them may be looked at until the next tick. */
  readonly #missed = new Set<string>()
  #looks = LOOKS

  constructor(hub: Hub) {
    this.#hub = hub
  }

  // ── what clients ask ────────────────────────────────────────────────────────────────────────────────────────────────

  join(session: Session, ref: Ref, name: string, options: JoinOptions): void {
    const members = attendanceOf(session).members
    const { roomsPerConnection } = this.#hub.options
    const before = members.get(name)
    if (!isRoom(name)) refuse(session, ref, 'bad_id', 'A room is # and 1 to 64 of A-Za-z0-9_.:-')
    else if (!session.mayEnter(name)) refuse(session, ref, 'forbidden')
    else if (before?.state === 'asking' || before?.state === 'feeding')
      refuse(session, ref, 'rate_limited', 'This room is being joined already; wait for the reply.')
    else if (before === undefined && members.size >= roomsPerConnection)
      refuse(session, ref, 'forbidden', `A connection may be in ${roomsPerConnection} rooms; leave one first.`)
    else {
      const room = this.#room(name)
      const member = new Member(session, name, ref, options, before)
      // To the others who is in and joins again has never left.
      if (before?.state === 'live') room.leave(before, true)
      else if (before !== undefined) member.waiting.push(...room.takeOver(before))
      members.set(name, member)
      room.enter(member)
    }
  }

  leave(session: Session, ref: Ref, name: string): void {
    const member = session.attendance?.members.get(name)
    const room = this.#rooms.get(name)
    if (member === undefined || room === undefined) return refuse(session, ref, 'not_joined')
    if (member.state === 'live') room.leave(member, false)
    else room.refuse(member, 'not_joined')
    reply(session, ref, null)
  }

  create(session: Session, ref: Ref, name: string, options: CreateOptions): void {
    const { password = '', history = Infinity } = options
    if (!isRoom(name)) return refuse(session, ref, 'bad_id', 'A room is # and 1 to 64 of A-Za-z0-9_.:-')
    if (!session.mayEnter(name)) return refuse(session, ref, 'forbidden')
    if (password.length > MAX_ROOM_PASSWORD)
      return refuse(session, ref, 'too_large', `A password has at most ${MAX_ROOM_PASSWORD} characters.`)
    if (!this.#mayAsk(session, ref)) return
    const messages = Math.min(history, this.#hub.options.roomMessages)
    const room = { owner: session.id, private: options.private ?? false, password, messages }
    this.#hub.effects.rooms.create(name, room, { session, ref, room: name })
  }

  delete(session: Session, ref: Ref, name: string): void {
    if (!isRoom(name)) refuse(session, ref, 'no_such_room')
    else if (this.#mayAsk(session, ref)) this.#hub.effects.rooms.inspect({ session, ref, room: name })
  }

  list(session: Session, ref: Ref, { after = '', limit = MAX_PAGE }: ListOptions): void {
    if (!this.#mayAsk(session, ref)) return
    const ask = { session, ref, room: '' }
    this.#hub.effects.rooms.list(ask, after, Math.min(limit, MAX_PAGE), session.rights.admin)
  }

  members(session: Session, ref: Ref, name: string, { after = '', limit = MAX_PAGE }: ListOptions): void {
    if (!isWithin(session, name)) return refuse(session, ref, 'not_joined')
    const most = Math.min(limit, MAX_PAGE)
    const members = this.#rooms.get(name)?.company.list(after, most) ?? []
    reply(session, ref, { members, next: members.length < most ? null : (members.at(-1)?.[0] ?? null) })
  }

  history(session: Session, ref: Ref, name: string, options: HistoryOptions): void {
    if (!isWithin(session, name)) return refuse(session, ref, 'not_joined')
    if (!this.#mayAsk(session, ref)) return
    const { limit = MAX_PAGE, ...which } = options
    const query = { ...which, limit: Math.min(limit, MAX_PAGE), maxBytes: this.#hub.options.maxPacket }
    this.#hub.effects.rooms.history({ session, ref, room: name }, query)
  }

  /** What the log has taken of the streams of this session. */
  sync(session: Session, ref: Ref, room: string): void {
    if (!this.#mayAsk(session, ref)) return
    this.#hub.effects.rooms.taken({ session, ref, room }, streamName(session.id, session.outbox))
  }

  /** To whoever is in the room now, or nobody. */
  signal(session: Session, name: string, body: Body): void {
    const member = session.attendance?.members.get(name)
    if (member?.state !== 'live') return refuse(session, null, 'not_joined')
    if (!this.#hub.overloaded) this.#rooms.get(name)?.signal(member, body)
  }

  /** What the session may do is another thing now. */
  entitled(session: Session): void {
    for (const member of [...(session.attendance?.members.values() ?? [])]) {
      if (session.mayEnter(member.room) && isStillLetIn(session, member)) continue
      const room = this.#rooms.get(member.room)
      if (member.state !== 'live') room?.refuse(member, 'forbidden')
      else {
        room?.leave(member, false)
        session.connection.members(member.room, 'leave', member.id, member.name)
      }
    }
  }

  /** The session has ended. `replaced`: its client has a newer one. */
  gone(session: Session, replaced: boolean): void {
    for (const member of [...(session.attendance?.members.values() ?? [])]) {
      const room = this.#rooms.get(member.room)
      if (member.state === 'live') room?.leave(member, replaced)
      else room?.refuse(member, 'unavailable')
    }
  }

  // ── what the store answers ──────────────────────────────────────────────────────────────────────────────────────────

  /** Sees to it that there is a lobby. */
  open(): void {
    const { roomMessages: messages } = this.#hub.options
    this.#hub.effects.rooms.create(LOBBY, { owner: '', private: false, password: '', messages }, null)
  }

  created(name: string, ask: Ask | null, result: Created | 'busy' | Wait | null): void {
    if (ask === null) return this.#rooms.get(name)?.lookAgain(result !== null)
    this.#answered(ask)
    if (result === 'created') reply(ask.session, ask.ref, null)
    else refuse(ask.session, ask.ref, codeOf(result), adviceOf(result))
  }

  /** Whether there is a room that some want to enter. */
  found(name: string, answer: Answer<RoomRecord>): void {
    const room = this.#rooms.get(name)
    if (room === undefined) return
    const absent = answer === 'no_such_room'
    const members = room.found(answer)
    if (absent && name === LOBBY && members.some(({ session }) => !session.gone)) {
      room.wait(members)
      return this.open()
    }
    for (const member of members) {
      if (answer === null) room.refuse(member, 'unavailable')
      else if (absent) room.refuse(member, 'no_such_room')
      else this.#judge(room, member, answer)
    }
  }

  verified(member: Member, result: PasswordAnswer): void {
    const { record, state } = member
    const room = this.#rooms.get(member.room)
    if (state !== 'asking' || record === null || room === undefined) return
    member.record = null
    if (result === true) room.admit(member, record)
    else if (result === false) room.refuse(member, 'bad_password')
    else room.refuse(member, codeOf(result), adviceOf(result))
  }

  inspected(ask: Ask, answer: Answer<RoomRecord>): void {
    const { session, ref } = ask
    this.#answered(ask)
    if (answer === null) refuse(session, ref, 'unavailable')
    else if (answer === 'no_such_room') refuse(session, ref, 'no_such_room')
    else if (!owns(session, answer)) refuse(session, ref, 'forbidden')
    else if (this.#mayAsk(session, ref)) this.#hub.effects.rooms.delete(ask, answer.epoch)
  }

  deleted(ask: Ask, deleted: boolean | null): void {
    this.#answered(ask)
    if (deleted === null) refuse(ask.session, ask.ref, 'unavailable')
    else if (!deleted) refuse(ask.session, ask.ref, 'no_such_room')
    else {
      reply(ask.session, ask.ref, null)
      this.#rooms.get(ask.room)?.dissolve()
    }
  }

  listed(ask: Ask, limit: number, records: readonly RoomRecord[] | null): void {
    this.#answered(ask)
    if (records === null) return refuse(ask.session, ask.ref, 'unavailable')
    const rooms = records.map(({ room, owner, password, created, members = 0 }) => {
      return { room, members: this.company(room)?.count ?? members, locked: password !== '', owner, created }
    })
    const next = records.length < limit ? null : (records.at(-1)?.room ?? null)
    reply(ask.session, ask.ref, { rooms, next })
  }

  read(ask: Ask, query: RoomQuery, answer: Answer<RoomPage>): void {
    const { session, ref } = ask
    this.#answered(ask)
    if (answer === null) return refuse(session, ref, 'unavailable')
    if (answer === 'no_such_room') return refuse(session, ref, 'no_such_room')
    const { entries, epoch, first, last } = answer
    if (!isWithin(session, ask.room, epoch)) {
      // It has left meanwhile, or the room is another one, which this node is about to find out.
      this.woken(ask.room)
      return refuse(session, ref, 'not_joined')
    }
    const messages = entries.map(entry => asHistory(entry.offset, entry))
    const page = { messages, epoch, first, last }
    if (session.gone) return
    session.connection.history(ref, page, this.#hub.options.maxPacket - REPLY_ROOM, query.after === undefined)
  }

  /** The answer to `taken` is a `sync` like any other, in the hub. */
  taken(ask: Ask, last: number | null): void {
    this.#answered(ask)
    this.#hub.synced(ask.session, ask.ref, ask.room, last === null ? null : { last, delivered: 0 })
  }

  appended(name: string, batch: readonly Message[], result: Parameters<Room['appended']>[1]): void {
    this.#rooms.get(name)?.appended(batch, result)
  }

  paged(name: string, answer: Answer<RoomPage>): void {
    this.#rooms.get(name)?.paged(answer)
  }

  fed(member: Member, answer: Answer<RoomPage>): void {
    this.#rooms.get(member.room)?.fed(member, answer)
  }

  /** Another node, or somebody who is no client, has appended to this room, or has deleted it. */
  woken(name: string, end: LogEnd | null = null): void {
    this.#rooms.get(name)?.woken(end)
  }

  reported(name: string, answer: Answer<RollAnswer>): void {
    this.#rooms.get(name)?.reported(answer)
  }

  /** Another node has reported who came and went. */
  heard(name: string, news: RollNews): void {
    this.#rooms.get(name)?.heard(news)
  }

  /** A member at another node signals. `epoch`: one of the room that he is in; '' when that is not known. */
  signalled(name: string, from: string, body: Body, epoch: string): void {
    if (!this.#hub.overloaded) this.#rooms.get(name)?.signalled(from, body, epoch)
  }

  /** What happened in that room at other nodes may not have been heard; null: in any of them. */
  missed(name: string | null): void {
    for (const room of name === null ? this.#rooms.values() : []) this.#missed.add(room.name)
    if (name !== null) this.#missed.add(name)
  }

  /** Those who are in that room; null: this node does not know, and the store may. */
  company(name: string): Room['company'] | null {
    const company = this.#rooms.get(name)?.company
    return company?.isKnown === true ? company : null
  }

  // ── time ────────────────────────────────────────────────────────────────────────────────────────────────────────────

  hasWork(room: Room): void {
    this.#work.push(room)
  }

  turn(): void {
    if (this.#missed.size > 0 && this.#looks > 0) this.#lookAt()
    if (this.#work.length === 0) return
    const work = this.#work
    this.#work = []
    for (const room of work) {
      room.flush()
      if (room.empty && this.#rooms.get(room.name) === room) this.#forget(room)
    }
  }

  tick(now: number): void {
    this.#looks = LOOKS
    for (const room of this.#rooms.values()) room.tick(now)
  }

  // ── inside ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  #room(name: string): Room {
    const known = this.#rooms.get(name)
    if (known !== undefined) return known
    const room = new Room(this.#hub, name)
    this.#rooms.set(name, room)
    if (!this.#hub.options.soleOwner) this.#hub.effects.rooms.follow(name)
    return room
  }

  #forget(room: Room): void {
    this.#rooms.delete(room.name)
    this.#missed.delete(room.name)
    if (!this.#hub.options.soleOwner) this.#hub.effects.rooms.unfollow(room.name)
  }

  /** As many as may be looked at before the next tick; the others wait for it. */
  #lookAt(): void {
    for (const name of this.#missed) {
      if (this.#looks === 0) return
      this.#looks--
      this.#missed.delete(name)
      this.#rooms.get(name)?.look()
    }
  }

  /** Whether somebody may come in, now that it is known what into. */
  #judge(room: Room, member: Member, record: RoomRecord): void {
    const { session, options } = member
    const isClosed = record.private || record.password !== ''
    if (isClosed && record.owner !== session.id) {
      // One that is private and has no password is for those whose token names it.
      if (record.password === '' && isNamed(session, record.room)) member.by = 'name'
      else if (session.rights.admin) member.by = 'rank'
      else if (record.password === '') return room.refuse(member, 'forbidden')
    }
    if (!isClosed || owns(session, record) || member.by !== null) return room.admit(member, record)
    if (options.password === undefined || options.password.length > MAX_ROOM_PASSWORD)
      return room.refuse(member, 'bad_password')
    member.record = record
    this.#hub.effects.rooms.verify(member, record.password, options.password)
  }

  #mayAsk(session: Session, ref: Ref): boolean {
    const attendance = attendanceOf(session)
    if (attendance.asks >= ASKS) {
      refuse(session, ref, 'rate_limited', `At most ${ASKS} questions at once; wait for the replies.`)
      return false
    }
    attendance.asks++
    return true
  }

  #answered({ session }: Ask): void {
    attendanceOf(session).asks--
  }
}

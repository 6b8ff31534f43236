/**
 * What the core asks about rooms, over a store; and passwords, which are hashed and checked by threads.
 *
 * Answers come back as those of `effects.ts` do, by whose call they go. A password is no call to the store: it has a queue of its own,
 * which is bounded, and its failure says nothing of the store.
 */
import { randomBytes } from 'node:crypto'
import type { Hub } from '../core/hub.ts'
import type { Member } from '../core/member.ts'
import type { Answer, Ask, NewRoom, PasswordAnswer, RoomEffects } from '../core/room-effects.ts'
import type { Session } from '../core/session.ts'
import type { Body } from '../protocol/frames.ts'
import type { RollAnswer, RollReport } from '../protocol/rolls.ts'
import type { RoomPage, RoomParcel, RoomQuery, RoomRecord, RoomSettings } from '../protocol/rooms.ts'
import type { Neighbours } from '../store/neighbours.ts'
import type { RoomStore } from '../store/room-store.ts'
import type { Store } from '../store/store.ts'
import type { Neighbourhood } from './neighbourhood.ts'
import { PasswordsBusy, type Passwords } from './passwords.ts'

const EPOCH_BYTES = 9

/** How calls are made, and the hub told; see `StoreEffects`. */
export interface Calling {
  call<Result>(op: string, start: () => Promise<Result>, answer: (hub: Hub, result: Result | null) => void): void
  /** Not by the store: no time limit, and no answer is no failure of it. */
  work<Result>(start: () => Promise<Result>, answer: (hub: Hub, result: Result | Error) => void): void
}

/** Told of what is worth noting. */
export interface RoomReport {
  /** A client has made a room, or deleted it. */
  roomMade(room: string, id: string): void
  roomDeleted(room: string, id: string): void
  /** A client wants to make a room. Null: it may. Else the ms that it has to wait first. */
  roomWanted(room: string, session: Session): number | null
  /** A client wants to enter a room by a password. Null: it may be checked. Else the ms that the client has to wait first. */
  passwordOffered(room: string, session: Session): number | null
  /** It was checked; null: it could not be. */
  passwordChecked(room: string, session: Session, right: boolean | null): void
}

export class StoreRoomEffects implements RoomEffects {
  readonly #store: RoomStore
  readonly #neighbours: Neighbours | null
  readonly #neighbourhood: Neighbourhood
  readonly #passwords: Passwords
  readonly #report: RoomReport
  readonly #calling: Calling

  constructor(
    store: Pick<Store, 'rooms' | 'neighbours'>,
    neighbourhood: Neighbourhood,
    passwords: Passwords,
    report: RoomReport,
    calling: Calling,
  ) {
    this.#report = report
    this.#store = store.rooms
    this.#neighbours = store.neighbours
    this.#neighbourhood = neighbourhood
    this.#passwords = passwords
    this.#calling = calling
  }

  create(name: string, room: NewRoom, ask: Ask | null): void {
    const waitMs = ask === null ? null : this.#report.roomWanted(name, ask.session)
    if (waitMs !== null) {
      const answer = { waitMs }
      return this.#calling.work(
        () => Promise.resolve(answer),
        hub => hub.rooms.created(name, ask, answer),
      )
    }
    const settings = { ...room, epoch: randomBytes(EPOCH_BYTES).toString('base64url'), created: Date.now() }
    if (room.password === '') return this.#create(name, settings, ask)
    this.#calling.work(
      () => this.#passwords.hash(room.password),
      (hub, hash) => {
        if (typeof hash === 'string') this.#create(name, { ...settings, password: hash }, ask)
        else hub.rooms.created(name, ask, hash instanceof PasswordsBusy ? 'busy' : null)
      },
    )
  }

  delete(ask: Ask, epoch: string): void {
    this.#calling.call(
      'delete_room',
      () => this.#store.delete(ask.room, epoch),
      (hub, result) => {
        if (result === true) this.#report.roomDeleted(ask.room, ask.session.id)
        hub.rooms.deleted(ask, result)
      },
    )
  }

  find(room: string): void {
    this.#calling.call(
      'find_room',
      () => this.#find(room),
      (hub, result) => hub.rooms.found(room, result),
    )
  }

  inspect(ask: Ask): void {
    this.#calling.call(
      'find_room',
      () => this.#find(ask.room),
      (hub, result) => hub.rooms.inspected(ask, result),
    )
  }

  list(ask: Ask, after: string, limit: number, hidden: boolean): void {
    this.#calling.call(
      'list_rooms',
      () => this.#store.list(after, limit, hidden),
      (hub, result) => hub.rooms.listed(ask, limit, result),
    )
  }

  verify(member: Member, hash: string, password: string): void {
    const { room, session } = member
    const waitMs = this.#report.passwordOffered(room, session)
    this.#calling.work<PasswordAnswer>(
      () => (waitMs === null ? this.#passwords.verify(hash, password) : Promise.resolve({ waitMs })),
      (hub, result) => {
        const busy = result instanceof PasswordsBusy ? 'busy' : null
        const answer = result instanceof Error ? busy : result
        if (waitMs === null) this.#report.passwordChecked(room, session, typeof answer === 'boolean' ? answer : null)
        hub.rooms.verified(member, answer)
      },
    )
  }

  append(room: string, batch: readonly RoomParcel[], epoch: string): void {
    this.#calling.call(
      'append',
      () => this.#store.append(room, batch, epoch),
      (hub, result) => hub.appended(room, result),
    )
  }

  page(room: string, query: RoomQuery): void {
    this.#calling.call(
      'page_room',
      () => this.#page(room, query),
      (hub, result) => hub.rooms.paged(room, result),
    )
  }

  feed(member: Member, query: RoomQuery): void {
    this.#calling.call(
      'page_room',
      () => this.#page(member.room, query),
      (hub, result) => hub.rooms.fed(member, result),
    )
  }

  history(ask: Ask, query: RoomQuery): void {
    this.#calling.call(
      'history',
      () => this.#page(ask.room, query),
      (hub, result) => hub.rooms.read(ask, query, result),
    )
  }

  taken(ask: Ask, stream: string): void {
    this.#calling.call(
      'sync',
      () => this.#store.taken(ask.room, stream),
      (hub, result) => hub.rooms.taken(ask, result),
    )
  }

  follow(room: string): void {
    this.#neighbours?.follow(room)
  }

  unfollow(room: string): void {
    this.#neighbours?.unfollow(room)
  }

  report(room: string, report: RollReport): void {
    this.#calling.call(
      'report',
      () => this.#reported(room, report),
      (hub, result) => hub.rooms.reported(room, result),
    )
  }

  signal(room: string, from: string, body: Body, epoch: string): void {
    this.#neighbourhood.signal(room, from, body, epoch)
  }

  #create(name: string, settings: RoomSettings, ask: Ask | null): void {
    this.#calling.call(
      'create_room',
      () => this.#store.create(name, settings),
      (hub, result) => {
        if (result === 'created' && ask !== null) this.#report.roomMade(name, ask.session.id)
        hub.rooms.created(name, ask, result)
      },
    )
  }

  async #find(room: string): Promise<Answer<RoomRecord>> {
    return (await this.#store.find(room)) ?? 'no_such_room'
  }

  async #page(room: string, query: RoomQuery): Promise<Answer<RoomPage>> {
    return (await this.#store.page(room, query)) ?? 'no_such_room'
  }

  async #reported(room: string, report: RollReport): Promise<Answer<RollAnswer>> {
    return (await this.#neighbours?.report(room, report)) ?? 'no_such_room'
  }
}

/**
 * What a hub asks about rooms, over the tables of the memory store, in worlds that have no real time: the stories and the simulation.
 *
 * How a call travels, and whether it is answered, is the world's affair. A password is its own hash here, with a mark: the real ones are
 * made by `gateway/passwords.ts` and tried there.
 */
import type { Hub } from '../../src/core/hub.ts'
import type { Member } from '../../src/core/member.ts'
import type { Answer, Ask, NewRoom, RoomEffects } from '../../src/core/room-effects.ts'
import type { Body } from '../../src/protocol/frames.ts'
import type { RollAnswer, RollReport } from '../../src/protocol/rolls.ts'
import type { AppendResult, RoomPage, RoomParcel, RoomQuery, RoomRecord } from '../../src/protocol/rooms.ts'
import type { RoomTables } from '../../src/store/memory/rooms.ts'

export type Travel = <Result>(
  operation: (tables: RoomTables) => Result,
  answer: (hub: Hub, result: Result | null) => void,
) => void

/** What the world wants to know of. */
export interface RoomEvents {
  appended?(room: string, batch: readonly RoomParcel[], result: AppendResult): void
  /** A name for a new log. */
  epoch(): string
  time(): number
  /** Rolls, where nodes share the tables: what is done once the call arrives, by the process that made it. */
  report?(room: string, report: RollReport): () => RollAnswer | null
  signalled?(room: string, from: string, body: Body, epoch: string): void
  /** Messages in a page at most, as if they were large. */
  readonly paged?: number
}

export class TableRooms implements RoomEffects {
  readonly #travel: Travel
  readonly #events: RoomEvents

  constructor(travel: Travel, events: RoomEvents) {
    this.#travel = travel
    this.#events = events
  }

  create(name: string, room: NewRoom, ask: Ask | null): void {
    const password = room.password === '' ? '' : hashOf(room.password)
    const settings = { ...room, password, epoch: this.#events.epoch(), created: this.#events.time() }
    this.#travel(
      tables => tables.create(name, settings),
      (hub, result) => hub.rooms.created(name, ask, result),
    )
  }

  delete(ask: Ask, epoch: string): void {
    this.#travel(
      tables => tables.delete(ask.room, epoch),
      (hub, result) => hub.rooms.deleted(ask, result),
    )
  }

  find(room: string): void {
    this.#travel(
      tables => found(tables, room),
      (hub, result) => hub.rooms.found(room, result),
    )
  }

  inspect(ask: Ask): void {
    this.#travel(
      tables => found(tables, ask.room),
      (hub, result) => hub.rooms.inspected(ask, result),
    )
  }

  list(ask: Ask, after: string, limit: number, hidden: boolean): void {
    this.#travel(
      tables => tables.list(after, limit, hidden),
      (hub, result) => hub.rooms.listed(ask, limit, result),
    )
  }

  verify(member: Member, hash: string, password: string): void {
    this.#travel(
      () => hash === hashOf(password),
      (hub, result) => hub.rooms.verified(member, result),
    )
  }

  append(room: string, batch: readonly RoomParcel[], epoch: string): void {
    // What is handed to a store is read when the call is made, not when it arrives.
    const parcels = batch.map(({ stream, n, floor, time, body }) => ({ stream, n, floor, time, body }))
    this.#travel(
      tables => {
        const result = tables.append(room, parcels, epoch)
        this.#events.appended?.(room, parcels, result)
        return result
      },
      (hub, result) => hub.appended(room, result),
    )
  }

  page(room: string, query: RoomQuery): void {
    this.#travel(
      tables => this.#paged(tables, room, query),
      (hub, result) => hub.rooms.paged(room, result),
    )
  }

  feed(member: Member, query: RoomQuery): void {
    this.#travel(
      tables => this.#paged(tables, member.room, query),
      (hub, result) => hub.rooms.fed(member, result),
    )
  }

  history(ask: Ask, query: RoomQuery): void {
    this.#travel(
      tables => this.#paged(tables, ask.room, query),
      (hub, result) => hub.rooms.read(ask, query, result),
    )
  }

  taken(ask: Ask, stream: string): void {
    this.#travel(
      tables => tables.taken(ask.room, stream),
      (hub, result) => hub.rooms.taken(ask, result),
    )
  }

  follow(): void {}

  unfollow(): void {}

  report(room: string, report: RollReport): void {
    const arrive = this.#events.report?.(room, report)
    this.#travel(
      () => arrive?.() ?? 'no_such_room',
      (hub, result) => hub.rooms.reported(room, result),
    )
  }

  signal(room: string, from: string, body: Body, epoch: string): void {
    this.#events.signalled?.(room, from, body, epoch)
  }

  #paged(tables: RoomTables, room: string, query: RoomQuery): Answer<RoomPage> {
    const limit = Math.min(query.limit, this.#events.paged ?? Infinity)
    return tables.page(room, { ...query, limit }) ?? 'no_such_room'
  }
}

function hashOf(password: string): string {
  return `hash of ${password}`
}

function found(tables: RoomTables, room: string): Answer<RoomRecord> {
  return tables.find(room) ?? 'no_such_room'
}

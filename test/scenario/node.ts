/** One server process of a story: the production hub, whose effects are calls on the tables of the world. */
import { createHash } from 'node:crypto'
import type { Effects } from '../../src/core/effects.ts'
import { Hub } from '../../src/core/hub.ts'
import type { Receiving } from '../../src/core/receiving.ts'
import type { Session } from '../../src/core/session.ts'
import type { Upstream } from '../../src/core/upstream.ts'
import type { Body, Ref } from '../../src/protocol/frames.ts'
import {
  splitStream,
  type BindRequest,
  type EnqueueResult,
  type FencedResult,
  type Lost,
  type Parcel,
} from '../../src/protocol/mailbox.ts'
import type { AppendResult, RoomParcel } from '../../src/protocol/rooms.ts'
import { TableRooms } from '../support/room-tables.ts'
import { Pipe } from './pipe.ts'
import type { World } from './world.ts'

/** More than any story parks. */
const ALL = 10_000

export function hashOf(secret: string): Uint8Array {
  return createHash('sha256').update(secret).digest()
}

export class Node implements Effects {
  readonly name: string
  readonly hub: Hub
  readonly rooms: TableRooms
  up = true
  /** Of this life. */
  readonly lease: string
  readonly #world: World

  constructor(world: World, name: string) {
    this.#world = world
    this.name = name
    this.lease = `${name}-${++world.lives}`
    this.rooms = new TableRooms(
      (operation, answer) => {
        this.#call(
          () => operation(world.rooms),
          result => answer(this.hub, result),
        )
      },
      {
        appended: (room, batch, result) => this.#sayAppended(room, batch, result),
        epoch: () => `epoch-${++world.made}`,
        time: () => world.time,
        report: (room, report) => () => world.rolls.report(room, this.lease, report),
        signalled: (...signal) => world.signalled(this, ...signal),
      },
    )
    this.hub = new Hub(this, { node: name, ...world.options })
  }

  bind(session: Session, request: BindRequest): void {
    this.#call(
      () => this.#world.tables.bind(request),
      result => this.hub.bound(session, result, null),
    )
  }

  register(session: Session): void {
    const { connection, nonce, outbox, attempt } = session
    if (!(connection instanceof Pipe)) throw new Error('a story connects by pipes only')
    const fresh = connection.person.makeUpId()
    const proof = { kind: 'secret', hash: hashOf(fresh.secret) } as const
    const request = { id: fresh.id, proof, create: true, node: this.name, nonce, outbox, attempt }
    this.#call(
      () => this.#world.tables.bind(request),
      result => this.hub.bound(session, result, fresh),
    )
  }

  unbind(id: string, token: string, suspect: number): void {
    this.#call(
      () => this.#heard(this.#world.tables.unbind(id, token, suspect)),
      result => this.hub.unbound(result),
    )
  }

  enqueue(id: string, batch: readonly Parcel[]): void {
    // What is handed to a store is read when the call is made, not when it arrives.
    const parcels = batch.map(({ stream, n, floor, time, expires, body, repeated }) => ({
      stream,
      n,
      floor,
      time,
      expires,
      body,
      repeated,
    }))
    this.#call(
      () => this.#park(id, parcels),
      result => this.hub.enqueued(id, result),
      () => this.#world.say(`nothing can be parked for ${this.#world.nameOf(id)}`),
    )
  }

  page(session: Session, after: number, limit: number, maxBytes: number): void {
    const { id, token } = session
    this.#call(
      () => {
        const result = this.#world.tables.page(id, token, after, limit, maxBytes)
        if (result.kind === 'page') this.#sayLost(result.lost)
        return result
      },
      result => this.hub.paged(session, result),
    )
  }

  remove(session: Session, upTo: number): void {
    const { id, token } = session
    this.#call(
      () => this.#leaving(id, () => this.#world.tables.remove(id, token, upTo)),
      result => this.hub.removed(session, result),
    )
  }

  refuse(session: Session, s: number, reason: string): void {
    const { id, token } = session
    this.#call(
      () => this.#leaving(id, () => this.#heard(this.#world.tables.refuse(id, token, s, reason))),
      result => this.hub.removed(session, result),
    )
  }

  sync(session: Session, ref: Ref, target: string, stream: string): void {
    this.#call(
      () => this.#world.tables.sync(target, stream),
      result => this.hub.synced(session, ref, target, result),
    )
  }

  recall(session: Session, stream: string): void {
    this.#call(
      () => this.#world.tables.sync(session.id, stream),
      result => this.hub.recalled(session, stream, result),
    )
  }

  verify(up: Upstream, heard: Receiving | null): void {
    this.#call(
      () => this.#world.tables.sync(up.target, up.stream),
      reply => this.hub.verified(up, heard, reply),
    )
  }

  online(session: Session, ref: Ref, ids: readonly string[]): void {
    this.#call(
      () => this.#world.tables.online(ids),
      result => session.online(ref, ids, result),
    )
  }

  rotate(session: Session, ref: Ref): void {
    const { connection, id, token } = session
    if (!(connection instanceof Pipe)) throw new Error('a story connects by pipes only')
    const secret = connection.person.makeUpSecret()
    this.#call(
      () => this.#world.tables.rotate(id, token, hashOf(secret)),
      result => this.hub.rotated(session, ref, result?.kind === 'ok' ? secret : null),
    )
  }

  wake(name: string, id: string): void {
    this.#tell(name, `there is mail for ${this.#world.nameOf(id)}`, node => node.hub.woken(id))
  }

  settled(stream: string, recipient: string): void {
    const [from] = splitStream(stream)
    const there = this.#world.tables.client(from)?.node
    if (!there || there === this.name) return
    const what = `something of ${this.#world.nameOf(from)} has ended at ${this.#world.nameOf(recipient)}`
    this.#tell(there, what, node => node.hub.news.heard(stream, recipient))
  }

  evict(name: string, id: string, token: string): void {
    this.#tell(name, `${this.#world.nameOf(id)} is here now`, node => node.hub.evicted(id, token))
  }

  signal(to: string, from: string, body: Body): void {
    const there = this.#world.tables.client(to)?.node
    if (this.#world.hearing && there) this.#world.node(there).hub.session(to)?.signalled(from, body)
  }

  #tell(name: string, what: string, input: (node: Node) => void): void {
    const { hearing } = this.#world
    this.#world.say(`${this.name} tells ${name} that ${what}${hearing ? '' : ', unheard'}`)
    if (hearing) input(this.#world.node(name))
  }

  #call<Result>(operation: () => Result, answer: (result: Result | null) => void, failed?: () => void): void {
    this.#world.call({
      node: this,
      run: deaf => {
        const result = operation()
        answer(deaf ? null : result)
      },
      fail: () => {
        failed?.()
        answer(null)
      },
    })
  }

  #park(id: string, parcels: readonly Parcel[]): EnqueueResult {
    const result = this.#world.tables.enqueue(id, parcels)
    for (const [index, { stream, n }] of parcels.entries()) {
      if (result.outcomes[index] !== 'ok') continue
      this.#world.say(`${this.#world.letter(stream, n)} is parked for ${this.#world.nameOf(id)}`)
    }
    return result
  }

  /** Says what an operation takes out of a mailbox. */
  #leaving(id: string, operation: () => FencedResult): FencedResult {
    const { tables } = this.#world
    const before = tables.view(id, 0, ALL)
    const result = operation()
    const left = new Set(tables.view(id, 0, ALL).map(({ s }) => s))
    for (const { s, stream, n } of before) {
      if (left.has(s)) continue
      this.#world.say(`${this.#world.letter(stream, n)} leaves the mailbox of ${this.#world.nameOf(id)}`)
    }
    return result
  }

  #sayAppended(room: string, batch: readonly RoomParcel[], result: AppendResult): void {
    if (result.kind !== 'appended') return
    for (const [i, outcome] of result.outcomes.entries()) {
      const parcel = batch[i]
      if (parcel === undefined || typeof outcome === 'string' || !('offset' in outcome)) continue
      this.#world.say(`${this.#world.letter(parcel.stream, parcel.n)} is in ${room} as ${outcome.offset}`)
    }
    this.#world.appended(this, room)
  }

  #heard(result: FencedResult): FencedResult {
    if (result.kind === 'ok') this.#sayLost(result.lost)
    return result
  }

  #sayLost(lost: readonly Lost[]): void {
    for (const { recipient, stream, n, kind } of lost) {
      const name = this.#world.nameOf(recipient)
      this.#world.say(`${this.#world.letter(stream, n)} becomes ${kind} in the mailbox of ${name}`)
    }
  }
}

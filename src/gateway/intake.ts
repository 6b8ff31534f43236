/**
 * What a welcomed client says, frame by frame: counted against its rate, and handed to its session.
 *
 * The decoder calls these methods, and nothing is allocated here per frame. Keep-alive frames end here, the others in the core.
 * Acks are not counted: there are no more of them than messages that the server sent, and one that is dropped might be the last,
 * after which everything would wait for the time-out. Those that say nothing new are, and pongs.
 */
import type { Hub } from '../core/hub.ts'
import type { Session } from '../core/session.ts'
import { refusals, type CloseName } from '../protocol/errors.ts'
import type {
  Body,
  ClientFrames,
  CreateOptions,
  HistoryOptions,
  JoinOptions,
  ListOptions,
  Ref,
  ServerFrames,
} from '../protocol/frames.ts'
import type { Bearer } from './bearer.ts'
import type { Clock } from './clock.ts'
import type { Counters } from './counters.ts'
import { FrameRate, PAUSE_MS } from './rate.ts'

/** Characters of an unknown op that are repeated to the client. */
const OP_SHOWN = 32

/** Said to who asks on and does not read the answers. */
export const READ_FIRST = 'Answers are waiting to be read; read them, then ask again.'

/** The connection, as its intake needs it. */
export interface Speaker extends Pick<ServerFrames, 'error' | 'pong'> {
  hangUp(name: CloseName, text?: string): void
  readonly bearer: Pick<Bearer, 'renew'>
  /** Whether it must read what it was given before it is given more answers. */
  readonly isBehind: boolean
}

/** What all connections share, as their intakes need it. */
interface Around {
  readonly hub: Pick<Hub, 'rooms'>
  readonly clock: Clock
  readonly counters: Counters
  readonly limits: { readonly frameRate: number }
}

export class Intake implements ClientFrames {
  readonly #session: Session
  readonly #speaker: Speaker
  readonly #around: Around
  readonly #rate: FrameRate
  #greeted: boolean
  /** The highest seq that was acked. */
  #acked = 0
  #active = false

  /** `greeted`: the hello, which was read already, will not come again. */
  constructor(session: Session, speaker: Speaker, around: Around, greeted: boolean) {
    this.#session = session
    this.#speaker = speaker
    this.#around = around
    this.#rate = new FrameRate(around.limits.frameRate, around.clock.now)
    this.#greeted = greeted
  }

  /** Whether anything but keep-alive came since the last time this was asked. */
  wasActive(): boolean {
    const active = this.#active
    this.#active = false
    return active
  }

  /** Before every packet. */
  packet(): void {
    this.#rate.fill(this.#around.clock.now)
  }

  hello(): void {
    if (this.#greeted) this.#speaker.hangUp('bad_frame', 'hello may be said only once.')
    this.#greeted = true
  }

  send(n: number, floor: number, target: string, ttl: number, body: Body): void {
    this.#active = true
    if (this.#rate.take()) this.#session.send(n, floor, target, ttl, body)
    else {
      this.#session.refuse(n, target, PAUSE_MS)
      this.#strike()
    }
  }

  ack(seq: number): void {
    this.#active = true
    if (seq > this.#acked) this.#acked = seq
    else if (!this.#rate.take()) return this.#strike()
    this.#session.ack(seq)
  }

  nack(seq: number, reason: string): void {
    this.#active = true
    if (seq > this.#acked) this.#acked = seq
    else if (!this.#rate.take()) return this.#strike()
    this.#session.nack(seq, reason)
  }

  sync(ref: Ref, target: string): void {
    if (this.#admit(ref)) this.#session.sync(ref, target)
  }

  signal(target: string, body: Body): void {
    if (this.#admit(null)) this.#session.signal(target, body)
  }

  presence(ref: Ref, ids: readonly string[]): void {
    if (this.#admit(ref)) this.#session.presence(ref, ids)
  }

  rotate(ref: Ref): void {
    if (this.#admit(ref)) this.#session.rotate(ref)
  }

  join(ref: Ref, room: string, options: JoinOptions): void {
    if (this.#admit(ref)) this.#around.hub.rooms.join(this.#session, ref, room, options)
  }

  leave(ref: Ref, room: string): void {
    if (this.#admit(ref)) this.#around.hub.rooms.leave(this.#session, ref, room)
  }

  create(ref: Ref, room: string, options: CreateOptions): void {
    if (this.#admit(ref)) this.#around.hub.rooms.create(this.#session, ref, room, options)
  }

  delete(ref: Ref, room: string): void {
    if (this.#admit(ref)) this.#around.hub.rooms.delete(this.#session, ref, room)
  }

  rooms(ref: Ref, options: ListOptions): void {
    if (this.#admit(ref)) this.#around.hub.rooms.list(this.#session, ref, options)
  }

  members(ref: Ref, room: string, options: ListOptions): void {
    if (this.#admit(ref)) this.#around.hub.rooms.members(this.#session, ref, room, options)
  }

  history(ref: Ref, room: string, options: HistoryOptions): void {
    if (this.#admit(ref)) this.#around.hub.rooms.history(this.#session, ref, room, options)
  }

  token(ref: Ref, token: string): void {
    if (this.#admit(ref)) this.#speaker.bearer.renew(ref, token)
  }

  ping(): void {
    if (this.#rate.take()) this.#speaker.pong()
    else this.#refuse(null)
  }

  pong(): void {
    if (!this.#rate.take()) this.#strike()
  }

  bye(): void {
    this.#session.bye()
  }

  unknown(op: string, ref: Ref | null): void {
    if (!this.#admit(ref)) return
    this.#speaker.error(ref, 'unknown_op', `${refusals.unknown_op.text} It was "${op.slice(0, OP_SHOWN)}".`)
  }

  #admit(ref: Ref | null): boolean {
    this.#active = true
    if (!this.#rate.take()) {
      this.#refuse(ref)
      return false
    }
    // What has no ref is not answered.
    if (ref === null || !this.#speaker.isBehind) return true
    this.#speaker.error(ref, 'overloaded', READ_FIRST)
    return false
  }

  #refuse(ref: Ref | null): void {
    this.#speaker.error(ref, 'rate_limited', refusals.rate_limited.text)
    this.#strike()
  }

  #strike(): void {
    const { counters, clock } = this.#around
    counters.framesLimited++
    if (this.#rate.struck(clock.now)) this.#speaker.hangUp('flood')
  }
}

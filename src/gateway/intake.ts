/**
 * What a welcomed client says, frame by frame: counted against its rate, and handed to its session.
 *
 * The decoder calls these methods, and nothing is allocated here per frame. Keep-alive frames end here, the others in the core.
 * Acks are not counted: there are no more of them than messages that the server sent, and one that is dropped might be the last,
 * after which everything would wait for the time-out.
 */
import type { Session } from '../core/session.ts'
import { refusals, type CloseName } from '../protocol/errors.ts'
import type { Body, ClientFrames, Ref, ServerFrames } from '../protocol/frames.ts'
import type { Bearer } from './bearer.ts'
import type { Clock } from './clock.ts'
import type { Counters } from './counters.ts'
import { FrameRate, PAUSE_MS } from './rate.ts'

/** Characters of an unknown op that are repeated to the client. */
const OP_SHOWN = 32

/** The connection, as its intake needs it. */
export interface Speaker extends Pick<ServerFrames, 'error' | 'pong'> {
  hangUp(name: CloseName, text?: string): void
  readonly bearer: Pick<Bearer, 'renew'>
}

export class Intake implements ClientFrames {
  readonly #session: Session
  readonly #speaker: Speaker
  readonly #clock: Clock
  readonly #counters: Counters
  readonly #rate: FrameRate
  #greeted: boolean
  #active = false

  /** `greeted`: the hello, which was read already, will not come again. */
  constructor(
    session: Session,
    speaker: Speaker,
    clock: Clock,
    counters: Counters,
    frameRate: number,
    greeted: boolean,
  ) {
    this.#session = session
    this.#speaker = speaker
    this.#clock = clock
    this.#counters = counters
    this.#rate = new FrameRate(frameRate, clock.now)
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
    this.#rate.fill(this.#clock.now)
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
    this.#session.ack(seq)
  }

  nack(seq: number, reason: string): void {
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

  join(ref: Ref): void {
    this.#noRoom(ref)
  }

  leave(ref: Ref): void {
    this.#noRoom(ref)
  }

  create(ref: Ref): void {
    if (this.#admit(ref)) this.#speaker.error(ref, 'forbidden', 'This server has no rooms yet.')
  }

  delete(ref: Ref): void {
    this.#noRoom(ref)
  }

  rooms(ref: Ref): void {
    this.#noRoom(ref)
  }

  members(ref: Ref): void {
    this.#noRoom(ref)
  }

  history(ref: Ref): void {
    this.#noRoom(ref)
  }

  token(ref: Ref, token: string): void {
    if (this.#admit(ref)) this.#speaker.bearer.renew(ref, token)
  }

  ping(): void {
    if (this.#rate.take()) this.#speaker.pong()
    else this.#refuse(null)
  }

  pong(): void {}

  bye(): void {
    this.#session.bye()
  }

  unknown(op: string, ref: Ref | null): void {
    if (!this.#admit(ref)) return
    this.#speaker.error(ref, 'unknown_op', `${refusals.unknown_op.text} It was "${op.slice(0, OP_SHOWN)}".`)
  }

  #noRoom(ref: Ref): void {
    if (this.#admit(ref)) this.#speaker.error(ref, 'no_such_room', refusals.no_such_room.text)
  }

  #admit(ref: Ref | null): boolean {
    this.#active = true
    if (this.#rate.take()) return true
    this.#refuse(ref)
    return false
  }

  #refuse(ref: Ref | null): void {
    this.#speaker.error(ref, 'rate_limited', refusals.rate_limited.text)
    this.#strike()
  }

  #strike(): void {
    this.#counters.framesLimited++
    if (this.#rate.struck(this.#clock.now)) this.#speaker.hangUp('flood')
  }
}

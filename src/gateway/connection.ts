/**
 * One connection: joins the pipe of a transport to a session of the core.
 *
 *   new ── first packet is hello ──> binding ── welcome ──> ready ── close, end ──> closing ──> closed
 *
 * It is told what the pipe hears (`PipeEvents`) and writes what the hub says (`ServerFrames`, through the encoder of its encoding). What is
 * said during a turn of the loop is written at its end, as one packet. Until the session is ready its packets are kept, up to
 * 4 KiB (§1). There are no timers here: `visit` is called a few times per ping interval, and `Gateway` watches over the hellos.
 */
import type { Connection } from '../core/effects.ts'
import type { Session } from '../core/session.ts'
import { closeReasons, refusals, type CloseName, type EndReason, type ErrorCode } from '../protocol/errors.ts'
import type {
  Body,
  Broadcast,
  HelloOptions,
  HistoryPage,
  MemberEvent,
  Ref,
  ServerVoice,
  WelcomeOptions,
} from '../protocol/frames.ts'
import { MAX_BEFORE_WELCOME, PROTOCOL_VERSION } from '../protocol/limits.ts'
import type { Pipe, PipeEvents } from '../transport/transport.ts'
import { Bearer } from './bearer.ts'
import type { Pass } from './claims.ts'
import type { Answer } from './credentials.ts'
import { EarlyPackets, TOO_MUCH_BEFORE_WELCOME } from './early.ts'
import { readFirstPacket } from './greeting.ts'
import { Intake, READ_FIRST } from './intake.ts'
import type { Seated } from './rounds.ts'
import type { Surroundings } from './surroundings.ts'
import type { AtTurnEnd } from './turn.ts'
import { Vigil } from './vigil.ts'
import type { Voice } from './voices.ts'

type Phase = 'new' | 'binding' | 'ready' | 'closing' | 'closed'

/** The close that was decided on; a null name is a clean end without a close frame. */
interface Closing {
  readonly name: CloseName | null
  readonly text: string
  readonly retryAfterMs: number | null
}

export class ClientConnection implements PipeEvents, Connection, AtTurnEnd, Seated {
  readonly pipe: Pipe
  readonly acceptedAt: number
  /** Whether it was counted by the admission. */
  admitted = false
  seat = -1
  readonly #around: Surroundings
  #phase: Phase = 'new'
  /** The encoding; text where none is known yet (§1). */
  #text = true
  /** Lent while something is pending. */
  #encoder: Voice | null = null
  #intake: Intake | null = null
  /** Null until a token is spoken of. */
  #bearer: Bearer | null = null
  #session: Session | null = null
  /** Null once the session is ready. */
  #early: EarlyPackets | null = new EarlyPackets()
  #id = ''
  #dirty = false
  #closing: Closing | null = null
  /** The last frame is pending; the pipe ends once it is written. */
  #final = false
  readonly #vigil: Vigil

  constructor(pipe: Pipe, around: Surroundings) {
    this.pipe = pipe
    this.#around = around
    this.acceptedAt = around.clock.now
    this.#vigil = new Vigil(around.clock.now)
  }

  /** Named in logs; the id that is claimed until one is proved or given, empty while none was offered. */
  get id(): string {
    return this.#session?.id || this.#id
  }

  get session(): Session | null {
    return this.#session
  }

  get bearer(): Bearer {
    return (this.#bearer ??= new Bearer(this, this.#around.credentials))
  }

  get unread(): number {
    return this.pipe.buffered() + (this.#encoder?.pending ?? 0)
  }

  /** Whether it must first read what it was given before it is given more answers, which can be a thousand times as large as the questions. */
  get isBehind(): boolean {
    return this.unread > this.#around.limits.slowBytes / 4
  }

  // ── heard from the pipe ─────────────────────────────────────────────────────────────────────────────────────────────────────

  packet(bytes: Uint8Array, text: boolean): void {
    const { turn, clock, counters, limits } = this.#around
    // That may end a turn, and this connection by it.
    turn.packet()
    if (this.#isOver()) return
    this.#vigil.heard(clock.now)
    counters.packetsIn++
    counters.bytesIn += bytes.length
    if (bytes.length > limits.maxPacket) this.hangUp('too_large')
    else if (this.#phase === 'new') this.#greet(bytes, text)
    else if (text !== this.#text) this.hangUp('bad_frame', 'A connection stays in the encoding of its first packet.')
    else if (this.#phase === 'ready') this.#take(bytes)
    else if (this.#early?.keep(bytes) === false) this.hangUp('too_large', TOO_MUCH_BEFORE_WELCOME)
  }

  broken(reason: 'bad_frame' | 'too_large' | 'timeout', text: boolean): void {
    this.#around.turn.begin()
    if (this.#phase !== 'new') return this.hangUp(reason)
    this.#text = text
    this.hangUp(reason, reason === 'too_large' ? TOO_MUCH_BEFORE_WELCOME : undefined)
  }

  closed(): void {
    const session = this.#session
    this.#phase = 'closed'
    this.#vigil.end(this.#around.unread)
    this.#forget()
    if (this.#encoder !== null) this.#around.voices.giveBack(this.#encoder, this.#text)
    this.#encoder = null
    this.#around.gone(this)
    if (session !== null) this.#leave(session)
  }

  // ── told by the gateway ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Closes the connection by way of its session, if there is one, so that what it holds is parked. */
  hangUp(name: CloseName, text: string = closeReasons[name].text, retryAfterMs: number | null = null): void {
    const session = this.#session
    if (session === null) return this.close(name, text, retryAfterMs)
    this.#around.turn.begin()
    try {
      session.close(name, text, retryAfterMs)
    } catch (error) {
      this.#fault(error)
    }
  }

  /** Pings who is silent, and closes who stays so or does not read. See `Vigil.judge` for `awakeSince`. */
  visit(now: number, awakeSince: number): void {
    if (this.#phase !== 'ready') return
    const { limits, unread } = this.#around
    const verdict = this.#vigil.judge(now, awakeSince, limits, this.pipe, unread)
    if (verdict === 'ping') return this.ping()
    if (verdict === null) return
    this.hangUp(verdict === 'crowded' ? 'slow' : verdict)
    // It would not read that either, and what is kept for it would go on being kept.
    if (verdict === 'crowded') this.pipe.destroy()
  }

  /** The session is ready: takes what came before it was. */
  replay(): void {
    const session = this.#session
    const early = this.#early
    if (this.#phase !== 'binding' || session === null || early === null) return
    this.#intake = new Intake(session, this, this.#around, !early.helloKept)
    this.#phase = 'ready'
    this.#early = null
    for (const bytes of early.take()) this.#take(bytes)
  }

  flush(): void {
    this.#dirty = false
    const encoder = this.#encoder
    if (encoder === null) return
    this.#encoder = null
    const { turn, clock, counters, voices } = this.#around
    this.#vigil.wrote(clock.now)
    const whole = turn.write(encoder, this.pipe, this.#text)
    voices.giveBack(encoder, this.#text)
    if (!whole) {
      // What follows could arrive without what was dropped, so nothing may follow (I8).
      counters.writesDropped++
      this.pipe.destroy()
    } else if (this.#final) {
      const name = this.#closing?.name ?? null
      if (name === null) this.pipe.end(1000, '')
      else this.pipe.end(closeReasons[name].number, name)
    }
  }

  /** Writes the end that was decided on, as the last frame. */
  finish(): void {
    const closing = this.#closing
    if (closing === null || this.#phase === 'closed') return
    const encoder = this.#touched()
    if (closing.name !== null) encoder.close(closing.name, closing.text, closing.retryAfterMs)
    this.#final = true
  }

  bears(pass: Pass): void {
    this.#id = pass.id
    this.#around.bears(this, pass)
  }

  // ── said by the hub ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  welcome(options: WelcomeOptions): void {
    const { idleTimeoutMs } = this.#around.limits
    // Who will be cut off for its silence is told so beforehand.
    this.#voice()?.welcome(idleTimeoutMs === 0 ? options : { ...options, idleTimeout: idleTimeoutMs })
    this.#around.turn.replayAtEnd(this)
  }

  message(seq: number, from: string, outbox: string, n: number, time: number, flags: number, body: Body): void {
    this.#voice()?.message(seq, from, outbox, n, time, flags, body)
  }

  void(seq: number, from: string, outbox: string, n: number, reason: string): void {
    this.#voice()?.void(seq, from, outbox, n, reason)
  }

  delivered(target: string, n: number): void {
    this.#voice()?.delivered(target, n)
  }

  stored(target: string, n: number): void {
    this.#voice()?.stored(target, n)
  }

  ended(kind: EndReason, target: string, n: number, reason: string): void {
    this.#voice()?.ended(kind, target, n, reason)
  }

  failed(target: string, n: number, code: ErrorCode): void {
    this.#voice()?.failed(target, n, code)
  }

  retry(target: string, n: number, code: ErrorCode, afterMs: number): void {
    this.#voice()?.retry(target, n, code, afterMs)
  }

  room(room: string, offset: number, from: string, outbox: string, n: number, time: number, body: Body): void {
    this.#voice()?.room(room, offset, from, outbox, n, time, body)
  }

  members(room: string, event: MemberEvent, id: string, name: string): void {
    this.#voice()?.members(room, event, id, name)
  }

  broadcast(frames: Broadcast): void {
    this.#voice()?.broadcast(frames)
  }

  history(ref: Ref, page: HistoryPage, maxBytes: number, newest: boolean): void {
    // Many may have been asked for at once.
    if (this.isBehind) this.error(ref, 'overloaded', READ_FIRST)
    else this.#voice()?.history(ref, page, maxBytes, newest)
  }

  signal(from: string, target: string, body: Body): void {
    this.#voice()?.signal(from, target, body)
  }

  reply(ref: Ref, value: unknown): void {
    this.#voice()?.reply(ref, value)
  }

  error(ref: Ref | null, code: ErrorCode, text: string): void {
    this.#voice()?.error(ref, code, text)
  }

  ping(): void {
    this.#voice()?.ping()
  }

  pong(): void {
    this.#voice()?.pong()
  }

  unknown(): void {}

  /** The hub has forgotten the session. Ends the connection with this frame, at the end of the turn or, for guessers, later. */
  close(name: CloseName, text: string = closeReasons[name].text, retryAfterMs: number | null = null): void {
    if (this.#isOver()) return
    this.#around.closes(this, name)
    this.#close({ name, text, retryAfterMs })
    if (name !== 'bad_secret' || !this.#around.delays(this)) this.finish()
  }

  end(): void {
    if (this.#isOver()) return
    this.#close({ name: null, text: '', retryAfterMs: null })
    this.finish()
  }

  // ── inside ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  #isOver(): boolean {
    return this.#phase === 'closing' || this.#phase === 'closed'
  }

  /** The encoder, while there is somebody to talk to; its frames go out at the end of the turn. */
  #voice(): ServerVoice | null {
    if (this.#phase !== 'ready' && this.#phase !== 'binding') return null
    return this.#touched()
  }

  #touched(): Voice {
    const { turn, voices } = this.#around
    if (!this.#dirty) {
      this.#dirty = true
      turn.flushAtEnd(this)
    }
    return (this.#encoder ??= voices.lend(this.#text))
  }

  /** The first packet: fixes the encoding, and has to begin with hello (§3). */
  #greet(bytes: Uint8Array, text: boolean): void {
    this.#text = text
    this.#phase = 'binding'
    this.#around.greeted(this)
    if (bytes.length > MAX_BEFORE_WELCOME) return this.hangUp('too_large', TOO_MUCH_BEFORE_WELCOME)
    const first = readFirstPacket(this.#around.decoder, bytes, text)
    if (typeof first === 'string') return this.hangUp('bad_frame', first)
    if (this.#early?.first(bytes, first.more) === false) return this.hangUp('too_large', TOO_MUCH_BEFORE_WELCOME)
    this.#hello(first.hello)
  }

  #hello(hello: HelloOptions): void {
    if (hello.v !== PROTOCOL_VERSION) return this.hangUp('version')
    this.#id = this.pipe.provenId ?? hello.id ?? ''
    this.#around.credentials.examine(hello, this.pipe, answer => this.#examined(answer))
  }

  /** At once, or later, when there was a token. */
  #examined(answer: Answer): void {
    if (this.#isOver()) return
    this.#around.turn.begin()
    if (answer.kind === 'refused') return this.hangUp(answer.name, answer.text, answer.retryAfterMs)
    try {
      this.#session = this.#around.hub.hello(this, answer.greeting)
      if (answer.pass !== null) this.bearer.bear(answer.pass)
    } catch (error) {
      this.#fault(error)
    }
  }

  #take(packet: Uint8Array): void {
    const intake = this.#intake
    if (intake === null) return
    const { slab, decoder } = this.#around
    const start = slab.keep(packet)
    intake.packet()
    try {
      const reason = decoder.decode(intake, slab.bytes, start, start + packet.length, this.#text)
      if (reason !== null) this.hangUp('bad_frame', reason)
      else if (intake.wasActive()) this.#vigil.active(this.#around.clock.now)
    } catch (error) {
      this.#fault(error)
    }
  }

  #close(closing: Closing): void {
    this.#closing = closing
    this.#phase = 'closing'
    this.#around.greeted(this)
    this.#forget()
  }

  #forget(): void {
    if (this.#intake !== null) this.#around.decoder.stop(this.#intake)
    this.#intake = null
    this.#session = null
    this.#early = null
  }

  /** The pipe of a session has ended by itself. */
  #leave(session: Session): void {
    this.#around.turn.begin()
    try {
      this.#around.hub.closed(session)
    } catch (error) {
      this.#around.failed(error)
    }
  }

  /** An exception: a fault of this program, which costs this connection and nothing else. */
  #fault(error: unknown): void {
    this.#around.failed(error)
    const session = this.#session
    this.error(null, 'internal', refusals.internal.text)
    this.close('unavailable', refusals.internal.text, null)
    if (session !== null) this.#leave(session)
  }
}

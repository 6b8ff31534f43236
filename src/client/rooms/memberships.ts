/**
 * The rooms that a client is in, as its office keeps them: joined first thing on every connection, and again when the server says so.
 *
 * The joins of a new connection are written before the outbox sends anything on it, which waits for the answer where the room was entered before
 * (`circles.ts`); so a message that was sent to a room while there was no connection is published when there is one again. What is said
 * in a room is handed on to whoever listens; how far the room was seen is noted, so that the next join goes on there.
 */
import type { ErrorCode } from '../../protocol/errors.ts'
import type { ClientFrames, JoinOptions, Ref } from '../../protocol/frames.ts'
import { AckdError } from '../errors.ts'
import { now } from '../turn.ts'
import type { Circles } from './circles.ts'
import { readJoin, type JoinReply } from './replies.ts'

/** A room to be in. */
export interface Entrance {
  readonly room: string
  readonly password?: string
  /** Behind which message to begin, and in which log, if that is known; without it, with what comes from now on. */
  readonly since?: { readonly offset: number; readonly epoch: string }
}

export interface MembershipEvents {
  /** In the room, for the first time or again. */
  entered(room: string, reply: JoinReply): void
  /** Not in yet; what comes now is of that epoch of the log, which holds all that was seen. */
  renamed(room: string, epoch: string): void
  /** Refused for good. */
  left(room: string, error: AckdError): void
  /** Something was written. */
  wake(): void
}

interface Membership {
  readonly password: string | undefined
  /** The highest offset that was seen, and its log; null: nothing is known yet. */
  since: { readonly offset: number; readonly epoch: string } | null
  /** Answers in a row that refused a join for now. */
  refusals: number
}

type Frames = Pick<ClientFrames, 'join' | 'leave'>

/** ms until a join that was refused for now is tried again: doubling, at most the last. */
const FIRST_PAUSE_MS = 500
const MAX_PAUSE_MS = 30_000
const JOIN = 'join '
const LEAVE = 'leave '

export class Memberships {
  readonly #events: MembershipEvents
  readonly #circles: Circles
  readonly #rooms = new Map<string, Membership>()
  #frames: Frames | null = null
  #own = ''

  constructor(events: MembershipEvents, circles: Circles) {
    this.#events = events
    this.#circles = circles
  }

  /** Joins a room, or joins it once more for somebody else who wants to know where it is. */
  enter({ room, password, since: given }: Entrance): void {
    const since = given ?? null
    const known = this.#rooms.get(room)
    if (known === undefined) this.#rooms.set(room, { password, since, refusals: 0 })
    this.#join(room, furtherOf(since, known?.since ?? null))
  }

  leave(room: string): void {
    if (!this.#rooms.delete(room)) return
    this.#frames?.leave(LEAVE + room, room)
    this.#circles.left(room, false, now())
    this.#events.wake()
  }

  /** A connection was welcomed. */
  opened(frames: Frames, own: string): void {
    this.#frames = frames
    this.#own = own
    for (const [room, { since }] of this.#rooms) this.#join(room, since)
  }

  closed(): void {
    this.#frames = null
  }

  /** A message came by itself. */
  seen(room: string, offset: number): void {
    const membership = this.#rooms.get(room)
    const since = membership?.since ?? null
    if (since !== null && membership && offset > since.offset) membership.since = { offset, epoch: since.epoch }
  }

  /** Somebody came or went. Who was sent away without having asked for it looks whether the room is there again. */
  member(room: string, event: 'join' | 'leave', id: string): void {
    const membership = event === 'leave' && id === this.#own ? this.#rooms.get(room) : undefined
    if (membership !== undefined) this.#join(room, membership.since)
  }

  /** Whether that was the answer to a question of this class. */
  replied(ref: Ref, value: unknown): boolean {
    const room = roomOf(ref)
    if (room === null) return false
    const membership = this.#rooms.get(room)
    if (membership !== undefined && isJoin(ref)) this.#joined(room, membership, value)
    return true
  }

  refused(ref: Ref, code: ErrorCode, text: string): boolean {
    const room = roomOf(ref)
    if (room === null) return false
    const membership = this.#rooms.get(room)
    if (membership !== undefined && isJoin(ref)) this.#failed(room, membership, new AckdError(code, text))
    return true
  }

  #join(room: string, since: Membership['since']): void {
    const password = this.#rooms.get(room)?.password
    const options: JoinOptions = {
      ...(since !== null && { since: since.offset, ...(since.epoch !== '' && { epoch: since.epoch }) }),
      ...(password !== undefined && { password }),
      epochs: true,
    }
    if (this.#frames !== null) this.#circles.entering(room, since?.epoch ?? '')
    this.#frames?.join(JOIN + room, room, options)
    this.#events.wake()
  }

  #joined(room: string, membership: Membership, value: unknown): void {
    try {
      const reply = readJoin(value)
      const { offset, epoch, members } = reply
      const top = membership.since?.epoch === epoch ? membership.since.offset : 0
      membership.since = { offset: Math.max(top, offset), epoch }
      membership.refusals = 0
      if (members === null) this.#events.renamed(room, epoch)
      else {
        this.#circles.entered(room, epoch, now())
        this.#events.entered(room, { ...reply, members })
      }
    } catch (error) {
      this.#failed(
        room,
        membership,
        error instanceof AckdError ? error : new AckdError('internal', String(error), error),
      )
    }
  }

  #failed(room: string, membership: Membership, error: AckdError): void {
    if (!error.retryable) {
      this.#rooms.delete(room)
      this.#circles.left(room, error.code === 'no_such_room', now())
      return this.#events.left(room, error)
    }
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** membership.refusals++, MAX_PAUSE_MS)
    const frames = this.#frames
    setTimeout(() => {
      const stays = this.#frames === frames && this.#rooms.get(room) === membership
      if (stays) this.#join(room, membership.since)
    }, pauseMs)
  }
}

function isJoin(ref: Ref): boolean {
  return String(ref).startsWith(JOIN)
}

/** Of two places in one log the later: what is `recovered` behind it is so behind the earlier, too, and what lies between can be asked for. */
function furtherOf(given: Membership['since'], known: Membership['since']): Membership['since'] {
  if (given === null || known === null) return given ?? known
  return given.epoch === known.epoch && known.offset > given.offset ? known : given
}

/** The room that a ref of this class names; null for the ref of something else. */
function roomOf(ref: Ref): string | null {
  const [, room] = /^(?:join|leave) (#.*)$/.exec(String(ref)) ?? []
  return room ?? null
}

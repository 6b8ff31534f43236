/**
 * A session's place in a room, from its join to its end.
 *
 *   asking ── the room is there, and it may enter ──> feeding ── it has all that this node has told the others ──> live ──> gone
 *
 * What it sends to the room before it is live waits here. Who must join again is `away` until then: the log has lost what it was told, or its
 * join could not be granted for now. What it sends meanwhile waits too, since that is no fault of its. All that waits is for the room that it means:
 * to another one that has got the name meanwhile it would be said by mistake.
 */
import type { HistoryMessage, JoinOptions, Ref } from '../protocol/frames.ts'
import { agreedUpTo, type RoomLog, type RoomRecord } from '../protocol/rooms.ts'
import type { Message } from './message.ts'
import type { Session } from './session.ts'

/** `at` of one who wants nothing of what was said before. */
export const HERE = -1

export class Member {
  readonly session: Session
  readonly room: string
  /** Of its join. */
  readonly ref: Ref
  readonly options: JoinOptions
  state: 'asking' | 'feeding' | 'live' | 'away' | 'gone' = 'asking'
  /** The right by which it was let in, where not everybody is: it is out with that. */
  by: 'name' | 'rank' | null = null
  /** What it was found to join, while its password is checked. */
  record: RoomRecord | null = null
  /** While it is fed: the last offset that it was sent, and the epoch that this offset is of. */
  at = HERE
  epoch = ''
  /** The epoch that its client has named, or was told. */
  #named: string
  recovered = false
  /** Monotonic ms: when it had caught up, and only the roll was waited for; null: not yet. */
  waitsSince: number | null = null
  /** An epoch of the room that it means by the name, as far as it has said so, or was told: one that was made since is another; '' for whichever has the name. */
  meant: string
  /** A page for it is under way. */
  paging = false
  readonly waiting: Message[] = []

  /** `before`: what the session had to do with that name until now. */
  constructor(session: Session, room: string, ref: Ref, options: JoinOptions, before?: Member) {
    this.session = session
    this.room = room
    this.ref = ref
    this.options = options
    this.#named = options.epoch ?? ''
    this.meant = options.epoch ?? before?.meant ?? ''
  }

  get id(): string {
    return this.session.id
  }

  get name(): string {
    return this.session.name
  }

  /** It is fed from now on: behind the last offset that it has seen, if the log still says the same. */
  admit(record: RoomRecord): void {
    const { since, epoch } = this.options
    this.state = 'feeding'
    this.epoch = record.epoch
    this.record = null
    if (since === undefined) return
    const agreed = epoch === undefined ? record.last : agreedUpTo(record, epoch)
    this.recovered = since <= agreed && since >= record.first - 1
    if (this.recovered) this.at = since
  }

  /** While it is fed: of the log, unless it has it. Its client is told first of which epoch that is, since the connection may end before the reply. */
  tell({ offset, from, outbox, n, time, body }: HistoryMessage): void {
    if (offset <= this.at) return
    if (this.#named !== this.epoch) this.#name()
    this.at = offset
    this.session.connection.room(this.room, offset, from, outbox, n, time, body)
  }

  /** Whether it can be fed on from where it is; if not, it has to ask for what it misses. */
  reconcile(log: RoomLog): void {
    const agreed = this.epoch === log.epoch ? Infinity : agreedUpTo(log, this.epoch)
    this.epoch = log.epoch
    if (this.at === HERE || (this.at <= agreed && this.at >= log.first - 1)) return
    this.recovered = false
    this.at = HERE
  }

  #name(): void {
    const { at: offset, epoch } = this
    this.#named = epoch
    if (this.options.epochs) this.session.connection.reply(this.ref, { offset, epoch, recovered: true })
  }
}

/** What a session has to do with rooms; there is none for one that has nothing to do with them. */
export class Attendance {
  readonly members = new Map<string, Member>()
  /** Questions that the store has not answered. */
  asks = 0
}

export function attendanceOf(session: Session): Attendance {
  session.attendance ??= new Attendance()
  return session.attendance
}

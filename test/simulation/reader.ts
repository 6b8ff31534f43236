/**
 * A member of the room of a simulated world, which believes nothing: it joins on every connection behind the last offset that it has seen,
 * and holds the server to what is promised about rooms. Each connection must bring the offsets one by one, without a hole and without
 * a repeat, from that offset on; comings and goings must alternate; and only a store that has fallen back may send anybody away.
 */
import type { Outbox } from '../../src/client/outbox.ts'
import { Circles } from '../../src/client/rooms/circles.ts'
import type { Body, MemberEvent } from '../../src/protocol/frames.ts'
import { refusals, type ErrorCode } from '../../src/protocol/errors.ts'
import type { Wire } from './wire.ts'
import type { World } from './world.ts'

export const ROOM = '#hall'
/** The refs of its joins, and of its questions who is there. */
export const JOIN = 'join'
export const MEMBERS = 'members'

const decoder = new TextDecoder()

interface Joined {
  readonly offset: number
  readonly epoch: string
  readonly recovered: boolean
  /** Not said to one who is not in yet. */
  readonly members?: number
}

export class Reader {
  readonly #world: World
  readonly #name: string
  #circles: Circles | null = null
  #outbox: Outbox | null = null
  #wire: Wire | null = null
  isIn = false
  #asked: number | null = null
  #epoch = ''
  /** The last offset that was seen; null before the first join. */
  #top: number | null = null
  /** What was seen of the log that it is reading now, by offset. */
  readonly #seen = new Map<number, string>()
  /** By id: what was told of it last on this connection. */
  readonly #told = new Map<string, MemberEvent>()
  /** Who is in the room, as it was told. */
  readonly #present = new Set<string>()

  constructor(world: World, name: string) {
    this.#world = world
    this.#name = name
  }

  /** Whether it is in, and has all that the log has. */
  isUpToDate(last: number): boolean {
    return this.isIn && this.#top === last
  }

  /** An epoch of the room in which it believes to be, or to be in again soon; '' before the first join. */
  get epoch(): string {
    return this.#epoch
  }

  /** `outbox`: another one in each process; there is one in worlds with a room. */
  opened(wire: Wire, outbox: Outbox): void {
    this.#wire = wire
    if (this.#outbox !== outbox) this.#circles = new Circles(outbox)
    this.#outbox = outbox
    this.#join()
  }

  closed(): void {
    this.#wire = null
    this.isIn = false
  }

  joined({ offset, epoch, recovered, members }: Joined): void {
    const { history } = this.#world
    this.#epoch = epoch
    if (members === undefined) {
      if (this.isIn || !recovered || this.#top !== offset)
        history.wrong(`${this.#where()} is told of ${epoch} at ${offset}`)
      return
    }
    this.isIn = true
    this.#circles?.entered(ROOM, epoch, this.#world.now)
    this.#told.clear()
    this.#wire?.askMembers(MEMBERS, ROOM)
    if (recovered) {
      if (this.#top !== offset) history.wrong(`${this.#where()} is told to be caught up at ${offset}`)
      return
    }
    if (this.#asked !== null && history.failovers === 0 && !this.#world.isRemade)
      history.wrong(`${this.#where()} was not recovered at ${offset}`)
    this.#seen.clear()
    this.#top = offset
  }

  /** Ids of those who are there, in order. */
  get present(): readonly string[] {
    return this.isIn ? [...this.#present].sort() : []
  }

  listed({ members }: { readonly members: readonly (readonly [id: string, name: string])[] }): void {
    this.#present.clear()
    for (const [id] of members) this.#present.add(id)
  }

  /** `code`: of the answer to a join; null: it was sent away, and asks again. */
  refused(code: ErrorCode | null): void {
    if (code !== null && !refusals[code].retryable) this.#circles?.left(ROOM, code === 'no_such_room', this.#world.now)
    const wire = this.#wire
    this.#world.schedule.after(this.#world.random.between(100, 500), () => {
      if (this.#wire === wire && !this.isIn) this.#join()
    })
  }

  heard(offset: number, body: Body): void {
    const { history } = this.#world
    if (this.#top === null || (!this.isIn && this.#asked === null))
      return history.wrong(`${this.#where()} is told ${offset} before it is in`)
    if (offset !== this.#top + 1) history.wrong(`${this.#where()} is told ${offset} next`)
    this.#top = offset
    const letter = decoder.decode(body.bytes.subarray(body.start, body.end))
    if (history.failovers === 0 && [...this.#seen.values()].includes(letter))
      history.wrong(`repeat: ${this.#name} is told ${letter} twice in ${ROOM}`)
    this.#seen.set(offset, letter)
  }

  member(event: MemberEvent, id: string, own: string | null): void {
    const { history } = this.#world
    if (event === 'leave' && id === own) {
      if (history.failovers === 0 && !this.#world.isRemade) history.wrong(`${this.#where()} is sent away`)
      this.isIn = false
      return this.refused(null)
    }
    if (this.#told.get(id) === event) history.wrong(`${this.#where()} is told twice that ${id} did ${event}`)
    this.#told.set(id, event)
    if (event === 'join') this.#present.add(id)
    else this.#present.delete(id)
  }

  /** Compares what it has read with what the log holds in the end. */
  judge(log: ReadonlyMap<number, string>): void {
    for (const [offset, letter] of this.#seen) {
      if (log.get(offset) !== letter)
        this.#world.history.wrong(`${this.#where()} was told ${letter} as ${offset}, where ${log.get(offset)} is`)
    }
  }

  #join(): void {
    this.#asked = this.#top
    this.#circles?.entering(ROOM, this.#epoch)
    this.#wire?.join(JOIN, ROOM, {
      ...(this.#top !== null && { since: this.#top, epoch: this.#epoch }),
      epochs: true,
    })
  }

  #where(): string {
    return `${ROOM}: ${this.#name} at ${this.#top}`
  }
}

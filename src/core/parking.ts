/**
 * What this node still has to put into one mailbox, or into the log of one room, in order.
 *
 * One batch is under way at a time; what comes meanwhile goes with the next, so the busier it gets the larger the batches are.
 * A batch without an answer is offered again after 1, 2, 4 and 4 s …, which is safe because the mailbox knows each number. What
 * grows too old meanwhile goes back to its sender as `retry`, even while it is under way: should it have been stored after all,
 * the resend is answered `stored`.
 */
import type { Outcome } from '../protocol/mailbox.ts'
import { isRoom } from '../protocol/names.ts'
import type { Hub } from './hub.ts'
import type { Message } from './message.ts'

const BATCH = 256
const BATCH_BYTES = 1024 * 1024
const LONGEST_PAUSE_MS = 4_000
/** What became of one message: of one to a room too, whose sender was in another room of that name. */
export type Arrival = Outcome | 'not_joined'

/** ms past its deadline at which a message is handed back: within the 2 s that a sender is promised (§5.1). */
export const GRACE_MS = 1_400

export class Parking {
  readonly id: string
  readonly #hub: Hub
  readonly #isRoom: boolean
  #queue: Message[] = []
  #flying: Message[] = []
  #failures = 0
  #notBefore = 0
  #earliest = Infinity

  constructor(hub: Hub, id: string) {
    this.#hub = hub
    this.id = id
    this.#isRoom = isRoom(id)
  }

  /** The batch under way. */
  get underWay(): readonly Message[] {
    return this.#flying
  }

  get empty(): boolean {
    return this.#queue.length === 0 && this.#flying.length === 0
  }

  /** True when a flush has to follow at the end of the turn. */
  add(message: Message): boolean {
    this.#queue.push(message)
    if (message.deadline < this.#earliest) this.#earliest = message.deadline
    return this.#queue.length === 1 && this.#flying.length === 0
  }

  /** Sends the next batch on its way if none is under way. */
  flush(now: number): void {
    if (this.#flying.length > 0 || this.#queue.length === 0 || now < this.#notBefore) return
    const epoch = this.#queue[0]?.epoch ?? ''
    let count = 0
    let bytes = 0
    for (const message of this.#queue) {
      bytes += message.size
      if (count === BATCH || (count > 0 && bytes > BATCH_BYTES) || message.epoch !== epoch) break
      count++
    }
    this.#flying = count === this.#queue.length ? this.#queue : this.#queue.slice(0, count)
    this.#queue = count === this.#queue.length ? [] : this.#queue.slice(count)
    const { effects } = this.#hub
    if (this.#isRoom) effects.rooms.append(this.id, this.#flying, epoch)
    else effects.enqueue(this.id, this.#flying)
  }

  /** The answer of the store to the batch under way; null: none came. */
  answered(outcomes: readonly Arrival[] | null, now: number): void {
    const batch = this.#flying
    this.#flying = []
    if (outcomes === null) return this.#again(batch, now)
    this.#failures = 0
    this.#notBefore = 0
    for (let i = 0; i < batch.length; i++) {
      const message = batch[i]
      const outcome = outcomes[i]
      if (message === undefined || outcome === undefined || message.ended) continue
      this.#hub.custody.parked(message, outcome)
    }
    if (this.empty) this.#earliest = Infinity
  }

  /** Hands back what is too old. */
  tick(now: number): void {
    if (now >= this.#earliest + GRACE_MS) {
      this.#earliest = Infinity
      unanswered(this.#flying)
      for (const message of this.#flying) this.#judge(message, now)
      for (const message of [...this.#queue]) this.#judge(message, now)
      this.#sweep()
    }
    this.flush(now)
  }

  /** The numbers from `first` to `last` of a stream that have no end yet. What is under way may be ended too: its answer is then ignored. */
  *open(stream: string, first: number, last: number): Generator<Message> {
    for (const list of [this.#flying, this.#queue]) {
      for (const message of list) {
        if (message.stream === stream && message.n >= first && message.n <= last && !message.ended) yield message
      }
    }
  }

  /** Whether it holds anything of a stream. A long queue is not searched: it may. */
  mayHold(stream: string): boolean {
    if (this.#queue.length > BATCH) return true
    return (
      this.#flying.some(message => message.stream === stream) || this.#queue.some(message => message.stream === stream)
    )
  }

  /** Drops what cannot be taken before a refused message of its stream. */
  dropFrom(stream: string, n: number): void {
    unanswered(this.#flying)
    for (const message of this.open(stream, n, Infinity)) this.#hub.custody.dropped(message)
    this.#sweep()
  }

  #again(batch: Message[], now: number): void {
    unanswered(batch)
    this.#failures++
    this.#notBefore = now + Math.min(1_000 * 2 ** (this.#failures - 1), LONGEST_PAUSE_MS)
    this.#queue = batch.filter(message => !message.ended).concat(this.#queue)
  }

  #judge(message: Message, now: number): void {
    if (message.ended) return
    if (now >= message.deadline + GRACE_MS) this.#hub.custody.unavailable(message)
    else if (message.deadline < this.#earliest) this.#earliest = message.deadline
  }

  #sweep(): void {
    this.#queue = this.#queue.filter(message => !message.ended)
  }
}

/** The store may have taken these, and has not said so, or may never. */
function unanswered(batch: readonly Message[]): void {
  for (const { source, n } of batch) source?.offered(n)
}

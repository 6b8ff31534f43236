/**
 * Whom a message to a room is for: those of the room that had the name when it was said.
 *
 * While this client was away its room may have been deleted, and another one made under the same name, with others in it. What the outbox holds
 * for that name, because it was not sent yet or because a store may lose it, was said to the ones before. So nothing goes to a room
 * that was entered before until the answer to the next join says that it is still the same; if it is another one, all that is given up.
 */
import { areOfOneRoom } from '../../protocol/rooms.ts'
import type { Outbox } from '../outbox.ts'

export class Circles {
  readonly #outbox: Pick<Outbox, 'hold' | 'release' | 'giveUp' | 'disown'>
  /** By room: an epoch of the one that was entered last. */
  readonly #entered = new Map<string, string>()

  constructor(outbox: Pick<Outbox, 'hold' | 'release' | 'giveUp' | 'disown'>) {
    this.#outbox = outbox
  }

  /** A join is about to be asked for. `epoch`: where somebody has read before, or ''. */
  entering(room: string, epoch: string): void {
    const known = this.#entered.get(room) ?? epoch
    if (known === '') return
    this.#entered.set(room, known)
    this.#outbox.hold(room)
  }

  entered(room: string, epoch: string, now: number): void {
    const known = this.#entered.get(room)
    // Nobody can say any more where that was said which an earlier process has left.
    if (known === undefined) this.#outbox.giveUp(room)
    else if (!areOfOneRoom(known, epoch)) this.#outbox.disown(room)
    this.#entered.set(room, epoch)
    this.#outbox.release(room, now)
  }

  /** Out of it for good: the server refuses what is sent there from now on. `isGone`: there is no such room any more. */
  left(room: string, isGone: boolean, now: number): void {
    if (isGone) {
      this.#entered.delete(room)
      this.#outbox.giveUp(room)
    }
    this.#outbox.release(room, now)
  }
}
